"""Requests in the manner of 1C:Enterprise, Delphi, Axis 1 and .NET 1.1, octet for octet, over a raw socket.

recorded/requests.toml says of each file what is special in it and what it is answered. All people are made up.
"""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import pytest
from lxml import etree

from adapter.envelope.names import FAULT, SOAP11, SOAP12
from tests.interop.recorded_service import NAMESPACE, RECORDED, REGISTERED, running_office

pytestmark = pytest.mark.sockets

INDEX = tomllib.loads((RECORDED / "requests.toml").read_text(encoding="utf-8"))["request"]
REQUESTS = RECORDED / "requests"
SURNAME, BORN = "Ўткирова", "1990-03-12"
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running_office(tmp_path_factory.mktemp("recorded")) as office:
        yield office.ports.clients


class Connection:
    """One TCP connection to the adapter."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._incoming = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._incoming.close()
        self._socket.close()

    def send(self, request: bytes) -> Answer:
        """Send the octets; the body only when the adapter said to go on, if the head waits for that."""
        head, blank, body = request.partition(b"\r\n\r\n")
        self._socket.sendall(head + blank)
        if b"\r\nexpect:" in head.lower():
            assert self._incoming.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert self._incoming.readline() == b"\r\n"
        self._socket.sendall(body)
        return self._receive()

    def is_ended(self) -> bool:
        """Whether the adapter has ended the connection (waits for it)."""
        return self._incoming.read(1) == b""

    def _receive(self) -> Answer:
        status = int(self._incoming.readline().split()[1])
        headers = {}
        while line := self._incoming.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return Answer(status, headers, self._incoming.read(int(headers["content-length"])))


def test_index_names_every_file() -> None:
    assert sorted(one["file"] for one in INDEX) == sorted(path.name for path in REQUESTS.iterdir())


@pytest.mark.parametrize("one", INDEX, ids=lambda one: one["file"].removesuffix(".http"))
def test_recorded_request(port: int, one: dict[str, str]) -> None:
    with Connection(port) as connection:
        answer = connection.send((REQUESTS / one["file"]).read_bytes())
    envelope = etree.fromstring(answer.body)
    if one["answer"] == "answered":
        assert read_values(envelope) == [SURNAME, BORN, REGISTERED]
        assert answer.status == 200
    else:
        assert envelope.findtext(f".//{{{FAULT}}}Code") == one["answer"]
        assert envelope.findtext(f".//{{{FAULT}}}Incident") == answer.headers["adapter-incident"]
        assert answer.status >= 400
    is_soap12 = one["file"] == "soap12.http"
    assert envelope.tag == f"{{{SOAP12 if is_soap12 else SOAP11}}}Envelope"
    assert answer.headers["content-type"] == f"{'application/soap+xml' if is_soap12 else 'text/xml'}; charset=utf-8"


@pytest.mark.parametrize("name", ["1c", "dotnet11", "axis1-http10-keep-alive", "axis1-chunked", "delphi-rpc-encoded"])
def test_a_connection_that_stays_takes_the_next_request(port: int, name: str) -> None:
    request = (REQUESTS / f"{name}.http").read_bytes()
    with Connection(port) as connection:
        connection.send(request)
        answer = connection.send((REQUESTS / "1c.http").read_bytes())
    assert read_values(etree.fromstring(answer.body)) == [SURNAME, BORN, REGISTERED]


@pytest.mark.parametrize("name", ["axis1-http10", "axis1-http10-no-host"])
def test_an_http_1_0_connection_ends_with_the_answer(port: int, name: str) -> None:
    with Connection(port) as connection:
        connection.send((REQUESTS / f"{name}.http").read_bytes())
        assert connection.is_ended()


def test_http_1_0_with_keep_alive_is_told_so(port: int) -> None:
    with Connection(port) as connection:
        answer = connection.send((REQUESTS / "axis1-http10-keep-alive.http").read_bytes())
    assert answer.headers["connection"].lower() == "keep-alive"


def read_values(envelope: etree._Element) -> list[str | None]:
    (answer,) = envelope.iter(f"{{{NAMESPACE}}}FindRecordResponse")
    return [child.text for child in answer]

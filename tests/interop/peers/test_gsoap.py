"""gSOAP's plugin wsse in the place of a consumer's adapter, for rsa: it signs and verifies; OpenSSL encrypts for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from adapter.identifiers import MessageId
from tests.interop.peers.federation import Pair
from tests.interop.stacks import STACKS, build, need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

SOURCES = Path(__file__).parent / "gsoap"
Client = Callable[[str, bytes], "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="module")
def client(pairs: Mapping[str, Pair], tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The program, made from the peer WSDL: (mode, standard input) to what it said."""
    need(STACKS["gsoap"])
    folder, pair = tmp_path_factory.mktemp("gsoap"), pairs["rsa"]
    build("sh", str(SOURCES / "generate.sh"), pair.peer_wsdl(pair.service), str(SOURCES), cwd=folder)
    keys = pair.other.folder / "keys"
    environment = {
        **os.environ,
        "CONSUMER": str(pair.other.plan.subsystem("population")),
        "SERVICE": str(pair.service),
        "PINFL": pair.pinfl,
        "SIGNING_KEY": str(keys / "signing.key"),
        "SIGNING_CERTIFICATE": str(keys / "signing.pem"),
        "AGREEMENT_KEY": str(keys / "agreement.key"),
        "RECIPIENT": str(pair.home.folder / "keys" / "agreement.pem"),
        "AUTHORITIES": str(pair.authorities("signing")),
        "CONFIRMATION": str(folder / "confirmation"),
    }

    def run(mode: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [str(folder / "client"), mode]
        own = {**environment, "MESSAGE_ID": str(MessageId.new(datetime.now(UTC)))}
        return subprocess.run(command, input=given, capture_output=True, env=own, timeout=60, check=False)

    return run


def post(pair: Pair, message: bytes) -> bytes:
    """Over HTTPS with the member's certificate."""
    keys = pair.other.folder / "keys"
    return requests.post(
        f"{pair.home.peer_address}/peer",
        data=message,
        headers={"Content-Type": "application/soap+xml; charset=utf-8"},
        cert=(str(keys / "tls.pem"), str(keys / "tls.key")),
        verify=str(pair.authorities("tls")),
        timeout=60,
    ).content


def test_an_adapter_takes_what_gsoap_signs_and_gsoap_what_an_adapter_signs(
    pairs: Mapping[str, Pair], client: Client
) -> None:
    pair = pairs["rsa"]
    asked = client("ask", b"")
    assert asked.returncode == 0, asked.stderr
    reply = post(pair, asked.stdout)
    assert pair.last_outcome() == ("reply-sent", "answered")
    read = client("read", reply)
    assert read.returncode == 0, read.stderr
    assert read.stdout.decode() == f"surname: {pair.person.surname}\n"


def test_gsoap_refuses_a_reply_whose_signed_part_was_changed(pairs: Mapping[str, Pair], client: Client) -> None:
    asked = client("ask", b"")
    reply = post(pairs["rsa"], asked.stdout)
    changed = reply.replace(b"<ia:RecordNumber>", b"<ia:RecordNumber>1", 1)
    assert changed != reply
    assert client("read", changed).returncode == 1


def test_what_the_plugin_encrypts_alone_is_refused(pairs: Mapping[str, Pair], client: Client) -> None:
    """It has no OAEP with SHA-256, no EncryptedHeader, and states no Type of what it encrypts."""
    pair = pairs["rsa"]
    made = client("plugin", b"")
    assert b"aes128-gcm" in made.stdout
    before = pair.home.record.size()
    post(pair, made.stdout)
    (entry,) = pair.home.record.since(before)
    assert (entry.kind, entry.outcome) == ("refused", "EnvelopeRefused")

"""Attachments through two real adapters, in the packagings that old systems use."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from adapter.store.engine import open_database
from adapter.store.log_reader import LogFilter, LogReader
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, MemberPlan
from tests.adapters.document_service import AskingAndAsked, asking_and_asked, document_service
from tests.adapters.document_system import (
    NS,
    DocumentSystem,
    envelope,
    included,
    octets_of,
    parts_of,
    pattern,
    put,
    related,
    related_type,
)
from tests.adapters.small_federation import running
from tests.command_line import typed

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

CONTEXT = 'official = "inspector-17"\npurpose = "social-benefit"'
ENTRIES = (
    ("asking", "request-sent"),
    ("asking", "reply-received"),
    ("asked", "request-received"),
    ("asked", "reply-sent"),
)
MAX_PEAK_KIB = 200 * 1024
PACKAGINGS = ("swa", "mtom", "inline")
PDF = b"%PDF-1.7\r\n--b0undar" + bytes(range(256)) * 700


@dataclass(frozen=True, kw_only=True)
class Ground(AskingAndAsked):
    system: DocumentSystem

    def post(self, version: str, body: bytes, content_type: str) -> requests.Response:
        headers = {"Content-Type": content_type, "SOAPAction": '"urn:Put"'}
        return requests.post(self.address(version), data=body, headers=headers, timeout=60)


def peak_kib(ground: Ground, home: Home) -> int:
    """The most memory that a process of this adapter has had in RAM (VmHWM), in KiB."""
    status = Path(f"/proc/{ground.federation.processes[home.plan.folder].pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]


def entry_of(home: Home, message_id: str, kind: str) -> dict[str, Any]:
    """The whole entry of this kind about an exchange."""
    database = open_database(home.settings.database_url)
    return LogReader(database).search(LogFilter(kind=kind, message_id=message_id, limit=1))[0].body


def plans(folder: Path, system: DocumentSystem) -> tuple[MemberPlan, MemberPlan]:
    more = f"max_attachment_bytes = {2 << 30}"
    services = [document_service(folder / "description", system.address, way=way, more=more) for way in PACKAGINGS]
    clients = (ClientPlan(name="case-system", subsystem="archive", context=CONTEXT),)
    return asking_and_asked(services, versions=PACKAGINGS, context=CONTEXT, clients=clients)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("attachments")
    with (
        DocumentSystem() as system,
        running(folder / "federation", *plans(folder, system)) as federation,
    ):
        yield Ground(federation=federation, system=system)


def test_swa_there_and_back(ground: Ground):
    ground.system.packaging, ground.system.content = "swa", PDF[::-1]
    body = related(envelope(put("<d:File>cid:one@client</d:File>")), ("one@client", "image/png", PDF))
    answer = ground.post("swa", body, related_type())
    assert answer.status_code == 200, answer.text
    root, sent = ground.system.last_parts
    assert sent.get_payload(decode=True) == PDF
    assert (sent.get_content_type(), sent["Content-ID"]) == ("image/png", "<one@client>")
    assert b"cid:one@client" in root.get_payload(decode=True)
    _, came = parts_of(answer.headers["Content-Type"], answer.content)
    assert came.get_payload(decode=True) == PDF[::-1]
    assert came.get_content_type() == "application/pdf"


@pytest.mark.parametrize("system", PACKAGINGS)
@pytest.mark.parametrize("client", ["mtom", "inline"])
def test_base64_reaches_each_system_as_it_takes_it(ground: Ground, client: str, system: str):
    """What a client sends as MTOM or in the XML comes to the system as it wants it, octet for octet."""
    ground.system.packaging = "inline"
    if client == "mtom":
        body = related(envelope(put(included("one@client"))), ("one@client", "image/png", PDF), xop=True)
        answer = ground.post(system, body, related_type(xop=True))
    else:
        content = f"<d:Content>{base64.b64encode(PDF).decode()}</d:Content>"
        answer = ground.post(system, envelope(put(content)), "text/xml; charset=utf-8")
    assert answer.status_code == 200, answer.text
    asked = ground.system.asked[-1]
    if system == "mtom":
        root, sent = ground.system.last_parts
        assert 'type="application/xop+xml"' in asked.content_type
        assert sent.get_payload(decode=True) == PDF
        (include,) = etree.fromstring(octets_of(root)).iter("{*}Include")
        assert f"<{include.get('href', '')[4:]}>" == sent["Content-ID"]
    else:
        assert asked.content_type.startswith("text/xml")
        found = etree.fromstring(bytes(asked.body)).findtext(f".//{{{NS}}}Content")
        assert base64.b64decode(found or "") == PDF


@pytest.mark.parametrize("system", PACKAGINGS)
@pytest.mark.parametrize("client", ["mtom", "inline"])
def test_base64_of_each_system_reaches_the_client_as_it_called(ground: Ground, client: str, system: str):
    ground.system.packaging, ground.system.content = system, PDF
    if client == "mtom":
        body = related(envelope(put(included("one@client"))), ("one@client", "image/png", b"1"), xop=True)
        answer = ground.post("mtom", body, related_type(xop=True))
    else:
        answer = ground.post("mtom", envelope(put("")), "text/xml; charset=utf-8")
    assert answer.status_code == 200, answer.text
    content_type = answer.headers["Content-Type"]
    if system == "swa":  # a part that no base64 stands for has no other place
        assert parts_of(content_type, answer.content)[1].get_payload(decode=True) == PDF
    elif client == "mtom" and system == "mtom":
        root, came = parts_of(content_type, answer.content)
        assert root.get_content_type() == "application/xop+xml"
        assert came.get_payload(decode=True) == PDF
    elif system == "mtom":
        assert content_type.startswith("text/xml")
        found = etree.fromstring(answer.content).findtext(f".//{{{NS}}}Content")
        assert base64.b64decode(found or "") == PDF


def test_base64_in_the_xml_becomes_a_part_for_a_client_that_called_with_mtom(ground: Ground):
    ground.system.packaging, ground.system.content, ground.system.base64_in_xml = "inline", PDF, True
    try:
        body = related(envelope(put(included("one@client"))), ("one@client", "image/png", b"1"), xop=True)
        answer = ground.post("inline", body, related_type(xop=True))
    finally:
        ground.system.base64_in_xml = False
    assert answer.status_code == 200, answer.text
    root, came = parts_of(answer.headers["Content-Type"], answer.content)
    assert root.get_content_type() == "application/xop+xml"
    assert came.get_payload(decode=True) == PDF


def test_a_json_client_gets_base64(ground: Ground):
    ground.system.packaging, ground.system.content = "mtom", PDF
    service = ground.asked.plan.service("archive", "Documents", "mtom")
    url = ground.asking.service_url(service).replace("/service/", "/json/") + "/Put"
    answer = requests.post(url, json={"body": {"Title": "one"}}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert base64.b64decode(answer.json()["body"]["Content"]) == PDF
    ground.system.packaging = "swa"  # a part that stands for no base64 has no place in JSON
    answer = requests.post(url, json={"body": {"Title": "one"}}, timeout=60)
    assert answer.json()["code"] == "AnswerNotHeld"


def test_the_record_of_both_sides_has_the_digests(ground: Ground):
    ground.system.packaging, ground.system.content = "swa", PDF[::-1]
    body = related(envelope(put("<d:File>cid:one@client</d:File>")), ("one@client", "image/png", PDF))
    message_id = ground.post("swa", body, related_type()).headers["Adapter-Message-Id"]
    for home, kind in ENTRIES:
        octets = PDF if "request" in kind else PDF[::-1]
        (said,) = entry_of(ground.federation.homes[home], message_id, kind)["attachments"]
        assert said["size"] == len(octets)
        assert said["sha256"] == hashlib.sha256(octets).hexdigest()


def test_a_trace_names_the_attachment_at_each_stage_on_both_sides(ground: Ground):
    """With xop:Include in the XML, which has to pass the schema again; nothing of the content is shown."""
    ground.system.packaging, ground.system.content = "mtom", PDF[::-1]
    body = related(envelope(put(included("one@client"))), ("one@client", "image/png", PDF), xop=True)
    message_id = ground.post("mtom", body, related_type(xop=True)).headers["Adapter-Message-Id"]
    for home in (ground.asking, ground.asked):
        done = typed("trace", message_id, "--settings", home.settings_file, "--json")
        assert done.code == 0, done.out + done.err
        stages = json.loads(done.out)
        assert len(stages) >= 9
        half = next(at for at, stage in enumerate(stages) if stage["stage"].startswith("record ") and at)
        for stage in stages[:half]:
            assert stage["facts"]["attachment 1"].startswith("one@client: "), stage
        for stage in stages[half:]:
            assert stage["facts"]["attachment 1"].startswith("answer@x: "), stage
        assert hashlib.sha256(PDF).hexdigest() in done.out
        assert "%PDF" not in done.out
        assert base64.b64encode(PDF[:60]).decode() not in done.out


# --- what is refused, and where --------------------------------------------------------------------------------------


def code_of(answer: requests.Response) -> str:
    return str(etree.fromstring(answer.content).findtext(".//{*}Code")) if answer.status_code != 200 else "answered"


_TITLE_AS_A_PART = put("").replace("<d:Title>one</d:Title>", included("one@client", "Title"))
REFUSED = {
    "an include that names nothing": (put(included("nowhere")), True, "SchemaInvalid"),
    "an include of a web address": (put(included("x").replace("cid:x", "http://127.0.0.1/")), True, "SchemaInvalid"),
    "two includes of one part": (put(included("one@client") + included("one@client", "File")), True, "SchemaInvalid"),
    "an include beside text": (put(included("one@client").replace("<xop", "AAAA<xop")), True, "SchemaInvalid"),
    "an include where no base64 belongs": (_TITLE_AS_A_PART, True, "SchemaInvalid"),
    "no envelope": ("<a/>", False, "SchemaInvalid"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_before_anything_leaves(ground: Ground, what: str):
    body, xop, code = REFUSED[what]
    asked = len(ground.system.asked)
    answer = ground.post("mtom", related(envelope(body), ("one@client", "a/b", PDF), xop=xop), related_type(xop=xop))
    assert code_of(answer) in (code, "UnknownOperation")
    assert len(ground.system.asked) == asked


@pytest.mark.parametrize(
    "cut",
    [lambda body: body[:-5], lambda body: body + b"more", lambda body: b"x" + body, lambda body: body[:3000]],
    ids=["no last boundary", "an epilogue", "a preamble", "half"],
)
def test_a_body_that_is_not_one_multipart_message(ground: Ground, cut):
    asked = len(ground.system.asked)
    body = related(envelope(put("")), ("one@client", "a/b", PDF))
    assert code_of(ground.post("swa", cut(body), related_type())) == "AttachmentsInvalid"
    assert len(ground.system.asked) == asked


def test_a_part_beside_the_xml_for_a_system_that_takes_none(ground: Ground):
    asked = len(ground.system.asked)
    body = related(envelope(put("")), ("one@client", "a/b", PDF))
    assert code_of(ground.post("inline", body, related_type())) == "AttachmentsInvalid"
    assert len(ground.system.asked) == asked


def test_a_client_that_breaks_off_leaves_nothing(ground: Ground):
    """Half an upload, then nothing: the system is not asked, and the room is free again."""
    asked, before = len(ground.system.asked), ground.asking.record.size()
    service = ground.asked.plan.service("archive", "Documents", "swa")
    body = related(envelope(put("")), ("one@client", "a/b", PDF * 10))
    with socket.create_connection(("127.0.0.1", ground.asking.ports.clients)) as connection:
        head = (
            f"POST /service/{service} HTTP/1.1\r\nHost: x\r\nContent-Type: {related_type()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[: len(body) // 2])
    until = time.monotonic() + 20
    while time.monotonic() < until:
        entries = [entry.outcome for entry in ground.asking.record.since(before)]
        if "RequestIncomplete" in entries:
            break
        time.sleep(0.2)
    assert "RequestIncomplete" in entries
    assert len(ground.system.asked) == asked


def test_a_system_that_breaks_off_is_a_fault_and_not_a_short_answer(ground: Ground):
    ground.system.packaging, ground.system.stream_size, ground.system.break_after = "swa", 20 << 20, 3 << 20
    try:
        answer = ground.post("swa", envelope(put("")), "text/xml; charset=utf-8")
    finally:
        ground.system.stream_size = ground.system.break_after = None
    assert code_of(answer) == "ProviderSystemInvalid"


def through(ground: Ground, size: int) -> int:
    """Send an attachment of this size and get one back, as streams. The peak memory of both adapters, in KiB."""
    ground.system.packaging, ground.system.stream_size, ground.system.keep = "swa", size, False
    head, end = related(envelope(put("")), ("big@client", "a/b", b"")).split(b"\r\n--b0undary--")
    counted = 0

    def upload() -> Iterator[bytes]:
        yield head
        yield from pattern(size)
        yield b"\r\n--b0undary--" + end

    url = ground.asking.service_url(ground.asked.plan.service("archive", "Documents", "swa"))
    try:
        with requests.post(
            url, data=upload(), headers={"Content-Type": related_type()}, timeout=600, stream=True
        ) as answer:
            assert answer.status_code == 200, answer.text
            message_id = answer.headers["Adapter-Message-Id"]
            for piece in answer.iter_content(1 << 20):
                counted += len(piece)
            assert counted == int(answer.headers["Content-Length"])
    finally:
        ground.system.stream_size, ground.system.keep = None, True
    digest = hashlib.sha256()
    for piece in pattern(size):
        digest.update(piece)
    for home, kinds in (
        (ground.asking, ("request-sent", "reply-received")),
        (ground.asked, ("request-received", "reply-sent")),
    ):
        for kind in kinds:
            (said,) = entry_of(home, message_id, kind)["attachments"]
            assert (said["size"], said["sha256"]) == (size, digest.hexdigest())
    return max(peak_kib(ground, ground.asking), peak_kib(ground, ground.asked))


def test_64_mib_there_and_back(ground: Ground):
    assert through(ground, 64 << 20) < MAX_PEAK_KIB

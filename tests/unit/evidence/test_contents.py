"""Evidence is exactly the files that it consists of, and what it says of itself has one form."""

from __future__ import annotations

import pytest

from adapter.errors import EvidenceInvalid
from adapter.evidence.contents import (
    CHECKPOINT,
    CLAIMS,
    CONSISTENCY,
    COSIGNED,
    DIRECTORY_TARGETS,
    DIRECTORY_XML,
    OF_EXPORTER,
    Claims,
    check_contents,
    read_claims,
    render_claims,
)
from adapter.identifiers import MemberId, MessageId
from tests.pki import NOW

SAID = Claims(exporter=MemberId.parse("UZ/GOV/200000001"), exported=NOW, message_id=MessageId("urn:uuid:" + "0" * 36))
EVIDENCE = {
    CLAIMS: render_claims(SAID),
    "messages/request.xml": b"<a/>",
    "messages/request.key": b"00",
    "messages/request.cer": b"00",
    "record/entry-0.json": b"{}",
    "record/proof-0.json": b"[]",
    CHECKPOINT: b"note",
    DIRECTORY_XML: b"<d/>",
    DIRECTORY_TARGETS: b"note",
}
REPLY = {f"messages/reply.{suffix}": b"x" for suffix in ("xml", "key", "cer")}
WITNESSED = {COSIGNED: b"x", CONSISTENCY: b"x"}
SECOND = {OF_EXPORTER.document: b"x", OF_EXPORTER.targets: b"x"}


def test_these_files_are_evidence() -> None:
    assert check_contents(EVIDENCE) == (0,)
    more = {"messages/reply.ocsp": b"x", "directory/1.root.json": b"x", "exporter/2.root.json": b"x"}
    assert check_contents(EVIDENCE | REPLY | SECOND | WITNESSED | more) == (0,)


@pytest.mark.parametrize(
    "path",
    [
        "extra.txt",
        "../evil",
        "/etc/passwd",
        "messages/../x",
        "record/entry-00.json",
        "record/entry--1.json",
        "record/entry-1.json\n",
        "directory/0.root.json",
        "manifest.json",
        "messages/Request.xml",
        "messages/request.ocsp\n",
    ],
)
def test_refuses_a_file_that_has_no_place(path: str) -> None:
    with pytest.raises(EvidenceInvalid, match="no place"):
        check_contents({**EVIDENCE, path: b"x"})


@pytest.mark.parametrize("path", EVIDENCE)
def test_refuses_a_missing_file(path: str) -> None:
    with pytest.raises(EvidenceInvalid):
        check_contents({one: octets for one, octets in EVIDENCE.items() if one != path})


@pytest.mark.parametrize(
    "path", [*REPLY, "messages/reply.ocsp", *SECOND, *WITNESSED, "exporter/1.root.json", "record/proof-1.json"]
)
def test_refuses_one_file_of_some_that_belong_together(path: str) -> None:
    with pytest.raises(EvidenceInvalid):
        check_contents({**EVIDENCE, path: b"x"})


def test_reads_back_what_it_says_of_itself() -> None:
    assert read_claims(render_claims(SAID)) == SAID


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        render_claims(SAID)[:-1],
        render_claims(SAID) + b"\n",
        render_claims(SAID).replace(b"evidence/3", b"evidence/2", 1),
        render_claims(SAID).replace(b"UZ/GOV/200000001", b"UZ/GOV"),
        render_claims(SAID).replace(b"2026-03-02T09:00:00Z", b"yesterday"),
        render_claims(SAID).replace(b"{", b'{"more": 1,', 1),
        render_claims(SAID).replace(b'"format"', b'"fermat"', 1),
    ],
)
def test_refuses_what_is_said_otherwise(said: bytes) -> None:
    with pytest.raises(EvidenceInvalid, match=CLAIMS):
        read_claims(said)

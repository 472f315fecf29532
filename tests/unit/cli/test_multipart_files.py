"""`adapter validate` and `adapter trace` on a message with attachments in a file, written down in each usual way."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.adapters.document_system import NS, WSDL, envelope, included, put, related, related_type
from tests.unit.cli.dialogue import Run

SECRET = b"\x89PNG Karimov 30101900000019"
FILE = ("one@client", "image/png", SECRET)
MTOM = related(envelope(put(included("one@client"))), FILE, xop=True)
SWA = related(envelope(put("<d:File>cid:one@client</d:File>")), FILE)
SAID = {
    "id": "one@client",
    "media_type": "image/png",
    "size": len(SECRET),
    "sha256": hashlib.sha256(SECRET).hexdigest(),
}


@pytest.fixture
def described(tmp_path: Path) -> Path:
    (tmp_path / "documents.wsdl").write_text(WSDL)
    return tmp_path


def written(folder: Path, octets: bytes) -> str:
    (folder / "message.bin").write_bytes(octets)
    return "message.bin"


HEADERS = f"POST /service/x HTTP/1.1\r\nHost: x\r\nContent-Type: {related_type(xop=True)}\r\n\r\n".encode()
WAYS = {
    "its boundary first": (MTOM, ()),
    "SwA, its boundary first": (SWA, ()),
    "the headers first": (HEADERS + MTOM, ()),
    "the headers first, as an editor leaves them": (HEADERS.replace(b"\r\n", b"\n") + MTOM, ()),
    "a folded header first": (HEADERS.replace(b"; start=", b";\r\n start=") + MTOM, ()),
    "its Content-Type beside it": (MTOM, ("--content-type", related_type(xop=True))),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_message_is_read_however_it_was_written_down(run: Run, described: Path, way: str):
    octets, options = WAYS[way]
    done = run("validate", written(described, octets), *options, "--wsdl", "documents.wsdl", "--json")
    assert done.code == 0, done.out + done.err
    (found,) = json.loads(done.out)
    assert (found["kind"], found["problems"], found["attachments"]) == ("client-call", [], [SAID])


def test_a_part_is_shown_and_what_is_in_it_is_not(run: Run, described: Path):
    done = run("validate", written(described, MTOM), "--wsdl", "documents.wsdl")
    assert f"attachment one@client: image/png, {len(SECRET)} octets, SHA-256 {SAID['sha256']}" in done.out
    assert "Karimov" not in done.out


def broken(body: str, *parts: tuple[str, str, bytes]) -> bytes:
    return related(envelope(body), *parts, xop=True)


PROBLEMS = {
    "an include that names nothing": (broken(put(included("nowhere")), FILE), "xop.include"),
    "an include without any part": (envelope(put(included("one@client"))), "xop.include"),
    "an include where no base64 belongs": (
        broken(put("").replace("<d:Title>one</d:Title>", included("one@client", "Title")), FILE),
        "xop.include",
    ),
    "what the schema does not know": (
        broken(f'<d:Put xmlns:d="{NS}">{included("one@client")}</d:Put>', FILE),
        "cvc-complex-type.2.4",
    ),
    "a message that breaks off": (MTOM[:-6], "multipart"),
    "line ends of an editor": (MTOM.replace(b"\r\n", b"\n"), "multipart"),
    "two parts of one name": (broken(put(""), FILE, FILE), "multipart"),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_what_is_wrong_is_said(run: Run, described: Path, what: str):
    octets, rule = PROBLEMS[what]
    done = run("validate", written(described, octets), "--wsdl", "documents.wsdl", "--json")
    assert done.code == 1
    (found,) = json.loads(done.out)
    assert [problem["rule"] for problem in found["problems"]] == [rule]
    assert "Karimov" not in done.out


def test_a_trace_of_a_file_names_each_part_at_each_stage(run: Run, described: Path):
    done = run("trace", written(described, MTOM), "--wsdl", "documents.wsdl", "--json")
    assert done.code == 0, done.out
    stages = json.loads(done.out)
    assert [stage["stage"] for stage in stages] == ["as it stands in the file", "identified", "validated"]
    for stage in stages:
        assert stage["facts"]["attachment 1"].startswith(f"one@client: image/png, {len(SECRET)} octets")
    assert "Karimov" not in done.out


def test_a_trace_of_a_file_that_breaks_off_says_so(run: Run, described: Path):
    done = run("trace", written(described, MTOM[:-6]), "--json")
    assert done.code == 1
    (stage,) = json.loads(done.out)
    assert (stage["good"], stage["problems"][0]["rule"]) == (False, "multipart")

"""The signed directory: every way to slip another one in is refused, and a current one of the authority is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.directory.document import DIRECTORY_LIMITS
from adapter.directory.model import Directory
from adapter.directory.rendering import render_directory
from adapter.directory.signing import (
    CLOCK_SKEW,
    MAX_NOTE_BYTES,
    authenticate_directory,
    open_signed_directory,
    read_anchor,
    sign_directory,
)
from adapter.errors import AdapterError, DirectoryExpired, DirectoryRefused, SettingsInvalid
from tests.pki import NOW, Federation


def opened(
    federation: Federation, xml: bytes, note: bytes, *, known_version: int = 0, now: datetime = NOW
) -> Directory:
    return open_signed_directory(xml, note, federation.anchor, known_version=known_version, now=now)


def test_opens_what_the_authority_signed(federation: Federation) -> None:
    xml, note = federation.signed(federation.draft(version=3))
    assert opened(federation, xml, note, known_version=2).version == 3


def test_the_anchor_file_is_the_verifier_key(federation: Federation) -> None:
    assert read_anchor(federation.signer.vkey.encode() + b"\n").name == federation.anchor.name


@pytest.mark.parametrize("octets", [b"", b"\xff", b"a b", b"name+00000000+AAAA", b"x" * 2000, b"one\ntwo"])
def test_refuses_an_anchor_that_is_no_verifier_key(octets: bytes) -> None:
    with pytest.raises(SettingsInvalid):
        read_anchor(octets)


def test_refuses_the_signature_of_somebody_else(federation: Federation) -> None:
    xml, _ = federation.signed()
    stranger = NoteSigner("test-authority", Ed25519PrivateKey.generate())
    with pytest.raises(DirectoryRefused, match="signature"):
        opened(federation, xml, sign_directory(xml, stranger))


def test_refuses_a_good_signature_under_another_name(federation: Federation) -> None:
    xml, _ = federation.signed()
    renamed = NoteSigner("other-authority", federation.authority_key)
    with pytest.raises(DirectoryRefused):
        opened(federation, xml, sign_directory(xml, renamed))


def test_refuses_a_missing_signature(federation: Federation) -> None:
    xml, note = federation.signed()
    text = note.decode().split("\n\n")[0] + "\n"
    for unsigned in (b"", text.encode(), (text + "\n").encode()):
        with pytest.raises(DirectoryRefused):
            opened(federation, xml, unsigned)


def test_refuses_every_changed_octet_of_the_note(federation: Federation) -> None:
    xml, note = federation.signed()
    text_length = note.index(b"\n\n")
    for at in range(text_length):
        changed = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        with pytest.raises(DirectoryRefused):
            opened(federation, xml, changed)


def test_refuses_a_changed_document(federation: Federation) -> None:
    xml, note = federation.signed()
    for changed in (xml.replace(b"Cadastre", b"Kadastre"), xml + b"\n", xml[:-1], b""):
        with pytest.raises(DirectoryRefused, match="not the one"):
            opened(federation, changed, note)


def test_a_document_without_a_good_digest_is_not_even_parsed(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    xml, note = federation.signed()
    monkeypatch.setattr(
        "adapter.directory.signing.parse_directory", lambda _: pytest.fail("parsed before it was verified")
    )
    with pytest.raises(DirectoryRefused):
        opened(federation, xml + b" ", note)


def test_refuses_an_older_version(federation: Federation) -> None:
    xml, note = federation.signed(federation.draft(version=4))
    assert opened(federation, xml, note, known_version=4).version == 4
    with pytest.raises(DirectoryRefused, match="older"):
        opened(federation, xml, note, known_version=5)


def test_refuses_another_document_with_the_known_version(federation: Federation) -> None:
    first, first_note = federation.signed(federation.draft(version=4))
    second, second_note = federation.signed(federation.draft(version=4, valid_for=timedelta(days=31)))
    known = hashlib.sha256(first).digest()

    def open_again(xml: bytes, note: bytes) -> Directory:
        return open_signed_directory(xml, note, federation.anchor, known_version=4, now=NOW, known_sha256=known)

    assert open_again(first, first_note).version == 4
    with pytest.raises(DirectoryRefused, match="another document"):
        open_again(second, second_note)


def test_refuses_a_directory_past_its_expiry(federation: Federation) -> None:
    xml, note = federation.signed(federation.draft(valid_for=timedelta(days=2)))
    last_moment = NOW + timedelta(days=2) - timedelta(seconds=1)
    assert opened(federation, xml, note, now=last_moment).version == 1
    with pytest.raises(DirectoryExpired):
        opened(federation, xml, note, now=last_moment + timedelta(seconds=1))


def test_an_expired_directory_is_still_authentic(federation: Federation) -> None:
    xml, note = federation.signed(federation.draft(valid_for=timedelta(days=2)))
    assert authenticate_directory(xml, note, federation.anchor).version == 1


def test_refuses_a_directory_from_the_future(federation: Federation) -> None:
    xml, note = federation.signed()
    assert opened(federation, xml, note, now=NOW - CLOCK_SKEW).version == 1
    with pytest.raises(DirectoryRefused, match="clock"):
        opened(federation, xml, note, now=NOW - CLOCK_SKEW - timedelta(seconds=1))


@pytest.mark.parametrize("line", [1, 3, 4])
def test_refuses_a_note_that_disagrees_with_its_document(federation: Federation, line: int) -> None:
    xml, note = federation.signed()
    lines = note.decode().split("\n\n")[0].split("\n")
    lines[line] = {1: "2", 3: "2026-03-01T09:00:00Z", 4: "2099-03-01T09:00:00Z"}[line]
    signed = federation.signer.sign("\n".join(lines) + "\n").encode()
    with pytest.raises(DirectoryRefused, match="different"):
        opened(federation, xml, signed)


@pytest.mark.parametrize(
    "text",
    [
        "interagency-adapter/directory\n1\n",
        "some-log\n1\nAAAA\n",
        "interagency-adapter/directory\n01\n{digest}\n2026-03-02T09:00:00Z\n2026-04-01T09:00:00Z\n",
        "interagency-adapter/directory\n1\n{digest}\n2026-03-02T09:00:00Z\n2026-04-01T09:00:00Z\nmore\n",
    ],
)
def test_refuses_another_statement_of_the_authority(federation: Federation, text: str) -> None:
    xml, _ = federation.signed()
    note = federation.signer.sign(text.replace("{digest}", hashlib.sha256(xml).hexdigest())).encode()
    with pytest.raises(DirectoryRefused, match="does not state"):
        opened(federation, xml, note)


def test_refuses_a_signed_document_that_is_malformed(federation: Federation) -> None:
    xml = b"<Directory/>"
    lines = ["interagency-adapter/directory", "1", hashlib.sha256(xml).hexdigest()]
    text = "\n".join([*lines, "2026-03-02T09:00:00Z", "2026-04-01T09:00:00Z", ""])
    with pytest.raises(DirectoryRefused):
        opened(federation, xml, federation.signer.sign(text).encode())


def test_refuses_what_is_oversized(federation: Federation) -> None:
    xml, note = federation.signed()
    with pytest.raises(DirectoryRefused, match="allowed"):
        opened(federation, b" " * (DIRECTORY_LIMITS.max_bytes + 1), note)
    with pytest.raises(DirectoryRefused, match="allowed"):
        opened(federation, xml, note + b"x" * MAX_NOTE_BYTES)


def test_does_not_sign_what_would_be_refused(federation: Federation) -> None:
    draft = federation.draft()
    wrong = replace(draft, expires=draft.issued)
    with pytest.raises(DirectoryRefused):
        sign_directory(render_directory(wrong), federation.signer)


@pytest.mark.parametrize(
    "note", [b"\xff\xfe", b"\n\n", b"a\n\n\xe2\x80\x94 x\n", "a\n\n— test-authority !!\n".encode()]
)
def test_garbage_is_refused_with_the_family_of_errors(federation: Federation, note: bytes) -> None:
    xml, _ = federation.signed()
    with pytest.raises(AdapterError) as refused:
        opened(federation, xml, note)
    assert refused.value.code == "DirectoryRefused"


def test_a_second_key_of_the_authority_is_not_the_anchor(federation: Federation) -> None:
    xml, note = federation.signed()
    other = NoteVerifier.parse(NoteSigner("test-authority", Ed25519PrivateKey.generate()).vkey)
    with pytest.raises(DirectoryRefused):
        authenticate_directory(xml, note, other)

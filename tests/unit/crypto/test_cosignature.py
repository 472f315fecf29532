"""Cosignatures of C2SP: the exact octets that are signed, and everything that is not one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.crypto.cosignature import CosignatureVerifier, Cosigner, open_cosignatures
from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.errors import KeyUnusable, SecurityFailed

AT = datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)
TEXT = f"log.example\n17\n{base64.b64encode(bytes(32)).decode()}\n"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Cosigner("witness.example/w1", KEY)
LOG = NoteSigner("log.example", Ed25519PrivateKey.generate())
VERIFIER = CosignatureVerifier.parse(WITNESS.vkey)


def note(*lines: str) -> bytes:
    return (LOG.sign(TEXT) + "".join(lines)).encode()


def test_what_is_signed_is_what_the_specification_says() -> None:
    value = base64.b64decode(WITNESS.cosign(TEXT, AT).split(" ")[2])
    assert value[:4] == VERIFIER.key_id
    assert int.from_bytes(value[4:12]) == 1772442000
    KEY.public_key().verify(value[12:], b"cosignature/v1\ntime 1772442000\n" + TEXT.encode())
    assert base64.b64decode(WITNESS.vkey.split("+", 2)[2])[0] == 4


def test_a_cosigned_checkpoint_is_opened_by_both_keys() -> None:
    line = WITNESS.cosign(TEXT, AT)
    text, found = open_cosignatures(note(line), [VERIFIER])
    assert text == TEXT == open_note(note(line), [NoteVerifier.parse(LOG.vkey)])
    assert [(one.witness, one.at, one.line) for one in found] == [
        ("witness.example/w1", AT.replace(microsecond=0), line)
    ]


def test_lines_of_others_are_ignored_and_one_key_counts_once() -> None:
    other = Cosigner("witness.example/w1", Ed25519PrivateKey.generate())
    lines = [other.cosign(TEXT, AT), WITNESS.cosign(TEXT, AT), WITNESS.cosign(TEXT, AT)]
    assert len(open_cosignatures(note(*lines), [VERIFIER])[1]) == 1
    assert open_cosignatures(note(lines[0]), [VERIFIER])[1] == ()


def test_no_other_text_time_or_length_passes() -> None:
    key, signed = base64.b64decode(WITNESS.cosign(TEXT, AT).split(" ")[2])[:4], WITNESS.cosign(TEXT, AT)
    value = base64.b64decode(signed.split(" ")[2])
    for wrong in (
        key + (1).to_bytes(8) + value[12:],  # another time
        value[:-1],
        value + b"x",
        value[:12] + bytes(64),
    ):
        line = f"— witness.example/w1 {base64.b64encode(wrong).decode()}\n"
        with pytest.raises(SecurityFailed):
            open_cosignatures(note(line), [VERIFIER])
    with pytest.raises(SecurityFailed, match="does not fit the checkpoint"):
        open_cosignatures(note(WITNESS.cosign(TEXT.replace("17", "18"), AT)), [VERIFIER])


def test_a_time_beyond_all_calendars_is_refused() -> None:
    seconds = 2**63 - 1
    signature = KEY.sign(f"cosignature/v1\ntime {seconds}\n{TEXT}".encode())
    with pytest.raises(SecurityFailed, match="no time that can be"):
        VERIFIER.time_of(TEXT, seconds.to_bytes(8) + signature)


def test_the_signature_of_a_log_is_no_cosignature() -> None:
    """One key in both kinds: the kind is part of the key's id and of what is signed."""
    as_log = NoteSigner("witness.example/w1", KEY)
    line = as_log.sign(TEXT).partition("\n\n")[2]
    assert open_cosignatures(note(line), [VERIFIER])[1] == ()
    with pytest.raises(KeyUnusable, match="not of the kind that cosigns"):
        CosignatureVerifier.parse(as_log.vkey)
    with pytest.raises(KeyUnusable):
        NoteVerifier.parse(WITNESS.vkey)


@pytest.mark.parametrize(
    "vkey", ["", "w", "w+00000000+BAAA", WITNESS.vkey.replace("/w1", "/w2"), f"{WITNESS.vkey}=", WITNESS.vkey[:-8]]
)
def test_what_is_no_key_of_a_witness(vkey: str) -> None:
    with pytest.raises(KeyUnusable):
        CosignatureVerifier.parse(vkey)


def test_one_cosignature_alone_fits_its_text_and_no_other() -> None:
    signature = base64.b64decode(WITNESS.cosign(TEXT, AT).split(" ")[2])[4:]
    VERIFIER.verify(TEXT, signature)
    with pytest.raises(SecurityFailed, match=r"the cosignature of witness\.example/w1 does not fit the checkpoint"):
        VERIFIER.verify(TEXT.replace("17", "18"), signature)

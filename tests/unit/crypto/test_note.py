"""Signed notes in the form of C2SP: read what others wrote, refuse what is not exactly that form."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.errors import AdapterError, KeyUnusable, SecurityFailed

# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n— PeterNeumann {SIGNATURE}\n"


@pytest.fixture(scope="module")
def signer() -> NoteSigner:
    return NoteSigner("authority.example/directory", Ed25519PrivateKey.generate())


def test_a_note_of_another_implementation() -> None:
    verifier = NoteVerifier.parse(VKEY)
    assert open_note(NOTE.encode(), [verifier]) == TEXT
    with pytest.raises(SecurityFailed):
        open_note(NOTE.replace("answer", "answers").encode(), [verifier])


def test_a_round_trip(signer: NoteSigner) -> None:
    verifier = NoteVerifier.parse(signer.vkey)
    for text in ("a\n", "line\n\nanother\n", "ўзбек — тире\n", "— looks like a signature AAAA\n"):
        assert open_note(signer.sign(text).encode(), [verifier]) == text


@pytest.mark.parametrize("text", ["", "no line feed", "tab\there\n", "return\r\n", "nul\x00\n"])
def test_a_text_that_has_no_place_in_a_note(signer: NoteSigner, text: str) -> None:
    with pytest.raises(SecurityFailed):
        signer.sign(text)


def test_signatures_of_strangers_do_not_matter(signer: NoteSigner) -> None:
    other = NoteSigner("witness.example", Ed25519PrivateKey.generate())
    both = signer.sign("a\n") + other.sign("a\n").partition("\n\n")[2]
    for known in (signer, other):
        assert open_note(both.encode(), [NoteVerifier.parse(known.vkey)]) == "a\n"
    with pytest.raises(SecurityFailed):
        open_note(signer.sign("a\n").encode(), [NoteVerifier.parse(other.vkey)])
    with pytest.raises(SecurityFailed):
        open_note(signer.sign("a\n").encode(), [])


def test_a_wrong_signature_of_a_known_key_condemns_the_note(signer: NoteSigner) -> None:
    good, wrong = (signer.sign(text).partition("\n\n")[2] for text in ("a\n", "b\n"))
    with pytest.raises(SecurityFailed):
        open_note(f"a\n\n{wrong}{good}".encode(), [NoteVerifier.parse(signer.vkey)])


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.rstrip("\n"),
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("— ", "- "),
        lambda note: note + "\n",
        lambda note: note.replace("— ", "—  "),
        lambda note: note.partition("\n\n")[0] + "\n\n",
        lambda note: note + "— x\n",
        lambda note: note + "— x AAAA\n",
        lambda note: "\x00" + note,
        lambda note: note.replace("a\n", "a\n" * 600_000, 1),
    ],
)
def test_another_form(signer: NoteSigner, change) -> None:
    with pytest.raises(AdapterError):
        open_note(change(signer.sign("a\n")).encode(), [NoteVerifier.parse(signer.vkey)])


def test_octets_that_are_no_utf8(signer: NoteSigner) -> None:
    with pytest.raises(SecurityFailed):
        open_note(b"\xff" + signer.sign("a\n").encode(), [NoteVerifier.parse(signer.vkey)])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("Peter", "Petra"),
        VKEY[:-4],
        VKEY + "AAAA",
        "PeterNeumann+c74f20a3+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_verifier_key_of_another_form(vkey: str) -> None:
    with pytest.raises(AdapterError):
        NoteVerifier.parse(vkey)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 300])
def test_a_name_of_another_form(name: str) -> None:
    with pytest.raises(KeyUnusable):
        NoteSigner(name, Ed25519PrivateKey.generate())


# From the same documentation.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"


def test_a_signer_key_of_another_implementation() -> None:
    signer = NoteSigner.parse(SKEY)
    assert (signer.vkey, signer.skey()) == (VKEY, SKEY)
    assert signer.sign(TEXT) == NOTE


@pytest.mark.parametrize(
    "skey", ["", VKEY, SKEY[:-4], SKEY.replace("c74f20a3", "c74f20a4"), SKEY.replace("AYEK", "AoEK")]
)
def test_a_signer_key_of_another_form(skey: str) -> None:
    with pytest.raises(KeyUnusable) as failure:
        NoteSigner.parse(skey)
    assert "FALVFG" not in str(failure.value)


@pytest.mark.parametrize("vkey", ["PeterNeumann+c74f20a3+!", "PeterNeumann+c74f20a3+ARpc2", "a+00000000+"])
def test_a_verifier_key_that_holds_no_key(vkey: str) -> None:
    with pytest.raises(KeyUnusable):
        NoteVerifier.parse(vkey)


@pytest.mark.parametrize("signature", ["AAAAA", "AAAA=", "AAAAAAAA=="])
def test_a_signature_that_is_not_base64(signature: str) -> None:
    with pytest.raises(SecurityFailed, match="malformed"):
        open_note(f"{TEXT}\n— PeterNeumann {signature}\n".encode(), [NoteVerifier.parse(VKEY)])

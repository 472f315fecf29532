"""Checkpoints in C2SP form: one text for one state, signed, of this log only (W154)."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import RecordBroken

ORIGIN = "interagency-adapter/UZ/GOV/200000001"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
VERIFIERS = (NoteVerifier.parse(SIGNER.vkey),)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=20_852_163, root=bytes(range(32)))


def test_the_text_is_three_lines():
    assert CHECKPOINT.text == (
        "interagency-adapter/UZ/GOV/200000001\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    )


def test_a_signed_checkpoint_is_read_back():
    note = sign_checkpoint(CHECKPOINT, SIGNER)
    assert open_checkpoint(note, VERIFIERS, origin=ORIGIN) == CHECKPOINT
    assert open_checkpoint(note.encode(), VERIFIERS, origin=ORIGIN) == CHECKPOINT


def test_a_checkpoint_of_another_record_is_refused():
    other = Checkpoint(origin="interagency-adapter/UZ/GOV/200000002", size=1, root=bytes(32))
    with pytest.raises(RecordBroken, match="another record"):
        open_checkpoint(sign_checkpoint(other, SIGNER), VERIFIERS, origin=ORIGIN)


def test_a_checkpoint_by_another_key_is_refused():
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(RecordBroken, match="signature"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, stranger), VERIFIERS, origin=ORIGIN)


def test_every_changed_octet_of_a_checkpoint_is_refused():
    note = sign_checkpoint(CHECKPOINT, SIGNER).encode()
    for at in range(len(note)):
        with pytest.raises(RecordBroken):
            open_checkpoint(note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :], VERIFIERS, origin=ORIGIN)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{ROOT}",
        f"{ORIGIN}\n1\n{ROOT}\nextension\n",
        f"\n1\n{ROOT}\n",
        f"{ORIGIN}\n01\n{ROOT}\n",
        f"{ORIGIN}\n+1\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n1_0\n{ROOT}\n",
        f"{ORIGIN}\n1 \n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n99999999999999999999\n{ROOT}\n",
        f"{ORIGIN}\n1\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n1\n {ROOT}\n",
        f"{ORIGIN}\n1\n{ROOT[:-1]}\u00e9\n",
        f"{ORIGIN}\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(bytes(33)).decode()}\n",
        f"{ORIGIN}\n1\n{ROOT[:-2]}B=\n",
    ],
)
def test_a_malformed_checkpoint_is_refused_though_signed(text):
    with pytest.raises(RecordBroken):
        Checkpoint.parse(text)

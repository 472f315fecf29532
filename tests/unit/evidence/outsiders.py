"""Whose word counts beside the exporter's: witnesses, and who asks a time-stamp authority."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.crypto.cosignature import Cosigner
from adapter.crypto.time_stamps import accept_stamp, ask_for_stamp
from tests.pki import NOW
from tests.real_pki.tsa import TimeStampAuthority

SEEN = NOW + timedelta(hours=2)
FIRST, SECOND, STRANGER = (
    Cosigner(f"witness.example/{name}", Ed25519PrivateKey.generate()) for name in ("first", "second", "stranger")
)


def cosigned_by(*witnesses: Cosigner) -> Callable[[str], str]:
    """What adds the lines of these witnesses to a checkpoint."""

    def cosign(note: str) -> str:
        text = note.partition("\n\n")[0] + "\n"
        return note + "".join(one.cosign(text, SEEN) for one in witnesses)

    return cosign


def stamp_of(authority: TimeStampAuthority, octets: bytes, root: x509.Certificate | None = None) -> bytes:
    """A token over these octets. root: the CA that certified the unit, where that is what the directory lists."""
    question = ask_for_stamp(octets)
    asked = datetime.now(UTC)
    answer = authority.answer(question.octets)
    trusted = (root or authority.certificate,)
    skew = timedelta(minutes=1)
    return accept_stamp(answer, question, trusted=trusted, asked=asked, answered=datetime.now(UTC), skew=skew).token

"""Kept cosignatures against the checkpoints that are stored now: whatever does not fit is named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.cosigned import SeenBy, verify_cosignatures
from adapter.crypto.cosignature import Cosigner
from adapter.crypto.note import NoteSigner
from adapter.errors import RecordBroken

ORIGIN = "UZ/GOV/200000001"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LOG = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ONE, TWO = (Cosigner(name, Ed25519PrivateKey.generate()) for name in ("one.example", "two.example"))


@dataclass(frozen=True)
class Kept:
    size: int
    vkey: str
    at: datetime
    line: str
    note: str | None


def checkpoint(size: int, root: bytes = bytes(32)) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=root)


def kept(size: int, by: Cosigner, *, vkey: str | None = None, stored: Checkpoint | None = None) -> Kept:
    """A cosignature, kept as of `vkey`, where `stored` is the checkpoint now."""
    cosigned = checkpoint(size)
    at = AT + timedelta(minutes=size)
    line = by.cosign(cosigned.text, at)
    return Kept(size, vkey or by.vkey, at, line, sign_checkpoint(stored or cosigned, LOG))


def refused(one: Kept) -> str:
    with pytest.raises(RecordBroken) as refusal:
        verify_cosignatures([kept(1, ONE), one])
    return refusal.value.reason


def test_of_each_witness_the_largest_counts_in_whatever_order() -> None:
    found = verify_cosignatures([kept(3, ONE), kept(7, ONE), kept(5, TWO)])
    assert found == {
        ONE.vkey: SeenBy(count=2, size=7, at=AT + timedelta(minutes=7)),
        TWO.vkey: SeenBy(count=1, size=5, at=AT + timedelta(minutes=5)),
    }


def test_a_smaller_one_after_a_larger_counts_too() -> None:
    found = verify_cosignatures([kept(7, ONE), kept(3, ONE)])
    assert found == {ONE.vkey: SeenBy(count=2, size=7, at=AT + timedelta(minutes=7))}


def test_a_checkpoint_that_is_gone_or_another_now() -> None:
    gone = replace(kept(7, ONE), note=None)
    assert refused(gone) == "a witness cosigned a checkpoint of 7 entries, and the record has none"
    said = refused(kept(7, ONE, stored=checkpoint(7, b"\x01" * 32)))
    assert (
        said
        == "the cosignature over 7 entries does not fit: the cosignature of one.example does not fit the checkpoint"
    )


def test_a_cosignature_that_is_kept_as_another_witness_is_not_its() -> None:
    assert (
        refused(kept(7, TWO, vkey=ONE.vkey)) == "the cosignature over 7 entries is not by the key that is kept with it"
    )


def test_a_key_that_is_none() -> None:
    assert refused(kept(7, TWO, vkey="two.example")).startswith("the cosignature over 7 entries does not fit: ")


def test_another_time_than_it_says_and_what_is_no_text() -> None:
    later = replace(kept(7, ONE), at=AT)
    assert refused(later) == "the cosignature over 7 entries is kept under another time than it says"
    assert refused(replace(kept(7, ONE), line="\udcff")) == "the cosignature over 7 entries is not text"

"""Each message carries its sender's newest checkpoint; the other side keeps it with the entry of the message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.ports import Shown
from tests.pki import FederationMember
from tests.two_sides import TwoSides


def note_of(member: FederationMember, size: int) -> bytes:
    checkpoint = Checkpoint(origin=str(member.id), size=size, root=bytes([size]) * 32)
    return sign_checkpoint(checkpoint, member.record_signer).encode()


def showing(sides: TwoSides, *, asked_with: bytes | None, answered_with: bytes | None) -> None:
    sides.consumer = replace(sides.consumer, checkpoint=lambda: asked_with)
    sides.provider = sides.wire.provider = replace(sides.provider, checkpoint=lambda: answered_with)


def shown(sides: TwoSides) -> dict[str, Shown | None]:
    """By kind of entry, on both sides."""
    writes = (*sides.consumer_record.log, *sides.provider_record.log)
    return {write.entry.kind: write.shown for write in writes}


async def test_both_sides_keep_what_the_other_shows(sides: TwoSides) -> None:
    social, population = sides.federation.social, sides.federation.population
    showing(sides, asked_with=note_of(social, 3), answered_with=note_of(population, 5))
    await sides.call()
    assert shown(sides) == {
        "request-sent": None,
        "request-received": Shown(member=social.id, size=3, root=b"\x03" * 32, note=note_of(social, 3).decode()),
        "reply-sent": None,
        "reply-received": Shown(member=population.id, size=5, root=b"\x05" * 32, note=note_of(population, 5).decode()),
    }
    said = {write.entry.kind: write.entry.body.get("peer_checkpoint") for write in sides.provider_record.log}
    assert said["request-received"] == {"size": 3, "root": "03" * 32}


async def test_a_fault_carries_one_too(sides: TwoSides) -> None:
    showing(sides, asked_with=None, answered_with=note_of(sides.federation.population, 5))
    sides.rules = ()
    await sides.call()
    kept = shown(sides)["reply-received"]
    assert kept is not None
    assert kept.size == 5


async def test_a_stack_that_shows_none_is_answered(sides: TwoSides) -> None:
    showing(sides, asked_with=None, answered_with=None)
    await sides.call()
    assert sides.consumer_record.kinds[-1] == "reply-received"
    assert set(shown(sides).values()) == {None}


@pytest.mark.parametrize("of", ["somebody else", "nothing"])
async def test_what_is_no_checkpoint_of_the_sender_is_refused_with_its_message(sides: TwoSides, of: str) -> None:
    wrong = b"no note" if of == "nothing" else note_of(sides.federation.population, 3)
    showing(sides, asked_with=wrong, answered_with=None)
    await sides.call()
    assert sides.provider_record.outcomes == ["EnvelopeRefused"]
    assert sides.register.asked == []


async def test_a_reply_with_a_wrong_one_is_not_believed(sides: TwoSides) -> None:
    showing(sides, asked_with=None, answered_with=note_of(sides.federation.social, 3))
    await sides.call()
    assert sides.consumer_record.outcomes[-1] == "PeerAnswerInvalid"

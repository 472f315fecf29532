"""The same message again, another message under the same id, clocks that jump, and the edges of every window."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.crypto.seal import seal
from adapter.exchange.provider import PeerAnswer
from adapter.policy.rules import AccessRule
from adapter.stages import SealedMessage
from tests.attacks.conftest import Scenes
from tests.attacks.draft import Direction, Hand
from tests.attacks.recipes.model import Change, wire
from tests.attacks.recipes.octets import before, once
from tests.attacks.recipes.values import P256_ORDER, changed
from tests.attacks.scenes import Scene
from tests.get_person import GOOD_PERSONAL_DATA, OTHER_PINFL, get_person
from tests.pki import SUITE_NAMES
from tests.two_sides import TwoSides, sealed_request, signing_key_of

MILLISECOND = timedelta(milliseconds=1)
SKEW = timedelta(seconds=60)
LIFETIME = timedelta(seconds=300)
"""As policy.freshness.TimeBounds has them, and as a message of our own says."""


@pytest.fixture(params=SUITE_NAMES)
def scene(request: pytest.FixtureRequest, scenes: Scenes) -> Scene:
    """A request, and a victim with nothing in its record."""
    found = scenes(request.param, Direction.REQUEST)
    found.forget()
    return found


def outcomes(sides: TwoSides) -> list[str | None]:
    return sides.provider_record.outcomes


async def first_and_again(scene: Scene, change: Change, hand: Hand) -> tuple[PeerAnswer, PeerAnswer]:
    """A good message, then the same one changed in a way that its signature does not notice."""
    sides = scene.sides
    changed_octets: list[bytes] = []

    def attack(captured: bytes) -> bytes:
        draft = scene.draft(captured, hand)
        change(draft)
        changed_octets.append(draft.octets())
        return captured

    await scene.run(attack)
    first = sides.wire.answers[-1]
    return first, await sides.wire.post(changed_octets[0])


@pytest.mark.parametrize(
    ("change", "hand"),
    [
        (lambda _draft: None, Hand.OUTSIDER),
        (lambda _draft: None, Hand.INSIDER),
        (wire(before(b'<?xml version="1.0"?>\n')), Hand.OUTSIDER),
        (wire(once(b"<env:Header>", b"<env:Header>\n\n")), Hand.OUTSIDER),
        (wire(once(b"inspector-7", b"inspector&#45;7")), Hand.OUTSIDER),
        (wire(once(b'Id="body-cipher"', b'Id="other"')), Hand.OUTSIDER),
        (wire(once(b'URI="#body-cipher"', b'URI="#other"')), Hand.OUTSIDER),
    ],
    ids=["as it was", "encrypted anew", "declaration", "white space", "references", "cipher id", "its reference"],
)
async def test_what_nobody_signed_makes_no_new_message(scene: Scene, change: Change, hand: Hand) -> None:
    """Sender and id decide, and what was signed: not the octets on the wire."""
    first, again = await first_and_again(scene, change, hand)
    assert len(scene.sides.register.asked) == 1
    last = outcomes(scene.sides)[-1]
    assert last in ("answered again", "EnvelopeRefused")  # an id and its reference changed alone do not fit
    if last == "answered again":
        assert again.octets == first.octets


async def test_the_other_form_of_an_ecdsa_value_makes_no_new_message(scenes: Scenes) -> None:
    """r, n - s is as good a signature over the same message; who would know a message by its value ran it twice."""
    scene = scenes("p256", Direction.REQUEST)
    scene.forget()

    def other_form(value: bytes) -> bytes:
        return value[:32] + (P256_ORDER - int.from_bytes(value[32:], "big")).to_bytes(32, "big")

    first, again = await first_and_again(scene, changed(other_form), Hand.MEMBER)
    assert outcomes(scene.sides)[-1] == "answered again"
    assert again.octets == first.octets
    assert len(scene.sides.register.asked) == 1


def another_content(sides: TwoSides, first: SealedMessage) -> bytes:
    subject = replace(GOOD_PERSONAL_DATA.subjects[0], value=OTHER_PINFL)
    data = replace(GOOD_PERSONAL_DATA, subjects=(subject,))
    return sealed_request(sides, header=first.header, payload=get_person(OTHER_PINFL), personal_data=data).octets


async def test_one_id_for_two_contents_is_refused_in_either_order(scene: Scene) -> None:
    sides = scene.sides
    first = sealed_request(sides)
    other = another_content(sides, first)
    await sides.wire.post(first.octets)
    await sides.wire.post(other)
    await sides.wire.post(first.octets)
    assert outcomes(sides) == ["released", "answered", "MessageIdReused", "answered again"]
    assert len(sides.register.asked) == 1


async def test_one_id_of_two_members_is_two_messages(scene: Scene) -> None:
    """An id is its sender's: nobody can use up another member's."""
    sides, cadastre = scene.sides, scene.federation.cadastre
    sides.rules = (
        *sides.rules,
        AccessRule(id="r2", consumer=str(cadastre.subsystem), service=scene.federation.population.service),
    )
    first = sealed_request(sides)
    theirs = seal(
        header=replace(first.header, claimed_consumer=cadastre.subsystem),
        personal_data=GOOD_PERSONAL_DATA,
        payload=get_person().encode(),
        confirmation=None,
        signing_key=signing_key_of(cadastre),
        recipient=scene.federation.population.agreement_certificate,
        recipient_suite=scene.federation.population.suite,
        now=sides.clock(),
    )
    await sides.wire.post(theirs.octets, sender=cadastre)
    await sides.wire.post(first.octets)
    assert outcomes(sides) == ["released", "answered"] * 2
    assert len(sides.register.asked) == 2


async def test_a_captured_message_by_another_member_is_refused_and_uses_nothing_up(scene: Scene) -> None:
    sides = scene.sides
    first = sealed_request(sides)
    await sides.wire.post(first.octets, sender=scene.federation.cadastre)
    await sides.wire.post(first.octets)
    assert outcomes(sides) == ["PeerMismatch", "released", "answered"]


async def test_many_ids_push_none_out(scene: Scene) -> None:
    sides = scene.sides
    first = sealed_request(sides)
    await sides.wire.post(first.octets)
    for _ in range(30):
        await sides.wire.post(sealed_request(sides).octets)
    await sides.wire.post(first.octets)
    assert outcomes(sides)[-1] == "answered again"
    assert len(sides.register.asked) == 31


# --- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jump", "outcome"),
    [
        (timedelta(0), "answered"),
        (-SKEW, "answered"),
        (-SKEW - MILLISECOND, "MessageExpired"),
        (LIFETIME, "MessageExpired"),
        (timedelta(seconds=30) - MILLISECOND, "answered"),
        (timedelta(seconds=30), "MessageExpired"),
        (timedelta(days=-1), "MessageExpired"),
        (timedelta(days=1), "MessageExpired"),
    ],
    ids=str,
)
async def test_a_first_message_at_the_edges(scene: Scene, jump: timedelta, outcome: str) -> None:
    """To the millisecond: Created may lie in the future by the skew; nobody waits longer than ReplyBy (30 s)."""
    sides, now = scene.sides, scene.sides.clock.now
    request = sealed_request(sides)
    sides.clock.now = now + jump
    try:
        await sides.wire.post(request.octets)
    finally:
        sides.clock.now = now
    assert outcomes(sides)[-1] == outcome
    assert len(sides.register.asked) == (outcome == "answered")


@pytest.mark.parametrize(
    ("jump", "outcome"),
    [
        (LIFETIME, "answered again"),
        (LIFETIME + SKEW - MILLISECOND, "answered again"),
        (LIFETIME + SKEW, "MessageExpired"),
        (-SKEW, "answered again"),
        (-SKEW - MILLISECOND, "MessageExpired"),
        (timedelta(days=20), "MessageExpired"),
    ],
    ids=str,
)
async def test_a_retry_at_the_edges(scene: Scene, jump: timedelta, outcome: str) -> None:
    """As long as the message is fresh by any clock that is wrong by the skew, its reply is there; then it is not."""
    sides, now = scene.sides, scene.sides.clock.now
    request = sealed_request(sides)
    await sides.wire.post(request.octets)
    sides.clock.now = now + jump
    try:
        await sides.wire.post(request.octets)
    finally:
        sides.clock.now = now
    assert outcomes(sides)[-1] == outcome
    assert len(sides.register.asked) == 1


async def test_a_clock_that_is_set_back_makes_nothing_new(scene: Scene) -> None:
    """Refused as too old, then the clock is set back: it is the message that it was, and is answered as it was."""
    sides, now = scene.sides, scene.sides.clock.now
    request = sealed_request(sides)
    await sides.wire.post(request.octets)
    try:
        for jump in (LIFETIME + 2 * SKEW, timedelta(0), -timedelta(seconds=30)):
            sides.clock.now = now + jump
            await sides.wire.post(request.octets)
    finally:
        sides.clock.now = now
    assert outcomes(sides) == ["released", "answered", "MessageExpired", "answered again", "answered again"]
    assert len(sides.register.asked) == 1


async def test_the_id_is_remembered_for_longer_than_the_message_can_be_fresh(scene: Scene) -> None:
    """What is forgotten must be past every clock: the reservation outlives Expires by more than the skew."""
    sides = scene.sides
    await sides.wire.post(sealed_request(sides).octets)
    claim = sides.provider_record.log[0].claim
    assert claim is not None
    assert claim.expires > sides.clock() + LIFETIME + SKEW

"""Two recipes at once, drawn from a seed: what one of them hides from a check must not get past the other.

`make test` draws some hundreds, `make attacks` some thousands. A pair whose second change finds nothing to change any
more is drawn again; two ways of one recipe are no pair, because they may undo each other (one bit turned over twice).
"""

from __future__ import annotations

import os
import random

import pytest

from adapter.errors import InternalError
from tests.attacks.conftest import Scenes
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.recipes.model import TAKEN, Variant, both
from tests.attacks.recipes.table import RECIPES
from tests.attacks.scenes import Scene
from tests.attacks.test_recipes import EVERY_CASE, carried_out, wrong_with
from tests.pki import SUITE_NAMES

pytestmark = pytest.mark.timeout(900 if EVERY_CASE else 120)
SEED = int(os.environ.get("ATTACKS_SEED", "20260302"))
DRAWN = {"p256": 2400, "ed25519": 900, "rsa": 700} if EVERY_CASE else {"p256": 240, "ed25519": 90, "rsa": 45}
_MAX_MESSAGE_BYTES = 2_000_000
_SHARES = 3
"""Into how many tests the draws of a suite and a direction are divided."""

CODES = frozenset(variant.expect for recipe in RECIPES for variant in recipe.variants) - {TAKEN}


class NothingToChangeError(Exception):
    """The second change had nothing to change any more."""


def candidates(suite: str, direction: Direction, hand: Hand) -> list[tuple[str, Variant]]:
    """Every variant of the table that is to be refused here."""
    return [
        (f"{recipe.id} {variant.name}", variant)
        for recipe in RECIPES
        for variant in recipe.variants
        if suite in variant.suites
        and direction in variant.directions
        and hand in variant.hands
        and variant.expect != TAKEN
    ]


def together(first: Variant, second: Variant) -> Variant:
    """Both changes, one after the other."""

    def change(draft: Draft) -> None:
        try:
            both(first.change, second.change)(draft)
            if len(draft.octets()) > _MAX_MESSAGE_BYTES:
                raise NothingToChangeError
        except (LookupError, StopIteration, ValueError, TypeError, AttributeError) as cause:
            raise NothingToChangeError from cause

    return Variant(name="both", change=change, expect="")


async def one_pair(scene: Scene, drawn: random.Random) -> list[str]:
    """One pair that could be made; what is wrong with its outcome."""
    while True:
        hand = drawn.choice(list(Hand))
        (one, first), (other, second) = drawn.choices(candidates(scene.suite, scene.direction, hand), k=2)
        if one.split()[0] == other.split()[0]:
            continue
        try:
            outcome = await carried_out(scene, together(first, second), hand)
        except NothingToChangeError:
            continue
        found = wrong_with(outcome, outcome.code)
        if outcome.code not in CODES or InternalError.code in (outcome.code, outcome.public):
            found.append(f"the record says {outcome.code}")
        return [f"{one} and {other}, {hand.value}: {wrong}" for wrong in found]


@pytest.mark.parametrize("share", range(_SHARES))
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("suite", SUITE_NAMES)
async def test_pairs_of_recipes(suite: str, direction: Direction, share: int, scenes: Scenes) -> None:
    drawn = random.Random(f"{SEED} {suite} {direction.value} {share}")
    wrong: list[str] = []
    for _ in range(DRAWN[suite] // (_SHARES * len(Direction))):
        wrong += await one_pair(scenes(suite, direction), drawn)
    assert not wrong, "\n".join(wrong)

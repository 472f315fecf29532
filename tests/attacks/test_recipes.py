"""Every recipe of the table, in every suite, direction and by every hand that it names: refused, and nothing else.

For each: the code in the victim's record is the expected one; the information system was not asked, or the client got
nothing of it; no file and no connection was touched; the record has exactly one entry; the untouched message passes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from lxml import etree

from tests.attacks.conftest import Scenes
from tests.attacks.draft import Direction, Hand
from tests.attacks.naive import NaiveRefusesError
from tests.attacks.recipes.forging import MARKS
from tests.attacks.recipes.model import TAKEN, Recipe, Variant
from tests.attacks.recipes.table import BY_ID, EVERY_ID, RECIPES
from tests.attacks.scenes import Outcome, Scene
from tests.attacks.watch import Canary
from tests.pki import SUITE_NAMES
from tests.two_sides import opener_of

EVERY_CASE = os.environ.get("ATTACKS") == "every"
pytestmark = pytest.mark.timeout(900 if EVERY_CASE else 120)
UNTOUCHED = Variant(name="nothing", change=lambda _draft: None, expect=TAKEN)
CARRIED_OUT = [recipe for recipe in RECIPES if recipe.variants]
FOOLING = [recipe for recipe in RECIPES if any(variant.fools for variant in recipe.variants)]


def cases(recipe: Recipe, suite: str) -> list[tuple[Variant, Direction, Hand]]:
    """Every case of a recipe in a suite; unless all are asked for, a part of those that are much alike.

    In p256 all requests and replies, and every fourth signed fault; in the others what is theirs alone, and every tenth
    of the rest.
    """
    every = [
        (variant, direction, hand)
        for variant in recipe.variants
        if suite in variant.suites
        for direction in variant.directions
        for hand in variant.hands
    ]
    if EVERY_CASE:
        return every
    special = [case for case in every if _is_special(case, suite)]
    rest = [case for case in every if not _is_special(case, suite)]
    return special + (rest[::4] if suite == "p256" else rest[SUITE_NAMES.index(suite) :: 10] or rest[:1])


def _is_special(case: tuple[Variant, Direction, Hand], suite: str) -> bool:
    variant, direction, _ = case
    if suite == "p256":
        return direction is not Direction.FAULT or Direction.REPLY not in variant.directions
    return "p256" not in variant.suites and direction is not Direction.FAULT


async def carried_out(scene: Scene, variant: Variant, hand: Hand) -> Outcome:
    def attack(captured: bytes) -> bytes:
        draft = scene.draft(captured, hand)
        variant.change(draft)
        return draft.octets()

    return await scene.run(attack)


def wrong_with(outcome: Outcome, expect: str) -> list[str]:
    """What is not as it must be, in words; nothing when all is well."""
    found = []
    if outcome.code != expect:
        found.append(f"the record says {outcome.code}, expected {expect}")
    if expect != TAKEN:
        if outcome.asked:
            found.append("the information system was asked")
        if outcome.public == TAKEN:
            found.append("the other side got an answer")
        if any(mark in outcome.said for mark in MARKS):
            found.append("what the attacker wrote came through")
    if outcome.entries != 1:
        found.append(f"{outcome.entries} entries in the record")
    if outcome.touched:
        found.append(f"touched {outcome.touched}")
    return found


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("recipe", CARRIED_OUT, ids=lambda recipe: recipe.id)
async def test_recipe(recipe: Recipe, suite: str, scenes: Scenes) -> None:
    for direction in {direction for _, direction, _ in cases(recipe, suite)}:
        untouched = await carried_out(scenes(suite, direction), UNTOUCHED, Hand.OUTSIDER)
        assert wrong_with(untouched, TAKEN) == [], f"the untouched {direction.value} is not taken"
    wrong = []
    for variant, direction, hand in cases(recipe, suite):
        scene = scenes(suite, direction)
        found = wrong_with(await carried_out(scene, variant, hand), variant.expect)
        if variant.expect != TAKEN and direction is Direction.REQUEST and hand is not Hand.MEMBER:
            found += [f"afterwards, untouched: {one}" for one in wrong_with(await scene.again(), TAKEN)]
        wrong += [f"{recipe.id} {variant.name}, {direction.value}, {hand.value}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("recipe", FOOLING, ids=lambda recipe: recipe.id)
async def test_a_naive_verifier_is_fooled(recipe: Recipe, suite: str, scenes: Scenes) -> None:
    """A case that nothing ever accepted proves nothing: here somebody accepts it, and goes on with what was forged."""
    wrong = []
    for variant, direction, hand in cases(recipe, suite):
        if variant.fools is None:
            continue
        scene = scenes(suite, direction)
        await carried_out(scene, variant, hand)
        try:
            used = variant.fools.read(scene.sent, opener_of(scene.victim).keys)
        except NaiveRefusesError as refusal:
            wrong.append(f"{recipe.id} {variant.name}, {direction.value}, {hand.value}: {refusal}")
            continue
        if not used.has(*MARKS):
            wrong.append(f"{recipe.id} {variant.name}, {direction.value}, {hand.value}: gains nothing")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("hand", Hand)
async def test_nothing_changed_is_taken(suite: str, direction: Direction, hand: Hand, scenes: Scenes) -> None:
    """The control of the workbench itself: taken apart and put together again, a message is as good as before."""
    scene = scenes(suite, direction)
    assert wrong_with(await carried_out(scene, UNTOUCHED, hand), TAKEN) == []


# --- the table and the watch ----------------------------------------------------------------------------------------


def test_table_has_every_recipe_once() -> None:
    assert [recipe.id for recipe in RECIPES] == list(EVERY_ID)
    assert all(bool(recipe.variants) or recipe.elsewhere for recipe in RECIPES), "a row does something or says why not"
    assert all(len(recipe.done) > 10 for recipe in RECIPES)


def test_table_is_that_of_the_recipes(shared: Path) -> None:
    listed = re.findall(r"^\| (W\d+) \|", (shared / "vectors/xsw/README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == list(BY_ID)


NAMED = re.compile(r"(tests/[\w/]+\.py)(?:::(\w+))?")


def test_what_the_table_refers_to_is_there(root: Path) -> None:
    for recipe in RECIPES:
        for path, name in NAMED.findall(recipe.done + " " + recipe.elsewhere):
            text = (root / path).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in text, f"{recipe.id}: {path}::{name}"


def test_the_watch_sees_who_takes_the_bait(canary: Canary) -> None:
    with canary.watching() as touched:
        etree.parse(str(canary.path))
    assert "bait file opened" in touched
    with canary.watching() as touched:
        canary.path.read_bytes()
    assert any(one.startswith("open ") for one in touched)
    with canary.watching() as touched:
        pass
    assert touched == []

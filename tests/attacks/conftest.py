"""Scenes for the attacks: a federation in one suite, an exchange in one direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.attacks.draft import Direction
from tests.attacks.scenes import Scene
from tests.attacks.watch import Canary
from tests.pki import Federation
from tests.two_sides import TwoSides, two_sides

Scenes = Callable[[str, Direction], Scene]


@pytest.fixture(scope="session")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canary]:
    """The bait of this run."""
    bait = Canary.make(tmp_path_factory.mktemp("canary"))
    yield bait
    bait.close()


@pytest.fixture(scope="session")
def scenes(canary: Canary) -> Scenes:
    """A scene for a suite and a direction, made once."""

    @cache
    def federation_of(suite: str) -> Federation:
        return Federation.build(suites=(suite,))

    @cache
    def scene(suite: str, direction: Direction) -> Scene:
        return Scene(suite=suite, direction=direction, federation=federation_of(suite), canary=canary)

    return scene


@pytest.fixture
def sides(federation: Federation) -> TwoSides:
    """Both sides of an exchange in memory, in suite p256."""
    return two_sides(federation)

"""docs/minimisation.md shows what the commands really print, and names every replacement that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.released_fields import Replacement
from tests.unit.cli.dialogue import blocks_of, played_in

DIALOGUE = Path(__file__).parent / "dialogues" / "access-fields.txt"
_ROW = re.compile(r"^\| `([a-z]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/minimisation.md").read_text()


def test_every_command_on_the_page_prints_what_the_page_says(page: str) -> None:
    blocks = blocks_of(page)
    assert len(blocks) == 6
    played = played_in(DIALOGUE)
    for block in blocks:
        assert block in played


def test_the_page_names_every_replacement(page: str) -> None:
    assert set(_ROW.findall(page)) == {way.value for way in Replacement}

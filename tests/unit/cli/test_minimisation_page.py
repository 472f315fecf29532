"""docs/minimisation.md shows what the commands really print, and names every replacement that there is."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from adapter.released_fields import Replacement

DIALOGUE = Path(__file__).parent / "dialogues" / "access-fields.txt"
_BLOCK = re.compile(r"^(?:    .*\n)+", re.MULTILINE)
_ROW = re.compile(r"^\| `([a-z]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/minimisation.md").read_text()


def test_every_command_on_the_page_prints_what_the_page_says(page: str) -> None:
    blocks = [textwrap.dedent(block).strip() for block in _BLOCK.findall(page)]
    assert len(blocks) == 6
    played = {part.strip() for part in re.split(r"\n\n(?=\$ )", DIALOGUE.read_text())}
    for block in blocks:
        assert block in played


def test_the_page_names_every_replacement(page: str) -> None:
    assert set(_ROW.findall(page)) == {way.value for way in Replacement}

"""docs/directory.md shows what the commands really print, and an entry that stands in the example as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.directory.content import BasisName
from adapter.directory.editing import KINDS
from tests.unit.cli.dialogue import blocks_of, played_in

DIALOGUE = Path(__file__).parent / "dialogues" / "directory-content.txt"
_XML = re.compile(r"```xml\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/directory.md").read_text()


def test_every_command_on_the_page_prints_what_the_page_says(page: str) -> None:
    blocks = blocks_of(_XML.sub("", page))
    assert len(blocks) > 8
    played = played_in(DIALOGUE)
    for block in blocks:
        assert block.startswith(("$ adapter authority ", "$ adapter directory "))
        assert block in played


def test_the_entry_on_the_page_stands_in_the_example(page: str, root: Path) -> None:
    entries = _XML.findall(page)
    assert entries
    example = (root / "xsd/examples/directory.xml").read_text()
    assert all(entry.strip() in example for entry in entries)


def test_the_page_names_what_a_legal_basis_can_have_to_name(page: str) -> None:
    assert all(f"`{name.value}`" in page for name in BasisName)
    assert len(KINDS) == len(set(KINDS))

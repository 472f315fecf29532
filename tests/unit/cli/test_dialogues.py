"""Every dialogue file, played in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.cli.dialogue import Run, played

DIALOGUES = Path(__file__).parent / "dialogues"
FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize("file", sorted(DIALOGUES.glob("*.txt")), ids=lambda file: file.stem)
def test_dialogue(file: Path, run: Run, place: Path) -> None:
    shutil.copytree(FILES, place, dirs_exist_ok=True)
    shown, expected = played(file, run, place)
    assert shown == expected

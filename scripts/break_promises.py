"""Breaks each promise on purpose, in a copy of the tree, and demands that a named test fails there.

    python scripts/break_promises.py            every break of tests/promises/promises.toml (some minutes)
    python scripts/break_promises.py WORDS      only those breaks that are described with these words
    python scripts/break_promises.py --write    docs/promises.md from the same file

A test that passes although its promise is broken proves nothing; this finds such tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

ROOT: Final = Path(__file__).resolve().parent.parent
TABLE: Final = ROOT / "tests" / "promises" / "promises.toml"
PAGE: Final = ROOT / "docs" / "promises.md"
_COPIED: Final = (
    "adapter",
    "bench",
    "examples",
    "keys",
    "scripts",
    "tests",
    "wsdl",
    "xsd",
    "pyproject.toml",
    "Makefile",
)

_INTRODUCTION: Final = """\
# The ten promises and the tests that hold them

Generated from `tests/promises/promises.toml`. Each promise has tests that try to break it. `make promises` breaks each
promise on purpose, in a copy of the code, and fails unless the named test fails there.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """One way to break a promise: `old` in `file` becomes `new`, and `test` has to fail."""

    promise: int
    what: str
    file: str
    old: str
    new: str
    test: str


def breaks() -> Iterator[Break]:
    """Every break of the table."""
    for promise in tomllib.loads(TABLE.read_text())["promise"]:
        for one in promise["break"]:
            yield Break(promise=promise["number"], **one)


def page() -> str:
    """docs/promises.md."""
    pieces = [_INTRODUCTION]
    for promise in tomllib.loads(TABLE.read_text())["promise"]:
        pieces.append(f"## {promise['number']}. {promise['text']}\n")
        pieces.append("".join(f"- `{test}`\n" for test in promise["tests"]))
        pieces.append("Broken on purpose, and noticed:\n")
        pieces.append("".join(f"- {one['what']} → `{one['test'].rpartition('::')[2]}`\n" for one in promise["break"]))
    return "\n".join(pieces)


def _is_noticed(one: Break, passing: set[str]) -> str:
    """Empty when the test fails on the broken copy; else what is wrong.

    passing: tests that are known to pass on a whole copy; this one is added when it does.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                copy.mkdir(exist_ok=True)
                shutil.copy(source, copy / name)
        broken = copy / one.file
        text = broken.read_text()
        if one.old not in text:
            return "the code to break is no longer there: adapt promises.toml"
        broken.write_text(text.replace(one.old, one.new))
        if not _fails(copy, one.test):
            return "the test passes although the promise is broken"
        broken.write_text(text)
        if one.test not in passing and _fails(copy, one.test):
            return "the test fails without the break too"
        passing.add(one.test)
        return ""


def _fails(copy: Path, test: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", test]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False).returncode == 1  # noqa: S603


def main() -> int:
    """Run every break, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write docs/promises.md and do nothing else")
    parser.add_argument("words", nargs="*", help="run the breaks whose description has one of these in it")
    options = parser.parse_args()
    if options.write:
        PAGE.write_text(page())
        return 0
    chosen = [one for one in breaks() if not options.words or any(words in one.what for words in options.words)]
    if not chosen:
        parser.error("no break is described so")
    console = Console(stderr=True)
    unnoticed, passing = 0, set[str]()
    for one in track(chosen, description="breaking promises", console=console):
        wrong = _is_noticed(one, passing)
        unnoticed += bool(wrong)
        print(f"promise {one.promise:2}  {'UNNOTICED' if wrong else 'noticed  '}  {one.what}  {wrong}", flush=True)
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())

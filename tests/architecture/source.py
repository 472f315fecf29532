"""The program's source as syntax trees, for the tests of its architecture."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".venv", ".git", "var", "build", "dist", "__pycache__"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One Python file of the repository. path: from the top folder, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @property
    def line_count(self) -> int:
        return self.text.count("\n")


def files() -> Iterator[Path]:
    """Every file that is in the repository, or would be added to it."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        found = [ROOT / name for name in names if name]
    except (OSError, subprocess.CalledProcessError):  # an archive without .git, or no git
        found = [path for path in ROOT.rglob("*") if not _NOT_OURS.intersection(path.relative_to(ROOT).parts)]
    yield from (path for path in found if path.is_file())


@cache
def sources(folder: str = "") -> tuple[Source, ...]:
    """The Python files below a folder, in order."""
    found = sorted(path for path in files() if path.suffix == ".py")
    named = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in found]
    return tuple(
        Source(path=name, text=text, tree=ast.parse(text, name)) for name, text in named if name.startswith(folder)
    )


def calls(source: Source) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of what is called: `stages.ValidCall(...)` gives `ValidCall`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name, node


def imports(source: Source) -> Iterator[str]:
    """The full name of everything that is imported: `os`, `adapter.stages.ValidCall`."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)

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

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

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
def _all_sources() -> tuple[Source, ...]:
    found = sorted(path for path in files() if path.suffix == ".py")
    return tuple(Source(path=path.relative_to(ROOT).as_posix()) for path in found)


def sources(folder: str = "") -> tuple[Source, ...]:
    """The Python files below a folder, in order: some, or whoever asks would look at nothing."""
    found = tuple(source for source in _all_sources() if source.path.startswith(folder))
    assert found, folder
    return found


@cache
def nodes(source: Source) -> tuple[ast.AST, ...]:
    """Every node of a file's tree, parsed and walked once however many tests ask."""
    return tuple(ast.walk(ast.parse(source.text, source.path)))


@cache
def calls(source: Source) -> tuple[tuple[str, ast.Call], ...]:
    """Every call with the last part of what is called: `stages.ValidCall(...)` gives `ValidCall`."""
    found: list[tuple[str, ast.Call]] = []
    for node in nodes(source):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    found.append((name, node))
    return tuple(found)


def forget_trees() -> None:
    """The trees of all files are a million and a half objects, which every full collection of garbage looks at."""
    nodes.cache_clear()
    calls.cache_clear()


def imports(source: Source) -> Iterator[str]:
    """The full name of everything that is imported: `os`, `adapter.stages.ValidCall`."""
    for node in nodes(source):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)

"""requirements.lock as values: which packages it names, with which hashes, and which of them run in production."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_PINNED: Final = re.compile(r"([a-z0-9][a-z0-9._-]*)(?:\[[^]]*])?==([^\s;]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """One package of the lock. hashes: SHA-256 of every file that may be installed. wanted_by: who requires it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]


def locked_packages(root: Path = ROOT) -> dict[str, Locked]:
    """Every package of requirements.lock, by its normalised name."""
    found: dict[str, Locked] = {}
    for block in re.split(r"\n(?=\S)", (root / "requirements.lock").read_text(encoding="utf-8")):
        if pinned := _PINNED.match(block):
            name, version = pinned.groups()
            found[name] = Locked(
                name=name, version=version, hashes=tuple(sorted(_HASH.findall(block))), wanted_by=_wanted_by(block)
            )
    return found


def _wanted_by(block: str) -> tuple[str, ...]:
    comment = block.partition("# via")[2].replace("#", " ")
    return tuple(word for word in comment.split() if _NAME.fullmatch(word) and word != "adapter")


def direct_dependencies(root: Path = ROOT) -> tuple[str, ...]:
    """What pyproject.toml names for running, normalised."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return tuple(sorted(normalised(wanted) for wanted in project["dependencies"]))


def normalised(requirement: str) -> str:
    """The name in front of a requirement as the lock writes it."""
    named = _NAME.match(requirement)
    if named is None:
        raise ValueError(f"not a requirement: {requirement}")
    return re.sub(r"[-_.]+", "-", named[0]).lower()


def runtime_packages(root: Path = ROOT) -> dict[str, Locked]:
    """What is installed beside the adapter in production: the direct dependencies and whatever those want."""
    locked = locked_packages(root)
    running = set(direct_dependencies(root))
    while more := {name for name, one in locked.items() if running.intersection(one.wanted_by)} - running:
        running |= more
    return {name: locked[name] for name in sorted(running)}

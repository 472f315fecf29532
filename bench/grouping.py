"""Where the CPU time goes: the stacks that bench.profiled collected, put into groups that one can act on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.profiled import GARBAGE

OTHER: Final = "other"

_RULES: Final[tuple[tuple[str, str], ...]] = (
    (GARBAGE, rf"^{GARBAGE}$"),
    ("the profiler itself", r"bench/profiled\.py:(Sampler|_stack|_cpu)"),
    ("record: entries, Merkle tree, SQLite, fsync", r"^thread:record|adapter/(store|audit)/|crypto/note\.py|sqlite3"),
    ("canonicalisation", r"xmlsafe\.py:canonical|crypto/canonical_body\.py|crypto/open\.py:_canonical"),
    ("XML parsing", r"xmlsafe\.py:(parse|_check_|_too_|_end_of|_skip)|lxml/"),
    ("crypto primitives", r"cryptography/|crypto/(key_encryption|signatures|content|keys)\.py"),
    ("validation against the XSD", r"envelope/schema\w*\.py"),
    (
        "gate: structure, headers, base64",
        r"xmlsafe\.py|envelope/(gate|headers|instants|statements|request_context)\w*\.py|crypto/(signature_gate|frag)",
    ),
    ("writing the envelope", r"crypto/(seal|templates)\.py"),
    ("opening: the steps themselves", r"crypto/open\.py|exchange/opening\.py"),
    ("trust, access, directory", r"adapter/(policy|directory)/|crypto/certificates\.py|adapter/app/\w+_keeper\.py"),
    ("log lines", r"structlog/|adapter/logs\.py"),
    ("plain SOAP: reading and writing", r"envelope/soap\.py"),
    ("HTTP (aiohttp)", r"aiohttp/|yarl/|multidict/|adapter/(transport|backends)/|ssl\.py"),
    ("exchange: the steps themselves", r"adapter/(exchange|stages|identifiers)"),
    ("event loop, sockets, TLS (compiled)", r"asyncio/|uvloop/"),
)
_COMPILED: Final = tuple((group, re.compile(pattern)) for group, pattern in _RULES)
_INSTALLED: Final = re.compile(r"^.*/(?:site-packages|lib/python\d\.\d+)/")
_CHECKOUT: Final = str(Path(__file__).resolve().parents[1]) + "/"

Stack = tuple[str, ...]


@dataclass(kw_only=True)
class Profile:
    """CPU seconds by group, and by function: what it used itself and what it used with all that it called."""

    groups: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    inclusive: Counter[str] = field(default_factory=Counter)

    @property
    def total_s(self) -> float:
        """All that was seen."""
        return sum(self.groups.values())

    def add(self, stack: Stack, seconds: float) -> None:
        """Count one stack, innermost first."""
        frames = [_short(frame) for frame in stack]
        self.groups[group_of(frames)] += seconds  # type: ignore[assignment]
        self.own[frames[0]] += seconds  # type: ignore[assignment]
        for frame in set(frames):
            self.inclusive[frame] += seconds  # type: ignore[assignment]


def read_profile(files: Iterable[Path]) -> Profile:
    """What the processes of an adapter wrote."""
    profile = Profile()
    for file in files:
        for line in json.loads(file.read_text(encoding="utf-8")):
            profile.add(tuple(line["stack"]), line["seconds"])
    return profile


def group_of(frames: Iterable[str]) -> str:
    """The group of the innermost frame that belongs to one: what a helper does counts for whom it helps."""
    for frame in frames:
        for group, pattern in _COMPILED:
            if pattern.search(frame):
                return group
    return OTHER


def _short(frame: str) -> str:
    """`adapter/xmlsafe.py:parse`: without the line and without where it is installed."""
    return _INSTALLED.sub("", frame.rpartition(":")[0] or frame).removeprefix(_CHECKOUT)

"""The corpus in the repository: few small inputs that together reach what all inputs reach."""

from __future__ import annotations

import hashlib
import shutil
import sys
from types import CodeType, FrameType
from typing import Any

from tests.conftest import ROOT
from tests.fuzz.driver import VAR
from tests.fuzz.model import CORPUS, Target, judge

MAX_FILES = 30
MAX_FILE_BYTES = 4096
_OURS = str(ROOT / "adapter")

Line = tuple[CodeType, int]


def keep(target: Target) -> int:
    """Choose again among what is kept and what the last runs found. Findings are not among them. How many it is now."""
    found = (VAR / target.name / "corpus").glob("*")
    candidates = {path.read_bytes() for path in (*target.corpus, *found) if path.stat().st_size <= MAX_FILE_BYTES}
    reached = {octets: lines_reached(target, octets) for octets in sorted(candidates, key=lambda one: (len(one), one))}
    left = {line for lines in reached.values() for line in lines}
    for octets in target.seeds():
        left -= lines_reached(target, octets)  # those are there without being kept
    chosen: list[bytes] = []
    while left and len(chosen) < MAX_FILES:
        best = max(reached, key=lambda octets: len(reached[octets] & left))
        if not reached[best] & left:
            break
        chosen.append(best)
        left -= reached[best]
    folder = CORPUS / target.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for octets in chosen:
        (folder / f"{hashlib.sha256(octets).hexdigest()[:16]}.input").write_bytes(octets)
    return len(chosen)


def lines_reached(target: Target, octets: bytes) -> frozenset[Line]:
    """Lines of the adapter that run for this input; none for a finding."""
    seen: set[Line] = set()

    def of_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            seen.add((frame.f_code, frame.f_lineno))
        return of_line

    def of_call(frame: FrameType, _event: str, _: Any) -> Any:
        return of_line if frame.f_code.co_filename.startswith(_OURS) else None

    sys.settrace(of_call)
    try:
        verdict = judge(target, octets)
    finally:
        sys.settrace(None)
    return frozenset() if verdict.kind == "crash" else frozenset(seen)

"""What a fuzz target is, and how one input to it is judged.

A target takes any octets. It may raise the errors that it names, which are answers; everything else is a finding:
another exception, more than a second of CPU time, more memory than MAX_CASE_BYTES.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb

from adapter.errors import AdapterError
from tests.conftest import ROOT
from tests.fuzz.choices import Choices

MAX_CASE_S = 1.0
"""CPU time of one input, without instrumentation. CPU time, because the machine may be busy with something else."""

MAX_CASE_BYTES = 256 * 1024 * 1024
"""By how much one input may raise the peak of the process's memory."""

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
ACCEPTED = "accepted"

Mutation = Callable[[Choices, bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One surface. what: for the table. run: raises one of may_raise, or has taken the input.

    seeds: good inputs, made when they are needed (keys are made then too, so none is kept). mutate: one change that
    knows the structure. max_bytes: of an input.
    """

    name: str
    what: str
    run: Callable[[bytes], None]
    may_raise: tuple[type[AdapterError], ...]
    seeds: Callable[[], Sequence[bytes]]
    mutate: Mutation
    max_bytes: int = 16 * 1024

    @property
    def corpus(self) -> list[Path]:
        """The inputs that the repository keeps."""
        return sorted((CORPUS / self.name).glob("*"))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one input. code: ACCEPTED or that of the error; empty for a finding, of which kind says which.

    where: of an exception, its type and the innermost line of ours: findings with the same are counted as one.
    """

    code: str = ""
    kind: str = ""
    where: str = ""
    seconds: float = 0.0

    @property
    def is_finding(self) -> bool:
        """Whether it must not be."""
        return bool(self.kind)


def warm_up(target: Target) -> None:
    """Make the keys and compile the schemas that a target has, which is no input's doing: a good input needs them."""
    for octets in (b"", target.seeds()[0]):
        judge(target, octets)


def judge(target: Target, octets: bytes) -> Verdict:
    """Run one input."""
    peak, started = peak_bytes(), time.process_time()
    code, kind, where = ACCEPTED, "", ""
    try:
        target.run(octets)
    except target.may_raise as refused:
        code = refused.code
        if not code or not refused.reason:
            kind, where = "crash", f"{type(refused).__name__} without a code or a reason"
    except Exception as failure:  # noqa: BLE001 - that is what is looked for
        code, kind, where = "", "crash", place_of(failure)
    seconds = time.process_time() - started
    if not kind and seconds > MAX_CASE_S:
        code, kind, where = "", "slow", f"more than {MAX_CASE_S} s of CPU time"
    if not kind and peak_bytes() - peak > MAX_CASE_BYTES:
        code, kind, where = "", "large", f"more than {MAX_CASE_BYTES} octets"
    return Verdict(code=code, kind=kind, where=where, seconds=seconds)


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def place_of(failure: BaseException) -> str:
    """The exception's type and the innermost line of this repository that it passed."""
    place = "?"
    for frame, line in walk_tb(failure.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(ROOT) and ".venv" not in file.parts:
            place = f"{file.relative_to(ROOT)}:{line}"
    return f"{type(failure).__name__} at {place}"

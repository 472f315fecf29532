"""What a step of the demonstration is, and how it is judged: by the code that came back and by what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from examples.federation.record_view import RecordedEntry

Stage = TypeVar("Stage")

ANSWERED = "answered"


@dataclass(frozen=True, kw_only=True)
class CameBack:
    """What a step got. code: `answered`, or the code of the fault. remark: a few words more for a person to read.

    contradiction: what else has to be so and is not; empty when all is well.
    """

    code: str
    remark: str = ""
    contradiction: str = ""


@dataclass(frozen=True, kw_only=True)
class Step(Generic[Stage]):
    """One row of the scenario.

    sent: what is done, in words. code: what has to come back. entries: for each adapter that has something to record,
    the kinds of its new entries in their order; an adapter that is not named has to record nothing.
    """

    sent: str
    code: str
    entries: Mapping[str, tuple[str, ...]]
    play: Callable[[Stage], CameBack]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A step that was played. entries: what each adapter recorded meanwhile. wrong: empty when all came as stated."""

    number: int
    sent: str
    came_back: CameBack
    entries: Mapping[str, tuple[RecordedEntry, ...]]
    wrong: tuple[str, ...] = field(default=())

    @property
    def is_as_stated(self) -> bool:
        """Whether the step came out as its row says."""
        return not self.wrong


def judge(
    step: Step[Stage], number: int, came_back: CameBack, entries: Mapping[str, tuple[RecordedEntry, ...]]
) -> Judged:
    """Compare what happened with what the row of the scenario states."""
    wrong = []
    if came_back.code != step.code:
        wrong.append(f"{step.code} was expected")
    if came_back.contradiction:
        wrong.append(came_back.contradiction)
    for adapter in sorted({*entries, *step.entries}):
        kinds = tuple(entry.kind for entry in entries.get(adapter, ()))
        expected = step.entries.get(adapter, ())
        if kinds != expected:
            wrong.append(f"{adapter} recorded {_listed(kinds)}, expected {_listed(expected)}")
    recorded = {adapter: found for adapter, found in entries.items() if found}
    return Judged(number=number, sent=step.sent, came_back=came_back, entries=recorded, wrong=tuple(wrong))


def _listed(kinds: tuple[str, ...]) -> str:
    return ", ".join(kinds) or "nothing"

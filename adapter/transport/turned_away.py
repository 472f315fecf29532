"""What was refused before it became a message, or without being read: counted, for the metrics and for the record.

A flood must not fill the record: of what is turned away here there is one entry for each interval and listener, with
the callers that were turned away most and how often, however much it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from adapter.transport.quotas import Caller

_MAX_CALLERS: Final = 256
_MAX_NAMED: Final = 50
_OTHERS: Final = Caller(kind="others", name="", identified=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What one listener turned away since the last one. most: the callers by how often, at most fifty of them."""

    total: int
    by_reason: dict[str, int]
    most: tuple[tuple[Caller, int], ...]
    others: int


@dataclass(kw_only=True, slots=True)
class TurnedAway:
    """The counts of one listener. total: since the start, by reason: a code of the catalogue or a short name."""

    total: Counter[str] = field(default_factory=Counter)
    _lately: Counter[str] = field(default_factory=Counter)
    _callers: Counter[Caller] = field(default_factory=Counter)

    def count(self, reason: str, caller: Caller) -> None:
        """One more. Past so many callers the newcomers are counted together."""
        self.total[reason] += 1
        self._lately[reason] += 1
        known = caller in self._callers or len(self._callers) < _MAX_CALLERS
        self._callers[caller if known else _OTHERS] += 1

    def summary(self) -> Summary | None:
        """What came together since it was last asked; None when that is nothing."""
        if not self._lately:
            return None
        total = sum(self._lately.values())
        most = tuple((caller, count) for caller, count in self._callers.most_common(_MAX_NAMED) if caller != _OTHERS)
        summary = Summary(
            total=total,
            by_reason=dict(sorted(self._lately.items())),
            most=most,
            others=total - sum(count for _, count in most),
        )
        self._lately.clear()
        self._callers.clear()
        return summary

"""A circuit breaker: a system that keeps failing is left in peace for a while. Pure: the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final


class BreakerState(Enum):
    """closed: requests pass. open: none does. half-open: one passes at a time, to try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class BreakerEvent(Enum):
    """What happened. TRIPPED is the failure that reaches the bound, COOLED the end of the rest."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TRIPPED = "tripped"
    COOLED = "cooled"


TRANSITIONS: Final = {
    (BreakerState.CLOSED, BreakerEvent.SUCCEEDED): BreakerState.CLOSED,
    (BreakerState.CLOSED, BreakerEvent.FAILED): BreakerState.CLOSED,
    (BreakerState.CLOSED, BreakerEvent.TRIPPED): BreakerState.OPEN,
    # Answers to requests that had passed before it opened say nothing about now.
    (BreakerState.OPEN, BreakerEvent.SUCCEEDED): BreakerState.OPEN,
    (BreakerState.OPEN, BreakerEvent.FAILED): BreakerState.OPEN,
    (BreakerState.OPEN, BreakerEvent.COOLED): BreakerState.HALF_OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.SUCCEEDED): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, BreakerEvent.FAILED): BreakerState.OPEN,
    # The request that was to try never came back (it was cancelled): another one may try.
    (BreakerState.HALF_OPEN, BreakerEvent.COOLED): BreakerState.HALF_OPEN,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaker:
    """The breaker's whole memory. Times are seconds of any clock that never goes back.

    max_failures: in a row, after which it opens. reset_s: how long it stays open. since: when it last opened or let
    a request through to try.
    """

    max_failures: int
    reset_s: float
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    since: float = 0.0

    def admit(self, now: float) -> tuple[Breaker, bool]:
        """Whether a request may pass now, and the breaker after that."""
        if self.state is BreakerState.CLOSED:
            return self, True
        if now - self.since < self.reset_s:
            return self, False
        return self._after(BreakerEvent.COOLED, since=now), True

    def succeeded(self) -> Breaker:
        """A request was answered."""
        return self._after(BreakerEvent.SUCCEEDED, failures=0 if self.state is not BreakerState.OPEN else self.failures)

    def failed(self, now: float) -> Breaker:
        """A request was not answered."""
        if self.state is BreakerState.OPEN:
            return self._after(BreakerEvent.FAILED)
        if self.state is BreakerState.HALF_OPEN:
            return self._after(BreakerEvent.FAILED, since=now)
        failures = self.failures + 1
        if failures < self.max_failures:
            return self._after(BreakerEvent.FAILED, failures=failures)
        return self._after(BreakerEvent.TRIPPED, failures=failures, since=now)

    def _after(self, event: BreakerEvent, *, failures: int | None = None, since: float | None = None) -> Breaker:
        return replace(
            self,
            state=TRANSITIONS[(self.state, event)],
            failures=self.failures if failures is None else failures,
            since=self.since if since is None else since,
        )

"""The life of one (consumer, MessageId) at the provider, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapter.ports import ExchangeState

TRANSITIONS: Final[Mapping[ExchangeState | None, frozenset[ExchangeState]]] = {
    # Nothing is known of the id: it is reserved and handed to the information system, or refused and answered at once.
    None: frozenset({ExchangeState.RELEASED, ExchangeState.ANSWERED}),
    ExchangeState.RELEASED: frozenset({ExchangeState.ANSWERED, ExchangeState.INTERRUPTED}),
    # A process that was taken for dead may still bring its answer: then the outcome is known after all.
    ExchangeState.INTERRUPTED: frozenset({ExchangeState.ANSWERED}),
    # The answer that was recorded is the answer for ever.
    ExchangeState.ANSWERED: frozenset(),
}


def states_before(state: ExchangeState) -> frozenset[ExchangeState]:
    """The states from which this one may be entered."""
    return frozenset(known for known, after in TRANSITIONS.items() if known is not None and state in after)

"""How far a message came: what a refusal's entry may say about it, and what may be answered.

A stage that was reached is kept here so that, when a later step raises, the record gets whatever was known by then
(promise 5) and no more is believed than what had been verified by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from adapter.stages import (
    FreshRequest,
    GatedMessage,
    ReceivedMessage,
    RecordedRequest,
    TrustedMessage,
    VerifiedMessage,
)

_Stage = TypeVar("_Stage")


@dataclass(kw_only=True, slots=True)
class Trail:
    """The stages of one incoming message that were reached so far. The only mutable thing on its path."""

    received: ReceivedMessage
    _stages: dict[type[object], object] = field(default_factory=dict)

    def reached(self, stage: _Stage) -> _Stage:
        """Note the stage and hand it on."""
        self._stages[type(stage)] = stage
        return stage

    def _get(self, kind: type[_Stage]) -> _Stage | None:
        stage = self._stages.get(kind)
        return stage if isinstance(stage, kind) else None

    @property
    def gated(self) -> GatedMessage | None:
        """Structure known; everything in it is a claim."""
        return self._get(GatedMessage)

    @property
    def verified(self) -> VerifiedMessage | None:
        """Signed by somebody."""
        return self._get(VerifiedMessage)

    @property
    def trusted(self) -> TrustedMessage | None:
        """Signed by a member: may be answered with a signed fault."""
        return self._get(TrustedMessage)

    @property
    def fresh(self) -> FreshRequest | None:
        """Timely and for us: its id is used up by whatever is answered."""
        return self._get(FreshRequest)

    @property
    def recorded(self) -> RecordedRequest | None:
        """Its id is reserved: whatever is answered closes the reservation."""
        return self._get(RecordedRequest)

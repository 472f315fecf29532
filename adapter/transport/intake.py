"""What a listener takes attachments in with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapter.attachments import Holding
from adapter.exchange.parts import AttachmentBounds


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentIntake:
    """holding: makes a place for the attachments of one exchange.

    bounds: of one message, whatever its service allows.
    """

    holding: Callable[[], Holding]
    bounds: AttachmentBounds

"""What evidence proves, in sentences that a lawyer can read, each with who stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapter.evidence.dating import DatedEntry
from adapter.evidence.signature import Level
from adapter.identifiers import MemberId, MessageId, ServiceId, SubsystemId


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One thing that was proved.

    by: who signed it. at: when, by their clock; None when it bears no time. file: what in the container proves it.
    """

    by: str
    what: str
    at: datetime | None
    file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """Evidence that held. level: of the exporter's signature over all of it (evidence.signature).

    dated: each entry, and before when it existed by others' clocks.
    request and reply are the signed payloads, in canonical octets: they hold personal data.
    """

    exporter: MemberId
    message_id: MessageId
    consumer: SubsystemId
    service: ServiceId
    directory_version: int
    level: Level
    statements: tuple[Statement, ...]
    dated: tuple[DatedEntry, ...]
    request: bytes
    reply: bytes | None

"""What stands for the world in tests in memory: a record that is a dictionary, a register, a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from lxml import etree

from adapter.errors import RecordUnavailable
from adapter.identifiers import (
    MessageId,
    RecordNumber,
    SubsystemId,
)
from adapter.ports import ExchangeState, KnownExchange, RecordWrite, Written
from adapter.stages import (
    BackendAnswer,
    RecordedRequest,
)
from tests.get_person import ANSWER


class MemoryRecord:
    """ports.Record in a dictionary. `fail` makes it raise; `log` is what was durable, in order."""

    def __init__(self) -> None:
        self.log: list[RecordWrite] = []
        self.known: dict[tuple[SubsystemId, MessageId], KnownExchange] = {}
        self.fail: Callable[[RecordWrite], bool] = lambda _write: False

    async def find(self, consumer: SubsystemId, message_id: MessageId) -> KnownExchange | None:
        return self.known.get((consumer, message_id))

    async def write(self, write: RecordWrite) -> Written | KnownExchange:
        await asyncio.sleep(0)
        if self.fail(write):
            raise RecordUnavailable("told to fail")
        if write.claim is not None:
            key = (write.claim.consumer, write.claim.message_id)
            if key in self.known:
                return self.known[key]
            self.known[key] = KnownExchange(
                state=ExchangeState.RELEASED,
                content_digest=write.claim.content_digest,
                reply=None,
                reply_number=None,
            )
        number = RecordNumber(len(self.log))
        self.log.append(write)
        if write.answers is not None:
            key = (write.answers.consumer, write.answers.message_id)
            self.known[key] = replace(
                self.known[key], state=ExchangeState.ANSWERED, reply=write.kept[-1].octets, reply_number=number
            )
        return Written(number=number)

    @property
    def kinds(self) -> list[str]:
        return [write.entry.kind for write in self.log]

    @property
    def outcomes(self) -> list[str | None]:
        return [write.entry.outcome for write in self.log]


class Register:
    """ports.Backend: answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[RecordedRequest] = []
        self.answer_with: str | Exception = ANSWER
        self.before_answer: Callable[[], None] = lambda: None

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        self.asked.append(request)
        self.before_answer()
        await asyncio.sleep(0)
        if isinstance(self.answer_with, Exception):
            raise self.answer_with
        return BackendAnswer(payload=etree.fromstring(self.answer_with.encode()), size=len(self.answer_with))

    async def close(self) -> None:
        return None


class Clock:
    """A clock that tests set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

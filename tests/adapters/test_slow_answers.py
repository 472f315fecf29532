"""An information system whose answer with an attachment takes its time: judged by whether it gets on."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from adapter.errors import ProviderSystemTimeout
from adapter.exchange.parts import AttachmentBounds
from adapter.pace import TransferBounds
from adapter.stages import RecordedRequest
from adapter.store.spool import Spool
from tests.adapters.document_system import related, related_type
from tests.adapters.test_soap_backend import ANSWER, SECRET, envelope, system
from tests.unit.backends.recorded import recorded
from tests.unit.envelope.descriptions import NS

__all__ = ["system"]

pytestmark = pytest.mark.sockets


def drips(piece: int, pause_s: float, pieces: int = 20):
    """Answers with an attachment of so many pieces, and waits before each."""
    head, end = related(envelope(ANSWER), ("one@x", "a/b", b"")).split(b"\r\n--b0undary--")

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": related_type()})
        await response.prepare(request)
        await response.write(head)
        for _ in range(pieces):
            await asyncio.sleep(pause_s)
            await response.write(bytes(piece))
        await response.write(b"\r\n--b0undary--" + end)
        return response

    return handler


@pytest.fixture
def asked_with_a_place(tmp_path: Path) -> Iterator[tuple[RecordedRequest, Spool]]:
    """A request whose answer may have attachments."""
    spool = Spool(tmp_path / "spool", max_bytes=1 << 20)
    spool.prepare()
    with closing(spool.holding()) as holding:
        yield recorded(f'<Ask xmlns="{NS}">{SECRET}</Ask>', "Ask", holding=holding), spool
    assert spool.taken_bytes == 0
    spool.close()


BOUNDS = AttachmentBounds(max_count=1, max_bytes=1 << 20)


async def test_an_answer_with_an_attachment_that_gets_on_may_take_longer_than_the_timeout(system, asked_with_a_place):
    asked, _ = asked_with_a_place
    transfer = TransferBounds(stall_s=0.3, min_rate_bytes_s=10_000)
    backend = await system(drips(4000, 0.05), timeout_s=0.3, attachments=BOUNDS, transfer=transfer)
    answer = await backend.answer(asked)
    assert [one.said.size for one in answer.attachments.held] == [80_000]


async def test_a_system_that_drips_is_left(system, asked_with_a_place):
    """Every octet comes before the system counts as stalled, and yet no answer comes of it."""
    asked, _ = asked_with_a_place
    transfer = TransferBounds(stall_s=0.3, min_rate_bytes_s=10_000)
    backend = await system(drips(1, 0.05), timeout_s=0.3, attachments=BOUNDS, transfer=transfer)
    with pytest.raises(ProviderSystemTimeout, match="does not get on"):
        await backend.answer(asked)


async def test_a_system_that_stops_in_the_middle_of_an_attachment_is_left(system, asked_with_a_place):
    asked, _ = asked_with_a_place
    transfer = TransferBounds(stall_s=0.3, min_rate_bytes_s=1)
    backend = await system(drips(1, 3600), timeout_s=0.3, attachments=BOUNDS, transfer=transfer)
    with pytest.raises(ProviderSystemTimeout, match="does not get on"):
        await backend.answer(asked)

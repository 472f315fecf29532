"""Bodies that take their time: who gets on is waited for, who does not is left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from adapter.attachments import HeldAttachments
from adapter.envelope.bodies import StreamedBody
from adapter.pace import Pace, TooSlow, TransferBounds
from adapter.transport.transfer import send_streamed

BOUNDS = TransferBounds(stall_s=30, min_rate_bytes_s=1000, max_s=100)


def test_who_gets_on_is_waited_for_until_the_end_of_patience():
    pace = Pace(BOUNDS)
    for _ in range(10):
        pace.went(10_000, 10)
    with pytest.raises(TooSlow):
        pace.went(10_000, 1)


def test_less_than_the_rate_is_allowed_for_as_long_as_a_stall_only():
    pace = Pace(BOUNDS)
    pace.went(1000, 31)
    with pytest.raises(TooSlow):
        pace.went(1000, 2)


@pytest.mark.parametrize(("rate", "is_left"), [(1, False), (1 << 40, True)])
async def test_a_reader_that_takes_a_little_now_and_then_is_left(
    monkeypatch: pytest.MonkeyPatch,
    rate: int,
    is_left: bool,  # noqa: FBT001
):
    written: list[bytes] = []

    class Slow:
        """Takes every piece long before it counts as stalled."""

        def __init__(self, **_: object) -> None:
            self.content_length: int | None = None

        async def prepare(self, _request: object) -> None:
            return None

        async def write(self, octets: bytes) -> None:
            await asyncio.sleep(0.02)
            written.append(octets)

        async def write_eof(self) -> None:
            written.append(b"end")

    left: list[str] = []
    request = SimpleNamespace(transport=SimpleNamespace(abort=lambda: left.append("left")))
    monkeypatch.setattr("adapter.transport.transfer.web.StreamResponse", Slow)
    body = StreamedBody(
        content_type="a/b", attachments=HeldAttachments(content_key=b"", held=()), pieces=(b"piece",) * 100
    )
    bounds = TransferBounds(stall_s=0.5, min_rate_bytes_s=rate)
    await send_streamed(request, body, status=200, headers={}, bounds=bounds)  # type: ignore[arg-type]
    assert bool(left) is is_left
    assert (written[-1] == b"end") is not is_left

"""A multipart message as it comes in: what is kept, and what is refused before it fills anything."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapter.envelope.multipart import read_related_type
from adapter.errors import AttachmentsInvalid, LimitExceeded
from adapter.exchange.parts import AttachmentBounds, RelatedMessage
from adapter.store.spool import Spool, SpoolHolding

KEY = bytes(16)
ROOT = b"--b\r\nContent-Type: text/xml\r\nContent-ID: <r>\r\n\r\n<root/>"
END = b"\r\n--b--\r\n"


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[SpoolHolding]:
    spool = Spool(tmp_path, max_bytes=1 << 22)
    made = spool.holding()
    yield made
    made.close()
    spool.close()


async def chunks(*octets: bytes) -> AsyncIterator[bytes]:
    for piece in octets:
        yield piece


def message(*octets: bytes, content_type: str = "multipart/related; boundary=b", max_count: int = 3) -> RelatedMessage:
    bounds = AttachmentBounds(max_count=max_count, max_bytes=100_000)
    return RelatedMessage(
        chunks(*octets), read_related_type(content_type, AttachmentsInvalid), bounds, AttachmentsInvalid
    )


def part(content_id: str, octets: bytes, more: str = "") -> bytes:
    return f"\r\n--b\r\nContent-Type: a/b; c=d\r\nContent-ID: <{content_id}>\r\n{more}\r\n".encode() + octets


async def test_the_root_and_what_is_beside_it(holding: SpoolHolding):
    read = message(ROOT + part("1", b"one"), part("2", b"") + END)
    assert (await read.root(100)).octets == b"<root/>"
    held = await read.seal(holding, KEY)
    assert [(said.content_id, said.size, said.media_type) for said in held.said] == [
        ("1", 3, "a/b; c=d"),
        ("2", 0, "a/b; c=d"),
    ]
    assert b"".join([piece async for piece in held.held[0].sealed.plaintext(KEY)]) == b"one"


async def test_base64_of_an_old_client_is_decoded(holding: SpoolHolding):
    octets = bytes(range(256)) * 30
    encoded = part("1", base64.encodebytes(octets), "Content-Transfer-Encoding: BASE64\r\n")
    read = message(ROOT, *[encoded[at : at + 100] for at in range(0, len(encoded), 100)], END)
    await read.root(100)
    held = await read.seal(holding, KEY)
    assert b"".join([piece async for piece in held.held[0].sealed.plaintext(KEY)]) == octets


@pytest.mark.parametrize(
    "octets",
    [
        [ROOT + part("1", bytes(100_001)) + END],
        [ROOT, part("1", b""), *[bytes(10_000)] * 1000],
        [ROOT + part("1", bytes(60_000)) + part("2", bytes(60_000)) + END],
        [ROOT + part("1", b"") + part("2", b"") + part("3", b"") + part("4", b"") + END],
        [ROOT, part("1", b"", "Content-Transfer-Encoding: base64\r\n"), *[b" " * 10_000] * 1000],
    ],
    ids=["one too long", "one without end", "together too long", "too many", "white space without end"],
)
async def test_past_a_bound(holding: SpoolHolding, octets: list[bytes]):
    async def whole() -> None:
        read = message(*octets)
        await read.root(100)
        await read.seal(holding, KEY)

    with pytest.raises(LimitExceeded):
        await whole()


async def test_a_long_envelope():
    with pytest.raises(LimitExceeded):
        await message(ROOT + END).root(3)


@pytest.mark.parametrize(
    "octets",
    [
        ROOT + part("1", b"x") + part("1", b"y") + END,
        ROOT + b"\r\n--b\r\nContent-Type: a/b\r\n\r\nx" + END,
        ROOT + part("1", b"x"),
        ROOT + part("1", b"AAA", "Content-Transfer-Encoding: base64\r\n") + END,
    ],
    ids=["one id twice", "a part without an id", "no end", "half a group of base64"],
)
async def test_not_as_it_must_be(holding: SpoolHolding, octets: bytes):
    read = message(octets)
    await read.root(100)
    with pytest.raises(AttachmentsInvalid):
        await read.seal(holding, KEY)


async def test_another_root_than_the_first_part():
    with pytest.raises(AttachmentsInvalid):
        await message(ROOT + END, content_type='multipart/related; boundary=b; start="<other>"').root(100)


async def test_narrower_bounds_hold_from_then_on(holding: SpoolHolding):
    read = message(ROOT + part("1", b"x") + END)
    await read.root(100)
    read.narrow(AttachmentBounds(max_count=0, max_bytes=0))
    with pytest.raises(LimitExceeded):
        await read.keep(holding)

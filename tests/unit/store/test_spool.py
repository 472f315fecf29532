"""The spool: ciphertext only, no names, within its bound, nothing left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from adapter.crypto.content import ContentCipher
from adapter.errors import AdapterError, EnvelopeRefused, InternalError, Overloaded, SecurityFailed, SettingsInvalid
from adapter.store.spool import PIECE_BYTES, Spool

KEY = bytes(range(16))
MIB = 1 << 20


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", max_bytes=4 * MIB)
    made.prepare()
    yield made
    made.close()


async def sealed(spool: Spool, octets: bytes, piece: int = 1000):
    holding = spool.holding()
    sink = holding.sealing(KEY)
    for at in range(0, len(octets), piece):
        await sink.write(octets[at : at + piece])
    return holding, *await sink.finish()


@pytest.mark.parametrize("size", [0, 1, 4000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17])
async def test_what_goes_in_comes_out(spool: Spool, size: int):
    octets = os.urandom(size)
    _, held, measured = await sealed(spool, octets, piece=70_000)
    assert (measured.size, measured.sha256) == (size, hashlib.sha256(octets).digest())
    ciphertext = b"".join([piece async for piece in held.ciphertext()])
    assert len(ciphertext) == held.size == size + 28
    assert ContentCipher(KEY).decrypt(ciphertext) == octets
    assert b"".join([piece async for piece in held.plaintext(KEY)]) == octets
    assert await held.measure(KEY) == measured


async def test_a_peers_ciphertext_is_kept_as_it_is(spool: Spool):
    octets = os.urandom(2 * PIECE_BYTES)
    sink = spool.holding().keeping()
    await sink.write(ContentCipher(KEY).encrypt(b"i" * 12, octets))
    held = await sink.finish()
    assert held.iv == b"i" * 12
    assert (await held.measure(KEY)).sha256 == hashlib.sha256(octets).digest()


@pytest.mark.parametrize("at", [0, 13, 2 * PIECE_BYTES, -1])
async def test_a_changed_octet_is_found(spool: Spool, at: int):
    ciphertext = bytearray(ContentCipher(KEY).encrypt(b"i" * 12, bytes(3 * PIECE_BYTES)))
    ciphertext[at] ^= 1
    sink = spool.holding().keeping()
    await sink.write(bytes(ciphertext))
    held = await sink.finish()
    with pytest.raises(SecurityFailed):
        await held.measure(KEY)
    with pytest.raises(SecurityFailed):
        _ = [piece async for piece in held.plaintext(KEY)]


async def test_too_short_for_a_tag(spool: Spool):
    sink = spool.holding().keeping()
    await sink.write(bytes(27))
    with pytest.raises(EnvelopeRefused):
        await sink.finish()


async def test_no_file_has_a_name_and_nothing_in_clear(spool: Spool, tmp_path: Path):
    holding, held, _ = await sealed(spool, b"secret of a person " * 50_000)
    assert list((tmp_path / "spool").iterdir()) == []
    ciphertext = b"".join([piece async for piece in held.ciphertext()])
    assert b"secret" not in ciphertext
    holding.close()


async def test_the_bound_is_for_all_and_is_given_back(spool: Spool):
    holding, _, _ = await sealed(spool, bytes(3 * MIB), piece=PIECE_BYTES)
    with pytest.raises(Overloaded):
        await sealed(spool, bytes(2 * MIB), piece=PIECE_BYTES)
    holding.close()
    again, _, _ = await sealed(spool, bytes(MIB), piece=PIECE_BYTES)
    assert spool.taken_bytes > MIB
    again.close()


async def test_nothing_is_taken_once_all_is_closed(spool: Spool):
    holding, held, _ = await sealed(spool, bytes(MIB))
    holding.close()
    assert spool.taken_bytes == 0
    with pytest.raises(InternalError):
        await held.measure(KEY)


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="spool_dir"):
        Spool(tmp_path / "file", max_bytes=1).prepare()


async def test_a_full_disk_is_a_refusal(tmp_path: Path):
    spool = Spool(Path("/dev/full-of-nothing"), max_bytes=MIB)
    with pytest.raises(AdapterError):
        await sealed(spool, bytes(2 * PIECE_BYTES), piece=PIECE_BYTES)


async def test_small_attachments_stay_in_memory_as_long_as_all_of_them_are_few_octets(tmp_path: Path):
    """Past the bound they go to a file, and come out of it the same; what was in memory is counted out again."""
    spool = Spool(tmp_path / "spool", max_bytes=MIB, memory_bytes=10_000)
    spool.prepare()
    files = count_files(spool)
    made = [await sealed(spool, bytes([at]) * 4000) for at in range(4)]
    assert spool.memory_taken_bytes == 2 * 4028
    assert len(files) == 2
    for at, (_, held, _) in enumerate(made):
        assert b"".join([piece async for piece in held.plaintext(KEY)]) == bytes([at]) * 4000
    for holding, _, _ in made:
        holding.close()
        holding.close()
    assert spool.memory_taken_bytes == spool.taken_bytes == 0
    assert (await sealed(spool, bytes(9000)))[1].size == 9028
    assert len(files) == 2, "there is room again"
    spool.close()


async def test_one_that_grows_past_a_piece_leaves_memory(spool: Spool):
    files = count_files(spool)
    await sealed(spool, bytes(PIECE_BYTES - 1))
    assert (spool.memory_taken_bytes, len(files)) == (PIECE_BYTES - 1 + 28, 0)
    await sealed(spool, bytes(2 * PIECE_BYTES), piece=70_000)
    assert (spool.memory_taken_bytes, len(files)) == (PIECE_BYTES - 1 + 28, 1)


def count_files(spool: Spool) -> list[IO[bytes]]:
    """The files that the spool makes from now on."""
    made: list[IO[bytes]] = []
    real = spool.new_file

    def new_file() -> IO[bytes]:
        made.append(real())
        return made[-1]

    spool.new_file = new_file  # type: ignore[method-assign]
    return made

"""The record as static tiles: the paths and contents of C2SP tlog-tiles, and a root that is that of the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.audit.merkle import HASH_OCTETS, leaf_hash
from adapter.audit.tiles import MAX_BUNDLED_OCTETS, bundle, tile_path
from adapter.cli.log_tiles import write_tiles
from adapter.errors import CommandRefused
from tests.records import RecordHome


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (5, 3, "tile/0/005.p/3"),
        (999, 256, "tile/0/999"),
        (1234067, 256, "tile/0/x001/x234/067"),
        (1000, 1, "tile/0/x001/000.p/1"),
    ],
)
def test_paths(number: int, width: int, path: str) -> None:
    assert tile_path("0", number, width) == path


def test_a_bundle_has_each_entry_after_its_length() -> None:
    assert bundle(["a", "бв"]) == b"\x00\x01a\x00\x04" + "бв".encode()
    with pytest.raises(CommandRefused):
        bundle(["a" * (MAX_BUNDLED_OCTETS + 1)])


def test_the_tiles_of_a_record(tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    home.fill(3, 200)
    folder = tmp_path / "tiles"
    assert write_tiles(home.reader.entries(600), folder, with_entries=True) == home.checkpoint().root
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()) == [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    bundled = (folder / "tile/entries/002.p/88").read_bytes()
    first = bundled[2 : 2 + int.from_bytes(bundled[:2], "big")]
    assert (folder / "tile/0/002.p/88").read_bytes()[:HASH_OCTETS] == leaf_hash(first)

"""The record as static tiles: the paths and contents of C2SP tlog-tiles, and a root that is that of the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.audit.merkle import HASH_OCTETS, leaf_hash
from adapter.audit.tiles import MAX_BUNDLED_OCTETS, bundle, tile_path
from adapter.cli.log_tiles import write_tiles
from adapter.errors import CommandRefused
from tests.command_line import typed
from tests.records import ORIGIN, RecordHome


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


def test_a_folder_is_verified_with_the_records_verifier_key_alone(tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    home.fill(1, 300)
    folder, vkey = tmp_path / "tiles", tmp_path / "record.vkey"
    write_tiles(home.reader.entries(300), folder, with_entries=True)
    newest = home.reader.latest_checkpoint()
    assert newest is not None
    (folder / "checkpoint").write_text(newest.note)
    vkey.write_text(home.signer.vkey)
    done = typed("log", "verify-tiles", folder, "--vkey", vkey)
    assert (done.code, done.out) == (0, f"The tiles are whole: 300 entries of {ORIGIN}, each of them read\n")
    tile = folder / "tile/0/001.p/44"
    tile.write_bytes(tile.read_bytes()[:-1] + b"x")
    done = typed("log", "verify-tiles", folder, "--vkey", vkey)
    assert done.code == 6
    assert "tile/0/001.p/44" in done.err

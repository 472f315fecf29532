"""A folder of tiles that somebody else keeps is verified without us: whichever byte is changed, the file is named."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.merkle import HASH_OCTETS, TILE_WIDTH, CompactRange, leaf_hash
from adapter.audit.tiles import CHECKPOINT, bundle, tile_path, tile_root, verify_tiles
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import RecordBroken

SIGNER = NoteSigner("UZ/GOV/200000001", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VERIFIER = NoteVerifier.parse(SIGNER.vkey)

Files = dict[str, bytes]


def tiles_of(size: int) -> Files:
    """The tiles of so many entries, with the entries; made without the program that exports them."""
    entries = [f'{{"entry":{number}}}' for number in range(size)]
    files: Files = {}
    tree, row = CompactRange(), [leaf_hash(entry.encode()) for entry in entries]
    for leaf in row:
        tree.append(leaf)
    for at in range(0, size, TILE_WIDTH):
        some = entries[at : at + TILE_WIDTH]
        files[tile_path("entries", at // TILE_WIDTH, len(some))] = bundle(some)
    level = 0
    while row:
        parts = [row[at : at + TILE_WIDTH] for at in range(0, len(row), TILE_WIDTH)]
        for number, part in enumerate(parts):
            files[tile_path(str(level), number, len(part))] = b"".join(part)
        row = [tile_root(b"".join(part)) for part in parts if len(part) == TILE_WIDTH]
        level += 1
    checkpoint = Checkpoint(origin=VERIFIER.name, size=size, root=tree.root())
    files[CHECKPOINT] = sign_checkpoint(checkpoint, SIGNER).encode()
    return files


def refused(files: Files, *, with_entries: bool = True) -> str:
    with pytest.raises(RecordBroken) as caught:
        verify_tiles(files.get, VERIFIER, with_entries=with_entries)
    return caught.value.reason


def changed(files: Files, path: str, at: int) -> Files:
    octets = files[path]
    return {**files, path: octets[:at] + bytes([octets[at] ^ 1 << at % 8]) + octets[at + 1 :]}


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
@pytest.mark.parametrize("with_entries", [True, False])
def test_tiles_of_any_size_are_whole(size: int, with_entries: bool) -> None:  # noqa: FBT001
    checkpoint = verify_tiles(tiles_of(size).get, VERIFIER, with_entries=with_entries)
    assert checkpoint.size == size


def test_every_byte_of_every_file_counts_and_the_file_is_named() -> None:
    files = tiles_of(5)
    assert sorted(files) == ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"]
    for path, octets in files.items():
        for at in range(len(octets)):
            assert path in refused(changed(files, path, at))


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"])
@pytest.mark.parametrize("with_entries", [True, False])
def test_every_hash_counts_on_every_level(path: str, with_entries: bool) -> None:  # noqa: FBT001
    files = tiles_of(600)
    for number in range(0, len(files[path]) // HASH_OCTETS, 1 if len(files[path]) < 256 else 37):
        at = number * HASH_OCTETS + number % HASH_OCTETS
        assert path in refused(changed(files, path, at), with_entries=with_entries)


def test_the_entries_tell_which_of_two_files_was_changed() -> None:
    files = tiles_of(300)
    assert refused(changed(files, "tile/entries/000", 5)).startswith("tile/entries/000 and tile/0/000 do not fit at 0")
    assert refused(changed(files, "tile/1/000.p/1", 5)).startswith("tile/1/000.p/1 and tile/0/000 do not fit")


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/44"])
def test_a_file_that_is_missing_is_named(path: str) -> None:
    files = tiles_of(300)
    del files[path]
    assert path in refused(files)


def test_a_file_of_another_length_is_named() -> None:
    files = tiles_of(5)
    assert "tile/0/000.p/5 was changed" in refused({**files, "tile/0/000.p/5": files["tile/0/000.p/5"] + bytes(32)})
    entries = files["tile/entries/000.p/5"]
    assert "has 6 entries" in refused({**files, "tile/entries/000.p/5": entries + b"\x00\x01x"})
    for cut in (1, len(entries) - 1, len(entries) - 12):
        assert "tile/entries/000.p/5 " in refused({**files, "tile/entries/000.p/5": entries[:cut]})


def test_a_checkpoint_of_an_older_record_fits_only_its_tiles() -> None:
    files = tiles_of(300)
    assert "tile/0/001.p/1" in refused({**files, CHECKPOINT: tiles_of(257)[CHECKPOINT]})


@pytest.mark.parametrize(
    ("size", "edge"),
    [
        (5, "tile/0/000.p/5"),
        (TILE_WIDTH, "tile/1/000.p/1"),
        (TILE_WIDTH + 1, "one of tile/0/001.p/1, tile/1/000.p/1"),
    ],
)
def test_tiles_of_another_record_than_the_checkpoints_name_the_right_edge(size: int, edge: str) -> None:
    other = Checkpoint(origin=VERIFIER.name, size=size, root=bytes(HASH_OCTETS))
    files = {**tiles_of(size), CHECKPOINT: sign_checkpoint(other, SIGNER).encode()}
    assert refused(files) == f"{edge} is not what the checkpoint signed"

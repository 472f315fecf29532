"""Go's golang.org/x/mod/sumdb reads the checkpoint, the tiles and the proofs, and finds the same."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapter.audit.checkpoint import open_checkpoint
from adapter.audit.tiles import CHECKPOINT
from adapter.cli.log_tiles import write_tiles
from tests.interop.stacks import go_program
from tests.records import ORIGIN, RecordHome

GO = shutil.which("go")
SIZE = 600
pytestmark = [pytest.mark.interop, pytest.mark.skipif(GO is None, reason="no Go on this machine")]


def in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def path_of(proof: Sequence[bytes]) -> list[str]:
    return [in_base64(one) for one in proof]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_program("go_tiles", tmp_path_factory.mktemp("go") / "tiles")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecordHome, Path, Path]:
    """The record, the folder of its tiles, and what the other program has to find."""
    folder = tmp_path_factory.mktemp("tiles")
    home = RecordHome.make(folder)
    home.fill(3, SIZE // 3)
    tiles = folder / "tiles"
    write_tiles(home.reader.entries(SIZE), tiles, with_entries=True)
    stored = home.reader.latest_checkpoint()
    assert stored is not None
    (tiles / CHECKPOINT).write_text(stored.note)
    older = [open_checkpoint(one.note, home.verifiers, origin=ORIGIN) for one in home.reader.checkpoints(SIZE - 1)]
    proofs = [home.reader.prove_entry(number) for number in (0, 255, 256, 511, SIZE - 1)]
    wanted = {
        "Entries": [
            {"Index": one.entry.number, "Text": one.entry.document, "Proof": path_of(one.path)} for one in proofs
        ],
        "Consistency": [
            {
                "Size": one.size,
                "Root": in_base64(one.root),
                "Proof": path_of(home.reader.prove_consistency(one.size, SIZE)),
            }
            for one in older
        ],
    }
    file = folder / "wanted.json"
    file.write_text(json.dumps(wanted))
    return home, tiles, file


def judged(program: Path, home: RecordHome, tiles: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(program), str(tiles), home.signer.vkey, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_another_implementation_finds_the_same(program: Path, exported: tuple[RecordHome, Path, Path]) -> None:
    done = judged(program, *exported)
    assert (done.returncode, done.stdout) == (0, "5 entries and 2 older sizes of 600\n"), done.stderr


@pytest.mark.parametrize("name", ["tile/0/001", "tile/1/000.p/2", CHECKPOINT])
def test_it_notices_a_changed_octet(
    program: Path, exported: tuple[RecordHome, Path, Path], tmp_path: Path, name: str
) -> None:
    home, tiles, file = exported
    copy = tmp_path / "tiles"
    shutil.copytree(tiles, copy)
    octets = bytearray((copy / name).read_bytes())
    octets[40] ^= 1
    (copy / name).write_bytes(octets)
    assert judged(program, home, copy, file).returncode == 1

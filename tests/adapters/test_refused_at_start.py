"""What is wrong with keys, settings or the database is said at start, in words, before a port is open."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.federation.federation import ADAPTER, CHECKOUT, build_federation
from examples.federation.home import Home
from examples.federation.plan import FederationPlan
from examples.federation.processes import Processes
from tests.adapters.small_federation import member_plan
from tests.adapters.stub_system import StubSystem

pytestmark = [pytest.mark.sockets]

SETTINGS_INVALID, KEY_UNUSABLE, STORE_UNUSABLE = 2, 3, 4


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home in which everything is in order. It is copied, never changed."""
    folder = tmp_path_factory.mktemp("start") / "federation"
    with StubSystem() as system, Processes(folder / "logs") as processes:
        plan = FederationPlan(members=(member_plan(1, "home", suite="p256", system=system),))
        yield build_federation(plan, folder, processes).homes["home"]


def serve(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ADAPTER, "serve", "--home", str(home)], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )


def world_readable_key(home: Path) -> None:
    (home / "keys" / "signing.key").chmod(0o644)


def missing_key(home: Path) -> None:
    (home / "keys" / "agreement.key").unlink()


def certificate_of_another_key(home: Path) -> None:
    shutil.copy(home / "keys" / "agreement.pem", home / "keys" / "signing.pem")


def misspelt_setting(home: Path) -> None:
    file = home / "adapter.toml"
    file.write_text(file.read_text().replace("refresh_s", "refresh_seconds"))


def no_database(home: Path) -> None:
    (home / "data" / "adapter.sqlite").unlink()


def another_programs_database(home: Path) -> None:
    (home / "data" / "adapter.sqlite").unlink()
    with sqlite3.connect(home / "data" / "adapter.sqlite") as database:
        database.execute("CREATE TABLE recipes (name TEXT)")


def damaged_database(home: Path) -> None:
    file = home / "data" / "adapter.sqlite"
    octets = bytearray(file.read_bytes())
    octets[4096 : 4096 + 4096] = b"\xff" * 4096
    file.write_bytes(octets)


@pytest.mark.parametrize(
    ("spoil", "exit_code", "said"),
    [
        (world_readable_key, KEY_UNUSABLE, ("keys/signing.key", "can be read by others", "chmod 600")),
        (missing_key, KEY_UNUSABLE, ("keys/agreement.key is missing",)),
        (certificate_of_another_key, KEY_UNUSABLE, ("keys/signing.key", "the certificate is for another key")),
        (misspelt_setting, SETTINGS_INVALID, ("adapter.toml", "line 10", "refresh_seconds", "refresh_s")),
        (no_database, STORE_UNUSABLE, ("there is no database at", "adapter init")),
        (another_programs_database, STORE_UNUSABLE, ("belongs to another program",)),
        (damaged_database, STORE_UNUSABLE, ("damaged", "restore the last backup")),
    ],
)
def test_it_is_refused_with_a_sentence(
    sound: Home, tmp_path: Path, spoil: Callable[[Path], None], exit_code: int, said: tuple[str, ...]
):
    home = tmp_path / "home"
    shutil.copytree(sound.folder, home)
    spoil(home)
    done = serve(home)
    assert done.returncode == exit_code, done.stderr
    for words in said:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "PRIVATE KEY" not in done.stderr

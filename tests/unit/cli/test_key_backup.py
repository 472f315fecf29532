"""Backup and restore of all keys: two officers, nothing overwritten, nothing revoked comes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adapter.app.keyring import load_keyring
from adapter.settings import load_settings
from tests.unit.cli.dialogue import Run

SEAL = ("--by", "dilnoza", "--by", "bek", "--by", "olim")
OPEN = ("--by", "olim", "--by", "dilnoza")


def files(*names: str) -> tuple[str, ...]:
    return tuple(word for name in names for word in ("--passphrase-file", f"{name}.pass"))


@pytest.fixture
def sealed(run: Run, place: Path) -> Path:
    for name in ("dilnoza", "bek", "olim"):
        (place / f"{name}.pass").touch(mode=0o600)
        (place / f"{name}.pass").write_text(f"the phrase of {name}\n")
    done = run("keys", "backup", "all.sealed", *SEAL, *files("dilnoza", "bek", "olim"), "-s", "register", "--json")
    assert done.code == 0, done
    assert json.loads(done.out)["keys"] == ["signing", "agreement", "tls", "record", "archive"]
    return place / "all.sealed"


def test_a_lost_folder_comes_back_whole(run: Run, place: Path, sealed: Path) -> None:
    settings = load_settings(place / "register" / "adapter.toml")
    before = load_keyring(settings)
    keys = place / "register" / "keys"
    shutil.rmtree(keys)
    done = run("keys", "restore", sealed, *OPEN, *files("olim", "dilnoza"), "-s", "register", "--json")
    assert done.code == 0, done
    after = load_keyring(settings)
    assert after.record.vkey == before.record.vkey
    assert after.archive_key == before.archive_key
    assert after.signing[0].certificate == before.signing[0].certificate
    assert (keys.stat().st_mode & 0o777, (keys / "tls.key").stat().st_mode & 0o777) == (0o700, 0o600)
    log = run("log", "list", "--kind", "admin", "-s", "register")
    assert "keys-backed-up" in log.out
    assert "keys-restored" in log.out
    assert run("log", "verify", "-s", "register").code == 0


def test_the_file_is_for_its_owner_and_says_no_key(sealed: Path, place: Path) -> None:
    assert sealed.stat().st_mode & 0o777 == 0o600
    private = (place / "register" / "keys" / "signing.key").read_text().splitlines()[2]
    assert private not in sealed.read_text()


def test_one_officer_does_not_restore(run: Run, place: Path, sealed: Path) -> None:
    shutil.rmtree(place / "register" / "keys")
    alone = run("keys", "restore", sealed, "--by", "olim", *files("olim"), "-s", "register")
    assert alone.code == 2
    wrong = run("keys", "restore", sealed, *OPEN, *files("olim", "bek"), "-s", "register")
    assert wrong.code == 2
    assert "one of the two passphrases is wrong" in wrong.err
    assert not list((place / "register").glob("keys/*"))


def test_what_is_there_is_left_and_what_was_revoked_stays_away(run: Run, place: Path, sealed: Path) -> None:
    keys = place / "register" / "keys"
    assert run("keys", "revoke", "agreement", "--reason", "key-compromise", "-s", "register").code == 0
    assert run("keys", "destroy", "agreement", "--yes", "-s", "register").code == 0
    (keys / "tls.key").unlink()
    signing = (keys / "signing.key").read_bytes()
    done = run("keys", "restore", sealed, *OPEN, *files("olim", "dilnoza"), "-s", "register", "--json")
    assert json.loads(done.out)["restored"] == ["tls"]
    assert (keys / "signing.key").read_bytes() == signing
    assert not (keys / "agreement.key").exists()


def test_keys_are_encrypted_anew_by_the_passphrase_of_the_settings(run: Run, place: Path, sealed: Path) -> None:
    """A backup survives the loss of the passphrase that the files had."""
    settings = place / "register" / "adapter.toml"
    settings.write_text(settings.read_text().replace("[adapter]\n", '[adapter]\npassphrase_file = "new.pass"\n', 1))
    (place / "register" / "new.pass").touch(mode=0o600)
    (place / "register" / "new.pass").write_text("a new passphrase\n")
    shutil.rmtree(place / "register" / "keys")
    assert run("keys", "restore", sealed, *OPEN, *files("olim", "dilnoza"), "-s", "register").code == 0
    assert b"ENCRYPTED" in (place / "register" / "keys" / "signing.key").read_bytes()
    load_keyring(load_settings(settings))


def test_another_members_backup_is_refused(run: Run, place: Path, sealed: Path) -> None:
    settings = place / "register" / "adapter.toml"
    settings.write_text(settings.read_text().replace("UZ/GOV/200000001", "UZ/GOV/200000002"))
    done = run("keys", "restore", sealed, *OPEN, *files("olim", "dilnoza"), "-s", "register")
    assert done.code == 2
    assert "is of UZ/GOV/200000001" in done.err

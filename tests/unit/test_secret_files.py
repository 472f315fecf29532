"""A secret that others can read is refused; what systemd hands to the unit is taken as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.app.own_clients import exposures
from adapter.backends.assembly import _password
from adapter.errors import KeyUnusable, SettingsInvalid
from adapter.secret_files import read_secret
from adapter.settings import Settings, load_settings
from adapter.store.keyfiles import KeyPurpose, load_private_key
from tests.command_line import typed

CLIENT = """
[[client]]
name = "case-system"
subsystem = "UZ/GOV/200000001/register"
identify_by = "basic"
user = "case-system"
password_file = "case-system.sha256"
services = ["UZ/GOV/200000002/*"]
"""


def file(path: Path, text: str, mode: int) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    assert typed("init", tmp_path / "home", "--member", "UZ/GOV/200000001").code == 0
    return tmp_path / "home"


def settings_with(home: Path, old: str, new: str) -> Settings:
    settings = home / "adapter.toml"
    text = settings.read_text()
    assert old in text
    settings.write_text(text.replace(old, new, 1))
    return load_settings(settings)


def test_credential_of_systemd_shows_the_mask_of_its_access_list(tmp_path: Path, monkeypatch) -> None:
    secret = file(tmp_path / "passphrase", "p", 0o440)
    with pytest.raises(KeyUnusable):
        read_secret(secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret(secret) == b"p"
    secret.chmod(0o444)
    with pytest.raises(KeyUnusable):
        read_secret(secret)


def test_settings_name_a_credential_and_the_keys_are_opened_with_it(home: Path, tmp_path: Path, monkeypatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    file(credentials / "passphrase", "correct horse\n", 0o440)
    with pytest.raises(SettingsInvalid, match="CREDENTIALS_DIRECTORY is not set"):
        settings_with(home, "[adapter]\n", '[adapter]\npassphrase_file = "$CREDENTIALS_DIRECTORY/passphrase"\n')
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    settings = load_settings(home / "adapter.toml")
    assert settings.adapter.passphrase_file == credentials / "passphrase"
    for purpose in ("record", "signing"):
        (home / "keys" / f"{purpose}.key").unlink()
        made = typed("keys", "create", "--purpose", purpose, "--home", home)
        assert made.code == 0, made.err
    key = home / "keys" / "signing.key"
    assert b"ENCRYPTED" in key.read_bytes()
    load_private_key(key, KeyPurpose.SIGNING, passphrase_file=settings.adapter.passphrase_file)


@pytest.mark.parametrize("name", ["$CREDENTIALS_DIRECTORY/", "$CREDENTIALS_DIRECTORY/../etc/shadow"])
def test_credential_is_one_name(home: Path, monkeypatch, name: str) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/adapter.service")
    with pytest.raises(SettingsInvalid, match="the name of one credential"):
        settings_with(home, "[adapter]\n", f'[adapter]\npassphrase_file = "{name}"\n')


def test_password_of_a_database_that_others_can_read_is_refused(tmp_path: Path, monkeypatch) -> None:
    secret = file(tmp_path / "database.password", "synthetic\n", 0o640)
    with pytest.raises(SettingsInvalid, match=r"password file: .* can be read by others; run: chmod 600"):
        _password(secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert _password(secret.with_name("database.password")) == "synthetic"


def test_digest_that_systemd_hands_to_the_unit_is_not_open_to_others(home: Path, monkeypatch) -> None:
    with (home / "adapter.toml").open("a") as appended:
        appended.write(CLIENT)
    file(home / "case-system.sha256", "0" * 64, 0o440)
    settings = load_settings(home / "adapter.toml")
    assert [one.names for one in exposures(settings)] == [(str(home / "case-system.sha256"),)]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home))
    assert not exposures(settings)


def test_doctor_speaks_of_core_dumps_and_swap(home: Path) -> None:
    said = typed("doctor", "--home", home).out
    assert "core dumps" in said
    assert "swap" in said


def test_anchor_on_the_command_line_is_meant_from_here(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given.vkey").write_text("")
    assert typed("init", "home", "--member", "UZ/GOV/200000001", "--anchor", "given.vkey").code == 0
    assert load_settings(tmp_path / "home" / "adapter.toml").directory.anchor == tmp_path / "given.vkey"


def test_anchor_is_beside_the_settings_when_nothing_is_said(home: Path) -> None:
    assert load_settings(home / "adapter.toml").directory.anchor == home / "anchor.json"

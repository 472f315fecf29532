"""The folder of an adapter that is in order: settings, keys, no services, and an empty record."""

from __future__ import annotations

from pathlib import Path

from adapter.cli.settings_template import adapter_toml
from adapter.settings import Settings, load_settings
from adapter.store.migrate import prepare
from tests.pki import Federation


def write_register(folder: Path, federation: Federation) -> Settings:
    """Make register/ below the folder: the population register's adapter, which reads the directory fed/ beside it."""
    home, anchor = folder / "register", Path("../fed/anchor.json")
    home.mkdir()
    (home / "adapter.toml").write_text(adapter_toml(federation.population.id, directory="../fed", anchor=anchor))
    federation.population.write(home / "keys")
    (home / "keys").chmod(0o700)
    (home / "keys" / "archive.key").touch(mode=0o600)
    (home / "keys" / "archive.key").write_bytes(bytes(range(32)))
    (home / "services").mkdir()
    settings = load_settings(home / "adapter.toml")
    prepare(settings.database_url)
    return settings

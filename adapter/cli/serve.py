"""`adapter serve`: run the adapter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from adapter.app import serve as serve_adapter
from adapter.cli.options import DEFAULT_SETTINGS, SettingsOption, settings_from, settings_path

_PROGRAM: Final = "from adapter.cli.main import run; run()"

app = typer.Typer()


@app.command(epilog="adapter serve --settings /etc/adapter/adapter.toml --workers 4")
def serve(
    *,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
) -> None:
    """Run the adapter until it is told to stop (SIGTERM or Ctrl-C); what is in flight is finished first.

    Settings, keys, services and the database are checked before a port is opened.
    """
    path = settings_path(settings_file)
    settings = settings_from(settings_file)
    raise typer.Exit(serve_adapter(settings, settings_file=path, workers=workers, renew=renew_command(path)))


def renew_command(settings_file: Path) -> tuple[str, ...]:
    """What the running adapter calls when its TLS certificate is to be renewed by ACME: this program, as it runs."""
    words = ("keys", "renew", "--json", "--officer", "adapter", "--settings", str(settings_file.absolute()))
    return (sys.executable, "-P", "-c", _PROGRAM, *words)

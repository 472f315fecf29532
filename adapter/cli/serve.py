"""`adapter serve`: run the adapter."""

from __future__ import annotations

from typing import Annotated

import typer

from adapter.app import serve as serve_adapter
from adapter.cli.options import DEFAULT_SETTINGS, SettingsOption, settings_from

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
    raise typer.Exit(serve_adapter(settings_from(settings_file), workers=workers))

"""The `adapter` command: its groups, its version, and the console script's entry."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from adapter import __version__
from adapter.cli.call import call
from adapter.cli.failures import run_guarded
from adapter.cli.validate import validate

app = typer.Typer(
    name="adapter",
    help="SOAP services between agencies: signed, encrypted, access-controlled and provably recorded.",
    epilog="Start with: adapter init DIR --member UZ/GOV/200000001",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it with the flag
    if wanted:
        typer.echo(f"adapter {__version__}")
        raise typer.Exit


@app.callback()
def adapter(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """SOAP services between agencies: signed, encrypted, access-controlled and provably recorded."""
    del version


app.command(epilog="adapter validate request.xml --wsdl person.wsdl")(validate)
app.command(epilog="adapter call --service UZ/GOV/200000001/population/GetPerson/v1 -f Pinfl=…")(call)


def run() -> None:
    """The console script: run what was typed and leave with the exit code that the outcome has."""
    sys.exit(run_guarded(app, sys.argv[1:]))

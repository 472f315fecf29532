"""The `adapter` command: its commands, loaded when they are asked for, and the console script's entry."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import cleandoc
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from adapter import __version__
from adapter.cli.failures import run_guarded

COMMANDS: Final = {
    "init": "adapter.cli.init",
    "keys": "adapter.cli.keys",
    "registration": "adapter.cli.registration",
    "service": "adapter.cli.service",
    "access": "adapter.cli.access",
    "serve": "adapter.cli.serve",
    "doctor": "adapter.cli.doctor",
    "call": "adapter.cli.call",
    "validate": "adapter.cli.validate",
    "log": "adapter.cli.log",
    "evidence": "adapter.cli.evidence",
    "directory": "adapter.cli.directory",
    "demo": "adapter.cli.demo",
}
"""Each command and the module whose `app` it is, in the order in which a newcomer needs them."""


class CommandsOnDemand(TyperGroup):
    """Imports a command's module when the command is used: `adapter log list` need not load a SOAP library."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401  the context's class is private to typer
        """The names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """The command of this name, or None."""
        del ctx
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        app: typer.Typer = import_module(module).app
        app._add_completion = False  # only the outermost command has the completion options
        command = typer.main.get_command(app)
        command.name = cmd_name
        _tidy(command)
        return command


def _tidy(command: Any) -> None:  # noqa: ANN401
    """Help as a person reads it: a docstring's lines flow, and a switch shows no type, because it takes no value."""
    command.help = _flowing(command.help or "")
    for parameter in command.params:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    for inner in getattr(command, "commands", {}).values():
        _tidy(inner)


def _flowing(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(text).split("\n\n"))


app = typer.Typer(
    name="adapter",
    cls=CommandsOnDemand,
    epilog="Start with: adapter init DIR --member UZ/GOV/200000001",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
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
    """SOAP services between agencies: signed, encrypted, access-controlled and provably recorded.

    ADAPTER_DEBUG=1 shows where an error comes from, for whoever reports it.
    """
    del version


def run() -> None:
    """The console script: run what was typed and leave with the exit code that the outcome has."""
    sys.exit(run_guarded(app, sys.argv[1:]))

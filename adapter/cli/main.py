"""The `adapter` command: its commands, loaded when they are asked for, and the console script's entry."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import cleandoc
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from adapter import __version__
from adapter.cli.failures import run_guarded
from adapter.hardening import forbid_core_dumps

COMMANDS: Final = {
    "init": "Make an adapter's home: settings, folders, keys and an empty database.",
    "keys": "The adapter's keys and certificates: create, csr, import, activate, rotate, retire, revoke, back up.",
    "registration": "Write what the authority needs to enter this member in the directory.",
    "service": "The services that this adapter provides: add from a WSDL, list, remove, export.",
    "approvals": "Acts that need two officers: what waits, approve, refuse.",
    "access": "Who may call which service: grant, revoke, list, explain.",
    "serve": "Run the adapter.",
    "doctor": "Say what is wrong with this adapter, and what to do about it.",
    "call": "Call a service through this agency's adapter and show the answer.",
    "sandbox": "Be a provider's system made from its WSDL: valid answers, and faults on demand.",
    "trace": "Show one message at every stage, with personal data masked.",
    "validate": "Check envelopes in files, and name every problem.",
    "log": "The tamper-evident record: list, show, verify.",
    "evidence": "Evidence of one exchange: export it, look into it, verify it offline.",
    "archive": "Kept messages in files of their own: write, verify, put back.",
    "directory": "The authority's directory: write it, look at it.",
    "witness": "A neutral witness of members' records: init, know, show, serve.",
    "authority": "The authority's repository: officers' keys, signatures, publication.",
    "demo": "Play a small federation on this machine, with every refusal.",
}
"""Each command with what it is for, in the order in which a newcomer needs them. `adapter.cli.NAME` has its `app`."""


def load_command(name: str) -> Any:  # noqa: ANN401  the class of a command is private to typer
    """The command of this name, from its module."""
    app: typer.Typer = import_module(f"adapter.cli.{name}").app
    app._add_completion = False  # only the outermost command has the completion options
    command = typer.main.get_command(app)
    command.name = name
    _tidy(command)
    return command


class CommandsOnDemand(TyperGroup):
    """Imports a command's module when the command is used: `adapter --help` and the tabulator key need none of them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401  the context's class is private to typer
        """The names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """What a list of commands shows: the name and what it is for."""
        del ctx
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """The command that was typed, loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else command, rest


def _tidy(command: Any) -> None:  # noqa: ANN401
    """Help as a person reads it: a docstring's lines flow, and a switch shows no type, because it takes no value.

    A table of the settings, [acme], stays what it is: to rich it would be a style, and vanish.
    """
    command.help = escape(_flowing(command.help or ""))
    for parameter in command.params:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        if getattr(parameter, "help", None):
            parameter.help = escape(parameter.help)
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
    forbid_core_dumps()
    sys.exit(run_guarded(app, sys.argv[1:]))

"""The manual of the command line, as the command itself prints it: every `--help`, in the order of the table."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any, Final
from unittest import mock

from adapter.cli.failures import ADVICE, DEBUG_VARIABLE, LANGUAGE_VARIABLE, UNEXPECTED_EXIT_CODE
from adapter.cli.main import COMMANDS, app, load_command
from adapter.errors import AdapterError, catalogue

WIDTH: Final = 100

_INTRODUCTION: Final = f"""\
# The command line

Generated from the commands' own `--help` by `make docs`; do not edit.

- Results go to standard output, everything else to standard error. `--json` prints the result as JSON, and an
  error as a JSON object on standard error.
- Every command that needs the adapter's settings takes `--settings`: the file, or the folder that holds `adapter.toml`.
  `ADAPTER_SETTINGS` says it once and for all; otherwise `./adapter.toml` is read.
- `{LANGUAGE_VARIABLE}` (or `LANG`) chooses the language of faults and errors: `en`, `ru`, `uz`.
- `adapter --install-completion` installs completion for bash, zsh or fish.
- `{DEBUG_VARIABLE}=1` shows where an error comes from."""


def cli_page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, "\n".join(_exit_codes()), _block([])]
    for name in COMMANDS:
        parts += [f"## adapter {name}", _block([name])]
        for inner in _inner_commands(name):
            parts += [f"### adapter {name} {' '.join(inner)}", _block([name, *inner])]
    return "\n\n".join(parts) + "\n"


def help_of(arguments: list[str]) -> str:
    """What `adapter ARGUMENTS --help` prints on a terminal of WIDTH columns, without colours."""
    printed = io.StringIO()
    plain = {"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1", "ADAPTER_SETTINGS": ""}
    with mock.patch.dict(os.environ, plain), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        app([*arguments, "--help"], prog_name="adapter")
    return "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").splitlines())


def all_commands() -> list[list[str]]:
    """Every command and every command of a group, as typed."""
    return [[], *([name, *rest] for name in COMMANDS for rest in ([], *_inner_commands(name)))]


def _inner_commands(name: str) -> list[list[str]]:
    return list(_within(load_command(name)))


def _within(group: Any) -> Iterator[list[str]]:  # noqa: ANN401  the class of a command is private to typer
    for name, command in getattr(group, "commands", {}).items():
        yield [name]
        yield from ([name, *rest] for rest in _within(command))


def _block(arguments: list[str]) -> str:
    return f"```text\n{help_of(arguments)}\n```"


def _exit_codes() -> Iterator[str]:
    yield "| exit code | meaning |"
    yield "| --- | --- |"
    yield "| 0 | done |"
    yield "| 1 | done, and the answer is no (`validate`, `doctor`), or an error that has no code of its own |"
    yield "| 2 | the command, or the settings, cannot be used as they are |"
    codes: dict[int, list[type[AdapterError]]] = {}
    for error in catalogue():
        codes.setdefault(error.exit_code, []).append(error)
    for code, errors in sorted(codes.items()):
        if code > 2:
            advice = " ".join(ADVICE.get(error, "") for error in errors).strip()
            yield f"| {code} | {', '.join(f'`{error.code}`' for error in errors)}: {advice} |"
    yield "| 10 | refused (`access explain`), a fault came back (`call`), or a review is open (`access reviews`) |"
    yield f"| {UNEXPECTED_EXIT_CODE} | a mistake in this program |"
    yield "| 130 | interrupted |"

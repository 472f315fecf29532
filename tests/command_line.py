"""Typing a command in this process: a process of its own costs a second for each."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from unittest import mock

from adapter.cli.failures import run_guarded
from adapter.cli.main import app


@dataclass(frozen=True)
class Typed:
    """What came of a command."""

    code: int
    out: str
    err: str


def typed(*arguments: object, answers: str = "", together: bool = False) -> Typed:
    """Run `adapter ARGUMENTS`. answers: what is typed when it asks.

    together: all in `out`, in the order in which a terminal shows it.
    """
    words = [str(argument) for argument in arguments]
    out = io.StringIO()
    err = out if together else io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.stdin", io.StringIO(answers)),
    ):
        try:
            code = run_guarded(lambda: app(words, prog_name="adapter"), words)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Typed(code, out.getvalue(), "" if together else err.getvalue())


def shown(*arguments: object, code: int = 0) -> str:
    """All that a command shows which has to end with this exit code: standard output, then standard error."""
    done = typed(*arguments)
    assert done.code == code, done
    return f"{done.out}\n{done.err}"

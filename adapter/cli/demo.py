"""`adapter demo`: a small federation on this machine, with every refusal. The demonstration itself is in examples/."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Final

import typer

from adapter.errors import CommandRefused

DEMONSTRATION: Final = "examples.demo.scenario"
"""The module that plays it; its `run(keep=...)` gives the exit code. It is not part of the installed package."""

app = typer.Typer()


@app.command(epilog="adapter demo --keep")
def demo(
    *, keep: Annotated[bool, typer.Option("--keep", help="Leave the federation up, and say how to call it.")] = False
) -> None:
    """Run three agencies and an authority as separate processes and play every refusal. Needs the repository."""
    try:
        scenario = import_module(DEMONSTRATION)
    except ModuleNotFoundError as cause:
        if not DEMONSTRATION.startswith(cause.name or "\0"):
            raise
        raise CommandRefused("the demonstration lies in the repository, in examples/: run `make demo` there") from None
    raise typer.Exit(scenario.run(keep=keep))

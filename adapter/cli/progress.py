"""The progress bar of commands that read a whole record. Apart from `output`: no other command should load it."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapter.cli.output import Output


def progress_bar(output: Output) -> Progress:
    """A progress bar on standard error, for a person at a terminal only."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=output.remarks,
        transient=True,
        disable=not output.remarks.is_terminal,
    )

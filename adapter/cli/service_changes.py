"""The comparison of two contracts in words."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from adapter.cli.output import JsonValue, bad, counted, table_of
from adapter.envelope.compatibility_model import Change


def words_of_changes(changes: tuple[Change, ...]) -> Iterator[RenderableType]:
    """For a person: what a new contract changes, what breaks consumers first."""
    yield Text()
    if not changes:
        yield Text("Compared with the contract that is there: nothing changes for consumers.")
        return
    breaking = sum(change.breaking for change in changes)
    harm = f"{breaking} may break consumers" if breaking else "none breaks consumers"
    yield Text(f"Compared with the contract that is there: {counted(len(changes), 'change')}, {harm}.", style="bold")
    yield table_of(
        ("For consumers", "Operation", "Message", "Where", "Change"),
        [
            (
                bad("may break") if change.breaking else Text("compatible"),
                change.operation,
                "" if change.direction is None else change.direction.value,
                change.place,
                change.text,
            )
            for change in changes
        ],
    )


def json_of_changes(changes: tuple[Change, ...]) -> JsonValue:
    """The same for a script."""
    return [
        {
            "breaking": change.breaking,
            "operation": change.operation,
            "message": None if change.direction is None else change.direction.value,
            "where": change.place,
            "change": change.text,
        }
        for change in changes
    ]

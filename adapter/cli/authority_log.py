"""`adapter authority log`: who proposed, signed, refused and published what; verified whenever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text
from tuf.api.metadata import Root, Targets

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.files import read_octets, write_octets
from adapter.cli.options import FolderArgument, JsonOption
from adapter.cli.output import Output, bad, good, table_of
from adapter.store.log_reader import LoggedEntry

_MAX_NOTE_BYTES: Final = 1_000_000
_WORDS: Final = {Root.type: "root", Targets.type: "directory"}
_COLUMNS: Final = ("Record", "Time", "What", "Of", "By")


def show(
    folder: FolderArgument,
    *,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", metavar="FILE", help="A checkpoint that was kept elsewhere; may be repeated."),
    ] = None,
    save_checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the newest checkpoint there, to be kept elsewhere.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the authority's record and list it: who proposed, signed, refused and published what.

    Whoever has its key can make it anew: an officer who keeps a checkpoint finds that out. Exit code 6: it was changed.
    """
    output, record = Output.of(as_json=as_json), AuthorityFolder(path=folder).record
    kept = [
        read_octets(one, what="checkpoint", max_bytes=_MAX_NOTE_BYTES).decode(errors="replace") for one in against or []
    ]
    verified, entries = record.verified(kept), record.entries()
    if save_checkpoint is not None:
        write_octets(save_checkpoint, record.newest_checkpoint().encode())
    output.result(
        [{"record": one.number, "leaf_hash": one.leaf_hash.hex(), "entry": one.body} for one in entries],
        table_of(_COLUMNS, [_row(one) for one in entries]),
    )
    output.remark(good(f"The record is whole: {verified.entries} entries."))


def _row(entry: LoggedEntry) -> tuple[str | Text, ...]:
    said: Mapping[str, Any] = entry.body["details"]
    outcome = str(entry.body["outcome"]).removeprefix("directory-")
    of = ", ".join(f"{_WORDS[kind]} {one['version']}" for kind, one in said["of"].items())
    reason = f": {said['reason']}" if "reason" in said else ""
    return (
        str(entry.number),
        str(entry.body["at"]),
        bad(outcome) if outcome == "refused" else Text(outcome),
        of,
        ", ".join(said.get("by", ())) + reason,
    )

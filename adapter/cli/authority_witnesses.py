"""`adapter authority set-witness / set-witness-rule`: who witnesses the members' records, and when that is enough."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from adapter.cli.authority_draft import draft_of, edit
from adapter.cli.files import read_octets
from adapter.cli.options import FolderArgument, reader
from adapter.directory.content import Witness, WitnessRule
from adapter.directory.editing import put_entry, set_witness_rule
from adapter.directory.elements import read_duration

app = typer.Typer()


@app.command("set-witness", epilog="adapter authority set-witness authority/ w-1 witness.vkey https://witness.example")
def set_witness(
    folder: FolderArgument,
    name: str,
    key: Annotated[str, typer.Argument(metavar="VKEY|FILE", help="Its verifier key, or a file that holds it.")],
    address: Annotated[str, typer.Argument(help="Its submission prefix (C2SP tlog-witness).")],
) -> None:
    """Enter a neutral witness of the members' records."""
    file = Path(key)
    vkey = read_octets(file, what="verifier key").decode(errors="replace").strip() if file.is_file() else key
    witness = Witness(name=name, vkey=vkey, address=address)
    edit(folder, put_entry(draft_of(folder), witness), f"witness {name}")


@app.command("set-witness-rule", epilog="adapter authority set-witness-rule authority/ --threshold 2 --limit P1D")
def rule_witnesses(
    folder: FolderArgument,
    *,
    threshold: Annotated[
        int, typer.Option(min=1, max=100, help="How many witnesses have to have cosigned a checkpoint.")
    ] = 1,
    limit: Annotated[
        timedelta | None,
        typer.Option(
            parser=reader(read_duration),
            metavar="DURATION",
            help="How old an entry may become unseen; then doctor warns.",
        ),
    ] = None,
) -> None:
    """Say when a checkpoint counts as witnessed. Nothing is refused when it is not: an administrator is warned."""
    rule = WitnessRule(threshold=threshold, limit=limit)
    edit(folder, set_witness_rule(draft_of(folder), rule), "when a checkpoint counts as witnessed")

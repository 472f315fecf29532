"""`adapter log`: the tamper-evident record of every exchange and every refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.json import JSON
from rich.text import Text

from adapter.cli.log_alarms import alarms, close_alarm, witnessed
from adapter.cli.log_dating import dating_facts, dating_of, dating_value
from adapter.cli.log_erase import erase_day, retain
from adapter.cli.log_hold import app as hold_app
from adapter.cli.log_list import entry_value, follow, list_entries
from adapter.cli.log_prove import prove
from adapter.cli.log_reindex import reindex
from adapter.cli.log_report import report
from adapter.cli.log_secrecy import app as secrecy_app
from adapter.cli.log_stamps import covered_words, list_stamps
from adapter.cli.log_tiles import export_tiles, verify_tiles_here
from adapter.cli.log_usage import show_usage
from adapter.cli.log_usage_check import check_usage
from adapter.cli.log_verify import VkeyOption, verify
from adapter.cli.log_witnesses import list_witnesses
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import JsonValue, Output, facts_of
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader

app = typer.Typer(
    help="The record of every exchange, refusal and change: list, show, and verify that nothing was altered.",
    no_args_is_help=True,
)

app.command("list", epilog="adapter log list --outcome AccessDenied --since 2026-03-01")(list_entries)


@app.command(epilog="adapter log show 17")
def show(
    number: Annotated[int, typer.Argument(min=0, help="Record number.", show_default=False)],
    *,
    proof: Annotated[bool, typer.Option("--proof", help="Also the proof that the entry is in the record.")] = False,
    held_by_others: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="What another member holds of the record, to date it; may be repeated."),
    ] = None,
    vkey: VkeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Show one entry as it is recorded, and between which times others saw it appear.

    Others are time-stamp authorities and witnesses, and with --held-by-others the members who wrote such a file with
    `adapter log witnessed --export`, for the checkpoints in it are proved to be of this record.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    database = open_database(settings.database_url)
    reader = LogReader(database)
    entry = reader.show(number)
    dating = dating_of(settings, database, entry, held_by_others or [], vkey)
    value: dict[str, JsonValue] = {**entry_value(entry), "dated": dating_value(dating)}
    shown: list[RenderableType] = [
        facts_of(
            [
                ("record", str(entry.number)),
                ("leaf hash", entry.leaf_hash.hex()),
                ("time-stamp", covered_words(settings, number)),
                *dating_facts(dating),
            ]
        ),
        JSON.from_data(entry.body, ensure_ascii=False),
    ]
    if proof:
        proved = reader.prove_entry(number)
        path = [octets.hex() for octets in proved.path]
        value |= {"proof": {"size": proved.size, "path": path, "checkpoint": proved.checkpoint}}
        shown += [Text(f"\nIn the record of {proved.size} entries by these hashes:"), *map(Text, path)]
        shown.append(Text(f"\n{proved.checkpoint}"))
    output.result(value, *shown)


app.command("follow", epilog="adapter log follow --outcome AccessDenied --json")(follow)
app.command("verify", epilog="adapter log verify --against monday.checkpoint --save-checkpoint today.checkpoint")(
    verify
)
app.command("reindex", epilog="adapter log reindex")(reindex)
app.command("prove", epilog="adapter log prove 17 --out entry-17.tlog-proof")(prove)
app.command("export", epilog="adapter log export --tiles for-the-mirror")(export_tiles)
app.command("verify-tiles", epilog="adapter log verify-tiles for-the-mirror --vkey record.vkey")(verify_tiles_here)
app.command("stamps", epilog="adapter log stamps --save for-the-auditor")(list_stamps)
app.command("witnesses", epilog="adapter log witnesses --save cosigned.checkpoint")(list_witnesses)
app.command("erase", epilog="adapter log erase 2026-11-27")(erase_day)
app.command("retain", epilog="adapter log retain --dry-run")(retain)
app.add_typer(hold_app, name="hold")
app.command("usage", epilog="adapter log usage --subject-file person --since 2026-01-01")(show_usage)
app.command("check-usage", epilog="adapter log check-usage answer.xml --vkey register.vkey")(check_usage)
app.command("report", epilog="adapter log report --since 2026-03-01 --until 2026-04-01 --html march.html")(report)
app.command("witnessed", epilog="adapter log witnessed UZ/GOV/200000003 --export held.json")(witnessed)
app.command("alarms", epilog="adapter log alarms --all")(alarms)
app.command("close-alarm", epilog="adapter log close-alarm 17 --note 'restored from a backup, confirmed'")(close_alarm)
app.add_typer(secrecy_app, name="secrecy")

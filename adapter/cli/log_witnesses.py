"""`adapter log witnesses`, and what `adapter log verify` says of witnesses."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.cosigned import SeenBy, verify_cosignatures
from adapter.cli.directory_source import own_directory
from adapter.cli.files import write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import JsonValue, Output, bad, doubtful, table_of, when
from adapter.directory.model import Directory
from adapter.errors import AdapterError, CommandRefused
from adapter.settings import Settings
from adapter.store.alarms import Alarm
from adapter.store.cosignatures import Cosignatures, WitnessState
from adapter.store.engine import open_database


def list_witnesses(
    *,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the newest checkpoint with enough cosignatures there (a C2SP note)."),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Say what each witness of the directory cosigned last, what waits, and which alarms are open."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    directory = own_directory(settings)
    kept = Cosignatures(open_database(settings.database_url))
    vkeys, threshold = [one.vkey for one in directory.witnesses.values()], directory.witness_rule.threshold
    state, alarms = kept.state(vkeys, threshold), kept.open_alarms()
    if save is not None:
        newest = kept.newest_witnessed(vkeys, threshold)
        if newest is None:
            raise CommandRefused("no checkpoint has enough cosignatures yet")
        write_octets(save, newest.note.encode())
        output.remark(f"The checkpoint of {newest.size} entries was written to {save}.")
    last = {one.name: kept.newest_of(one.vkey) for one in directory.witnesses.values()}
    rows = [
        (name, "none yet" if one is None else f"{one.size} entries", "" if one is None else when(one.at))
        for name, one in last.items()
    ]
    value: JsonValue = {
        "entries": state.size,
        "threshold": threshold,
        "witnessed": state.witnessed,
        "waiting_since": None if state.waiting_since is None else when(state.waiting_since),
        "witnesses": {
            name: None if one is None else {"size": one.size, "at": when(one.at)} for name, one in last.items()
        },
        "alarms": [
            {"entry": int(one.number), "kind": one.kind, "witness": one.about, "at": when(one.at)} for one in alarms
        ],
    }
    words = table_of(("Witness", "Cosigned last", "At"), rows) if rows else Text("The directory names no witness.")
    output.result(value, words, *_state_words(state, directory), *map(_alarm_words, alarms))


def _state_words(state: WitnessState, directory: Directory) -> list[RenderableType]:
    if not directory.witnesses:
        return []
    wanted = f"{directory.witness_rule.threshold} of {len(directory.witnesses)} witnesses"
    if state.waiting_since is None:
        return [Text(f"\nAll {state.size} entries were seen by {wanted}.")]
    waiting = f"{state.size - state.witnessed} entries wait for {wanted}, since {when(state.waiting_since)}."
    return [doubtful(f"\n{waiting}")]


def holds_another(alarm: Alarm) -> str:
    """What an alarm about a witness says."""
    return f"{alarm.kind}: {alarm.about} holds a record of {alarm.details['holds']} entries that is not this one"


def _alarm_words(alarm: Alarm) -> Text:
    return bad(f"{holds_another(alarm)}; entry {alarm.number} of {when(alarm.at)}")


def verified_witnesses(settings: Settings) -> Mapping[str, SeenBy]:
    """By name, or by verifier key where the directory at hand does not name it. Raises RecordBroken, StoreUnusable."""
    seen = verify_cosignatures(Cosignatures(open_database(settings.database_url)).all())
    names: dict[str, str] = {}
    if seen:
        with suppress(AdapterError):  # without a directory they are told by their keys
            names = {one.vkey: one.name for one in own_directory(settings).witnesses.values()}
    return {names.get(vkey, vkey): one for vkey, one in seen.items()}


def witnesses_words(seen: Mapping[str, SeenBy]) -> list[RenderableType]:
    """What `adapter log verify` says of them."""
    return [
        Text(f"{one.count} cosignatures of {name} are good: it saw the first {one.size} entries at {when(one.at)}.")
        for name, one in sorted(seen.items())
    ]


def witnesses_value(seen: Mapping[str, SeenBy]) -> JsonValue:
    """The same for a script."""
    return {name: {"good": one.count, "size": one.size, "at": when(one.at)} for name, one in sorted(seen.items())}

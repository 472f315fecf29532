"""`adapter log stamps`, and what `adapter log show` and `verify` say of time-stamps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.stamps import StampState, StoredStamp, VerifiedStamps, open_stamp, verify_stamps
from adapter.audit.times import Seen
from adapter.audit.verify import VerifiedRecord
from adapter.cli.files import write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import JsonValue, Output, doubtful, table_of, when
from adapter.cli.own_stamps import trusted_authorities
from adapter.errors import CommandRefused
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.time_stamps import TimeStamps

CHECKPOINT_FILE: Final = "checkpoint.note"
STAMP_FILE: Final = "checkpoint.tst"
AUTHORITY_FILE: Final = "authority.pem"


def list_stamps(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Time-stamps at most.")] = 20,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the newest one there, with its checkpoint, for other tools."),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the time-stamps over the record, newest first, the entries that each is the first to cover, and what waits.

    With --save an outsider can judge the newest without this program: openssl ts -verify -token_in
    -in checkpoint.tst -data checkpoint.note -partial_chain -CAfile authority.pem
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    stamps = TimeStamps(open_database(settings.database_url))
    found, state = stamps.newest(limit + 1), stamps.state()
    if save is not None:
        _save(settings, found, save, output)
    rows = [
        (f"{0 if below is None else below.size} to {one.size - 1}", when(one.at), one.authority)
        for one, below in zip(found[:limit], [*found[1:], None], strict=False)
    ]
    words: list[RenderableType] = [table_of(("Entries", "Time-stamp", "By"), rows) if rows else Text("No time-stamps.")]
    output.result(_state_value(state, found[:limit]), *words, _waiting(state))


def _waiting(state: StampState) -> Text:
    if state.waiting_since is None:
        return Text(f"\nAll {state.size} entries are covered.")
    return doubtful(f"\n{state.size - state.stamped} entries wait for a time-stamp, since {when(state.waiting_since)}.")


def _state_value(state: StampState, found: Sequence[StoredStamp]) -> JsonValue:
    return {
        "entries": state.size,
        "covered": state.stamped,
        "waiting_since": None if state.waiting_since is None else when(state.waiting_since),
        "stamps": [
            {"size": one.size, "at": when(one.at), "authority": one.authority, "token": one.token.hex()}
            for one in found
        ],
    }


def _save(settings: Settings, found: Sequence[StoredStamp], folder: Path, output: Output) -> None:
    """Raises CommandRefused: there is none, or nobody vouches for it; RecordBroken: it is not good."""
    if not found or found[0].note is None:
        raise CommandRefused("the record has no time-stamp yet")
    newest, note = found[0], found[0].note
    certificates = trusted_authorities(settings, open_database(settings.database_url))(
        newest.directory_version, newest.authority
    )
    if certificates is None:
        raise CommandRefused(f"no directory at hand names the time-stamp authority {newest.authority}")
    open_stamp(newest, certificates)
    folder.mkdir(parents=True, exist_ok=True)
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
    for name, octets in ((CHECKPOINT_FILE, note.encode()), (STAMP_FILE, newest.token), (AUTHORITY_FILE, pem)):
        write_octets(folder / name, octets)
    output.remark(f"{CHECKPOINT_FILE}, {STAMP_FILE} and {AUTHORITY_FILE} were written to {folder}.")


def verified_stamps(settings: Settings) -> VerifiedStamps:
    """Every time-stamp of the record, verified. Raises RecordBroken, StoreUnusable."""
    database = open_database(settings.database_url)
    return verify_stamps(TimeStamps(database).all(), trusted_authorities(settings, database))


def seen_by_authorities(settings: Settings) -> list[Seen]:
    """When time-stamp authorities saw how many entries, as it is stored; `verified_stamps` is to judge it."""
    stamps = TimeStamps(open_database(settings.database_url)).all()
    return [Seen(one.size, one.at, f"the time-stamp over {one.size} entries") for one in stamps]


def earlier_times_words(verified: VerifiedRecord) -> list[RenderableType]:
    """What `adapter log verify` says of entries whose times go back."""
    words: list[RenderableType] = [
        doubtful(f"Entry {one.number} says {when(one.at)}, and {one.seen.by} before it {when(one.seen.at)}.")
        for one in verified.earlier_times
    ]
    if words:
        words.append(doubtful(f"Entries whose time is not to be relied on: {verified.earlier_times_count}."))
    return words


def earlier_times_value(verified: VerifiedRecord) -> dict[str, JsonValue]:
    """The same for a script."""
    named: list[JsonValue] = [
        {"record": one.number, "at": when(one.at), "seen_by": one.seen.by, "seen_at": when(one.seen.at)}
        for one in verified.earlier_times
    ]
    return {"earlier_times": {"count": verified.earlier_times_count, "first": named}}


def stamps_words(verified: VerifiedStamps) -> list[RenderableType]:
    """What `adapter log verify` says of them."""
    words: list[RenderableType] = []
    if verified.at is not None:
        words.append(
            Text(
                f"{verified.count} time-stamps are good: the first {verified.covered} entries existed before "
                f"{when(verified.at)}."
            )
        )
    if verified.unknown:
        words.append(doubtful(f"{verified.unknown} time-stamps are of authorities that no directory at hand names."))
    return words


def stamps_value(verified: VerifiedStamps) -> JsonValue:
    """The same for a script."""
    return {
        "good": verified.count,
        "covered": verified.covered,
        "at": None if verified.at is None else when(verified.at),
        "unknown": verified.unknown,
    }


def covered_words(settings: Settings, number: int) -> str:
    """What `adapter log show` says of one entry. The stamp is named, not verified: `adapter log verify` does that."""
    covering = TimeStamps(open_database(settings.database_url)).covering(number)
    if covering is None:
        return "not yet"
    return f"{when(covering.at)}, by {covering.authority}, over {covering.size} entries"

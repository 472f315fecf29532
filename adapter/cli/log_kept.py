"""What `adapter log verify` looks at beside the entries: the kept messages, and the kept checkpoints of others."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from adapter.audit.verify import Progress
from adapter.cli.output import JsonValue, doubtful
from adapter.cli.own_record import own_archive_key
from adapter.cli.own_stamps import newest_directory
from adapter.crypto.note import NoteVerifier
from adapter.identifiers import MemberId
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.kept_checkpoints import CheckedCheckpoints, check_peer_checkpoints
from adapter.store.kept_messages import check_messages


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedKept:
    """messages: opened, and as their entries say; None when they were not looked at."""

    messages: int | None
    checkpoints: CheckedCheckpoints


def verified_kept(
    settings: Settings, *, with_messages: bool, progress: Progress, gone_progress: Progress
) -> VerifiedKept:
    """Open every kept message, look for those that are gone, and judge every kept checkpoint by the directory here.

    The entries are to be verified before. Raises RecordBroken, KeyUnusable, StoreUnusable.
    """
    database = open_database(settings.database_url)
    messages = None
    if with_messages:
        archive_key = own_archive_key(settings)
        messages = check_messages(database, archive_key, progress, gone_progress)
    directory = newest_directory(settings, database)

    def key_of(member: MemberId) -> NoteVerifier | None:
        entered = None if directory is None else directory.members.get(member)
        return None if entered is None or entered.record_vkey is None else NoteVerifier.parse(entered.record_vkey)

    return VerifiedKept(messages=messages, checkpoints=check_peer_checkpoints(database, key_of))


def kept_words(verified: VerifiedKept) -> list[RenderableType]:
    """What is said to a person; nothing of what there is none of."""
    words: list[RenderableType] = []
    checked = verified.checkpoints
    if verified.messages:
        words.append(Text(f"Kept messages that are what their entries say: {verified.messages}."))
    if checked.good:
        words.append(Text(f"Kept checkpoints of other members that are as they were signed: {checked.good}."))
    if checked.unknown:
        unknown = "Kept checkpoints of members whose record's key the directory here does not name"
        words.append(doubtful(f"{unknown}: {checked.unknown}."))
    return words


def kept_value(verified: VerifiedKept) -> dict[str, JsonValue]:
    """The same for a script."""
    checked = verified.checkpoints
    return {
        "kept_messages": verified.messages,
        "peer_checkpoints": {"good": checked.good, "unknown": checked.unknown},
    }

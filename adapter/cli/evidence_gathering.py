"""What an export of evidence works from: the record, the kept messages, the directories, the key that signs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapter.app.evidence_signing import SigningDesk
from adapter.app.kept_statuses import kept_revocation, status_copies
from adapter.app.keyring import SigningKeyChoice, own_lives, own_signing_keys
from adapter.app.status_keeper import StatusKeeper
from adapter.audit.stamps import StoredStamp, open_stamp
from adapter.cli.directory_source import COPY_FOLDER, anchor_from
from adapter.cli.doctor_stamps import destinations_of
from adapter.cli.options import now_utc
from adapter.cli.own_record import own_archive_key
from adapter.crypto.certificates import Purpose, sha256
from adapter.crypto.cosignature import open_cosignatures
from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, authenticate_directory, with_anchor
from adapter.directory.status import StatusBook
from adapter.directory.trust import ChainCache
from adapter.errors import CommandRefused, DirectoryUnavailable
from adapter.evidence.cosigned import CosignedCheckpoint, witnesses_of
from adapter.evidence.export import ExportedMessage, ProvedEntry, gather_evidence
from adapter.identifiers import MessageId
from adapter.ports import KeptMessage, SigningKey
from adapter.settings import Settings
from adapter.store.archive import read_message
from adapter.store.cosignatures import Cosignatures
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import Database
from adapter.store.erasure import what_became_of
from adapter.store.log_reader import LogFilter, LoggedEntry, LogReader
from adapter.store.time_stamps import TimeStamps
from adapter.transport.status_client import StatusClient
from adapter.transport.time_stamp_client import TimeStampClient

_MAX_ENTRIES: Final = 1000
_DIRECTIONS: Final = ("request", "request-status", "reply", "reply-status")


@dataclass(frozen=True, kw_only=True, slots=True)
class Directories:
    """The directory by which an exchange was judged, and another one where that does not vouch for the exporter now.

    signing: the one of the two that names the exporter's certificate, and whom to ask about it.
    """

    exchange: DirectoryProof
    exporter: DirectoryProof | None
    signing: Directory


def gather(
    settings: Settings, database: Database, message_id: MessageId, *, directories: Directories, now: datetime
) -> dict[str, bytes]:
    """Read all that belongs to the exchange. Raises CommandRefused, StoreUnusable, EvidenceInvalid, RecordBroken."""
    reader = LogReader(database)
    entries = entries_about(database, message_id)
    stamp = _stamp(settings, database, int(entries[0].number), directories.exchange)
    proved_in = reader.prove_entry(entries[0].number, None if stamp is None else stamp.size)
    proofs = [reader.prove_entry(entry.number, proved_in.size) for entry in reversed(entries)]
    kept = _kept_messages(settings, database, [int(entry.number) for entry in entries])
    if "request" not in kept:
        raise CommandRefused(f"the request of this exchange {what_became_of(database, int(entries[-1].number))}")
    return gather_evidence(
        exporter=settings.member,
        exported=now,
        message_id=message_id,
        request=_exported(kept, "request"),
        reply=_exported(kept, "reply") if "reply" in kept else None,
        entries=[ProvedEntry(number=int(one.entry.number), text=one.entry.document, proof=one.path) for one in proofs],
        checkpoint=proved_in.checkpoint,
        stamp=None if stamp is None else stamp.token,
        cosigned=_cosigned(settings, database, int(entries[0].number), proved_in.size, directories.exchange),
        directory=directories.exchange,
        exporter_directory=directories.exporter,
    )


def entries_about(database: Database, message_id: MessageId) -> Sequence[LoggedEntry]:
    """The record's entries about an exchange, newest first, without acts of officers about it.

    Raises CommandRefused: there is none.
    """
    which = LogFilter(message_id=str(message_id), with_acts=False, limit=_MAX_ENTRIES)
    entries = LogReader(database).search(which)
    if not entries:
        raise CommandRefused(f"the record has no entry about {message_id}")
    return entries


def _stamp(settings: Settings, database: Database, newest: int, directory: DirectoryProof) -> StoredStamp | None:
    """The oldest time-stamp over all entries up to `newest`, if this directory vouches for its authority.

    Raises RecordBroken: it is not good.
    """
    stamp = TimeStamps(database).covering(newest)
    if stamp is None:
        return None
    opened = authenticate_directory(directory, anchor_from(settings.directory.anchor))
    authority = opened.time_stamp_authorities.get(stamp.authority)
    if authority is None:
        return None
    open_stamp(stamp, authority.certificates)
    return stamp


def _cosigned(
    settings: Settings, database: Database, newest: int, size: int, proof: DirectoryProof
) -> CosignedCheckpoint | None:
    """The oldest checkpoint over all entries up to `newest` that a witness of this directory cosigned.

    size: of the checkpoint to which its consistency is proved. Raises RecordBroken, StoreUnusable, KeyUnusable.
    """
    directory = authenticate_directory(proof, anchor_from(settings.directory.anchor))
    vkeys = {one.vkey for one in directory.witnesses.values()}
    found = Cosignatures(database).covering(newest, vkeys, 1) if vkeys else None
    if found is None:
        return None
    reader = LogReader(database)
    _, good = open_cosignatures(found.note.encode(), witnesses_of(directory))
    note = reader.checkpoint_at(found.size).note + "".join(one.line for one in good)
    smaller, larger = sorted((found.size, size))
    consistency = () if smaller == larger else reader.prove_consistency(smaller, larger)
    return CosignedCheckpoint(note=note, proof=tuple(consistency))


def _kept_messages(settings: Settings, database: Database, numbers: list[int]) -> dict[str, KeptMessage]:
    archive_key = own_archive_key(settings)
    kept = {}
    for number in numbers:
        for direction in _DIRECTIONS:
            message = read_message(database, archive_key, number, direction)
            if message is not None:
                kept[direction] = message
    return kept


def _exported(kept: Mapping[str, KeptMessage], direction: str) -> ExportedMessage:
    status = kept.get(f"{direction}-status")
    return ExportedMessage(kept=kept[direction], status=None if status is None else status.octets)


# --- directories -----------------------------------------------------------------------------------------------------


def directories_for(
    settings: Settings, database: Database, entries: Sequence[LoggedEntry], keys: Sequence[SigningKey], now: datetime
) -> Directories:
    """The directory by which the exchange was judged, as its entries name it, else the newest one.

    The newest one goes beside it where the first has expired, does not know our key, or names no time-stamp authority.
    Raises DirectoryUnavailable, DirectoryRefused.
    """
    anchor = anchor_from(settings.directory.anchor)
    copy = DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, database)
    versions = [version for entry in entries if isinstance(version := entry.body.get("directory"), int)]
    newest = copy.load()
    judged_by = (copy.of_version(versions[0]) if versions else None) or newest
    if judged_by is None:
        raise DirectoryUnavailable("this adapter has no copy of the directory: start it once, or mend its data folder")
    judged_by = with_anchor(judged_by, anchor)
    opened = authenticate_directory(judged_by, anchor)
    if newest is None or _vouches(opened, settings, keys, now):
        return Directories(exchange=judged_by, exporter=None, signing=opened)
    newest = with_anchor(newest, anchor)
    current = authenticate_directory(newest, anchor)
    if current.version == opened.version:
        return Directories(exchange=judged_by, exporter=None, signing=opened)
    return Directories(exchange=judged_by, exporter=newest, signing=current)


def _vouches(directory: Directory, settings: Settings, keys: Sequence[SigningKey], now: datetime) -> bool:
    member = directory.members.get(settings.member)
    registered = set() if member is None else {one.sha256 for one in member.signing}
    is_known = bool(keys) and sha256(keys[0].certificate) in registered
    return is_known and now < directory.expires + directory.grace and bool(directory.time_stamp_authorities)


# --- who signs -------------------------------------------------------------------------------------------------------


def signing_keys(settings: Settings) -> tuple[SigningKey, ...]:
    """Our signing keys, of files and of the token, the one to use first in front. Raises KeyUnusable, StoreUnusable."""
    return own_signing_keys(settings, own_lives(settings))


def signing_desk(settings: Settings, directory: Directory, keys: Sequence[SigningKey], now: datetime) -> SigningDesk:
    """What signs in our name. Raises KeyUnusable: no key is registered by this directory, valid now and not revoked."""
    revoked = {
        sha256(key.certificate)
        for key in keys
        if kept_revocation(settings, key.certificate, Purpose.SIGNING, directory, now) is not None
    }
    destinations = destinations_of(settings, directory)
    copies = status_copies(settings)
    return SigningDesk(
        key=SigningKeyChoice(tuple(keys), settings.member, revoked.__contains__).choose(directory, now),
        directory=directory,
        stamps=TimeStampClient(timeout_s=settings.time_stamps.timeout_s, destinations=destinations),
        statuses=StatusKeeper(
            own=settings.member,
            book=StatusBook(),
            client=StatusClient(
                timeout_s=settings.directory.status_timeout_s,
                max_list_bytes=settings.directory.max_list_bytes,
                destinations=destinations,
            ),
            copies=copies,
            directory=lambda: directory,
            chains=ChainCache(),
            clock=now_utc,
        ),
        copies=copies,
        clock=now_utc,
        skew=timedelta(seconds=settings.timing.clock_skew_s),
    )

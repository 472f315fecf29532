"""The keepers of one worker, made from the settings, and the clock that they go by."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from adapter.app.clock_watch import LOCK_FILE as CLOCK_LOCK_FILE
from adapter.app.clock_watch import ClockWatch
from adapter.app.directory_keeper import DirectoryKeeper
from adapter.app.kept_statuses import status_copies
from adapter.app.keyring import Keyring
from adapter.app.record_watch import LOCK_FILE as WATCH_LOCK_FILE
from adapter.app.record_watch import RecordWatch
from adapter.app.status_keeper import StatusKeeper
from adapter.app.time_stamping import LOCK_FILE, StampingRule, StampKeeper
from adapter.app.usage_desk import RecordDesk
from adapter.app.witnessing import LOCK_FILE as WITNESS_LOCK_FILE
from adapter.app.witnessing import WitnessingRule, WitnessKeeper
from adapter.audit.checkpoint import record_origin
from adapter.audit.subjects import subject_key
from adapter.directory.anchor import read_anchor
from adapter.directory.status import StatusBook
from adapter.directory.trust import ChainCache
from adapter.errors import AdapterError, SettingsInvalid
from adapter.settings import Settings
from adapter.store.appending import Log
from adapter.store.cosignatures import Cosignatures
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import Database
from adapter.store.log_reader import LogReader
from adapter.store.peer_checkpoints import PeerCheckpoints
from adapter.store.runs import Runs
from adapter.store.time_stamps import TimeStamps
from adapter.store.usage_reader import UsageReader
from adapter.transport.destinations import PeerDestinations
from adapter.transport.directory_client import DirectoryClient
from adapter.transport.peer_client import PeerClient
from adapter.transport.status_client import StatusClient
from adapter.transport.time_stamp_client import TimeStampClient
from adapter.transport.witness_client import WitnessClient


def utc_now() -> datetime:
    """The clock of the running adapter."""
    return datetime.now(UTC)


def directory_keeper(settings: Settings, database: Database) -> DirectoryKeeper:
    """What keeps the directory fresh. Raises SettingsInvalid when the anchor cannot be read."""
    try:
        anchor = read_anchor(settings.directory.anchor.read_bytes())
    except OSError as cause:
        raise SettingsInvalid(
            f"[directory] anchor: {settings.directory.anchor} cannot be read ({cause.strerror}); it is the file with "
            "the authority's first root"
        ) from None
    client = DirectoryClient(
        settings.directory.url, timeout_s=settings.directory.timeout_s, max_bytes=settings.directory.max_bytes
    )
    copy = DirectoryCopy(settings.adapter.data_dir / "directory", database)
    return DirectoryKeeper(client=client, copy=copy, anchor=anchor, clock=utc_now)


def stamp_keeper(settings: Settings, database: Database, keeper: DirectoryKeeper) -> StampKeeper:
    """What has the checkpoints time-stamped."""
    return StampKeeper(
        stamps=TimeStamps(database),
        client=TimeStampClient(
            timeout_s=settings.time_stamps.timeout_s, destinations=peer_destinations(settings, keeper)
        ),
        directory=keeper.current,
        clock=utc_now,
        rule=StampingRule(every_s=settings.time_stamps.every_s, skew=timedelta(seconds=settings.timing.clock_skew_s)),
        lock=settings.adapter.data_dir / LOCK_FILE,
    )


def record_watch(
    settings: Settings, keyring: Keyring, database: Database, keeper: DirectoryKeeper, peers: PeerClient
) -> RecordWatch:
    """What asks other members to prove that the checkpoints that they showed fit."""
    return RecordWatch(
        kept=PeerCheckpoints(database),
        ask=peers.ask_about_record,
        directory=keeper.current,
        clock=utc_now,
        own=Log(record_origin(settings.member), keyring.record),
        lock=settings.adapter.data_dir / WATCH_LOCK_FILE,
    )


def clock_watch(settings: Settings, keyring: Keyring, database: Database) -> ClockWatch:
    """What notices that the clock was set back."""
    return ClockWatch(
        runs=Runs(database, Log(record_origin(settings.member), keyring.record)),
        clock=utc_now,
        monotonic_s=time.monotonic,
        lock=settings.adapter.data_dir / CLOCK_LOCK_FILE,
    )


def witness_keeper(settings: Settings, keyring: Keyring, database: Database, keeper: DirectoryKeeper) -> WitnessKeeper:
    """What has the checkpoints cosigned by neutral witnesses."""
    client = WitnessClient(timeout_s=settings.witnesses.timeout_s, destinations=peer_destinations(settings, keeper))
    return WitnessKeeper(
        reader=LogReader(database),
        kept=Cosignatures(database),
        submit=client.submit,
        directory=keeper.current,
        clock=utc_now,
        own=Log(record_origin(settings.member), keyring.record),
        rule=WitnessingRule(every_s=settings.witnesses.every_s, skew=timedelta(seconds=settings.timing.clock_skew_s)),
        lock=settings.adapter.data_dir / WITNESS_LOCK_FILE,
    )


def status_keeper(settings: Settings, keeper: DirectoryKeeper) -> StatusKeeper:
    """What knows which certificates are revoked."""
    client = StatusClient(
        timeout_s=settings.directory.status_timeout_s,
        max_list_bytes=settings.directory.max_list_bytes,
        destinations=peer_destinations(settings, keeper),
    )
    return StatusKeeper(
        own=settings.member,
        book=StatusBook(),
        client=client,
        copies=status_copies(settings),
        directory=keeper.current,
        chains=ChainCache(),
        clock=utc_now,
    )


def usage_desk(settings: Settings, keyring: Keyring, database: Database, keeper: DirectoryKeeper) -> RecordDesk:
    """What tells a person of our record."""
    return RecordDesk(
        reader=UsageReader(database),
        subject_key=subject_key(keyring.archive_key),
        directory=keeper.current,
        clock=utc_now,
        officials=settings.record.tell_officials,
    )


def peer_destinations(settings: Settings, keeper: DirectoryKeeper) -> PeerDestinations:
    """Where an address of the directory may lead."""

    def own_address() -> str:
        try:
            return keeper.current().member(settings.member).adapter.address
        except AdapterError:  # not entered yet
            return ""

    return PeerDestinations(
        own_ports=frozenset((settings.client_listener.port, settings.operators_listener.port)),
        loopback=settings.directory.loopback_peers,
        own_address=own_address,
    )

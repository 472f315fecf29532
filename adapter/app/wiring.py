"""One worker, put together from the settings: stores, keepers, both sides of an exchange, three listeners."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509

from adapter.app.bounds import attachment_bounds, scan_rule, transfer_bounds
from adapter.app.clock_watch import ClockWatch
from adapter.app.consent_asking import IssuerAsking
from adapter.app.consents import ConsentDesk
from adapter.app.directory_keeper import DirectoryKeeper
from adapter.app.keepers import (
    clock_watch,
    directory_keeper,
    peer_destinations,
    record_watch,
    stamp_keeper,
    status_keeper,
    usage_desk,
    utc_now,
    witness_keeper,
)
from adapter.app.key_keeper import KeyKeeper
from adapter.app.keyring import Keyring
from adapter.app.own_clients import load_clients
from adapter.app.policy_keeper import PolicyKeeper
from adapter.app.provided import load_provided
from adapter.app.record_answers import RecordAnswers
from adapter.app.record_watch import RecordWatch
from adapter.app.renewing import RenewalKeeper
from adapter.app.retention import RetentionKeeper, retention_keeper
from adapter.app.status_keeper import StatusKeeper
from adapter.app.time_stamping import StampKeeper
from adapter.app.witnessing import WitnessKeeper
from adapter.audit.checkpoint import record_origin
from adapter.audit.entry import EntryMaker
from adapter.audit.subjects import subject_key
from adapter.exchange.consents import Learn, nobody_asks
from adapter.exchange.consumer import Consumer
from adapter.exchange.opening import Opener
from adapter.exchange.provider import ProvidedService, Provider
from adapter.exchange.recording import Recorder
from adapter.identifiers import ServiceId
from adapter.policy.clients import Client
from adapter.policy.freshness import TimeBounds
from adapter.ports import SigningKey
from adapter.settings import Settings
from adapter.store.access import AccessRules
from adapter.store.engine import Database
from adapter.store.log_reader import LogReader
from adapter.store.peer_checkpoints import PeerCheckpoints
from adapter.store.record import RecordLimits, RecordWriter
from adapter.store.spool import Spool
from adapter.transport.peer_client import PeerClient


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """All parts of one worker that have a life of their own."""

    settings: Settings
    keyring: Keyring
    database: Database
    record: RecordWriter
    directory: DirectoryKeeper
    statuses: StatusKeeper
    policy: PolicyKeeper
    keys: KeyKeeper
    stamps: StampKeeper
    renewal: RenewalKeeper
    watch: RecordWatch
    clock: ClockWatch
    witnesses: WitnessKeeper
    retention: RetentionKeeper
    answers: RecordAnswers
    peers: PeerClient
    spool: Spool
    provider: Provider
    consumer: Consumer
    services: Mapping[ServiceId, ProvidedService]

    async def close(self) -> None:
        """Give back what was opened, in the order in which nothing is missed."""
        await self.peers.close()
        await asyncio.gather(*(service.backend.close() for service in self.services.values()))
        await self.record.close()
        self.spool.close()


def build_site(
    settings: Settings, keyring: Keyring, database: Database, *, run_token: str, renew: Sequence[str] = ()
) -> Site:
    """Wire one worker; nothing is opened to the network. renew: the command that renews by ACME.

    Raises SettingsInvalid, KeyUnusable, DescriptionUnusable.
    """
    keeper = directory_keeper(settings, database)
    policy = PolicyKeeper(AccessRules(database))
    record = _record_writer(settings, keyring, database, run_token)
    transfer = transfer_bounds(settings, settings.peer_listener.read_timeout_s)
    peers = PeerClient(
        tls=keyring.tls,
        directory=keeper.current,
        clock=utc_now,
        timeout_s=settings.timing.peer_timeout_s,
        max_message_bytes=settings.peer_listener.max_message_bytes,
        attachments=attachment_bounds(settings),
        transfer=transfer,
        destinations=peer_destinations(settings, keeper),
    )
    spool = _spool(settings)
    services = load_provided(
        settings.adapter.services_dir, settings.member, transfer, usage_desk(settings, keyring, database, keeper)
    )
    statuses = status_keeper(settings, keeper)
    keys = KeyKeeper(settings, keyring, database, utc_now, statuses.book.is_revoked)
    keys.tell(peers.show)
    stamps = stamp_keeper(settings, database, keeper)
    common = _Common.of(settings, keyring, keeper, record, keys=keys, stamps=stamps, statuses=statuses)
    return Site(
        settings=settings,
        keyring=keyring,
        database=database,
        record=record,
        directory=keeper,
        statuses=statuses,
        policy=policy,
        keys=keys,
        stamps=stamps,
        renewal=RenewalKeeper(settings, renew, utc_now),
        watch=record_watch(settings, keyring, database, keeper, peers),
        clock=clock_watch(settings, keyring, database),
        witnesses=witness_keeper(settings, keyring, database, keeper),
        retention=retention_keeper(settings, keyring, database),
        answers=RecordAnswers(reader=LogReader(database), kept=PeerCheckpoints(database), directory=keeper.current),
        peers=peers,
        spool=spool,
        provider=common.provider(policy, services, common.consents(peers)),
        consumer=common.consumer(load_clients(settings), peers),
        services=services,
    )


def _record_writer(settings: Settings, keyring: Keyring, database: Database, run_token: str) -> RecordWriter:
    return RecordWriter(
        database,
        origin=record_origin(settings.member),
        signer=keyring.record,
        archive_key=keyring.archive_key,
        owner=f"{run_token}/{os.getpid()}",
        limits=RecordLimits(max_batch_writes=settings.record.max_batch),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Common:
    """What both sides of an exchange share in one worker."""

    settings: Settings
    keeper: DirectoryKeeper
    opener: Opener
    recorder: Recorder
    stamps: StampKeeper
    signing_key: Callable[[], SigningKey]
    staple: Callable[[x509.Certificate], bytes | None]
    checkpoint: Callable[[], bytes | None]

    @classmethod
    def of(
        cls,
        settings: Settings,
        keyring: Keyring,
        keeper: DirectoryKeeper,
        record: RecordWriter,
        *,
        keys: KeyKeeper,
        stamps: StampKeeper,
        statuses: StatusKeeper,
    ) -> _Common:
        recorder = Recorder(
            record=record,
            entries=EntryMaker(own=settings.member, subject_key=subject_key(keyring.archive_key)),
            keep_known_s=2 * settings.timing.clock_skew_s,
            transfer_s=settings.attachments.max_transfer_s,
        )
        opener = Opener(
            limits=settings.limits.for_messages(settings.peer_listener.max_message_bytes),
            keys=keys.decryption,
            chains=statuses.chains,
            statuses=statuses.book,
            learn=statuses.learn,
        )

        def signing_key() -> SigningKey:
            return keys.signing.choose(keeper.current(), utc_now())

        return cls(
            settings=settings,
            keeper=keeper,
            opener=opener,
            recorder=recorder,
            stamps=stamps,
            signing_key=signing_key,
            staple=statuses.staple,
            checkpoint=record.newest_checkpoint,
        )

    @property
    def bounds(self) -> TimeBounds:
        """What the settings say of clocks and lifetimes."""
        timing = self.settings.timing
        return TimeBounds(clock_skew_s=timing.clock_skew_s, max_lifetime_s=timing.message_lifetime_s)

    def consents(self, peers: PeerClient) -> Learn:
        """How the provider's side learns whether a consent holds: by exchanges of our own with its issuer."""
        settings = self.settings.consents
        if settings is None:
            return nobody_asks
        asking = IssuerAsking.of(settings, lambda client: self.consumer((client,), peers))
        return ConsentDesk(ask=asking, wait_s=settings.wait_s)

    def provider(
        self, policy: PolicyKeeper, services: Mapping[ServiceId, ProvidedService], consents: Learn
    ) -> Provider:
        """The provider's side."""
        return Provider(
            own=self.settings.member,
            clock=utc_now,
            bounds=self.bounds,
            opener=self.opener,
            signing_key=self.signing_key,
            directory=self.keeper.current,
            policy=policy.current,
            services=services,
            recorder=self.recorder,
            scan=scan_rule(self.settings),
            stamp_deadline=self.stamps.deadline,
            staple=self.staple,
            checkpoint=self.checkpoint,
            consents=consents,
        )

    def consumer(self, clients: tuple[Client, ...], peers: PeerClient) -> Consumer:
        """The consumer's side."""
        return Consumer(
            own=self.settings.member,
            clock=utc_now,
            bounds=self.bounds,
            reply_within_s=self.settings.timing.peer_timeout_s,
            opener=self.opener,
            signing_key=self.signing_key,
            directory=self.keeper.current,
            description=self.keeper.description,
            clients=clients,
            peers=peers,
            recorder=self.recorder,
            attachments=attachment_bounds(self.settings),
            min_rate_bytes_s=self.settings.attachments.min_bytes_per_second,
            max_transfer_s=self.settings.attachments.max_transfer_s,
            scan=scan_rule(self.settings),
            stamp_deadline=self.stamps.deadline,
            staple=self.staple,
            checkpoint=self.checkpoint,
        )


def _spool(settings: Settings) -> Spool:
    spool = Spool(settings.attachments.spool_dir, max_bytes=settings.attachments.spool_bytes)
    spool.prepare()
    return spool

"""Figures for the monitoring. No labels that name a person, a client or a message.

Every worker answers for itself: what is the same in all of them is told as it is, what each counts is labelled with its
process id, so that a counter never goes back because another worker answered.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from adapter.app.expiries import what_expires
from adapter.app.quotas import Gates
from adapter.app.renewing import RenewalKeeper
from adapter.app.wiring import Site
from adapter.audit.reviews import Reviews
from adapter.errors import AdapterError
from adapter.settings import Settings
from adapter.store.reviews import EmergencyReviews
from adapter.store.spool import Spool
from adapter.transport.clamd import Clamd, ClamdVersion

_CLAMD_ANSWERS_WITHIN_S = 2.0


class _DirectoryFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """Read when somebody asks."""
        yield self._failures()
        held = self._site.directory.held
        try:
            directory = self._site.directory.current()
        except AdapterError:
            yield GaugeMetricFamily("adapter_directory_valid", "1 when there is a valid directory.", value=0)
            return
        yield GaugeMetricFamily("adapter_directory_valid", "1 when there is a valid directory.", value=1)
        yield GaugeMetricFamily("adapter_directory_version", "Version of the directory.", value=directory.version)
        yield GaugeMetricFamily(
            "adapter_directory_expires_timestamp_seconds",
            "When the directory expires, in seconds since 1970.",
            value=directory.expires.timestamp(),
        )
        yield GaugeMetricFamily(
            "adapter_directory_fresh_until_timestamp_seconds",
            "Until when the directory was confirmed as the newest one; after it the grace runs, in seconds since 1970.",
            value=held.fresh_until.timestamp() if held else 0,
        )
        yield GaugeMetricFamily("adapter_policy_version", "Version of the access rules.", value=self._policy())

    def _failures(self) -> CounterMetricFamily:
        failures = CounterMetricFamily(
            "adapter_directory_refresh_failures",
            "Looks for a newer directory that failed, by reason.",
            labels=("reason", "worker"),
        )
        for reason, count in sorted(self._site.directory.failures.items()):
            failures.add_metric((reason, str(os.getpid())), count)
        return failures

    def _policy(self) -> int:
        return self._site.policy.current().version


class TurnedAwayFigures(Collector):
    """What was turned away unread, by listener and reason."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Read when somebody asks."""
        turned_away = CounterMetricFamily(
            "adapter_turned_away",
            "Requests and connections that were refused unread, by listener and reason.",
            labels=("listener", "reason", "worker"),
        )
        for listener, counts in self._gates.by_listener.items():
            for reason, count in sorted(counts.total.items()):
                turned_away.add_metric((listener, reason, str(os.getpid())), count)
        yield turned_away


class _StampFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """As the worker found it when it last looked."""
        keeper = self._site.stamps
        failures = CounterMetricFamily(
            "adapter_time_stamp_failures",
            "Time-stamps that an authority did not give, by authority and reason, of this worker.",
            labels=("authority", "reason", "worker"),
        )
        for (authority, code), count in sorted(keeper.failures.items()):
            failures.add_metric((authority, code, str(os.getpid())), count)
        yield failures
        state, deadline = keeper.state, keeper.deadline()
        if state is not None:
            waiting = "Entries of the record that no time-stamp covers yet."
            yield GaugeMetricFamily("adapter_time_stamp_waiting_entries", waiting, value=state.size - state.stamped)
        if deadline is not None:
            until = "From when on personal data is refused without a new time-stamp, in seconds since 1970."
            yield GaugeMetricFamily("adapter_time_stamp_deadline_seconds", until, value=deadline.timestamp())


class RenewalFigures(Collector):
    """Of the renewal of the TLS certificate by ACME."""

    def __init__(self, renewal: RenewalKeeper) -> None:
        self._renewal = renewal

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Read when somebody asks."""
        failures = CounterMetricFamily(
            "adapter_tls_renewal_failures",
            "Renewals of the TLS certificate by ACME that failed, by reason, of this worker.",
            labels=("reason", "worker"),
        )
        for code, count in sorted(self._renewal.failures.items()):
            failures.add_metric((code, str(os.getpid())), count)
        yield failures


class _WatchFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """As the worker found it when it last looked."""
        watch = self._site.watch
        asked = CounterMetricFamily(
            "adapter_records_watched",
            "Looks at other members' records, by what came of them, of this worker.",
            labels=("outcome", "worker"),
        )
        for outcome, count in sorted(watch.outcomes.items()):
            asked.add_metric((outcome, str(os.getpid())), count)
        yield asked
        words = "Open alarms about other members' records that are not what they were."
        yield GaugeMetricFamily("adapter_record_alarms", words, value=watch.alarms)


class _WitnessFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """As the worker found it when it last looked."""
        keeper = self._site.witnesses
        failures = CounterMetricFamily(
            "adapter_witness_failures",
            "Checkpoints that a witness did not cosign, by witness and reason, of this worker.",
            labels=("witness", "reason", "worker"),
        )
        for (witness, code), count in sorted(keeper.failures.items()):
            failures.add_metric((witness, code, str(os.getpid())), count)
        yield failures
        words = "Open alarms about a witness that holds another record than this one."
        yield GaugeMetricFamily("adapter_witness_alarms", words, value=keeper.alarms)
        state = keeper.state
        if state is None:
            return
        waiting = "Entries of the record that not enough witnesses have seen yet."
        yield GaugeMetricFamily("adapter_witness_waiting_entries", waiting, value=state.size - state.witnessed)
        if state.waiting_since is not None:
            since = "Since when the oldest of them waits, in seconds since 1970."
            yield GaugeMetricFamily(
                "adapter_witness_waiting_since_timestamp_seconds", since, value=state.waiting_since.timestamp()
            )


class _ExpiryFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read when somebody asks, from the files and the directory as they are."""
        try:
            directory = self._site.directory.current()
        except AdapterError:
            directory = None
        ends = GaugeMetricFamily(
            "adapter_expires_timestamp_seconds",
            "When a certificate, a suite or the directory ends, in seconds since 1970.",
            labels=("what", "name"),
        )
        for one in what_expires(self._site.settings, directory):
            ends.add_metric((one.what, one.name), one.ends.timestamp())
        yield ends


class EmergencyFigures(Collector):
    """Of emergency access, from the record: the same in every worker."""

    def __init__(self, reviews: EmergencyReviews) -> None:
        self._reviews = reviews
        self._found: Reviews | None = None

    async def refresh(self) -> None:
        """Read the record. Never raises; nothing is told while it cannot be read."""
        try:
            self._found = await asyncio.to_thread(self._reviews.summary)
        except AdapterError:
            self._found = None

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """As it was found by `refresh`."""
        found = self._found
        if found is None:
            return
        yield CounterMetricFamily("adapter_emergency_accesses", "Emergencies in the record.", value=found.total)
        words = "Reviews of emergency access that no officer has closed."
        yield GaugeMetricFamily("adapter_emergency_reviews_open", words, value=found.open)
        if found.oldest is not None:
            since = "Since when the oldest open review of an emergency access waits, in seconds since 1970."
            yield GaugeMetricFamily(
                "adapter_emergency_review_waiting_since_seconds", since, value=found.oldest.timestamp()
            )


class SpoolFigures(Collector):
    """What waits, what may wait, and what the disk has left."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read when somebody asks."""
        taken = GaugeMetricFamily(
            "adapter_spool_taken_bytes", "Octets of attachments that wait, of this worker.", labels=("worker",)
        )
        taken.add_metric((str(os.getpid()),), self._spool.taken_bytes)
        yield taken
        bound = "Octets of attachments that may wait at a time, for each worker."
        yield GaugeMetricFamily("adapter_spool_bound_bytes", bound, value=self._spool.max_bytes)
        with suppress(OSError):
            free = "Octets that the disk of the spool has left."
            yield GaugeMetricFamily("adapter_spool_free_bytes", free, value=self._spool.free_bytes)


class ScannerFigures(Collector):
    """What clamd said when it was last asked; nothing where the settings name none."""

    def __init__(self, clamd: Clamd | None) -> None:
        self._clamd = clamd
        self._version: ClamdVersion | None = None

    async def refresh(self) -> None:
        """Ask it. Never raises."""
        if self._clamd is None:
            return
        try:
            self._version = await self._clamd.version()
        except AdapterError:
            self._version = None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """As it was found by `refresh`."""
        if self._clamd is None:
            return
        version = self._version
        reachable = "1 when clamd answers."
        yield GaugeMetricFamily("adapter_scan_clamd_reachable", reachable, value=0 if version is None else 1)
        if version is None:
            return
        info = GaugeMetricFamily("adapter_scan_clamd_info", "Which clamd it is.", labels=("engine", "signatures"))
        info.add_metric((version.engine, "" if version.signatures is None else str(version.signatures)), 1)
        yield info
        if version.made_on is not None:
            yield GaugeMetricFamily(
                "adapter_scan_clamd_signatures_timestamp_seconds",
                "When clamd's signatures were made, in seconds since 1970.",
                value=version.made_on.timestamp(),
            )


def scanner_figures(settings: Settings) -> ScannerFigures:
    """Of the clamd that the settings name."""
    address = settings.scan.clamd
    return ScannerFigures(None if address is None else Clamd(address, timeout_s=_CLAMD_ANSWERS_WITHIN_S))


def registry_of(site: Site, gates: Gates, *more: Collector) -> CollectorRegistry:
    """The figures of one worker. more: further ones."""
    registry = CollectorRegistry()
    for collector in more:
        registry.register(collector)
    registry.register(TurnedAwayFigures(gates))
    registry.register(_DirectoryFigures(site))
    registry.register(_StampFigures(site))
    registry.register(_WatchFigures(site))
    registry.register(_WitnessFigures(site))
    registry.register(_ExpiryFigures(site))
    registry.register(RenewalFigures(site.renewal))
    return registry

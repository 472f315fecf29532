"""Figures for the monitoring. No labels that name a person, a client or a message.

Every worker answers for itself: what is the same in all of them is told as it is, what each counts is labelled with its
process id, so that a counter never goes back because another worker answered.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from adapter.app.quotas import Gates
from adapter.app.wiring import Site
from adapter.errors import AdapterError


class _DirectoryFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read when somebody asks."""
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
        yield GaugeMetricFamily("adapter_policy_version", "Version of the access rules.", value=self._policy())

    def _policy(self) -> int:
        return self._site.policy.current().version


class _TurnedAwayFigures(Collector):
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


def registry_of(site: Site, gates: Gates) -> CollectorRegistry:
    """The figures of one worker."""
    registry = CollectorRegistry()
    registry.register(_TurnedAwayFigures(gates))
    registry.register(_DirectoryFigures(site))
    return registry

"""Figures for the monitoring. No labels that name a person, a client or a message.

Every worker answers for itself, so only what is the same in all of them is told: the directory and the readiness.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

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


def registry_of(site: Site) -> CollectorRegistry:
    """The figures of one worker."""
    registry = CollectorRegistry()
    registry.register(_DirectoryFigures(site))
    return registry

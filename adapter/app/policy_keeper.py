"""The current access rules of one worker: read again as soon as their version changes."""

from __future__ import annotations

import asyncio

import structlog

from adapter.errors import AdapterError
from adapter.exchange.incidents import where
from adapter.policy.rules import PolicySnapshot
from adapter.store.access import AccessRules

log = structlog.get_logger(__name__)

EVERY_S = 1.0
"""A revoked rule stops working within this time in every worker."""


class PolicyKeeper:
    """Hands out the rules. Until the first reading there are none, and nothing is allowed."""

    def __init__(self, rules: AccessRules) -> None:
        self._rules = rules
        self._current = PolicySnapshot.of(0, ())

    def current(self) -> PolicySnapshot:
        """The rules as last read."""
        return self._current

    def refresh(self) -> None:
        """Read the rules when their version is another one. Raises StoreUnusable."""
        if self._rules.version() != self._current.version:
            self._current = self._rules.snapshot()
            log.info("access rules", policy=self._current.version, entries=len(self._current.rules))

    async def keep_fresh(self) -> None:
        """Refresh for ever; when the rules cannot be read, nothing is allowed any more (promise 4)."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await asyncio.to_thread(self.refresh)
            except AdapterError as failure:
                self._current = PolicySnapshot.of(0, ())
                log.error("access rules cannot be read: denying all", code=failure.code, because=failure.reason)
            except Exception as failure:  # noqa: BLE001 - rules that are not refreshed would outlive their revocation
                self._current = PolicySnapshot.of(0, ())
                log.error(
                    "access rules cannot be read: denying all", error=type(failure).__name__, where=where(failure)
                )

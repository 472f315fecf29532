"""Learning from its issuer whether a consent holds, as seldom as the directory lets us; never from memory longer.

Kept in the process alone: after a start every consent is asked about again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapter.directory.model import Directory
from adapter.envelope.consent import ConsentReference
from adapter.errors import AdapterError, ConsentUnavailable
from adapter.exchange.consents import nobody_asks
from adapter.policy.consents import ConsentStatus, IssuedConsent, Wish, issuer_for
from adapter.ports import Clock

MAX_KEPT: Final = 10_000


@dataclass(kw_only=True, slots=True)
class ConsentDesk:
    """What the issuers said last. ask: an exchange with the issuer's adapter; raises ConsentUnavailable.

    wait_s: how long a request waits for an answer, at most; one that comes later still serves the next request.
    """

    ask: Callable[[Wish], Awaitable[IssuedConsent]] = nobody_asks
    wait_s: float = 10
    max_kept: int = MAX_KEPT
    _known: dict[ConsentReference, IssuedConsent] = field(default_factory=dict)
    _asked: dict[ConsentReference, asyncio.Task[IssuedConsent]] = field(default_factory=dict)

    async def __call__(self, wish: Wish, directory: Directory, clock: Clock, reply_by: datetime) -> IssuedConsent:
        """What the issuer says of a consent, no older than the directory allows. Raises ConsentUnavailable.

        reply_by: of the request. It waits no longer than for half of the time that is left, so that there is some for
        the information system, and for the refusal to come in time.
        """
        limit = issuer_for(wish.reference, wish.basis_kind, directory).cache_limit
        known = self._known.get(wish.reference)
        if known is not None and known.as_of <= clock() < known.as_of + limit:
            return known
        task = self._asked.get(wish.reference)
        if task is None:
            task = asyncio.create_task(self._learn(wish), name="consent")
            self._asked[wish.reference] = task
            task.add_done_callback(lambda done: self._answered(wish.reference, done))
        wait_s = min(self.wait_s, (reply_by - clock()).total_seconds() / 2)
        done, _ = await asyncio.wait((task,), timeout=max(wait_s, 0))
        if not done:
            raise ConsentUnavailable(f"{wish.reference.issuer} did not answer within {wait_s:g} seconds")
        try:
            return task.result()
        except ConsentUnavailable:
            raise
        except AdapterError as cause:
            raise ConsentUnavailable(f"{wish.reference.issuer}: {cause.code}: {cause.reason}") from None

    def _answered(self, reference: ConsentReference, done: asyncio.Task[IssuedConsent]) -> None:
        self._asked.pop(reference, None)
        if not done.cancelled():
            done.exception()  # whoever waited has seen it; nobody may be left

    async def _learn(self, wish: Wish) -> IssuedConsent:
        issued = await self.ask(wish)
        self._known.pop(wish.reference, None)
        if issued.status is not ConsentStatus.UNKNOWN:  # made-up ids do not fill the place
            while len(self._known) >= self.max_kept:
                del self._known[next(iter(self._known))]
            self._known[wish.reference] = issued
        return issued

"""The step of a request that relies on a person's consent: its issuer's word, then the numbered checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

from adapter.directory.model import Directory
from adapter.errors import ConsentUnavailable
from adapter.policy.consents import IssuedConsent, VerifiedConsent, Wish, verify_consent
from adapter.policy.decision import decide, facts_of, wish_of
from adapter.policy.rules import PolicySnapshot
from adapter.ports import Clock
from adapter.stages import ValidRequest

Learn: TypeAlias = Callable[[Wish, Directory, Clock, datetime], Awaitable[IssuedConsent]]
"""What the issuer says of a consent, no older than the directory allows. Raises ConsentUnavailable.

The last argument: until when the answer to the request is awaited.
"""


async def nobody_asks(wish: Wish, *_: object) -> IssuedConsent:
    """Where no way to an issuer is set up. Raises ConsentUnavailable."""
    raise ConsentUnavailable(f"nobody asks {wish.reference.issuer}: the settings have no table [consents]")


async def verified_consent(
    valid: ValidRequest, learn: Learn, *, policy: PolicySnapshot, directory: Directory, clock: Clock
) -> VerifiedConsent | None:
    """The consent that a request relies on, verified for exactly it; None when its legal basis is another.

    Nobody is asked for a request that no rule allows. Raises what decide refuses with, and what verify_consent raises.
    """
    facts = facts_of(valid)
    wish = wish_of(facts, directory)
    if wish is None:
        return None
    refusal = decide(facts, policy=policy, directory=directory, now=clock()).refusal
    if refusal is not None:
        raise refusal
    issued = await learn(wish, directory, clock, valid.fresh.message.verified.header.reply_by)
    return verify_consent(issued, wish, directory=directory, now=clock())

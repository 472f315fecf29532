"""What has to be done next for the TLS certificate that a CA renews by ACME: a plan, made of the record alone. Pure.

`adapter keys renew` carries it out; the running adapter looks at it to know when to call that command (app.renewing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from cryptography import x509

from adapter.audit.key_life import KeyLife, LifeState, Lives
from adapter.settings import Settings

NAME_PREFIX: Final = "tls-acme-"
"""Keys that this renewal makes are called so; it leaves an officer's own rotation alone."""
_COMING: Final = frozenset({LifeState.MADE, LifeState.REQUESTED, LifeState.CERTIFIED, LifeState.REGISTERED})


class Act(Enum):
    """The next step."""

    MAKE = "make"
    ORDER = "order"
    REGISTER = "register"
    """The authority's: until the directory names the certificate, nothing can be done here."""
    ACTIVATE = "activate"
    RETIRE = "retire"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """act: what comes next. at: from when on; None: others decide. life: of which key; None: of a new one."""

    act: Act
    at: datetime | None
    life: KeyLife | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether the command has something to do now."""
        return self.at is not None and self.at <= now


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewalRule:
    """renew_days: before the end; None: when a third of the life is left. spread, lifetime: as for any rotation."""

    renew_days: int | None
    spread: timedelta
    lifetime: timedelta

    @classmethod
    def of(cls, settings: Settings) -> RenewalRule:
        """What the settings say."""
        return cls(
            renew_days=None if settings.acme is None else settings.acme.renew_days,
            spread=timedelta(seconds=settings.keys.spread_s),
            lifetime=timedelta(seconds=settings.timing.message_lifetime_s),
        )


def renew_from(certificate: x509.Certificate, renew_days: int | None) -> datetime:
    """From when on it is to be renewed."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return ends - ((ends - begins) / 3 if renew_days is None else timedelta(days=renew_days))


def plan(lives: Lives, *, shown: str, certificate: x509.Certificate, rule: RenewalRule, always: bool = False) -> Plan:
    """The next step. shown: key_id of the key that is shown in TLS now, with its certificate. always: do not wait."""
    known = lives.get(shown)
    since = -1 if known is None else known.entry
    ours = [life for life in lives.values() if life.facts.name.startswith(NAME_PREFIX)]
    coming = [life for life in ours if life.state in _COMING and life.entry > since and life.facts.key_id != shown]
    if coming:
        return _of_coming(max(coming, key=lambda life: life.entry), rule)
    leaving = [
        Plan(act=Act.RETIRE, at=life.left_directory + rule.spread + rule.lifetime, life=life)
        for life in lives.values()
        if life.facts.purpose == "tls" and life.state is LifeState.RETIRING and life.left_directory is not None
    ]
    if leaving:
        return leaving[0]
    begins = certificate.not_valid_before_utc
    return Plan(act=Act.MAKE, at=begins if always else renew_from(certificate, rule.renew_days))


def _of_coming(life: KeyLife, rule: RenewalRule) -> Plan:
    match life.state:
        case LifeState.CERTIFIED:
            return Plan(act=Act.REGISTER, at=None, life=life)
        case LifeState.REGISTERED:
            return Plan(act=Act.ACTIVATE, at=(life.in_directory_since or life.since) + rule.spread, life=life)
        case _:
            return Plan(act=Act.ORDER, at=life.since, life=life)


def next_name(lives: Lives, taken: frozenset[str]) -> str:
    """The name of the key that comes next, `acme-3`: the same however often it is asked for. taken: files there are."""
    used = {life.facts.name for life in lives.values()} | taken
    number = 1
    while f"{NAME_PREFIX}{number}" in used:
        number += 1
    return f"{NAME_PREFIX}{number}".removeprefix("tls-")

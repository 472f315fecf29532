"""Access rules as values. What a rule does not name is "any"; what no rule allows is denied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapter.errors import CommandRefused
from adapter.identifiers import MemberId, OfficialId, ServiceId, SubsystemId
from adapter.released_fields import ReleasedFields


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessRule:
    """One rule: this consumer may call this service, under these conditions.

    consumer: a subsystem (`UZ/GOV/200000003/social`), a whole member (`UZ/GOV/200000003`) or `group:NAME` of the
    directory. operations, purposes, legal_basis_kinds, regulations: None means any. valid_until is exclusive.
    fields: what of the answer goes out; None: all of it. all_fields: the officer who granted it said so.
    emergency_officials: an emergency rule, and the officials whom it allows to call in an emergency, by the numbers
    that the one consumer gave them; None: a rule for everything that is no emergency.
    """

    id: str
    consumer: str
    service: ServiceId
    operations: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    legal_basis_kinds: frozenset[str] | None = None
    regulations: frozenset[str] | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    granted_by: str = ""
    note: str = ""
    fields: ReleasedFields | None = None
    all_fields: bool = False
    emergency_officials: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Raises CommandRefused, InvalidIdentifier: it could never match, or could match whom nobody named."""
        check_consumer_pattern(self.consumer)
        if self.emergency_officials is not None:
            _check_officials(self.emergency_officials, self.consumer)


def check_consumer_pattern(pattern: str) -> None:
    """Refuse what can never match, before it is stored. Raises CommandRefused, InvalidIdentifier."""
    if pattern.startswith("group:"):
        if not pattern.removeprefix("group:"):
            raise CommandRefused("name the group after 'group:'")
        return
    match pattern.count("/"):
        case 2:
            MemberId.parse(pattern)
        case 3:
            SubsystemId.parse(pattern)
        case _:
            raise CommandRefused("a consumer is instance/class/code, instance/class/code/subsystem, or group:NAME")


def _check_officials(officials: frozenset[str], consumer: str) -> None:
    if not officials:
        raise CommandRefused("an emergency rule names each official whom it allows")
    if consumer.startswith("group:"):
        raise CommandRefused("an emergency rule names one consumer: two members may number officials alike")
    for official in officials:
        OfficialId(official)


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicySnapshot:
    """All rules at one version of the policy; looked up by service in constant time."""

    version: int
    rules: tuple[AccessRule, ...]
    by_service: Mapping[ServiceId, tuple[AccessRule, ...]] = field(repr=False)

    @classmethod
    def of(cls, version: int, rules: Iterable[AccessRule]) -> PolicySnapshot:
        """Index the rules by service, keeping their order."""
        ordered = tuple(rules)
        index: dict[ServiceId, tuple[AccessRule, ...]] = {}
        for rule in ordered:
            index[rule.service] = (*index.get(rule.service, ()), rule)
        return cls(version=version, rules=ordered, by_service=index)

    def rules_for(self, service: ServiceId) -> tuple[AccessRule, ...]:
        """The rules that are about this service, in the order in which they were granted."""
        return self.by_service.get(service, ())

"""The access rules on disk. Every change is an entry of the record, in the same transaction.

Rules are believed only when they are exactly what the record's entries granted and did not revoke: whoever writes one
into the database by another way stops all access instead of gaining it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from adapter.audit.admin import admin_entry
from adapter.audit.canonical import canonical_json
from adapter.audit.document import milliseconds, moment
from adapter.envelope.instants import write_instant
from adapter.errors import AdapterError, CommandRefused, RecordBroken, StoreUnusable
from adapter.identifiers import RecordNumber, ServiceId
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.released_fields import fields_as_json, fields_from_json
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.engine import Database
from adapter.store.schema import access_rules, policy

GRANTED = "access-granted"
REVOKED = "access-revoked"
ALL_FIELDS = "*"


class AccessRules:
    """The rules in force, in the order in which they were granted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """The version of the policy; it grows by one with every change. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _version(connection)

    def snapshot(self) -> PolicySnapshot:
        """All rules, and their version. Raises StoreUnusable, also when the record does not say the same."""
        with self._database.reading() as connection:
            rows = connection.execute(select(access_rules).order_by(access_rules.c.granted_in)).all()
            in_force = {row.granted_in: _rule(row) for row in rows}
            version = _version(connection)
            _check_against_record(connection, in_force, version)
        return PolicySnapshot.of(version, in_force.values())

    def grant(self, rule: AccessRule, *, log: Log, now: datetime) -> RecordNumber:
        """Add a rule; gives the number of the entry that says so. Raises CommandRefused (id in use), StoreUnusable."""
        with self._database.writing() as connection:
            if connection.execute(select(exists().where(access_rules.c.id == rule.id))).scalar_one():
                raise CommandRefused(f"there is a rule {rule.id!r} already; revoke it first or choose another id")
            number = self._record_change(connection, GRANTED, rule, officer=rule.granted_by, log=log, now=now)
            connection.execute(insert(access_rules).values(granted_in=number, **_columns(rule)))
            return number

    def revoke(self, rule_id: str, *, officer: str, log: Log, now: datetime) -> RecordNumber:
        """Take a rule away; gives the number of the entry that says so. Raises CommandRefused, StoreUnusable."""
        with self._database.writing() as connection:
            row = connection.execute(select(access_rules).where(access_rules.c.id == rule_id)).one_or_none()
            if row is None:
                raise CommandRefused(f"there is no rule {rule_id!r}")
            number = self._record_change(connection, REVOKED, _rule(row), officer=officer, log=log, now=now)
            connection.execute(delete(access_rules).where(access_rules.c.id == rule_id))
            return number

    @staticmethod
    def _record_change(
        connection: Connection, action: str, rule: AccessRule, *, officer: str, log: Log, now: datetime
    ) -> RecordNumber:
        if json.loads(canonical_json(rule_details(rule))) != rule_details(rule):
            raise CommandRefused("the rule's note or one of its lists is too long")
        connection.execute(update(policy).values(version=policy.c.version + 1))
        details = {"policy": _version(connection), "rule": rule_details(rule)}
        return append(connection, log, (admin_entry(action, officer=officer, at=now, details=details),))[0]


def _check_against_record(connection: Connection, in_force: Mapping[int, AccessRule], version: int) -> None:
    """Compare the rules with what the entries say. That the entries are what was signed is for audit.verify."""
    recorded: dict[str, tuple[int, Any]] = {}
    last_version = 0
    try:
        for act in read_acts(connection, (GRANTED, REVOKED)):
            rule, last_version = act.body["details"]["rule"], act.body["details"]["policy"]
            if act.outcome == GRANTED:
                recorded[rule["id"]] = (act.number, rule)
            else:
                del recorded[rule["id"]]
    except (KeyError, TypeError, RecordBroken) as error:
        raise StoreUnusable(
            "the record's entries about access rules are unreadable; run `adapter log verify`"
        ) from error
    granted = dict(recorded.values())
    if version != last_version or granted.keys() != in_force.keys():
        raise StoreUnusable("the access rules are not those that the record granted; run `adapter log verify`")
    for number, rule in in_force.items():
        if rule_details(rule) != granted[number]:
            raise StoreUnusable(f"access rule {rule.id!r} is not what entry {number} granted; run `adapter log verify`")


def _version(connection: Connection) -> int:
    return int(connection.execute(select(policy.c.version)).scalar_one())


def rule_details(rule: AccessRule) -> dict[str, Any]:
    """The rule as its entry says it: what is not there means any."""
    said = {
        "id": rule.id,
        "consumer": rule.consumer,
        "service": str(rule.service),
        "operations": _listed(rule.operations),
        "purposes": _listed(rule.purposes),
        "legal_basis_kinds": _listed(rule.legal_basis_kinds),
        "regulations": _listed(rule.regulations),
        "valid_from": None if rule.valid_from is None else write_instant(rule.valid_from),
        "valid_until": None if rule.valid_until is None else write_instant(rule.valid_until),
        "granted_by": rule.granted_by,
        "note": rule.note,
        "fields": _fields_said(rule),
        "emergency_officials": _listed(rule.emergency_officials),
    }
    return {name: value for name, value in said.items() if value is not None}


def _columns(rule: AccessRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "consumer": rule.consumer,
        "service": str(rule.service),
        "operations": _json(rule.operations),
        "purposes": _json(rule.purposes),
        "legal_basis_kinds": _json(rule.legal_basis_kinds),
        "regulations": _json(rule.regulations),
        "valid_from_ms": None if rule.valid_from is None else milliseconds(rule.valid_from),
        "valid_until_ms": None if rule.valid_until is None else milliseconds(rule.valid_until),
        "granted_by": rule.granted_by,
        "note": rule.note,
        "fields": None if (said := _fields_said(rule)) is None else json.dumps(said, ensure_ascii=False),
        "emergency_officials": _json(rule.emergency_officials),
    }


def _fields_said(rule: AccessRule) -> dict[str, Any] | str | None:
    if rule.fields is not None:
        return fields_as_json(rule.fields)
    return ALL_FIELDS if rule.all_fields else None


def _rule(row: Row[Any]) -> AccessRule:
    try:
        said = None if row.fields is None else json.loads(row.fields)
        return AccessRule(
            id=row.id,
            consumer=row.consumer,
            service=ServiceId.parse(row.service),
            operations=_set(row.operations),
            purposes=_set(row.purposes),
            legal_basis_kinds=_set(row.legal_basis_kinds),
            regulations=_set(row.regulations),
            valid_from=None if row.valid_from_ms is None else moment(row.valid_from_ms),
            valid_until=None if row.valid_until_ms is None else moment(row.valid_until_ms),
            granted_by=row.granted_by,
            note=row.note,
            fields=None if said in (None, ALL_FIELDS) else fields_from_json(said),
            all_fields=said == ALL_FIELDS,
            emergency_officials=_set(row.emergency_officials),
        )
    except (ValueError, TypeError, KeyError, AttributeError, AdapterError) as error:
        raise StoreUnusable(f"the access rule granted in entry {row.granted_in} is unreadable") from error


def _listed(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)


def _json(values: Iterable[str] | None) -> str | None:
    return None if values is None else json.dumps(sorted(values), ensure_ascii=False)


def _set(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(cast("list[str]", json.loads(text)))

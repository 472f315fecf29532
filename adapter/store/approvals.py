"""Requests for approval in the record: each step is checked and entered in one transaction, under the write lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapter.audit.admin import admin_entry
from adapter.audit.approvals import (
    ACTIONS,
    ASKED,
    DENIED,
    GIVEN,
    RULE,
    USED,
    Act,
    ApprovalState,
    Request,
    Rule,
    Verdict,
    asked_details,
    check_verdict,
    read_requests,
    read_rule,
    used_details,
    verdict_details,
)
from adapter.errors import CommandRefused, RecordBroken, StoreUnusable
from adapter.identifiers import MemberId, RecordNumber
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.engine import Database

_Row = tuple[int, datetime, str, Mapping[str, Any]]


class Approvals:
    """What the record says of approvals, by the rule in force. The rule of the settings counts until one is entered."""

    def __init__(self, database: Database, log: Log, *, member: MemberId, of_settings: Rule) -> None:
        self._database = database
        self._log = log
        self._member = str(member)
        self._of_settings = of_settings

    def rule(self) -> Rule:
        """The rule in force: the one entered last. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return self._rule(_rows(connection))

    @property
    def differs(self) -> bool:
        """Whether the settings say something else than what is in force."""
        return self.rule() != self._of_settings

    def requests(self) -> dict[str, Request]:
        """Every request by its id. Raises StoreUnusable."""
        with self._database.reading() as connection:
            rows = _rows(connection)
        return self._requests(rows)

    def begin(self, *, officer: str, now: datetime) -> Rule:
        """The rule in force; the first one that settings name is entered, so that nobody can take it back alone."""
        with self._database.writing() as connection:
            rows = _rows(connection)
            entered = read_rule(rows)
            if self._of_settings.acts and (entered is None or not entered.acts):
                self._append(connection, RULE, officer, now, self._of_settings.described())
                return self._of_settings
            return self._rule(rows)

    def adopt(self, *, officer: str, approval: str | None, now: datetime) -> RecordNumber:
        """Put the rule of the settings in force. approval: by which request, under the rule before."""
        with self._database.writing() as connection:
            said = self._of_settings.described() | ({} if approval is None else {"approval": approval})
            return self._append(connection, RULE, officer, now, said)

    def ask(self, request: Request, note: str | None, *, now: datetime) -> RecordNumber:
        """Enter a request; note: the asking officer's own signature. Raises CommandRefused, SecurityFailed."""
        with self._database.writing() as connection:
            rows = _rows(connection)
            if request.id in self._requests(rows):
                raise CommandRefused(f"there is a request {request.id} already")
            if note is not None:
                # Whoever asks with a key is known by it, and not by a login that happens to be the same.
                unsigned = replace(request, asked_by="")
                rule = self._rule(rows)
                check_verdict(unsigned, Verdict.APPROVE, note, rule=rule, member=self._member, now=now)
            return self._append(connection, ASKED, request.asked_by, now, asked_details(request, note))

    def decide(self, id_: str, verdict: Verdict, note: str, *, now: datetime) -> Request:
        """Enter an officer's word; gives the request as it is then. Raises CommandRefused, SecurityFailed."""
        with self._database.writing() as connection:
            rows = _rows(connection)
            request = _find(self._requests(rows), id_)
            rule = self._rule(rows)
            officer = check_verdict(request, verdict, note, rule=rule, member=self._member, now=now)
            outcome = GIVEN if verdict is Verdict.APPROVE else DENIED
            self._append(connection, outcome, officer, now, verdict_details(request, note))
            return self._requests(_rows(connection))[id_]

    def use(self, id_: str, act: Act, *, now: datetime) -> Request:
        """Use an approval up, for exactly this act. Raises CommandRefused: it is none, or was used in between."""
        with self._database.writing() as connection:
            request = _find(self._requests(_rows(connection)), id_)
            if request.act.digest != act.digest or request.state(now) is not ApprovalState.APPROVED:
                raise CommandRefused(f"{id_} does not approve this act now: it is {request.state(now).value}")
            self._append(connection, USED, " and ".join(request.approved_by), now, used_details(request))
            return request

    def _rule(self, rows: list[_Row]) -> Rule:
        entered = read_rule(rows)
        return self._of_settings if entered is None or not entered.acts else entered

    def _requests(self, rows: list[_Row]) -> dict[str, Request]:
        try:
            return read_requests(rows, rule=self._rule(rows), member=self._member)
        except RecordBroken as error:
            raise StoreUnusable(f"{error.reason}; run `adapter log verify`") from error

    def _append(
        self, connection: Connection, outcome: str, officer: str, now: datetime, details: Mapping[str, Any]
    ) -> RecordNumber:
        return append(connection, self._log, (admin_entry(outcome, officer=officer, at=now, details=details),))[0]


def _find(requests: Mapping[str, Request], id_: str) -> Request:
    if id_ not in requests:
        raise CommandRefused(f"there is no request {id_}: `adapter approvals list`")
    return requests[id_]


def _rows(connection: Connection) -> list[_Row]:
    try:
        return [(number, at, outcome, body["details"]) for number, at, outcome, body in read_acts(connection, ACTIONS)]
    except (KeyError, TypeError, RecordBroken) as error:
        raise StoreUnusable("the record's entries about approvals are unreadable; run `adapter log verify`") from error

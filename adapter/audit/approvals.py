"""Acts that need two officers: what exactly is asked for, who signed for it, and where each request stands.

An officer is known by a key, Ed25519 in a file or P-256 in a token (C2SP signed-note): what counts is a signature over
the act, not a typed name. The record's entries are the only memory, and every signature in them is verified again
whenever a request is looked at, so that an entry that was put there by another way approves nothing. Pure: the clock is
an argument.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from adapter.audit.canonical import MAX_TEXT_CHARS, canonical_json
from adapter.crypto.note import open_note, split_vkey
from adapter.crypto.note_ecdsa import read_officer_vkey
from adapter.envelope.instants import write_instant
from adapter.errors import AdapterError, CommandRefused, RecordBroken, SecurityFailed
from adapter.settings.officers import OFFICERS_NEEDED

CHANGE_RULE: Final = "approvals-change"
"""A change of what needs two officers needs two of them as well, once something does."""

_ASKED: Final = "approval-asked"
_GIVEN: Final = "approval-given"
_REFUSED: Final = "approval-refused"
_USED: Final = "approval-used"
RULE: Final = "approvals-in-force"
ACTIONS: Final = (_ASKED, _GIVEN, _REFUSED, _USED, RULE)
"""The outcomes of the administrative entries that are about approvals."""

_TITLE: Final = "interagency-adapter approval"
_MAX_NOTE_CHARS: Final = MAX_TEXT_CHARS


class ApprovalState(Enum):
    """Where a request stands."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"
    EXPIRED = "expired"


TRANSITIONS: Final[Mapping[ApprovalState | None, frozenset[ApprovalState]]] = {
    None: frozenset({ApprovalState.ASKED, ApprovalState.APPROVED}),
    ApprovalState.ASKED: frozenset(
        {ApprovalState.ASKED, ApprovalState.APPROVED, ApprovalState.REFUSED, ApprovalState.EXPIRED}
    ),
    # An officer may still object to what was not done yet.
    ApprovalState.APPROVED: frozenset({ApprovalState.USED, ApprovalState.REFUSED, ApprovalState.EXPIRED}),
    ApprovalState.REFUSED: frozenset(),
    # One approval, one act.
    ApprovalState.USED: frozenset(),
    ApprovalState.EXPIRED: frozenset(),
}


class Verdict(Enum):
    """What an officer signs."""

    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One act, completely: what is not in here does not change what will be done. what: JSON of the record's kind."""

    kind: str
    what: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Raises CommandRefused: longer than the record keeps, so that it could not be carried out as approved."""
        if json.loads(self.text) != {"act": self.kind, "what": dict(self.what)}:
            raise CommandRefused("what is asked for is too long to be approved")

    @property
    def text(self) -> str:
        """Canonical JSON (audit.canonical)."""
        return canonical_json({"act": self.kind, "what": dict(self.what)})

    @property
    def digest(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Which acts need two officers, and who the officers are: verifier keys (C2SP signed-note) by the names in them."""

    acts: frozenset[str] = frozenset()
    officers: Mapping[str, str] = field(default_factory=dict)
    lasts_h: int = 72

    @classmethod
    def of(cls, acts: Iterable[str], vkeys: Iterable[str], lasts_h: int) -> Rule:
        """From settings. Raises KeyUnusable: a verifier key that is none; CommandRefused: fewer than two officers."""
        keys = tuple(vkeys)
        officers = {read_officer_vkey(vkey).name: vkey for vkey in keys}
        rule = cls(acts=frozenset(acts), officers=officers, lasts_h=lasts_h)
        different = {split_vkey(vkey)[2] for vkey in keys}
        if rule.acts and not len(keys) == len(officers) == len(different) >= OFFICERS_NEEDED:
            raise CommandRefused(
                f"[approvals] needs {OFFICERS_NEEDED} officers or more, of different names and different keys"
            )
        return rule

    def asks_for(self, kind: str) -> bool:
        """Whether this act needs two officers."""
        return bool(self.acts) and (kind in self.acts or kind == CHANGE_RULE)

    def described(self) -> dict[str, Any]:
        """As entries say it."""
        return {"acts": sorted(self.acts), "officers": dict(self.officers), "lasts_h": self.lasts_h}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """An act that was asked for. asked_by: a login proves nothing. approved_by: officers whose signature is good."""

    id: str
    act: Act
    asked_by: str
    asked_at: datetime
    until: datetime
    approved_by: tuple[str, ...] = ()
    refused_by: str | None = None
    is_used: bool = False

    def state(self, now: datetime) -> ApprovalState:
        """Where it stands."""
        if self.is_used:
            return ApprovalState.USED
        if self.refused_by is not None:
            return ApprovalState.REFUSED
        if now >= self.until:
            return ApprovalState.EXPIRED
        return ApprovalState.APPROVED if len(self.approved_by) >= OFFICERS_NEEDED else ApprovalState.ASKED

    def statement(self, member: str, verdict: Verdict) -> str:
        """The text that an officer signs: for whom, which request, what exactly, until when."""
        lines = (
            _TITLE,
            member,
            self.id,
            verdict.value,
            self.act.digest,
            write_instant(self.until),
            self.act.text,
        )
        return "".join(f"{line}\n" for line in lines)


def new_request(act: Act, *, id_: str, asked_by: str, rule: Rule, now: datetime) -> Request:
    """A request that nobody has approved yet. id_: unguessable is not needed, unique is."""
    return Request(id=id_, act=act, asked_by=asked_by, asked_at=now, until=now + timedelta(hours=rule.lasts_h))


def signer_of(note: str, text: str, rule: Rule) -> str:
    """The officer who signed exactly this text. note: untrusted. Raises SecurityFailed."""
    if len(note) > _MAX_NOTE_CHARS:
        raise SecurityFailed("the note is too long for the record")
    for name, vkey in rule.officers.items():
        with suppress(AdapterError):
            if open_note(note.encode(), [read_officer_vkey(vkey)]) == text:
                return name
    raise SecurityFailed("no officer of the settings has signed exactly this")


def check_verdict(request: Request, verdict: Verdict, note: str, *, rule: Rule, member: str, now: datetime) -> str:
    """The numbered checks before an officer's word counts; gives the officer. Raises CommandRefused, SecurityFailed."""
    # 1. The request is open: not refused, not used, not past its time. One that is approved takes more approvals.
    state = request.state(now)
    if not TRANSITIONS[state]:
        raise CommandRefused(f"{request.id} is {state.value}: ask for the act again")
    # 2. An officer of the settings signed this request, this act and this verdict.
    officer = signer_of(note, request.statement(member, verdict), rule)
    # 3. Whoever asked, or has signed already, is no second officer.
    if verdict is Verdict.APPROVE and officer in (*request.approved_by, request.asked_by):
        raise CommandRefused(f"{officer} asked for {request.id} or has signed it already: it takes another officer")
    return officer


# --- what the entries say --------------------------------------------------------------------------------------------


def asked_details(request: Request, note: str | None) -> dict[str, Any]:
    """The entry's details. note: the asking officer's own approval, when it was signed."""
    said = {
        "id": request.id,
        "act": request.act.kind,
        "what": dict(request.act.what),
        "digest": request.act.digest,
        "asked_by": request.asked_by,
        "until": write_instant(request.until),
    }
    return said if note is None else {**said, "note": note}


def verdict_details(request: Request, note: str) -> dict[str, Any]:
    """Of an approval or a refusal."""
    return {"id": request.id, "digest": request.act.digest, "note": note}


def used_details(request: Request) -> dict[str, Any]:
    """Of the approval that is used up; the act's own entry follows and names it."""
    return {"id": request.id, "digest": request.act.digest, "officers": list(request.approved_by)}


ASKED, GIVEN, DENIED, USED = _ASKED, _GIVEN, _REFUSED, _USED

Rows = Iterable[tuple[int, datetime, str, Mapping[str, Any]]]


def read_rule(rows: Rows) -> Rule | None:
    """The rule that was entered last, None before there was one. Raises RecordBroken."""
    found: Rule | None = None
    for number, _, outcome, details in rows:
        if outcome == RULE:
            try:
                found = Rule(
                    acts=frozenset(details["acts"]), officers=dict(details["officers"]), lasts_h=int(details["lasts_h"])
                )
            except (KeyError, TypeError, ValueError) as error:
                raise RecordBroken(f"entry {number} about approvals is unreadable") from error
    return found


def read_requests(rows: Rows, *, rule: Rule, member: str) -> dict[str, Request]:
    """Every request by its id; a signature that is not good by the rule in force counts for nothing. RecordBroken."""
    requests: dict[str, Request] = {}
    for number, at, outcome, details in rows:
        try:
            if outcome == _ASKED:
                request = _asked(at, details)
                note = details.get("note")
                requests[request.id] = request if note is None else _given(request, note, rule, member)
            elif outcome in (_GIVEN, _REFUSED, _USED):
                requests[details["id"]] = _later(requests[details["id"]], outcome, details, rule=rule, member=member)
        except (KeyError, TypeError, ValueError, CommandRefused) as error:
            raise RecordBroken(f"entry {number} about an approval is unreadable") from error
    return requests


def _asked(at: datetime, details: Mapping[str, Any]) -> Request:
    return Request(
        id=details["id"],
        act=Act(kind=details["act"], what=details["what"]),
        asked_by=details["asked_by"],
        asked_at=at,
        until=datetime.fromisoformat(details["until"]),
    )


def _later(request: Request, outcome: str, details: Mapping[str, Any], *, rule: Rule, member: str) -> Request:
    if outcome == _GIVEN:
        return _given(request, details["note"], rule, member)
    if outcome == _USED:
        return replace(request, is_used=True)
    try:
        return replace(request, refused_by=signer_of(details["note"], request.statement(member, Verdict.REFUSE), rule))
    except SecurityFailed:
        return request


def _given(request: Request, note: str, rule: Rule, member: str) -> Request:
    try:
        officer = signer_of(note, request.statement(member, Verdict.APPROVE), rule)
    except SecurityFailed:
        return request
    if officer in request.approved_by:
        return request
    return replace(request, approved_by=(*request.approved_by, officer))

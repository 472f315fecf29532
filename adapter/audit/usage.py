"""What one person is told of the record: who got their data, what of it, on which ground; and how much not yet.

Told is what was really released: an authorised request whose answer was recorded, which it is before it leaves. What
was refused is a number: no data went out, and a list of refusals would let anybody write names into a person's view.

A legal basis whose kind the directory marks as withheld (a secrecy order) is told from the day after its `until`, by
the calendar of UTC, the last day of which ends after Tashkent's; until then it is one of a number. So is what an
officer's order covers (audit.secrecy), until it ends. Both numbers are of the whole record, never of a period or of an
earlier size: with periods of a minute the number alone would say when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from adapter.audit.entry import REFUSED, REQUEST_RECEIVED
from adapter.audit.secrecy import SecrecyOrder, covered_by
from adapter.directory.content import BasisName, LegalBasisKind, Titles
from adapter.directory.model import Directory
from adapter.errors import InvalidIdentifier, RecordBroken
from adapter.identifiers import RecordNumber, SubsystemId

MAX_PAGE_LINES: Final = 100
_UNTIL: Final = BasisName.UNTIL.value


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLine:
    """An entry as it is stored; body is what leaf_hash is of, read."""

    number: RecordNumber
    leaf_hash: bytes
    at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An entry about the person: a request that was let in, with the entry of its answer, or a refusal."""

    entry: RecordLine
    answer: RecordLine | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageQuestion:
    """What is asked: a period (since is inclusive, until exclusive; None has no end) and a page of lines, newest first.

    first: how many lines are before the page. count: lines on it, 1 to MAX_PAGE_LINES. size: entries of the record
    when the first page was asked for, so that the pages fit together while others come in; None: all of them.
    officials: whether the rule of the adapter tells who asked; if not, the agency answers for its officials.
    """

    since: datetime | None = None
    until: datetime | None = None
    first: int = 0
    count: int = 20
    size: int | None = None
    officials: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageLine:
    """One release of the person's data.

    logged: when the answer was recorded. action: service and operation. receiver: the consumer's subsystem; its names
    are those of today's directory, none when it is no longer a member. system: the subsystem that gave the data.
    fields: what went out, by path; None: the whole answer of the service. emergency: whether it was asked for in one.
    """

    logged: datetime
    service: str
    operation: str
    receiver: str
    receiver_names: Titles
    system: str
    purpose: str | None
    legal_basis: Mapping[str, str]
    consent: str | None
    regulation: str | None
    official: str | None
    fields: tuple[str, ...] | None
    request: RecordLine
    answer: RecordLine
    emergency: bool = False

    @property
    def action(self) -> str:
        """The service and what was asked of it."""
        return f"{self.service} {self.operation}"


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageView:
    """A page of what a person is told. total: lines of the period, in the record of the size that was asked for.

    withheld, refused: numbers of the whole record as it is now.
    """

    total: int
    withheld: int
    refused: int
    lines: tuple[UsageLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineProof:
    """The hashes (RFC 6962, 2.1.1) that lead from the two entries of a line to the checkpoint."""

    request: tuple[bytes, ...]
    answer: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageAnswer:
    """A page with what shows an outsider that its lines are in the record of this size.

    checkpoint: the signed note (C2SP) of that size; None as long as the record is empty.
    """

    view: UsageView
    first: int
    size: int
    checkpoint: str | None
    proofs: tuple[LineProof, ...]


def usage_view(
    asked: Iterable[Asked],
    question: UsageQuestion,
    directory: Directory,
    *,
    now: datetime,
    orders: Sequence[SecrecyOrder] = (),
) -> UsageView:
    """The page that is asked for. asked: all entries about the person, newest first. orders: of this adapter.

    Raises RecordBroken.
    """
    told: list[Asked] = []
    total = withheld = refused = 0
    today = now.astimezone(UTC).date()
    for one in asked:
        body = one.entry.body
        secret = _is_withheld(body, directory.legal_basis_kinds, today) or covered_by(body, orders, today)
        if body.get("kind") == REFUSED:
            refused += not secret
        elif one.answer is None or body.get("kind") != REQUEST_RECEIVED:
            continue
        elif secret:
            withheld += 1
        elif _within(one.answer, question):
            if question.first <= total < question.first + min(question.count, MAX_PAGE_LINES):
                told.append(one)
            total += 1
    return UsageView(
        total=total,
        withheld=withheld,
        refused=refused,
        lines=tuple(_line(one.entry, one.answer, question, directory) for one in told if one.answer is not None),
    )


def _is_withheld(body: Mapping[str, Any], kinds: Mapping[str, LegalBasisKind], today: date) -> bool:
    """Whether the person is not told yet.

    A withheld basis without a readable last day stays withheld, and so does one of a kind that the directory no longer
    has, as long as it names a last day that is not past: a kind that is taken out must not open what it closed.
    """
    basis = body.get("legal_basis") or {}
    kind = kinds.get(basis.get("kind", ""))
    until = basis.get(_UNTIL)
    if kind is None:
        return until is not None and _not_past(until, today)
    return kind.withheld and (until is None or _not_past(until, today))


def _not_past(until: object, today: date) -> bool:
    try:
        return today <= date.fromisoformat(str(until))
    except ValueError:
        return True


def _within(answer: RecordLine, question: UsageQuestion) -> bool:
    return (
        (question.since is None or answer.at >= question.since)
        and (question.until is None or answer.at < question.until)
        and (question.size is None or answer.number < question.size)
    )


def _line(request: RecordLine, answer: RecordLine, question: UsageQuestion, directory: Directory) -> UsageLine:
    body, fields = request.body, answer.body.get("fields")
    try:
        service, operation, receiver = body["service"], body["operation"], body["consumer"]
        member = directory.members.get(SubsystemId.parse(receiver).member)
    except (KeyError, InvalidIdentifier) as error:
        raise RecordBroken(f"entry {request.number} does not say who asked for what") from error
    return UsageLine(
        logged=answer.at,
        service=service,
        operation=operation,
        receiver=receiver,
        receiver_names={} if member is None else member.names,
        system="/".join(service.split("/")[:4]),
        purpose=body.get("purpose"),
        legal_basis=dict(body.get("legal_basis") or {}),
        consent=body.get("consent"),
        regulation=body.get("regulation"),
        official=body.get("official") if question.officials else None,
        fields=None if fields is None else tuple(fields),
        request=request,
        answer=answer,
        emergency=body.get("emergency") is not None,
    )

"""The small header of a client system (xsd/client.xsd): what only the one who asks can know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeVar

from lxml import etree

from adapter.envelope.gate_structure import children, line_of, local_name
from adapter.envelope.names import CLIENT, REQUEST_CONTEXT
from adapter.envelope.statements import (
    MAX_SUBJECTS,
    read_legal_basis,
    read_official,
    read_plain,
    read_purpose,
    read_represented_party,
    read_subject,
)
from adapter.errors import ContextInvalid, EnvelopeRefused, InvalidIdentifier, Problem
from adapter.identifiers import OfficialId, Purpose, SubjectId
from adapter.stages import LegalBasis, RepresentedParty


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContext:
    """What a client system says of its request: who asks, why, about whom. The settings may say what is absent."""

    official: OfficialId | None = None
    purpose: Purpose | None = None
    legal_basis: LegalBasis | None = None
    regulation: str | None = None
    subjects: tuple[SubjectId, ...] = ()
    consent: str | None = None
    issue: str | None = None
    represented_party: RepresentedParty | None = None
    emergency: str | None = field(default=None, repr=False)


_ORDER: Final = (
    "Official",
    "Purpose",
    "LegalBasis",
    "Regulation",
    "Subject",
    "Consent",
    "Issue",
    "RepresentedParty",
    "Emergency",
)


def read_request_context(element: etree._Element) -> RequestContext:
    """The header block (untrusted) as a value.

    Raises ContextInvalid for its structure and InvalidIdentifier for an identifier, both saying where.
    """
    by_name: dict[str, list[etree._Element]] = {name: [] for name in _ORDER}
    for child, name in _in_order(element):
        by_name[name].append(child)
    return RequestContext(
        official=_first(by_name["Official"], read_official),
        purpose=_first(by_name["Purpose"], read_purpose),
        legal_basis=_first(by_name["LegalBasis"], read_legal_basis),
        regulation=_first(by_name["Regulation"], read_plain),
        subjects=tuple(_read(child, read_subject) for child in by_name["Subject"]),
        consent=_first(by_name["Consent"], read_plain),
        issue=_first(by_name["Issue"], read_plain),
        represented_party=_first(by_name["RepresentedParty"], read_represented_party),
        emergency=_first(by_name["Emergency"], read_plain),
    )


def _in_order(element: etree._Element) -> list[tuple[etree._Element, str]]:
    """The children with their local names: known ones, in the order of the schema, only Subject more than once."""
    if element.tag != REQUEST_CONTEXT:
        _invalid(element, "not a RequestContext block")
    try:
        found = [(child, child.tag.removeprefix(f"{{{CLIENT}}}")) for child in children(element)]
    except EnvelopeRefused as cause:
        _invalid(element, cause.reason)
    at = 0
    for child, name in found:
        if name not in _ORDER[at:]:
            _invalid(child, f"an element of RequestContext is unknown, repeated or out of order: {', '.join(_ORDER)}")
        at = _ORDER.index(name) + (name != "Subject")
    if len(found) > MAX_SUBJECTS:
        _invalid(element, f"RequestContext has more than {MAX_SUBJECTS} subjects")
    return found


_Read = TypeVar("_Read")


def _first(found: list[etree._Element], read: Callable[[etree._Element], _Read]) -> _Read | None:
    return _read(found[0], read) if found else None


def _read(element: etree._Element, read: Callable[[etree._Element], _Read]) -> _Read:
    try:
        return read(element)
    except EnvelopeRefused as cause:
        _invalid(element, cause.reason)
    except InvalidIdentifier as cause:
        raise InvalidIdentifier(cause.reason, problems=(_problem(element, "identifier", cause.reason),)) from None


def _invalid(element: etree._Element, reason: str) -> NoReturn:
    raise ContextInvalid(reason, problems=(_problem(element, "client.xsd", reason),)) from None


def _problem(element: etree._Element, rule: str, text: str) -> Problem:
    return Problem(line=line_of(element), column=0, element=local_name(element), rule=rule, text=f"{text}.")

"""The member `context` of a JSON call: what SOAP clients say in the RequestContext header (xsd/client.xsd)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from adapter.dialects.json_read import Written
from adapter.dialects.json_text import Json, Number, kind_of, pointer_to, shown
from adapter.dialects.json_unknown import nearest
from adapter.dialects.json_values import Unfit, xml_text
from adapter.envelope.names import CLIENT
from adapter.envelope.statements import BASIS_NAMES, MAX_SUBJECTS
from adapter.errors import ContextInvalid, Problem
from adapter.xmlsafe import escape_attribute, escape_text

POINTER: Final = "/context"
# Member, element, and for those with two members: the one that is an attribute, and the one that is the text.
_PLAIN: Final = {
    "official": "Official",
    "purpose": "Purpose",
    "regulation": "Regulation",
    "consent": "Consent",
    "issue": "Issue",
    "emergency": "Emergency",
}
_LEGAL_BASIS: Final = ("legalBasis", "LegalBasis", "kind", "reference")
_SUBJECT: Final = ("subjects", "Subject", "kind", "value")
_PARTY: Final = ("representedParty", "RepresentedParty", "class", "code")
_ORDER: Final = (
    "official",
    "purpose",
    "legalBasis",
    "regulation",
    "subjects",
    "consent",
    "issue",
    "representedParty",
    "emergency",
)


def context_from_json(value: Json, *, first_line: int = 1) -> Written:
    """The RequestContext as text, from what the client sent (untrusted). What each value may be, its reader says.

    Raises ContextInvalid with a pointer.
    """
    members = _object(value, POINTER, _ORDER)
    line = first_line
    start = "\n" * (first_line - 1) + f'<c:RequestContext xmlns:c="{CLIENT}"'
    parts, pointers = [start, "\n>"], {line + 1: POINTER}
    line += 1
    for name in _ORDER:
        for written, pointer in _elements(name, members):
            parts.append(written)
            line += 1
            pointers[line] = pointer
    return Written(octets="".join([*parts, "</c:RequestContext>"]).encode(), pointers=pointers)


def _elements(name: str, members: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The elements of one member, each with its pointer. Their text stays on one line."""
    if members.get(name) is None:
        return []
    pointer = pointer_to(POINTER, name)
    value = members[name]
    if name in _PLAIN:
        return [(_element(_PLAIN[name], "", _text(value, pointer)), pointer)]
    if name == _LEGAL_BASIS[0]:
        return [(_pair(value, pointer, _LEGAL_BASIS, more=tuple(sorted(BASIS_NAMES))), pointer)]
    if name == _PARTY[0]:
        return [(_pair(value, pointer, _PARTY, is_optional=True), pointer)]
    if not isinstance(value, list) or len(value) > MAX_SUBJECTS:
        _refuse(pointer, f"An array of at most {MAX_SUBJECTS} objects is wanted here.")
    places = [pointer_to(pointer, at) for at in range(len(value))]
    return [(_pair(item, place, _SUBJECT), place) for item, place in zip(value, places, strict=True)]


def _pair(
    value: Json,
    pointer: str,
    form: tuple[str, str, str, str],
    *,
    is_optional: bool = False,
    more: tuple[str, ...] = (),
) -> str:
    """An element with a text and an attribute. is_optional: the attribute may be absent. more: others that may be."""
    _, element, attribute, content = form
    members = _object(value, pointer, (attribute, content, *more))
    attributes = ""
    for name in (attribute, *more):
        if name in members or (name == attribute and not is_optional):
            text = _text(members.get(name), pointer_to(pointer, name))
            attributes += f' {name}="{escape_attribute(text)}"'
    return _element(element, attributes, _text(members.get(content), pointer_to(pointer, content)))


def _element(name: str, attributes: str, text: str) -> str:
    return f"<c:{name}{attributes}\n>{escape_text(text)}</c:{name}>"


def _object(value: Json, pointer: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(pointer, f"An object is wanted here, not {kind_of(value)}.")
    for name in value:
        if name not in known:
            _refuse(pointer_to(pointer, name), f'There is no member "{shown(name)}" here; {nearest(name, known)}')
    return value


def _text(value: Json, pointer: str) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        _refuse(pointer, f"A string is wanted here, not {kind_of(value)}.")
    try:
        return " ".join(xml_text(value).split("\n"))
    except Unfit as unfit:
        _refuse(pointer, str(unfit))


def _refuse(pointer: str, text: str) -> NoReturn:
    problem = Problem(line=0, column=0, element="RequestContext", rule="json.context", text=text, pointer=pointer)
    raise ContextInvalid("the member context has not its form", problems=(problem,))

"""What a header block says of a request, element by element: the readers that our blocks share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lxml import etree

from adapter.envelope.gate_structure import check_attributes, leaf_text, refuse
from adapter.identifiers import OfficialId, Purpose, SubjectId, is_day
from adapter.stages import LegalBasis, RepresentedParty

MAX_VALUE_CHARS: Final = 512
MAX_SUBJECTS: Final = 1000
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Control characters, and those that change the direction of what a person reads.
_UNREADABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_XML_SPACES: Final = re.compile(r"[ \t\r\n]+")
_KIND: Final = frozenset(("kind",))
BASIS_NAMES: Final = frozenset(("document", "article", "number", "date", "court", "until"))
_DAYS: Final = frozenset(("date", "until"))
_CLASS: Final = frozenset(("class",))


def matching(pattern: re.Pattern[str], text: str, name: str) -> str:
    """The text, which must have this form. Raises EnvelopeRefused."""
    if not pattern.fullmatch(text):
        refuse(f"{name} has a wrong form")
    return text


def readable(text: str, name: str) -> str:
    """A line of text, white space collapsed as xs:token has it. Raises EnvelopeRefused: empty, too long, controls."""
    line = " ".join(_XML_SPACES.split(text)).strip(" ")
    if not line or len(line) > MAX_VALUE_CHARS or _UNREADABLE.search(line):
        refuse(f"{name} is empty, longer than {MAX_VALUE_CHARS} characters, or has a control character")
    return line


def read_official(element: etree._Element) -> OfficialId:
    """The official who asks. Raises EnvelopeRefused, InvalidIdentifier."""
    check_attributes(element)
    return OfficialId(leaf_text(element, max_chars=MAX_VALUE_CHARS))


def read_purpose(element: etree._Element) -> Purpose:
    """A purpose by its code. Whether the directory lists it is another question. Raises EnvelopeRefused."""
    check_attributes(element)
    return Purpose(matching(CODE, leaf_text(element, max_chars=MAX_VALUE_CHARS), "Purpose"))


def read_subject(element: etree._Element) -> SubjectId:
    """A subject with its kind. Raises EnvelopeRefused, InvalidIdentifier."""
    check_attributes(element, _KIND)
    return SubjectId(element.get("kind", ""), leaf_text(element, max_chars=MAX_VALUE_CHARS))


def read_legal_basis(element: etree._Element) -> LegalBasis:
    """A legal basis: its kind's code, what it refers to and what it names apart. Raises EnvelopeRefused."""
    check_attributes(element, _KIND, BASIS_NAMES)
    return LegalBasis(
        kind=matching(CODE, element.get("kind", ""), "LegalBasis"),
        reference=readable(leaf_text(element, max_chars=MAX_VALUE_CHARS), "LegalBasis"),
        names=basis_names({str(name): str(value) for name, value in element.items()})
        if len(element.attrib) > 1
        else (),
    )


def basis_names(named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What a legal basis names apart, out of its attributes. Raises EnvelopeRefused: unreadable, or no such day."""
    names = tuple((name, readable(named[name], f"LegalBasis {name}")) for name in sorted(BASIS_NAMES & named.keys()))
    for name, value in names:
        if name in _DAYS and not is_day(value):
            refuse(f"LegalBasis {name} is a day, written 2026-12-31")
    return names


def read_plain(element: etree._Element) -> str:
    """A text without attributes and control characters. Raises EnvelopeRefused."""
    check_attributes(element)
    return readable(leaf_text(element, max_chars=MAX_VALUE_CHARS), element.tag.rpartition("}")[2])


def read_represented_party(element: etree._Element) -> RepresentedParty:
    """Whom the consumer speaks for: a code, and its class if there is one. Raises EnvelopeRefused."""
    check_attributes(element, optional=_CLASS)
    return represented_party(element.get("class"), leaf_text(element, max_chars=MAX_VALUE_CHARS))


def represented_party(party_class: str | None, code: str) -> RepresentedParty:
    """The same from its two texts. Raises EnvelopeRefused."""
    return RepresentedParty(
        party_class=None if party_class is None else matching(CODE, party_class, "RepresentedParty"),
        code=readable(code, "RepresentedParty"),
    )

"""The words in which the structure gates are written: exactly these children, these attributes, a text this short.

Every function refuses with EnvelopeRefused and a reason that names elements and attributes, never a value. Nothing
here looks anything up by a search through the document: an element is what stands at its place, or it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from lxml import etree

from adapter.envelope.names import SOAP12_MUST_UNDERSTAND
from adapter.errors import EnvelopeRefused
from adapter.xmlsafe import decode_base64

# NCName without the letters outside ASCII: ids and prefixes of every stack in the field fit.
_NCNAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,127}")
_TRUE: Final = frozenset(("true", "1"))
_NONE: Final[frozenset[str]] = frozenset()


def refuse(reason: str) -> NoReturn:
    """Refuse the message. Raises EnvelopeRefused."""
    raise EnvelopeRefused(reason)


def local_name(element: etree._Element) -> str:
    """The element's local name, for a reason."""
    return str(element.tag).rpartition("}")[2][:64]


def line_of(element: etree._Element) -> int:
    """The line where the element begins, from 1; 0 when it does not come from a document."""
    line: int | None = getattr(element, "sourceline", None)
    return line or 0


def check_attributes(
    element: etree._Element, required: frozenset[str] = _NONE, optional: frozenset[str] = _NONE
) -> None:
    """The element has all required attributes and no other than the optional ones (an unknown `Id`, `role`, …)."""
    found = element.keys()
    if not found and not required:
        return
    if len(found) == len(required) and required.issuperset(found):
        return
    for name in found:
        if name not in required and name not in optional:
            refuse(f"{local_name(element)} has an attribute that is not allowed: {str(name)[:128]}")
    for name in required:
        if name not in found:
            refuse(f"{local_name(element)} lacks the attribute {name}")


def attribute(element: etree._Element, name: str) -> str:
    """The value of a required attribute. Raises EnvelopeRefused when it is absent."""
    value = element.get(name)
    if value is None:
        refuse(f"{local_name(element)} lacks the attribute {name}")
    return value


def children(element: etree._Element) -> list[etree._Element]:
    """The child elements, with nothing but white space between them (comments were refused for the whole document)."""
    found = list(element)
    text = element.text
    if text and not text.isspace():
        refuse(f"{local_name(element)} has text between its elements")
    for child in found:
        tail = child.tail
        if tail and not tail.isspace():
            refuse(f"{local_name(element)} has text between its elements")
    return found


def sequence(element: etree._Element, *names: str) -> list[etree._Element]:
    """Exactly these child elements in this order."""
    found = children(element)
    if [child.tag for child in found] != list(names):
        wanted = ", ".join(name.rpartition("}")[2] for name in names)
        refuse(f"{local_name(element)} must have exactly these children in this order: {wanted}")
    return found


def only_child(element: etree._Element, name: str) -> etree._Element:
    """The one child element, of this name."""
    return sequence(element, name)[0]


def leaf_text(element: etree._Element, *, max_chars: int) -> str:
    """The text of an element that has no child, outer white space removed."""
    if len(element):
        refuse(f"{local_name(element)} must have text only")
    text = element.text or ""
    if len(text) > max_chars:
        refuse(f"{local_name(element)} is longer than {max_chars} characters")
    return text.strip(" \t\r\n")


def check_empty(element: etree._Element) -> None:
    """Neither child nor text."""
    if len(element) or (element.text and not element.text.isspace()):
        refuse(f"{local_name(element)} must be empty")


def leaf_octets(element: etree._Element, *, max_chars: int) -> bytes:
    """The octets of an element that holds xs:base64Binary; max_chars bounds the text, white space included."""
    if len(element):
        refuse(f"{local_name(element)} must have text only")
    return decode_base64(element.text or "", max_chars=max_chars, error=EnvelopeRefused)


def check_algorithm(element: etree._Element, algorithm: str) -> None:
    """The element's only attribute is Algorithm, with exactly this value, and it is empty."""
    if element.items() != [("Algorithm", algorithm)]:
        refuse(f"{local_name(element)} must have an Algorithm that is on the list, and no other attribute")
    check_empty(element)


def read_algorithm(element: etree._Element) -> str:
    """The Algorithm attribute, which must be the only one."""
    if element.keys() != ["Algorithm"]:
        refuse(f"{local_name(element)} must have an Algorithm and no other attribute")
    return attribute(element, "Algorithm")


def check_must_understand(element: etree._Element) -> None:
    """env:mustUnderstand is present and true (SOAP 1.2 Part 1, 5.2.3)."""
    if element.get(SOAP12_MUST_UNDERSTAND, "").strip() not in _TRUE:
        refuse(f"{local_name(element)} must be marked mustUnderstand")


def local_reference(uri: str) -> str:
    """The id in a same-document reference `#id`; every other URI, XPointer included, is refused and never opened."""
    if not uri.startswith("#") or not _NCNAME.fullmatch(uri, 1):
        refuse("a reference that is not #id")
    return uri[1:]


@dataclass(kw_only=True, slots=True)
class Ids:
    """The ids of one message, each unique over the outer document and everything that is decrypted from it."""

    seen: set[str] = field(default_factory=set)

    def add(self, value: str) -> str:
        """Register an id. Raises EnvelopeRefused when it is no NCName or occurs twice."""
        if not _NCNAME.fullmatch(value):
            refuse("an id that is not an NCName of at most 128 characters")
        if value in self.seen:
            refuse("an id occurs twice")
        self.seen.add(value)
        return value


def read_prefix_list(element: etree._Element) -> tuple[str, ...]:
    """The PrefixList of an InclusiveNamespaces element: at most 16 different prefixes, not #default.

    Exclusive XML Canonicalization 1.0, 3; `#default` cannot be computed by the canonicaliser (see DESIGN, traps).
    """
    check_attributes(element, _PREFIX_LIST)
    check_empty(element)
    text = attribute(element, "PrefixList")
    if len(text) > 1024:
        refuse("a PrefixList longer than 1024 characters")
    prefixes = tuple(text.split())
    if len(prefixes) > 16 or len(set(prefixes)) != len(prefixes):
        refuse("a PrefixList with more than 16 prefixes or the same prefix twice")
    if not all(_NCNAME.fullmatch(prefix) for prefix in prefixes):
        refuse("a PrefixList with something that is not a prefix")
    return prefixes


_PREFIX_LIST: Final = frozenset(("PrefixList",))

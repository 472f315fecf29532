"""A message whose values nobody can read and whose structure everybody can: for traces and the sandbox's log.

Every letter and digit of every text and attribute is replaced by one of its shape (`Каримов` is `Ххххххх`, `1990-01-01`
is `9999-99-99`), so that a length, a script, a separator or a stray blank still shows. Names of elements, prefixes and
what the schema language itself says (`xsi:type`, `xsi:nil`) stay. Nothing of a value can be got back but its shape.
"""

from __future__ import annotations

import unicodedata
from copy import deepcopy
from typing import Final

from lxml import etree

from adapter.envelope import names

MAX_SHOWN_CHARS: Final = 120
_CLEAR_NAMESPACES: Final = frozenset(
    (
        names.SOAP11,
        names.SOAP12,
        names.ENVELOPE,
        names.WSSE,
        names.WSU,
        names.WSSE11,
        names.DS,
        names.DSIG11,
        names.DSIG_MORE,
        names.XENC,
        names.XENC11,
        names.EXC_C14N,
    )
)
_KINDS: Final = frozenset((names.ENVELOPE, names.CLIENT))
_PLAIN_ATTRIBUTES: Final = frozenset(
    (
        names.XSI_TYPE,
        names.qname(names.XSI, "nil"),
        names.SOAP11_MUST_UNDERSTAND,
        names.SOAP12_MUST_UNDERSTAND,
        names.WSU_ID,
    )
)


def masked_text(text: str) -> str:
    """The shape of a text, cut after MAX_SHOWN_CHARS characters, with how many there are."""
    shown = "".join(map(_shape, text[:MAX_SHOWN_CHARS]))
    return shown if len(text) <= MAX_SHOWN_CHARS else f"{shown}… ({len(text)} characters)"


def masked(element: etree._Element) -> etree._Element:
    """A copy of the element in which every value has only its shape; comments and the like are left out.

    element: untrusted or verified; it is not changed. What stands below is masked too, whatever it is called.
    """
    copy = deepcopy(element)
    copy.tail = None
    etree.strip_tags(copy, etree.Comment, etree.ProcessingInstruction)
    for found in copy.iter(etree.Element):
        found.text = _masked_or_none(found.text)
        if found is not copy:
            found.tail = _masked_or_none(found.tail)
        for name, value in found.attrib.items():
            # `kind` of a subject or a legal basis is a word of the directory, not a value of somebody.
            is_kind = name == "kind" and etree.QName(found).namespace in _KINDS
            if name not in _PLAIN_ATTRIBUTES and not is_kind:
                found.set(name, masked_text(str(value)))
    return copy


def shown_envelope(root: etree._Element) -> etree._Element:
    """A copy of a message between adapters as it goes over the wire: what is clear stays, what is long is cut.

    root: untrusted. Its Exchange header is clear on the wire; all else is ciphertext, certificates and digests. A
    message that has its Body or an encrypted header in the clear is not one: its values are masked.
    """
    copy = deepcopy(root)
    etree.strip_tags(copy, etree.Comment, etree.ProcessingInstruction)
    secret = {found for block in copy.iter(names.PERSONAL_DATA, names.ATTACHMENTS) for found in block.iter()}
    for found in copy.iter(etree.Element):
        found.tail = _masked_or_none(found.tail)
        if found in secret or etree.QName(found).namespace not in _CLEAR_NAMESPACES:
            found.text = _masked_or_none(found.text)
            for name, value in found.attrib.items():
                found.set(name, masked_text(str(value)))
        elif found.text and len(found.text) > MAX_SHOWN_CHARS:
            found.text = f"{found.text[:12]}… ({len(found.text)} characters)"
    return copy


def _masked_or_none(text: str | None) -> str | None:
    return None if text is None else (masked_text(text) if text.strip() else text)


def _shape(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return "9"
    if category[0] not in "LN":
        return character
    is_cyrillic = "CYRILLIC" in unicodedata.name(character, "")
    if category == "Lu":
        return "Х" if is_cyrillic else "X"
    return "х" if is_cyrillic else "x"

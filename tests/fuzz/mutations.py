"""Changes to octets and to XML documents, each a function of decisions: the same decisions, the same change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

from lxml import etree

from tests.fuzz.choices import Choices
from tests.fuzz.model import Mutation

TOKENS = (
    b"", b" ", b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc2\x85", b"\r\n\r\n", b"--", b"\t",
    b"<", b">", b"</a>", b"<a/>", b"<!-- -->", b"<?p?>", b"<![CDATA[x]]>", b"<!DOCTYPE a>", b"&#x0;", b"&a;", b"&#x20;",
    b'"', b"'", b"=", b"/", b"..", b"%00", b"#", b":", b"0", b"-1", b"1e999", b"9" * 24, b"9" * 5000, b"[" * 300,
    b"AAAA", b"====", "ıİſK".encode(), "²٣".encode(), "\u202e\u2028\ufeff".encode(), b"{urn:x}y", b"xmlns=''", b"//",
)  # fmt: skip
_VALUES = (
    "", " ", "0", "1", "-1", "true", "env:Body", "#", "#body", "http://a.example/", "file:///etc/passwd", "cid:a",
    "9" * 30, "2026-03-02T09:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-02-30T09:00:00Z",
    "AAAA", "=", "a:b:c", "xs:int", "unbounded", "²", "\u2028", "x" * 300, "a|b", "{u}a", "../../x",
)  # fmt: skip
_LOOSE = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=True)


# --- octets ----------------------------------------------------------------------------------------------------------


def octet_mutation(*more_tokens: bytes) -> Mutation:
    """A change to a few octets. more_tokens: words of the format."""
    tokens = (*TOKENS, *more_tokens)

    def change(choices: Choices, octets: bytes) -> bytes:  # noqa: PLR0911 - one line for each change
        at = choices.number(len(octets) + 1)
        length = (0, 1, 2, 4, 16, 200)[choices.number(6)]
        before, span, after = octets[:at], octets[at : at + length], octets[at + length :]
        match choices.number(8):
            case 0:
                return before + after
            case 1:
                return before + choices.one(tokens) + span + after
            case 2:
                return before + choices.one(tokens) + after
            case 3:
                return before + span * (2, 3, 40)[choices.number(3)] + after
            case 4:
                return before
            case 5:
                to = choices.number(len(octets) + 1)
                rest = before + after
                return rest[:to] + span + rest[to:]
            case 6:
                return before + choices.octets(max(1, length)) + after
            case _:
                flipped = bytes(one ^ 1 << choices.number(8) for one in octets[at : at + 1])
                return before + flipped + octets[at + 1 :]

    return change


# --- documents -------------------------------------------------------------------------------------------------------


def xml_mutation(octets_too: Mutation | None = None) -> Mutation:
    """A change to an element, an attribute or a text; to octets, where there is no document or a decision says so."""
    in_octets = octets_too or octet_mutation()

    def change(choices: Choices, octets: bytes) -> bytes:
        if choices.number(4) == 0:
            return in_octets(choices, octets)
        try:
            root = etree.fromstring(octets, _LOOSE)
        except (etree.XMLSyntaxError, ValueError):
            root = None
        if root is None:
            return in_octets(choices, octets)
        elements = list(root.iter(etree.Element))
        try:
            choices.one(_TREE_CHANGES)(choices, elements, choices.one(elements))
        except (ValueError, TypeError):  # lxml does not write what cannot be written
            return in_octets(choices, octets)
        return etree.tostring(root, encoding="utf-8")

    return change


_Elements = Sequence[etree._Element]


def _remove(_choices: Choices, _elements: _Elements, element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(choices: Choices, _elements: _Elements, element: etree._Element) -> None:
    parent = element.getparent()
    for _ in range((1, 2, 70)[choices.number(3)]):
        if parent is not None:
            parent.insert(choices.number(len(parent) + 1), deepcopy(element))


def _move(choices: Choices, elements: _Elements, element: etree._Element) -> None:
    to = choices.one(elements)
    if element is not to and element not in to.iterancestors() and element.getparent() is not None:
        to.insert(choices.number(len(to) + 1), element)


def _put_copy(choices: Choices, elements: _Elements, element: etree._Element) -> None:
    to = choices.one(elements)
    to.insert(choices.number(len(to) + 1), deepcopy(element))


def _wrap(choices: Choices, _elements: _Elements, element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    inner = element
    for _ in range((1, 2, 120)[choices.number(3)]):
        around = etree.Element(choices.one((element.tag, parent.tag, "{urn:x}w")))
        around.append(inner)
        inner = around
    parent.insert(at, inner)


def _rename(choices: Choices, elements: _Elements, element: etree._Element) -> None:
    other = etree.QName(choices.one(elements))
    own = etree.QName(element)
    element.tag = str(choices.one((
        etree.QName(other.namespace, own.localname),
        etree.QName(own.namespace, other.localname),
        etree.QName(None, own.localname),
        etree.QName(own.namespace, "x"),
    )))  # fmt: skip


def _attribute(choices: Choices, elements: _Elements, element: etree._Element) -> None:
    source = choices.one(elements)
    names = [str(name) for name in (*element.keys(), *source.keys(), "Id", "{urn:x}a")]
    name = choices.one(names)
    known = [str(value) for one in (element, source) for value in one.values()]
    if choices.number(4) == 0:
        element.attrib.pop(name, "")
    else:
        element.set(name, choices.one((*known, *_VALUES)))


def _text(choices: Choices, elements: _Elements, element: etree._Element) -> None:
    other = choices.one(elements).text or ""
    own = element.text or ""
    at = choices.number(len(own) + 1)
    element.text = choices.one((other, *_VALUES, f"{own} ", f"\n{own}", own[:at], own[:at] + choices.one(_VALUES)))


def _comment(choices: Choices, _elements: _Elements, element: etree._Element) -> None:
    node = etree.Comment("c") if choices.number(2) else etree.ProcessingInstruction("p", "q")
    own = element.text or ""
    at = choices.number(len(own) + 1)
    element.text, node.tail = own[:at], own[at:]
    element.insert(0, node)


def _swap(choices: Choices, _elements: _Elements, element: etree._Element) -> None:
    if len(element) > 1:
        element.append(element[choices.number(len(element))])


_TREE_CHANGES: tuple[Callable[[Choices, _Elements, etree._Element], None], ...] = (
    _attribute, _text, _remove, _double, _move, _put_copy, _wrap, _rename, _attribute, _text, _comment, _swap,
)  # fmt: skip

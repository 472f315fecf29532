"""Where each element of a document begins, by line and column: libxml2 keeps lines only, and only up to 65535."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from lxml import etree

UNKNOWN: Final = (0, 0)
Position = tuple[int, int]
"""Line and column, both from 1; (0, 0) where nothing is known."""


class Positions:
    """The positions of the elements of one document."""

    def __init__(self, by_element: Mapping[etree._Element, Position]) -> None:
        self._by_element = by_element

    def of(self, element: etree._Element) -> Position:
        """Where the element's start tag begins."""
        return self._by_element.get(element, UNKNOWN)


def find_positions(octets: bytes, root: etree._Element) -> Positions:
    """Read the octets once more and note where each element begins.

    root: what `xmlsafe.parse` made of the octets: they are well-formed, without a DOCTYPE and within the limits.
    """
    found: list[Position] = []
    parser = expat.ParserCreate()

    def note(_name: str, _attributes: dict[str, str]) -> None:
        found.append((parser.CurrentLineNumber, parser.CurrentColumnNumber + 1))

    parser.StartElementHandler = note
    try:
        parser.Parse(octets, True)  # noqa: FBT003  expat takes it by position
    except expat.ExpatError:
        return Positions({})
    return Positions(dict(zip(root.iter(etree.Element), found, strict=False)))

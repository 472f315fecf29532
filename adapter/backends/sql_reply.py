"""Rows of a database made into the reply element of an operation. Pure.

A column's name says where its value goes: `Person/Name/Surname` is an element below elements, `Person/@id` an
attribute, `.` the element itself (in a list). Elements stand in the order of the columns. NULL is left out.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from lxml import etree

from adapter.errors import ProviderSystemInvalid, SettingsInvalid

_SEGMENT: Final = re.compile(r"(?:(?P<prefix>[A-Za-z_][\w.-]*):)?(?P<local>[A-Za-z_][\w.-]*)")
_PREFIX: Final = "tns"


@dataclass(frozen=True, slots=True)
class ReplyPath:
    """A column's name, understood. elements: tags from the reply (or the list's element) down."""

    elements: tuple[str, ...]
    attribute: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyNames:
    """How the names in paths are meant.

    element: the reply, `{namespace}local`. qualified: whether names without a prefix are in the reply's namespace
    (elementFormDefault of its schema). namespaces: prefix to namespace.
    """

    element: str
    qualified: bool
    namespaces: Mapping[str, str]
    _known: dict[str, ReplyPath] = field(default_factory=dict, init=False, repr=False, compare=False)

    def path(self, text: str) -> ReplyPath:
        """Read `A/B`, `A/@b` or `.`. Raises SettingsInvalid."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._read(text)
        return known

    def _read(self, text: str) -> ReplyPath:
        if text == ".":
            return ReplyPath(())
        *parents, last = text.split("/")
        if last.startswith("@"):
            return ReplyPath(tuple(self._tag(part) for part in parents), _local(last[1:]))
        return ReplyPath(tuple(self._tag(part) for part in (*parents, last)))

    def _tag(self, segment: str) -> str:
        found = _SEGMENT.fullmatch(segment)
        if not found:
            raise SettingsInvalid(f"the column name has the part {segment!r}, which is no element name")
        prefix, local = found.group("prefix"), found.group("local")
        if prefix:
            if prefix not in self.namespaces:
                raise SettingsInvalid(f"the prefix {prefix} is not in [namespaces]")
            return f"{{{self.namespaces[prefix]}}}{local}"
        namespace = etree.QName(self.element).namespace
        return f"{{{namespace}}}{local}" if self.qualified and namespace else local


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave: the columns' names in order, and the rows."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]

    @property
    def size(self) -> int:
        """About how many octets of XML this makes."""
        values = (value for row in self.rows for value in row)
        return sum(_AROUND_VALUE + (len(value) if isinstance(value, (str, bytes)) else 0) for value in values)


_AROUND_VALUE: Final = 32


def build_reply(names: ReplyNames, main: Rows, lists: Mapping[str, Rows]) -> etree._Element:
    """The reply from the one row of the main query and the rows of each list.

    lists: path of the repeated element to its rows. A list stands where the main query has a column of its path
    (whose value does not count), else at the end of its parent.
    Raises ProviderSystemInvalid: a value that XML cannot hold. SettingsInvalid: a column's name that is no path.
    """
    namespace = etree.QName(names.element).namespace
    reply = etree.Element(names.element, nsmap={_PREFIX: namespace} if namespace else None)
    waiting = dict(lists)
    for column, value in zip(main.columns, main.rows[0], strict=True):
        if column in lists:
            _place_list(reply, names.path(column), waiting.pop(column, Rows((), ())), names)
        else:
            _place(reply, names.path(column), value)
    for path, rows in waiting.items():
        _place_list(reply, names.path(path), rows, names)
    return reply


def _place_list(reply: etree._Element, path: ReplyPath, rows: Rows, names: ReplyNames) -> None:
    for row in rows.rows:
        parent = _descend(reply, path.elements[:-1])
        element = etree.SubElement(parent, path.elements[-1])
        for column, value in zip(rows.columns, row, strict=True):
            _place(element, names.path(column), value)


def _place(base: etree._Element, path: ReplyPath, value: object) -> None:
    if value is None:
        return
    try:
        if path.attribute is not None:
            _descend(base, path.elements).set(path.attribute, lexical(value))
        elif not path.elements:
            base.text = lexical(value)
        else:
            etree.SubElement(_descend(base, path.elements[:-1]), path.elements[-1]).text = lexical(value)
    except ValueError:
        raise ProviderSystemInvalid("the database holds a text with characters that XML cannot carry") from None


def _descend(base: etree._Element, elements: tuple[str, ...]) -> etree._Element:
    """The last element of this path, made where it is not there yet."""
    for tag in elements:
        last = base[-1] if len(base) else None
        base = last if last is not None and last.tag == tag else etree.SubElement(base, tag)
    return base


def lexical(value: object) -> str:
    """A database value in the lexical form of its XML Schema type (Part 2, 3.2). Raises ProviderSystemInvalid."""
    for types, write in _FORMS:
        if isinstance(value, types):
            return write(value)
    raise ProviderSystemInvalid(f"a column has values of the type {type(value).__name__}, which has no form in XML")


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else _NOT_FINITE[str(value)]


_NOT_FINITE: Final = {"inf": "INF", "-inf": "-INF", "nan": "NaN"}
# bool before int, which it is a kind of.
_FORMS: Final[tuple[tuple[tuple[type, ...], Callable[[Any], str]], ...]] = (
    ((str,), str),
    ((bool,), lambda value: "true" if value else "false"),
    ((int, UUID), str),
    ((float,), _float),
    ((Decimal,), lambda value: format(value, "f")),
    ((date, time), lambda value: str(value.isoformat())),
    ((bytes, bytearray, memoryview), lambda value: base64.b64encode(bytes(value)).decode("ascii")),
)


def _local(name: str) -> str:
    if not _SEGMENT.fullmatch(name) or ":" in name:
        raise SettingsInvalid(f"the column name has the part @{name!r}, which is no attribute name")
    return name

"""The document that is examined, and the problems noted so far: what both kinds of examination share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from lxml import etree

from adapter.contracts import contract_path
from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.lint_positions import UNKNOWN, Position, Positions
from adapter.envelope.schema_words import Finding, Words, describe
from adapter.errors import AdapterError, Problem
from adapter.stages import ParsedMessage

MAX_PROBLEMS: Final = 200
_LEADING_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]+")


@dataclass(kw_only=True, slots=True)
class Desk:
    """The document on the desk and the problems noted so far."""

    parsed: ParsedMessage
    positions: Positions
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def root(self) -> etree._Element:
        """The document's root element."""
        return self.parsed.root

    def note(self, element: etree._Element | None, rule: str, text: str, *, place: Position | None = None) -> None:
        """Note one problem, once. element: where it is, None for the document."""
        at = place or (UNKNOWN if element is None else self.positions.of(element))
        name = "" if element is None else local_name(element)
        problem = Problem(line=at[0], column=at[1], element=name, rule=rule, text=sentence(text))
        if problem not in self.problems and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def has_problem_at(self, element: etree._Element) -> bool:
        """Whether something was noted about exactly this element."""
        return self.positions.of(element) in {(problem.line, problem.column) for problem in self.problems}

    def attempt(self, element: etree._Element, rule: str, check: Callable[[], object]) -> bool:
        """Run a reader of the gate; what it refuses becomes a problem at the element that the reason names."""
        try:
            check()
        except AdapterError as refused:
            self.note(self._meant(element, refused.reason), rule, refused.reason)
            return False
        return True

    def _meant(self, element: etree._Element, reason: str) -> etree._Element:
        """The descendant whose name the reason begins with or contains, else the element itself."""
        for name in _LEADING_NAME.findall(reason):
            for found in element.iter(etree.Element):
                if local_name(found) == name:
                    return found
        return element


def envelope_parts(desk: Desk) -> tuple[etree._Element | None, etree._Element | None]:
    """Header and Body of an Envelope, whatever else is wrong with it."""
    root = desk.root
    namespace = etree.QName(root).namespace or ""
    found: dict[str, etree._Element] = {}
    for child in root.iterchildren(etree.Element):
        known = child.tag in (names.qname(namespace, "Header"), names.qname(namespace, "Body"))
        if not known or local_name(child) in found:
            desk.note(child, words.SOAP, f"The Envelope must not hold {local_name(child)} here")
        else:
            found[local_name(child)] = child
    if "Body" not in found:
        desk.note(root, words.SOAP, "The Envelope has no Body")
    if list(found) == ["Body", "Header"]:
        desk.note(found["Header"], words.SOAP, "The Header must stand before the Body")
    return found.get("Header"), found.get("Body")


@functools.cache
def _contract(name: str) -> tuple[etree.XMLSchema, Words]:
    """A compiled schema of xsd/ and the names that it declares."""
    document = etree.parse(contract_path(name))
    declared = {
        str(element.get("name"))
        for element in document.iter(names.qname(names.XSD, "element"), names.qname(names.XSD, "attribute"))
    }
    return etree.XMLSchema(document), dict.fromkeys(declared, frozenset())


def fits_contract(desk: Desk, block: etree._Element, contract: str) -> bool:
    """Validate one header block where it stands; every finding becomes a problem."""
    schema, declared = _contract(contract)
    if schema.validate(block):
        return True
    findings = [
        Finding(line=found.line, path=found.path or "", kind=found.type_name, message=found.message or "")
        for found in cast("Any", schema.error_log)
    ]
    note_schema_problems(desk, block, describe(findings, block, declared, limit=MAX_PROBLEMS))
    return False


def note_schema_problems(desk: Desk, block: etree._Element, problems: tuple[Problem, ...]) -> None:
    """Schema findings have a line and a path but no column: take that of the element on the path's end."""
    for problem in problems:
        element = _at_path(desk, block, problem)
        desk.note(element, problem.rule, problem.text, place=desk.positions.of(element))


def _at_path(desk: Desk, block: etree._Element, problem: Problem) -> etree._Element:
    """The element that a problem is about: on its line, of the name that its path ends with."""
    name = problem.element.rpartition("/")[2].partition("[")[0]
    on_line = [found for found in block.iter(etree.Element) if desk.positions.of(found)[0] == problem.line]
    return next((found for found in on_line if local_name(found) == name), on_line[0] if on_line else block)


def local_name(element: etree._Element) -> str:
    """The element's local name, for a sentence."""
    return local_of(str(element.tag))


def local_of(tag: str) -> str:
    """The local part of `{namespace}local`, for a sentence."""
    return tag.rpartition("}")[2][:64]


def sentence(text: str) -> str:
    """A reason as a sentence: a capital first, a full stop last."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")

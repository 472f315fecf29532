"""Can an XPath of the settings find anything in a Body that is valid against the schema? If not: which step, and why.

The expression is evaluated, without its predicates, on a skeleton: a tree that has everything that the schema allows
under one Body element, each once. What it does not find there it finds in no valid Body either, except under a place
where the schema allows anything (`xs:any`, `xs:anyType`) or goes on for ever; such an expression is not judged.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.schema_model import (
    ANY_TYPE,
    ComplexType,
    Group,
    Occurrence,
    Particle,
    SchemaModel,
    SimpleType,
    Wildcard,
    local_name,
    namespace_of,
)

_MAX_ELEMENTS: Final = 20_000
_MAX_DEPTH: Final = 24
_TEXT: Final = "1"
_QUOTED_OR_BRACKET: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\[|\]")
_STEP: Final = re.compile(r"(//|/)")
_NAME_TEST: Final = re.compile(r"(?:@|attribute::|child::)?(?:([\w.-]+):)?([\w.-]+|\*)\Z")


def why_nothing(model: SchemaModel, body: str, expression: str, namespaces: Mapping[str, str]) -> str | None:
    """None when the expression can find something under this Body element, or when that cannot be told.

    model, body: of the service; KeyError if it has no such Body element. expression: XPath 1.0, compiled before, for
    the Body's element. Otherwise a sentence without a full stop: which step finds nothing, and the nearest one that
    would.
    """
    skeleton = _Skeleton.of(model, body)
    found = [_first_step_without(skeleton, branch, namespaces) for branch in _branches(_without_predicates(expression))]
    if any(step is None for step in found):
        return None
    return "; ".join(step for step in found if step is not None)


# --- the skeleton -----------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _Skeleton:
    """The tree. is_open: elements under which there may be more than it shows."""

    body: etree._Element
    elements: dict[etree._Element, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, model: SchemaModel, body: str) -> _Skeleton:
        """In an envelope, as where the expression is evaluated."""
        envelope = etree.Element(names.qname(names.SOAP11, "Envelope"))
        root = etree.SubElement(etree.SubElement(envelope, names.qname(names.SOAP11, "Body")), body)
        skeleton = cls(body=root)
        skeleton._fill(model, root, model.body(body).type, ())
        return skeleton

    def is_open(self, element: etree._Element) -> bool:
        """Whether the schema allows more below this element than the skeleton shows."""
        return self.elements.get(element, False)

    def _fill(self, model: SchemaModel, element: etree._Element, type_name: str, above: tuple[str, ...]) -> None:
        goes_on = above.count(type_name) > 1 or len(above) >= _MAX_DEPTH or len(self.elements) >= _MAX_ELEMENTS
        self.elements[element] = goes_on or type_name == ANY_TYPE
        if goes_on:
            return
        for kind in model.types_for(type_name):
            if model.value_type(kind) is not None or isinstance(kind, SimpleType) or kind.mixed:
                element.text = _TEXT
            if isinstance(kind, ComplexType):
                for attribute in kind.attributes:
                    element.set(attribute.name, _TEXT)
                self.elements[element] |= kind.any_attribute is not None
            for particle in model.children(kind):
                self._add(model, element, particle, (*above, type_name))

    def _add(self, model: SchemaModel, parent: etree._Element, particle: Particle, above: tuple[str, ...]) -> None:
        if isinstance(particle, Wildcard):
            self.elements[parent] = True
        elif isinstance(particle, Group):
            for member in particle.members:
                self._add(model, parent, member, above)
        else:
            self._add_element(model, parent, particle, above)

    def _add_element(
        self, model: SchemaModel, parent: etree._Element, particle: Occurrence, above: tuple[str, ...]
    ) -> None:
        for declared in model.choices_for(particle.element):
            if parent.find(declared.name) is None:
                self._fill(model, etree.SubElement(parent, declared.name), declared.type, above)


# --- the expression ---------------------------------------------------------------------------------------------------


def _without_predicates(expression: str) -> str:
    """The expression without what stands in square brackets, which only narrows what is found."""
    kept, depth, at = [], 0, 0
    for found in _QUOTED_OR_BRACKET.finditer(expression):
        if depth == 0:
            kept.append(expression[at : found.start()] + ("" if found[0] in "[]" else found[0]))
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        at = found.end()
    return "".join([*kept, expression[at:]])


def _branches(expression: str) -> list[str]:
    """The paths that are joined by `|`; an expression with brackets or quotes is taken whole."""
    if _is_more_than_a_path(expression):
        return [expression]
    return [branch.strip() for branch in expression.split("|")]


def _is_more_than_a_path(expression: str) -> bool:
    """Whether it calls a function or quotes something, so that it cannot be cut into steps."""
    return re.search(r"[('\"]", expression.replace("text()", "").replace("node()", "")) is not None


def _find(skeleton: _Skeleton, path: str, namespaces: Mapping[str, str]) -> list[Any] | None:
    """What a path finds; None where it is no path that can be evaluated here, or a value and no place."""
    try:
        found = etree.XPath(path, namespaces=dict(namespaces) or None, regexp=False)(skeleton.body)
    except etree.XPathError:
        return None
    if found == "":
        return []  # the text of nothing
    return found if isinstance(found, list) else None


def _first_step_without(skeleton: _Skeleton, branch: str, namespaces: Mapping[str, str]) -> str | None:
    """What is to be said of a path that finds nothing; None if it finds something or cannot be judged."""
    if _find(skeleton, branch, namespaces) != []:
        return None
    if _is_more_than_a_path(branch):
        return None if any(skeleton.elements.values()) else "it gives no text"
    if branch.startswith("/") and not branch.startswith("//"):
        return "a path from the Body's element begins without a slash"
    return _first_of_steps_without(skeleton, branch, namespaces)


def _first_of_steps_without(skeleton: _Skeleton, branch: str, namespaces: Mapping[str, str]) -> str | None:
    """The branch finds nothing, so one of its steps is the first that finds nothing: the last one at the latest."""
    here: list[Any] = [skeleton.body]
    steps = iter(_prefixes(branch))
    path, axis, step = next(steps)
    while found := _find(skeleton, path, namespaces):
        here = found
        path, axis, step = next(steps)
    elements = [one for one in here if isinstance(one, etree._Element)]
    if any(skeleton.is_open(one) for one in _reached(elements, axis)):
        return None
    return _words(elements, axis, step, namespaces)


def _prefixes(branch: str) -> list[tuple[str, str, str]]:
    """(the path up to a step, how it goes down to it, the step), from the first step on."""
    parts = [part.strip() for part in _STEP.split(branch)]
    axis, path = "/", ""
    prefixes = []
    for part in parts:
        if part in ("/", "//"):
            axis, path = part, path + part
        elif part:
            path += part
            prefixes.append((path, axis, part))
            axis = "/"
    return prefixes


def _reached(elements: list[etree._Element], axis: str) -> list[etree._Element]:
    """The elements whose children or attributes a step looks at."""
    return [below for one in elements for below in one.iter()] if axis == "//" else elements


def _words(here: list[etree._Element], axis: str, step: str, namespaces: Mapping[str, str]) -> str:
    prefix_of = {namespace: prefix for prefix, namespace in namespaces.items()}
    parents = _reached(here, axis)
    is_attribute = step.startswith(("@", "attribute::"))
    known: list[str] = []
    for parent in parents:
        known += [str(name) for name in parent.attrib] if is_attribute else [child.tag for child in parent]
    where = ", ".join(dict.fromkeys(_shown(one.tag, prefix_of).partition(" ")[0] for one in here[:3]))
    said = f"{step} stands nowhere in {where}" if axis == "//" else f"there is no {step} in {where}"
    nearest = _nearest(step, list(dict.fromkeys(known)), prefix_of)
    return f"{said}{'; did you mean ' + ('@' if is_attribute else '') + nearest + '?' if nearest else ''}"


def _shown(name: str, prefix_of: Mapping[str, str]) -> str:
    namespace, local = namespace_of(name), local_name(name)
    if not namespace:
        return local
    prefix = prefix_of.get(namespace)
    return f"{prefix}:{local}" if prefix else f"{local} of the namespace {namespace}, which has no prefix yet"


def _nearest(step: str, known: list[str], prefix_of: Mapping[str, str]) -> str:
    test = _NAME_TEST.match(step)
    wanted = test[2] if test else step
    by_local = {local_name(name): name for name in reversed(known)}
    close = difflib.get_close_matches(wanted, by_local, n=1, cutoff=0.5)
    close = close or [local for local in by_local if local.lower() == wanted.lower()]
    if close:
        return _shown(by_local[close[0]], prefix_of)
    return _shown(known[0], prefix_of) if len(known) == 1 else ""

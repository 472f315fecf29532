"""Samples with one mistake, made from a valid one: what an integrator's first attempts look like."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.schema import check_payload
from adapter.envelope.schema_model import local_name, namespace_of
from adapter.errors import Problem, SchemaInvalid
from adapter.samples.make import Sample
from adapter.samples.tree import Node, render

_WRONG_NAMESPACE: Final = "urn:example:wrong"
_EXTRA: Final = "UnexpectedElement"
_WRONG_VALUES: Final = ("?", "", "not-a-value", "9" * 400)
_MAX_TRIES: Final = 60


class Mistake(Enum):
    """What is wrong with a broken sample."""

    MISSING_ELEMENT = "missing element"
    WRONG_TYPE = "wrong type"
    EXTRA_ELEMENT = "extra element"
    WRONG_NAMESPACE = "wrong namespace"


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenSample:
    """An element that the schema refuses for one reason.

    path: local names from the root to the place of the mistake: the element that is wrong or too many, or the one that
    is missing. problems: what the schema says.
    """

    mistake: Mistake
    element: etree._Element
    path: tuple[str, ...]
    problems: tuple[Problem, ...]


def break_sample(
    description: ServiceDescription, sample: Sample, mistake: Mistake, *, seed: int | str = 0
) -> BrokenSample | None:
    """The sample with one mistake somewhere, or None where this mistake cannot be made.

    None: no element must be there, every value is right, or a wildcard takes whatever comes; or no schema checks it.
    """
    if not sample.checked:
        return None
    draw = random.Random(f"{seed}/{mistake.value}")  # noqa: S311  samples, not secrets
    places = [(path, node) for path, node in sample.node.walk() if _MAY_BE_AT[mistake](path, node)]
    for path, node in draw.sample(places, min(len(places), _MAX_TRIES)):
        for broken in _BREAKS[mistake](sample.node, path, node):
            rendered = render(broken)
            problems = _refused(description, rendered, sample.node.tag)
            if problems:
                shown = (*_names_to(sample.node, path), *([_EXTRA] if mistake is Mistake.EXTRA_ELEMENT else []))
                return BrokenSample(mistake=mistake, element=rendered, path=shown, problems=problems)
    return None


def _refused(description: ServiceDescription, element: etree._Element, expected: str) -> tuple[Problem, ...]:
    try:
        check_payload(description, element, expected)
    except SchemaInvalid as found:
        return found.problems
    return ()


def _names_to(root: Node, path: tuple[int, ...]) -> tuple[str, ...]:
    found = [local_name(root.tag)]
    for at in path:
        root = root.children[at]
        found.append(local_name(root.tag))
    return tuple(found)


def _changed(root: Node, path: tuple[int, ...], change: Callable[[Node], Node | None]) -> Node:
    """The tree with one element changed, or left out where the change gives none."""
    if not path:
        return change(root) or root
    at = path[0]
    new = change(root.children[at]) if len(path) == 1 else _changed(root.children[at], path[1:], change)
    return replace(root, children=(*root.children[:at], *((new,) if new else ()), *root.children[at + 1 :]))


def _without(root: Node, path: tuple[int, ...], _node: Node) -> Iterator[Node]:
    yield _changed(root, path, lambda _found: None)


def _with_wrong_value(root: Node, path: tuple[int, ...], _node: Node) -> Iterator[Node]:
    for text in _WRONG_VALUES:
        yield _changed(root, path, lambda found, text=text: replace(found, text=text))  # type: ignore[misc]


def _with_one_more(root: Node, path: tuple[int, ...], node: Node) -> Iterator[Node]:
    namespace = namespace_of(node.children[-1].tag if node.children else node.tag)
    extra = Node(tag=names.qname(namespace, _EXTRA) if namespace else _EXTRA)
    yield _changed(root, path, lambda found: replace(found, children=(*found.children, extra)))


def _in_another_namespace(root: Node, path: tuple[int, ...], node: Node) -> Iterator[Node]:
    tag = names.qname(_WRONG_NAMESPACE, local_name(node.tag))
    yield _changed(root, path, lambda found: replace(found, tag=tag))


_BREAKS: Final = {
    Mistake.MISSING_ELEMENT: _without,
    Mistake.WRONG_TYPE: _with_wrong_value,
    Mistake.EXTRA_ELEMENT: _with_one_more,
    Mistake.WRONG_NAMESPACE: _in_another_namespace,
}
_MAY_BE_AT: Final[dict[Mistake, Callable[[tuple[int, ...], Node], bool]]] = {
    Mistake.MISSING_ELEMENT: lambda path, node: bool(path) and node.required,
    Mistake.WRONG_TYPE: lambda _path, node: node.value_type is not None and not node.is_nil,
    Mistake.EXTRA_ELEMENT: lambda _path, node: node.value_type is None and not node.is_nil,
    Mistake.WRONG_NAMESPACE: lambda path, node: bool(path) and node.declared is not None,
}

"""What a rule lets out of an answer, worked out against the schema: a tree of names that an answer is walked along."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.field_paths import Declaration, declaration_at, has_text
from adapter.envelope.replacements import Rewrite, rewrite_for
from adapter.envelope.schema_model import ElementDeclaration, SchemaModel
from adapter.envelope.schema_model_read import schema_model
from adapter.released_fields import EVERYTHING, ReleasedFields, Replacement

_MAX_KEPT: Final = 64
_REFERENCES: Final = frozenset({"IDREF", "IDREFS"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Instead:
    """What stands for the field that a rule names by this path: how, and what makes its text of the value."""

    path: str
    way: Replacement
    rewrite: Rewrite


@dataclass(kw_only=True, slots=True)
class Place:
    """An element or attribute on the way to a field, or a field itself; never changed once the tree is made.

    path: as the rule names the field; empty for what is only on the way. everything: what stands below goes out as it
    is, but for what the rule replaces there; its path is that of the rule. text: text of its own goes out.
    """

    path: str = ""
    everything: str | None = None
    text: bool = False
    instead: Instead | None = None
    is_id: bool = False
    is_reference: bool = False
    is_qname: bool = False
    children: dict[str, Place] = field(default_factory=dict)
    attributes: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """The tree by the outermost elements, and the prefixes that the cut answer is written with."""

    roots: Mapping[str, Place]
    prefixes: Mapping[str | None, str]
    keeps_prefixes: bool


_kept: Final[dict[int, dict[ReleasedFields, Projection]]] = {}


def projection(description: ServiceDescription, fields: ReleasedFields) -> Projection:
    """The tree for one rule and one description; made at the first call and kept as long as the description is."""
    of_description = _kept.get(id(description))
    if of_description is None:
        of_description = _kept[id(description)] = {}
        weakref.finalize(description, _kept.pop, id(description), None)
    found = of_description.get(fields)
    if found is None:
        if len(of_description) >= _MAX_KEPT:  # rules come and go as long as the adapter runs
            of_description.clear()
        found = of_description[fields] = make_projection(description, fields)
    return found


def make_projection(description: ServiceDescription, fields: ReleasedFields) -> Projection:
    """The same, made anew."""
    model = schema_model(description)
    roots: dict[str, Place] = {}
    for path in fields.released:
        _name(roots, model, path, fields.expanded(path))
    for path, way in fields.replaced:
        place = _name(roots, model, path, fields.expanded(path))
        rewrite = rewrite_for(way, declaration_at(model, fields.expanded(path)), model)
        place.text, place.instead = False, Instead(path=path, way=way, rewrite=rewrite)
    return Projection(
        roots=roots,
        prefixes=dict(fields.namespaces),
        keeps_prefixes=description.names_in_values,
    )


def _name(roots: dict[str, Place], model: SchemaModel, path: str, steps: tuple[str, ...]) -> Place:
    """Put a field into the tree, with what lies on the way to it."""
    place = roots.setdefault(steps[0], Place())
    for step in steps[1:]:
        if step == EVERYTHING:
            place.everything = path
            return place
        among = place.attributes if step.startswith("@") else place.children
        place = among.setdefault(step.removeprefix("@"), Place())
    place.path = path
    declared = declaration_at(model, steps)
    if declared is None:
        place.text = True
        return place
    _describe(place, declared, model)
    return place


def _describe(place: Place, declared: Declaration, model: SchemaModel) -> None:
    kind = model.type_of(declared)
    place.text = not isinstance(declared, ElementDeclaration) or has_text(kind)
    value = model.value_type(kind)
    if value is not None:
        place.is_id = value.builtin == "ID"
        place.is_reference = value.builtin in _REFERENCES
        place.is_qname = value.primitive in ("QName", "NOTATION")

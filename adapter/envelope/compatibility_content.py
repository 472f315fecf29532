"""Whether whoever reads by one content model understands everything that another writes by its own.

One question for both directions: of a request the new contract reads what is written by the old one, of a reply the old
contract reads what is written by the new one. So a new mandatory element breaks a request, and any new element breaks
a reply, since a client that was generated from the old schema may refuse what that schema does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from adapter.envelope.compatibility_model import Change, Direction
from adapter.envelope.compatibility_values import compare_values
from adapter.envelope.schema_model import (
    AttributeDeclaration,
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    SchemaModel,
    SimpleType,
    Type,
    Wildcard,
    local_name,
    namespace_of,
)

MAX_CHANGES: Final = 500
_MAX_DEPTH: Final = 64
_SEQUENCE: Final = f"{Compositor.SEQUENCE.value}("

Bounds = tuple[int, int | None]
Placed = tuple[ElementDeclaration, Bounds]
"""An element of a content model with how often it may stand there."""


@dataclass(kw_only=True, slots=True)
class ContentComparison:
    """Two versions of one direction's messages. Each pair of types is compared once, where it is met first.

    old, new: the schemas. changes: the findings, at most MAX_CHANGES.
    """

    direction: Direction
    old: SchemaModel
    new: SchemaModel
    changes: list[Change] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    @property
    def new_reads(self) -> bool:
        """Whether the new contract reads what is written by the old one."""
        return self.direction is Direction.REQUEST

    def compare_elements(
        self, operation: str, place: str, old: ElementDeclaration, new: ElementDeclaration, depth: int = 0
    ) -> None:
        """The differences of an element that both versions have."""
        writer, reader = (old, new) if self.new_reads else (new, old)
        if old.nillable is not new.nillable:
            may = "may now be nil" if new.nillable else "may no longer be nil"
            self._add(operation, place, f"it {may}", fails=writer.nillable)
        if old.fixed != new.fixed:
            fails = reader.fixed is not None and reader.fixed != writer.fixed
            self._add(operation, place, "its fixed value changed", fails=fails)
        if old.default != new.default:
            self._add(operation, place, "its default value changed", fails=False)
        choices = [
            {each.name for each in model.choices_for(element)} for model, element in ((self.old, old), (self.new, new))
        ]
        if choices[0] != choices[1] and (old.is_global or new.is_global):
            written, read = choices if self.new_reads else reversed(choices)
            self._add(operation, place, "other elements may stand for it now", fails=not written <= read)
        self.compare_types(operation, place, old.type, new.type, depth)

    def compare_types(self, operation: str, place: str, old: str, new: str, depth: int = 0) -> None:
        """The differences of two types, by name."""
        if (old, new) in self.seen or depth > _MAX_DEPTH or len(self.changes) >= MAX_CHANGES:
            return
        self.seen.add((old, new))
        before, after = self.old.types.get(old), self.new.types.get(new)
        if before is None or after is None:
            if old != new:
                self._add(operation, place, f"its type was {local_name(old)}, now it is {local_name(new)}", fails=True)
            return
        self._compare_values(operation, place, before, after)
        if isinstance(before, ComplexType) and isinstance(after, ComplexType):
            self._compare_complex(operation, place, before, after, depth)

    def _compare_values(self, operation: str, place: str, before: Type, after: Type) -> None:
        old, new = self.old.value_type(before), self.new.value_type(after)
        if (old is None) is not (new is None):
            text = "a value became elements" if new is None else "elements became a value"
            self._add(operation, place, f"its content changed: {text}", fails=True)
        elif old is not None and new is not None:
            for fails, text in compare_values((self.old, old), (self.new, new), new_reads=self.new_reads):
                self._add(operation, place, text, fails=fails)
        self._compare_attributes(operation, place, before, after)

    def _compare_complex(self, operation: str, place: str, before: ComplexType, after: ComplexType, depth: int) -> None:
        writer, reader = (before, after) if self.new_reads else (after, before)
        if before.mixed is not after.mixed:
            self._add(operation, place, "text between its elements is a matter of this version now", fails=writer.mixed)
        old, new = _elements_of(before), _elements_of(after)
        for name in dict.fromkeys([*old, *new]):
            here = f"{place}/{local_name(name)}"
            if name not in new:
                self._only_one(operation, here, old[name], reader, in_new=False)
            elif name not in old:
                self._only_one(operation, here, new[name], reader, in_new=True)
            else:
                self._compare_bounds(operation, here, old[name][1], new[name][1])
                self.compare_elements(operation, here, old[name][0], new[name][0], depth + 1)
        common = old.keys() & new.keys()
        if _shape(before.content, common) != _shape(after.content, common):
            self._add(operation, place, "its elements stand in another order or grouping", fails=True)
        if bool(_wildcards(before)) is not bool(_wildcards(after)):
            may = "may have elements that no schema names" if _wildcards(after) else "no longer takes unnamed elements"
            self._add(operation, place, f"it {may}", fails=bool(_wildcards(writer)))

    def _only_one(self, operation: str, place: str, found: Placed, reader: ComplexType, *, in_new: bool) -> None:
        """An element that one version has. Fails where the reader demands it, or has no place for it."""
        element, bounds = found
        namespace = namespace_of(element.name)
        reader_has_it = in_new is self.new_reads
        fails = bounds[0] > 0 if reader_has_it else not any(each.admits(namespace) for each in _wildcards(reader))
        demanded = "mandatory" if bounds[0] > 0 else "optional"
        self._add(operation, place, f"{'new' if in_new else 'removed'} {demanded} element", fails=fails)

    def _compare_bounds(self, operation: str, place: str, old: Bounds, new: Bounds) -> None:
        if old == new:
            return
        (low, high), (least, most) = (old, new) if self.new_reads else (new, old)
        fails = least > low or (most is not None and (high is None or high > most))
        self._add(operation, place, f"it stood {_times(old)}, now it stands {_times(new)}", fails=fails)

    def _compare_attributes(self, operation: str, place: str, before: Type, after: Type) -> None:
        old, new = _attributes_of(before), _attributes_of(after)
        reader = after if self.new_reads else before
        takes_any = isinstance(reader, ComplexType) and reader.any_attribute is not None
        for name in dict.fromkeys([*old, *new]):
            here = f"{place}/@{local_name(name)}"
            if name in old and name in new:
                self._compare_attribute(operation, here, old[name], new[name])
                continue
            is_new = name in new
            declared = new[name] if is_new else old[name]
            fails = declared.required if is_new is self.new_reads else not takes_any
            demanded = "mandatory" if declared.required else "optional"
            self._add(operation, here, f"{'new' if is_new else 'removed'} {demanded} attribute", fails=fails)

    def _compare_attribute(
        self, operation: str, place: str, old: AttributeDeclaration, new: AttributeDeclaration
    ) -> None:
        writer, reader = (old, new) if self.new_reads else (new, old)
        if old.required is not new.required:
            text = "it is mandatory now" if new.required else "it is optional now"
            self._add(operation, place, text, fails=reader.required)
        if old.fixed != new.fixed:
            fails = reader.fixed is not None and reader.fixed != writer.fixed
            self._add(operation, place, "its fixed value changed", fails=fails)
        self.compare_types(operation, place, old.type, new.type)

    def _add(self, operation: str, place: str, text: str, *, fails: bool) -> None:
        if len(self.changes) < MAX_CHANGES:
            self.changes.append(
                Change(operation=operation, direction=self.direction, place=place, breaking=fails, text=text)
            )


def _times(bounds: Bounds) -> str:
    low, high = bounds
    if low == high:
        return "once" if low == 1 else f"{low} times"
    return f"{low} or more times" if high is None else f"{low} to {high} times"


def _elements_of(kind: ComplexType) -> dict[str, Placed]:
    """Each element of the content with how often it may stand, groups and choices counted in."""
    found: dict[str, Placed] = {}
    for element, bounds in _walk(kind.content, (1, 1)):
        known = found.get(element.name)
        found[element.name] = (element, bounds if known is None else _either(known[1], bounds))
    return found


def _either(first: Bounds, second: Bounds) -> Bounds:
    """Of an element that may stand in two places."""
    high = None if first[1] is None or second[1] is None else first[1] + second[1]
    return min(first[0], second[0]), high


def _walk(group: Group | None, around: Bounds) -> Iterator[Placed]:
    if group is None:
        return
    inside = _times_of(around, (group.occurs.minimum, group.occurs.maximum))
    if group.compositor is Compositor.CHOICE and len(group.members) > 1:
        inside = (0, inside[1])
    for member in group.members:
        if isinstance(member, Group):
            yield from _walk(member, inside)
        elif isinstance(member, Occurrence):
            yield member.element, _times_of(inside, (member.occurs.minimum, member.occurs.maximum))


def _times_of(outer: Bounds, inner: Bounds) -> Bounds:
    high = None if outer[1] is None or inner[1] is None else outer[1] * inner[1]
    return outer[0] * inner[0], 0 if 0 in (outer[1], inner[1]) else high


def _wildcards(kind: ComplexType) -> list[Wildcard]:
    waiting, found = [kind.content] if kind.content else [], []
    while waiting:
        for member in waiting.pop().members:
            if isinstance(member, Wildcard):
                found.append(member)
            elif isinstance(member, Group):
                waiting.append(member)
    return found


def _attributes_of(kind: Type) -> dict[str, AttributeDeclaration]:
    return {} if isinstance(kind, SimpleType) else {attribute.name: attribute for attribute in kind.attributes}


def _shape(group: Group | None, common: AbstractSet[str]) -> str:
    """The order and grouping of the elements that both versions have, as a text; groups of one are no groups."""
    if group is None:
        return ""
    members: list[str] = []
    for member in group.members:
        if isinstance(member, Occurrence) and member.element.name in common:
            members.append(member.element.name)
        elif isinstance(member, Group):
            inner = _shape(member, common)
            is_flat = inner.startswith(_SEQUENCE) and group.compositor is Compositor.SEQUENCE
            members.append(inner[len(_SEQUENCE) : -1] if is_flat and not member.occurs.is_repeated else inner)
    present = [member for member in members if member]
    if group.compositor is not Compositor.SEQUENCE:
        present.sort()
    return present[0] if len(present) == 1 else f"{group.compositor.value}({' '.join(present)})" if present else ""

"""Whether whoever reads by one simple type understands everything that another writes by its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from adapter.envelope.schema_model import Facets, SchemaModel, SimpleType, Variety

_MAX_SHOWN: Final = 5
# Types of text whose form is narrower than what their facets say.
_NARROW_TEXTS: Final = frozenset({"language", "NMTOKEN", "Name", "NCName", "ID", "IDREF", "ENTITY"})

Difference = tuple[bool, str]
"""(whether the reader may fail on what the writer writes, what is different: `old, now new`)."""


def compare_values(
    old: tuple[SchemaModel, SimpleType], new: tuple[SchemaModel, SimpleType], *, new_reads: bool
) -> Iterator[Difference]:
    """The differences between two simple types. new_reads: the new type's side reads what the old one's writes."""
    (_, before), (_, after) = old, new
    writer, reader = (before, after) if new_reads else (after, before)
    if before.variety is not after.variety:
        yield True, f"the value was {_kind(before)}, now it is {_kind(after)}"
        return
    if before.variety is Variety.UNION:
        if _shape(old) != _shape(new):
            yield True, "the types of which the value may be one are others now"
    elif before.variety is Variety.LIST:
        yield from _compare_items(old, new, new_reads=new_reads)
    elif before.primitive != after.primitive:
        reads_all = reader.primitive in ("string", "anySimpleType") and reader.builtin not in _NARROW_TEXTS
        yield not reads_all, f"the value was of the type {before.builtin}, now it is {after.builtin}"
        if not reads_all:
            return
    elif reader.builtin != writer.builtin and reader.builtin in _NARROW_TEXTS:
        yield True, f"the value was of the type {before.builtin}, now it is {after.builtin}"
    yield from _compare_facets(before.facets, after.facets, new_reads=new_reads)


def _kind(simple: SimpleType) -> str:
    return {Variety.ATOMIC: f"one {simple.builtin}", Variety.LIST: "a list", Variety.UNION: "of one of several types"}[
        simple.variety
    ]


def _compare_items(
    old: tuple[SchemaModel, SimpleType], new: tuple[SchemaModel, SimpleType], *, new_reads: bool
) -> Iterator[Difference]:
    items = [model.types.get(simple.item or "") for model, simple in (old, new)]
    before, after = items
    if isinstance(before, SimpleType) and isinstance(after, SimpleType):
        yield from compare_values((old[0], before), (new[0], after), new_reads=new_reads)
    elif before != after:
        yield True, "the items of the list are of another kind now"


def _shape(typed: tuple[SchemaModel, SimpleType]) -> object:
    model, simple = typed
    members = [model.types.get(name) for name in simple.members]
    return [(each.primitive, each.facets) if isinstance(each, SimpleType) else None for each in members]


def _compare_facets(before: Facets, after: Facets, *, new_reads: bool) -> Iterator[Difference]:
    writer, reader = (before, after) if new_reads else (after, before)
    if before.enumeration != after.enumeration:
        yield _compare_lists(before, after, writer=writer, reader=reader)
    if before.patterns != after.patterns:
        yield (
            not set(reader.patterns) <= set(writer.patterns),
            f"the pattern was {_patterns(before)}, now it is {_patterns(after)}",
        )
    for what, low, high in (
        ("the length", (_least(before), _least(after)), (_most(before), _most(after))),
        ("the number of digits", (None, None), (_number(before.total_digits), _number(after.total_digits))),
        (
            "the number of fraction digits",
            (None, None),
            (_number(before.fraction_digits), _number(after.fraction_digits)),
        ),
    ):
        yield from _compare_range(what, low, high, new_reads=new_reads)
    yield from _compare_bounds(before, after, new_reads=new_reads)


def _compare_lists(before: Facets, after: Facets, *, writer: Facets, reader: Facets) -> Difference:
    gone = sorted(set(before.enumeration or ()) - set(after.enumeration or ()))
    more = sorted(set(after.enumeration or ()) - set(before.enumeration or ()))
    fails = reader.enumeration is not None and (
        writer.enumeration is None or not set(writer.enumeration) <= set(reader.enumeration)
    )
    if before.enumeration is None:
        return fails, f"the value was free, now only these are allowed: {_some(more)}"
    if after.enumeration is None:
        return fails, f"only these values were allowed: {_some(gone)}; now any is"
    parts = [f"no longer allowed: {_some(gone)}"] * bool(gone) + [f"newly allowed: {_some(more)}"] * bool(more)
    return fails, f"the list of allowed values changed; {'; '.join(parts) or 'only its order'}"


def _some(values: list[str]) -> str:
    shown = ", ".join(value[:60] for value in values[:_MAX_SHOWN])
    return shown + (f" and {len(values) - _MAX_SHOWN} more" if len(values) > _MAX_SHOWN else "")


def _patterns(facets: Facets) -> str:
    return " and ".join("|".join(each)[:120] for each in facets.patterns) or "none"


def _least(facets: Facets) -> Decimal | None:
    return _number(facets.length if facets.length is not None else facets.min_length or None)


def _most(facets: Facets) -> Decimal | None:
    return _number(facets.length if facets.length is not None else facets.max_length)


def _number(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


_Pair = tuple[Decimal | None, Decimal | None]


def _compare_range(what: str, low: _Pair, high: _Pair, *, new_reads: bool) -> Iterator[Difference]:
    """Low and high: the bounds of old and new; None where there is none."""
    for which, (before, after), is_low in (("at least", low, True), ("at most", high, False)):
        if before == after:
            continue
        writer, reader = (before, after) if new_reads else (after, before)
        fails = reader is not None and (writer is None or (reader > writer if is_low else reader < writer))
        yield fails, f"{what} was {which} {_shown(before)}, now it is {_shown(after)}"


def _shown(bound: Decimal | None) -> str:
    return "anything" if bound is None else str(bound)


def _compare_bounds(before: Facets, after: Facets, *, new_reads: bool) -> Iterator[Difference]:
    for which, name, is_low in (
        ("smallest value", "min_inclusive", True),
        ("largest value", "max_inclusive", False),
        ("bound from below", "min_exclusive", True),
        ("bound from above", "max_exclusive", False),
    ):
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        writer, reader = (old, new) if new_reads else (new, old)
        fails = reader is not None and (writer is None or _is_past(writer, reader, is_low=is_low))
        yield fails, f"the {which} was {old or 'any'}, now it is {new or 'any'}"


def _is_past(writer: str, reader: str, *, is_low: bool) -> bool:
    """Whether a writer's bound lets through what the reader's does not; yes where it cannot be told."""
    try:
        written, read = Decimal(writer), Decimal(reader)
    except InvalidOperation:
        return True
    return written < read if is_low else written > read

"""Two versions of a service's contract compared: what changed, and whether a consumer that was right before may fail.

Judged for consumers that hold to the old contract strictly, as generated clients do. What the adapter takes care of is
no change to them: the provider's address, its SOAP version, its ports and bindings, the SOAPAction it wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from adapter.envelope.compatibility_content import ContentComparison
from adapter.envelope.compatibility_model import Change, Direction
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.description_operations import BodyPart, Operation, QName, Style
from adapter.envelope.schema_model import local_name
from adapter.envelope.schema_model_read import schema_model

_RPC: Final = frozenset({Style.RPC_LITERAL, Style.RPC_ENCODED})


def compare(old: ServiceDescription, new: ServiceDescription) -> tuple[Change, ...]:
    """Every difference, those that break first, otherwise in the order of the contract.

    Both were read, so nothing is raised. A type that several operations use is judged where it is met first.
    """
    before, after = schema_model(old), schema_model(new)
    requests = ContentComparison(direction=Direction.REQUEST, old=before, new=after)
    replies = ContentComparison(direction=Direction.REPLY, old=before, new=after)
    changes: list[Change] = []
    olds, news = _by_key(old), _by_key(new)
    for key, operation in olds.items():
        if key not in news:
            changes.append(_of(operation, breaking=True, text=_removed(operation, new)))
            continue
        same = news[key]
        changes += _compare_operations(operation, same)
        _compare_body(requests, operation, same)
        _compare_body(replies, operation, same)
    changes += [
        _of(operation, breaking=False, text="new operation") for key, operation in news.items() if key not in olds
    ]
    changes += [*requests.changes, *replies.changes]
    return tuple(sorted(changes, key=lambda change: not change.breaking))


def _by_key(description: ServiceDescription) -> dict[tuple[str, QName], Operation]:
    """Operations by name and request, which is how a call finds its operation."""
    return {(operation.name, operation.input_element): operation for operation in reversed(description.operations)}


def _removed(operation: Operation, new: ServiceDescription) -> str:
    again = new.by_name.get(operation.name)
    if again is None:
        return "removed operation"
    return f"its request was the element {operation.input_element}, now it is {again.input_element}"


def _of(operation: Operation, *, breaking: bool, text: str, direction: Direction | None = None) -> Change:
    return Change(operation=operation.name, direction=direction, place="", breaking=breaking, text=text)


def _compare_operations(old: Operation, new: Operation) -> Iterator[Change]:
    if old.style is not new.style:
        yield _of(new, breaking=True, text=f"its style was {old.style.value}, now it is {new.style.value}")
    if old.output_element != new.output_element:
        was, now = (each.output_element or "none (one-way)" for each in (old, new))
        yield _of(new, breaking=True, direction=Direction.REPLY, text=f"the reply was {was}, now it is {now}")
    if new.is_encoded and old.soap_version is not new.soap_version:
        text = f"SOAP-encoded in SOAP {new.soap_version.value} now, in {old.soap_version.value} before"
        yield _of(new, breaking=True, text=text)
    if old.type_checked and not new.type_checked:
        yield _of(new, breaking=False, text="its messages can no longer be checked against a schema")
    for direction in Direction:
        yield from _compare_headers(old, new, direction)


def _compare_headers(old: Operation, new: Operation, direction: Direction) -> Iterator[Change]:
    in_output = direction is Direction.REPLY
    before, after = (set(each.carried_headers(in_output=in_output)) for each in (old, new))
    for name in sorted(before - after):
        yield _of(new, breaking=True, direction=direction, text=f"the header {local_name(name)} is gone")
    for name in sorted(after - before):
        # A description does not say whether a header has to be sent.
        text = f"new header {local_name(name)}; whether the system demands it, the description does not say"
        yield _of(new, breaking=False, direction=direction, text=text)


def _compare_body(comparison: ContentComparison, old: Operation, new: Operation) -> None:
    in_output = comparison.direction is Direction.REPLY
    elements = [each.output_element if in_output else each.input_element for each in (old, new)]
    if None in elements or (in_output and elements[0] != elements[1]) or old.style is not new.style:
        return
    place = local_name(str(elements[0]))
    if old.style in _RPC:
        parts = [each.output_parts if in_output else each.input_parts for each in (old, new)]
        comparison.changes += _compare_parts(comparison, new, place, parts[0], parts[1])
        return
    declared = [
        model.elements.get(str(element))
        for model, element in zip((comparison.old, comparison.new), elements, strict=True)
    ]
    before, after = declared
    if before is not None and after is not None:
        comparison.compare_elements(new.name, place, before, after)


def _compare_parts(
    comparison: ContentComparison, operation: Operation, place: str, old: Iterable[BodyPart], new: Iterable[BodyPart]
) -> Iterator[Change]:
    """The parts of an rpc Body: each stands once, in the order of the message."""
    before, after = {part.name: part for part in old}, {part.name: part for part in new}
    for name in dict.fromkeys([*before, *after]):
        if name in before and name in after:
            was, now = (str(part.type or part.element) for part in (before[name], after[name]))
            comparison.compare_types(operation.name, f"{place}/{name}", was, now)
            continue
        word = "new" if name in after else "removed"
        yield _of(operation, breaking=True, direction=comparison.direction, text=f"{word} part {name}")
    if [name for name in before if name in after] != [name for name in after if name in before]:
        text = "its parts stand in another order"
        yield _of(operation, breaking=True, direction=comparison.direction, text=text)

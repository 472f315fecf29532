"""What is said of a name that the schema does not know: the nearest one that it does."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from adapter.dialects.json_plan import ANY, CONTENT, NIL, TYPE, Form, PlanBook, TypePlan
from adapter.dialects.json_text import Json, shown

_MAX_NAMES_SHOWN: Final = 12


def unknown_member(name: str, plan: TypePlan | None) -> str:
    """What is wrong with a member, in words. plan: of the object's type, None where nothing else may stand."""
    known = _names(plan)
    if plan is not None and plan.form is Form.SEQUENCE and name in plan.by_name:
        return f'Elements may interleave here: write it as {{"{shown(name)}": …}} in the array "{CONTENT}".'
    if plan is not None and f"@{name}" in known:
        return f'An attribute is written with "@": "@{shown(name)}".'
    return f'There is no member "{shown(name)}" here; {nearest(name, known)}'


def unknown_type(said: Json, declared: str, book: PlanBook) -> str:
    """What is wrong with an `@xsi:type`, in words."""
    labels = [book.label(name) for name in (declared, *book.model.derived.get(declared, ()))]
    name = shown(said) if isinstance(said, str) else ""
    return f"This is no type that may stand here; {nearest(name, labels)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, or all of them when none is near and they are few."""
    names = list(known)
    found = get_close_matches(shown(name), names, n=1, cutoff=0.5)
    if found:
        return f'the nearest is "{found[0]}".'
    if not names:
        return "it has none."
    listed = ", ".join(f'"{each}"' for each in names[:_MAX_NAMES_SHOWN])
    return f"it may have {listed}{' and others' if len(names) > _MAX_NAMES_SHOWN else ''}."


def _names(plan: TypePlan | None) -> list[str]:
    if plan is None:
        return []
    content = {
        Form.VALUE: [CONTENT],
        Form.SEQUENCE: [CONTENT, *plan.by_name],
        Form.MEMBERS: [*plan.by_name, *([ANY] if plan.any_place is not None else [])],
        Form.XML: [],
    }[plan.form]
    return [*content, *plan.attribute_by_name, NIL, TYPE]

"""What is written in the place of a value that is not let out: no more of the value than its name promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from adapter.envelope.field_paths import Declaration
from adapter.envelope.schema_model import ElementDeclaration, SchemaModel
from adapter.errors import AnswerNotReleasable
from adapter.released_fields import Replacement

Rewrite = Callable[[str], str]
"""The text of an element or attribute in, what is written instead out. Raises AnswerNotReleasable."""

MASK: Final = "***"
_MAX_MASK_CHARS: Final = 1000
# ISO 8601 as XML Schema 1.0, Part 2, 3.2.7 to 3.2.11 writes it: a year of four digits or more, then perhaps more.
_DATE: Final = re.compile(
    r"(?P<year>-?[0-9]{4,9})(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9:.]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_YEAR_AS: Final = {
    "date": "{}-01-01",
    "dateTime": "{}-01-01T00:00:00Z",
    "gYearMonth": "{}-01",
}


def rewrite_for(way: Replacement, declared: Declaration | None, model: SchemaModel) -> Rewrite:
    """How the text of this place is written anew. NIL is no text and is not for here."""
    value = None if declared is None else model.value_type(model.type_of(declared))
    match way:
        case Replacement.MASK:
            mask = _mask(declared, model)
            return lambda _: mask
        case Replacement.YEAR:
            form = _YEAR_AS.get("" if value is None else value.primitive, "{}")
            return lambda text: _year(text, form)
        case Replacement.INITIAL:
            return _initial
        case Replacement.ZERO:
            return lambda _: "0"
        case _:
            return lambda _: ""


def _mask(declared: Declaration | None, model: SchemaModel) -> str:
    """As long as the schema wants it, whatever the value is."""
    value = None if declared is None else model.value_type(model.type_of(declared))
    if value is None:
        return MASK
    facets = value.facets
    length = facets.length or max(min(len(MASK), facets.max_length or len(MASK)), facets.min_length or 0)
    return "*" * min(length, _MAX_MASK_CHARS)


def _year(text: str, form: str) -> str:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise AnswerNotReleasable("a value that is to be replaced by its year is no date")
    return form.format(found["year"])


def _initial(text: str) -> str:
    first = text.strip()[:1]
    if not first.isalpha():
        raise AnswerNotReleasable("a value that is to be replaced by its initial does not begin with a letter")
    return f"{first.upper()}."


def unfit(way: Replacement, declared: Declaration | None, model: SchemaModel) -> str:
    """Why this replacement can never fit the schema at this place, in words; empty when it may."""
    if declared is None:
        return ""
    kind = model.type_of(declared)
    value = model.value_type(kind)
    if way is Replacement.NIL:
        is_nillable = isinstance(declared, ElementDeclaration) and declared.nillable
        return "" if is_nillable else "the schema does not let it be nil"
    if value is None:
        return "" if way is Replacement.EMPTY else f"it has no value of its own, so {way.value} means nothing"
    if value.primitive not in _FITS[way]:
        return f"a value of the type {value.builtin} cannot be replaced by {way.value}"
    return ""


_TEXTS: Final = frozenset({"string", "anySimpleType", "anyURI"})
_FITS: Final = {
    Replacement.MASK: _TEXTS,
    Replacement.INITIAL: _TEXTS,
    Replacement.EMPTY: frozenset({"base64Binary", "hexBinary"}) | _TEXTS,
    Replacement.ZERO: frozenset({"decimal", "float", "double", "boolean"}) | _TEXTS,
    Replacement.YEAR: frozenset({"date", "dateTime", "gYearMonth", "gYear"}) | _TEXTS,
}

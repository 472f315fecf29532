"""A value for a simple type: plausible by the field's name where that fits, else by the pattern, else by the type."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final

from adapter.envelope.schema_model import ANY_SIMPLE_TYPE, Facets, SchemaModel, SimpleType, Variety, local_name
from adapter.errors import DescriptionUnusable
from adapter.samples.hints import guess_date, guesses, words_of
from adapter.samples.patterns import draw_text
from adapter.samples.people import Person
from adapter.samples.value_check import ValueCheck

_PATTERN_DRAWS: Final = 40
_MAX_DRAWN_CHARS: Final = 30_000
_MAX_TEXT_CHARS: Final = 200_000
_MAX_ITEMS: Final = 50
_TEXTS: Final = ("Namuna", "Намуна", "Ma’lumot", "Маълумот", "Ариза", "Hujjat")
_NAMES: Final = ("namuna", "hujjat", "qiymat")


class ValueMaker:
    """Makes values for the types of one model."""

    def __init__(self, model: SchemaModel) -> None:
        self._model = model
        self._checks: dict[str, ValueCheck] = {}

    def value(self, kind: SimpleType, name: str, person: Person, draw: random.Random) -> str:
        """A valid value for a field of this name. Raises DescriptionUnusable, with the type, if none is found."""
        if kind.facets.enumeration is not None and kind.variety is not Variety.ATOMIC:
            return draw.choice(kind.facets.enumeration)
        if kind.variety is Variety.LIST:
            return self._list(kind, name, person, draw)
        if kind.variety is Variety.UNION:
            return self._union(kind, name, person, draw)
        check = self._check(kind)
        for candidate in _candidates(kind, name, person, draw):
            if check.admits(candidate):
                return candidate
        raise DescriptionUnusable(f"no value was found for the type {_shown(kind)} of {name}")

    def admits(self, kind: SimpleType, text: str) -> bool:
        """Whether a text is a value of the type; of lists and unions nothing is said."""
        return kind.variety is Variety.ATOMIC and self._check(kind).admits(text)

    def _check(self, kind: SimpleType) -> ValueCheck:
        if kind.name not in self._checks:
            self._checks[kind.name] = ValueCheck(kind)
        return self._checks[kind.name]

    def _simple(self, name: str) -> SimpleType:
        found = self._model.types[name]
        fallback = self._model.types[ANY_SIMPLE_TYPE]
        chosen = found if isinstance(found, SimpleType) else fallback
        if not isinstance(chosen, SimpleType):
            raise DescriptionUnusable(f"the type {local_name(name)} has no values")
        return chosen

    def _list(self, kind: SimpleType, name: str, person: Person, draw: random.Random) -> str:
        facets = kind.facets
        least = facets.length if facets.length is not None else facets.min_length or 1
        count = min(least, facets.max_length if facets.max_length is not None else least, _MAX_ITEMS)
        item = self._simple(kind.item or ANY_SIMPLE_TYPE)
        return " ".join(self.value(item, name, person, draw).replace(" ", "") for _ in range(count))

    def _union(self, kind: SimpleType, name: str, person: Person, draw: random.Random) -> str:
        found = ""
        for member in kind.members:
            try:
                found = self.value(self._simple(member), name, person, draw)
            except DescriptionUnusable:
                continue
            if found:
                break
        return found


def _shown(kind: SimpleType) -> str:
    patterns = " and ".join("|".join(step) for step in kind.facets.patterns)
    named = kind.builtin if kind.is_anonymous else local_name(kind.name)
    return f"{named}{f' with the pattern {patterns[:100]}' if patterns else ''}"


def _candidates(kind: SimpleType, name: str, person: Person, draw: random.Random) -> Iterator[str]:
    """Texts that may be values, the most plausible first. Most are: what is not costs a check."""
    if kind.facets.enumeration is not None:
        yield from (guess for guess in guesses(name, person, draw) if guess in kind.facets.enumeration)
        yield from draw.sample(kind.facets.enumeration, len(kind.facets.enumeration))
        return
    make = _BY_PRIMITIVE.get(kind.primitive, _texts)
    by_type = make(kind, name, person, draw)
    if kind.primitive in ("string", "anySimpleType", "anyURI"):
        yield from _fitting(guesses(name, person, draw), kind.facets)
    if not kind.facets.patterns:
        yield from by_type
        return
    yield from (next(by_type, ""),)
    yield from _drawn(kind.facets.patterns[-1], draw)
    yield from by_type


def _drawn(patterns: tuple[str, ...], draw: random.Random) -> Iterator[str]:
    """Texts for one of the patterns: short and long ones, fewer where the patterns or their texts are long."""
    left = _MAX_DRAWN_CHARS
    for stretch in (2, 0, 12, 30):
        for _ in range(_PATTERN_DRAWS):
            pattern = draw.choice(patterns)
            text = draw_text(pattern, draw, stretch=stretch)
            yield text
            left -= len(text) + len(pattern)
            if left < 0:
                return


def _fitting(texts: tuple[str, ...], facets: Facets) -> Iterator[str]:
    """Those that are neither too long nor too short."""
    longest = facets.length if facets.length is not None else facets.max_length
    for text in texts:
        if longest is None or len(text) <= longest:
            yield text


# --- by primitive type -----------------------------------------------------------------------------------------------


def _lengths(facets: Facets) -> tuple[int, int | None]:
    """The least and the greatest length."""
    if facets.length is not None:
        return facets.length, facets.length
    return facets.min_length or 0, facets.max_length


def _texts(kind: SimpleType, name: str, _person: Person, draw: random.Random) -> Iterator[str]:
    least, most = _lengths(kind.facets)
    if least > _MAX_TEXT_CHARS:
        raise DescriptionUnusable(f"{name} is longer than a sample should be")
    yield from {
        "language": ("uz",),
        "ID": (f"id-{draw.randrange(10**9)}",),
        "IDREF": ("id-0",),
        "ENTITY": ("entity",),
    }.get(kind.builtin, ())
    words = _NAMES if kind.builtin in ("NMTOKEN", "Name", "NCName") else _TEXTS
    text = draw.choice(words)
    while len(text) < least:
        text += draw.choice(words) if words is _NAMES else f" {draw.choice(words)}"
    yield text if most is None else text[: max(most, 0)]
    yield ("x" * max(least, 1))[: most if most is not None else None]
    yield "7" * max(least, 1)
    yield ""


def _numbers(kind: SimpleType, name: str, _person: Person, draw: random.Random) -> Iterator[str]:
    facets = kind.facets
    places = min(facets.fraction_digits if facets.fraction_digits is not None else 2, 2)
    step = Decimal(1).scaleb(-places)
    low, high = _bound(facets.min_inclusive), _bound(facets.max_inclusive)
    low = low if low is not None else _moved(facets.min_exclusive, step)
    high = high if high is not None else _moved(facets.max_exclusive, -step)
    if facets.total_digits is not None:
        largest = Decimal(10) ** max(facets.total_digits - places, 1) - 1
        high = largest if high is None else min(high, largest)
    wanted = _number_for(name, draw)
    if places and kind.primitive == "decimal":
        wanted += Decimal(draw.randrange(100)) / 100
    if low is not None and wanted < low:
        wanted = low
    if high is not None and wanted > high:
        wanted = high
    for number in (wanted, low, high, Decimal(0), Decimal(1)):
        if number is not None:
            yield f"{number.quantize(step) if abs(number) < 10**15 else number:f}"


def _number_for(name: str, draw: random.Random) -> Decimal:
    words = words_of(name)
    if words & {"year", "yil"}:
        return Decimal(2025)
    if words & {"amount", "sum", "price", "total", "salary", "summa"}:
        return Decimal(draw.randint(100_000, 9_000_000))
    if words & {"id", "number", "code"}:
        return Decimal(draw.randint(1000, 99_999))
    return Decimal(draw.randint(1, 20))


def _bound(written: str | None) -> Decimal | None:
    try:
        found = Decimal(written) if written else None
    except InvalidOperation:
        return None
    return found if found is None or found.is_finite() else None


def _moved(written: str | None, by: Decimal) -> Decimal | None:
    bound = _bound(written)
    return None if bound is None else bound + by


def _instants(kind: SimpleType, name: str, person: Person, draw: random.Random) -> Iterator[str]:
    day = guess_date(name, person, draw)
    at = datetime.combine(day, time(draw.randint(8, 18), draw.randrange(60), draw.randrange(60)))
    written = f"{at:{_INSTANT_FORMS[kind.primitive]}}"
    yield written
    yield f"{written}Z"
    yield f"{written}+05:00"
    yield from filter(None, (kind.facets.min_inclusive, kind.facets.max_inclusive))


def _durations(_kind: SimpleType, _name: str, _person: Person, draw: random.Random) -> Iterator[str]:
    yield f"P{draw.randint(1, 30)}D"
    yield "PT1H30M"
    yield "P1Y6M"
    yield "P1Y2M3DT4H5M6S"


def _booleans(_kind: SimpleType, _name: str, _person: Person, draw: random.Random) -> Iterator[str]:
    yield from draw.sample(("true", "false"), 2)
    yield from ("1", "0")


def _octets(kind: SimpleType, _name: str, _person: Person, draw: random.Random) -> Iterator[str]:
    least, most = _lengths(kind.facets)
    count = max(least, 12 if most is None else min(12, most))
    octets = draw.randbytes(min(count, _MAX_TEXT_CHARS))
    yield octets.hex().upper() if kind.primitive == "hexBinary" else base64.b64encode(octets).decode()


def _addresses(_kind: SimpleType, _name: str, _person: Person, draw: random.Random) -> Iterator[str]:
    yield f"https://example.uz/{draw.randint(1, 999)}"
    yield "urn:example:namuna"
    yield "a"


def _qualified_names(_kind: SimpleType, _name: str, _person: Person, _draw: random.Random) -> Iterator[str]:
    yield "namuna"


_INSTANT_FORMS: Final = {
    "dateTime": "%Y-%m-%dT%H:%M:%S",
    "date": "%Y-%m-%d",
    "time": "%H:%M:%S",
    "gYearMonth": "%Y-%m",
    "gYear": "%Y",
    "gMonthDay": "--%m-%d",
    "gDay": "---%d",
    "gMonth": "--%m",
}

_BY_PRIMITIVE: Final[dict[str, Callable[[SimpleType, str, Person, random.Random], Iterator[str]]]] = {
    "boolean": _booleans,
    "decimal": _numbers,
    "float": _numbers,
    "double": _numbers,
    "duration": _durations,
    "hexBinary": _octets,
    "base64Binary": _octets,
    "anyURI": _addresses,
    "QName": _qualified_names,
    **dict.fromkeys(_INSTANT_FORMS, _instants),
}

"""Which fields of a service's answer a rule lets out, and what stands for others: values and their spelling.

A field is named by its path from the answer's outermost element down: `p:GetPersonResponse/p:Person/p:Name`, an
attribute as the last step with `@`. `**` as the last step means whatever stands below, declared or not. The prefixes
are those of the value's own table, so that a rule means the same wherever it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from adapter.errors import CommandRefused

EVERYTHING: Final = "**"
MAX_FIELDS: Final = 200
MAX_PATH_CHARS: Final = 1000
_STEP: Final = re.compile(r"@?(?:(?P<prefix>[^\W\d][\w.-]*):)?(?P<local>[^\W\d][\w.-]*)")
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
KNOWN_PREFIXES: Final[Mapping[str, str]] = {"xml": _XML, "xsi": _XSI}
"""Prefixes that every table has."""


class Replacement(Enum):
    """What stands for a value that is not let out: the closed table of replacements."""

    NIL = "nil"
    """`xsi:nil`, where the schema lets the element be nil."""
    EMPTY = "empty"
    """The element without content: an empty text, an empty list."""
    MASK = "mask"
    """Asterisks, as many as the schema asks for; never as many as the value has."""
    ZERO = "zero"
    """The number 0."""
    YEAR = "year"
    """Of a date, a time or a month its year: the first of January."""
    INITIAL = "initial"
    """Of a name its first letter, and a full stop."""


SAYS_NOTHING: Final = frozenset((Replacement.NIL, Replacement.EMPTY, Replacement.MASK, Replacement.ZERO))
"""What stands there is the same whatever the value was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedFields:
    """What a rule lets out. Raises CommandRefused when its paths do not fit together.

    namespaces: prefix and namespace name of each prefix that a path uses. released: paths. replaced: path to what
    stands there instead. What neither names, nor lies on the way to what they name, is taken out.
    """

    namespaces: tuple[tuple[str, str], ...] = ()
    released: tuple[str, ...] = ()
    replaced: tuple[tuple[str, Replacement], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.namespaces, self.released, self.replaced)))
        paths = [*self.released, *(path for path, _ in self.replaced)]
        if len(paths) > MAX_FIELDS:
            raise CommandRefused(f"a rule names {MAX_FIELDS} fields at most")
        if len(set(paths)) != len(paths):
            raise CommandRefused("a field is named twice")
        for path in paths:
            self.expanded(path)
        for path, _ in self.replaced:
            if path.endswith(f"/{EVERYTHING}"):
                raise CommandRefused(f"{path}: name the element itself to have it replaced")
            below = next((other for other in paths if other.startswith(f"{path}/")), None)
            if below is not None:
                raise CommandRefused(f"{path} is replaced, so {below} below it cannot be named")

    def __hash__(self) -> int:
        """Worked out once: it is looked up by in every exchange."""
        return self._hash

    def expanded(self, path: str) -> tuple[str, ...]:
        """The steps of a path as names `{namespace}local`, an attribute's behind `@`. Raises CommandRefused."""
        if len(path) > MAX_PATH_CHARS:
            raise CommandRefused(f"a path has {MAX_PATH_CHARS} characters at most")
        return tuple(_expanded(path, dict(self.namespaces) | dict(KNOWN_PREFIXES)))


def _expanded(path: str, namespaces: Mapping[str, str]) -> Iterator[str]:
    steps = path.split("/")
    for at, step in enumerate(steps):
        is_last = at == len(steps) - 1
        if step == EVERYTHING and is_last and at:
            yield step
            continue
        found = _STEP.fullmatch(step)
        if found is None or (step.startswith("@") and not (is_last and at)):
            raise CommandRefused(f"{path!r} is not the path of a field: prefix:Name/prefix:Name/@attribute")
        prefix, mark = found["prefix"], "@" if step.startswith("@") else ""
        if prefix is None:
            yield mark + found["local"]
        elif prefix in namespaces:
            yield f"{mark}{{{namespaces[prefix]}}}{found['local']}"
        else:
            raise CommandRefused(f"{path!r} uses a prefix that is not in the table: {prefix}")


def fields_as_json(fields: ReleasedFields) -> dict[str, Any]:
    """The value as the store and the record's entries write it."""
    return {
        "namespaces": [list(pair) for pair in fields.namespaces],
        "released": list(fields.released),
        "replaced": [[path, way.value] for path, way in fields.replaced],
    }


def fields_from_json(said: Mapping[str, Any]) -> ReleasedFields:
    """The way back. Raises KeyError, ValueError, TypeError, CommandRefused for anything else."""
    return ReleasedFields(
        namespaces=tuple((str(prefix), str(uri)) for prefix, uri in said["namespaces"]),
        released=tuple(map(str, said["released"])),
        replaced=tuple((str(path), Replacement(way)) for path, way in said["replaced"]),
    )

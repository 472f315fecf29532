"""JSON octets to values and back (RFC 8259), strictly: one reading for every reader, within bounds."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final, NoReturn

from adapter.errors import LimitExceeded, MalformedJson, Problem

_BOM: Final = b"\xef\xbb\xbf"
_MAX_NAME_CHARS: Final = 64
_MAX_STEP_CHARS: Final = 256
# Or what is there of one: a string without end is no JSON, and to try each quote in it again would take n * n steps.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class Number(str):
    """A JSON number as it was written: no digit is lost to a float."""

    __slots__ = ()


Json = Number | str | bool | int | float | list[Any] | dict[str, Any] | None
"""A value of a document. Numbers that were read are Numbers; those to be written are ints and floats."""


def parse_json(octets: bytes, *, max_values: int) -> Json:
    """A client's octets (untrusted, their size is bounded already) as a value.

    Raises MalformedJson for what is no JSON, is not UTF-8, names a member twice or has NaN or Infinity; LimitExceeded
    for more than max_values arrays, objects and items in all, each of which takes many times its octets of memory, and
    when it is nested too deeply to be read. How deep it may be to be used, whoever uses it has to say.
    """
    if _may_have(octets) > max_values and _may_have(_STRING.sub(b"", octets)) > max_values:
        raise LimitExceeded(f"more than {max_values} values")
    try:
        text = octets.removeprefix(_BOM).decode("utf-8")
        return json.loads(  # type: ignore[no-any-return]
            text, object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_constant
        )
    except json.JSONDecodeError as broken:
        problem = Problem(
            line=broken.lineno, column=broken.colno, element="", rule="json.syntax", text=f"{broken.msg}."
        )
        raise MalformedJson("not JSON", problems=(problem,)) from None
    except UnicodeDecodeError as broken:
        raise MalformedJson(f"octet {broken.start} is not UTF-8") from None
    except RecursionError:
        raise LimitExceeded("JSON nested too deeply") from None


def _may_have(octets: bytes) -> int:
    """At least as many as there are arrays, objects and items."""
    return octets.count(b",") + octets.count(b"[") + octets.count(b"{")


def render_json(value: Json) -> bytes:
    """A value as octets. Floats are finite here."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        count = Counter(name for name, _ in members)
        twice = next(name for name in count if count[name] > 1)
        _refuse("json.duplicate", f'The member "{shown(twice)}" occurs twice in one object.')
    return found


def _constant(name: str) -> NoReturn:
    _refuse("json.number", f"{name} is not a JSON number.")


def _refuse(rule: str, text: str) -> NoReturn:
    raise MalformedJson(rule, problems=(Problem(line=0, column=0, element="", rule=rule, text=text),))


def shown(name: str) -> str:
    """A member's name as a text may repeat it to whoever sent it: bounded, printable."""
    return "".join(char if char.isprintable() else "?" for char in name)[:_MAX_NAME_CHARS]


def pointer_to(parent: str, step: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a member or an item; of a very long name its beginning."""
    return f"{parent}/{str(step)[:_MAX_STEP_CHARS].replace('~', '~0').replace('/', '~1')}"


def kind_of(value: Json) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case Number() | int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"

"""Canonical JSON of the record's entries (RFC 8785), with a bound on everything that came from outside.

An entry's leaf hash is over these octets, so that anybody can compute it again. Only the part of JSON that entries need
is allowed: text, whole numbers, true, false, null, lists, and objects with ASCII names. Within it Python's encoder with
sorted names writes exactly what RFC 8785 asks for, at a fifth of the cost of the rfc8785 package, which the tests ask
for a second opinion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from adapter.errors import InternalError

MAX_TEXT_CHARS: Final = 2_000
"""A longer text is cut, and says so: a hostile message must not swell the record, nor stop a refusal's entry (W153)."""
MAX_ITEMS: Final = 256
MAX_DEPTH: Final = 6
MAX_ENTRY_OCTETS: Final = 256 * 1024
_MAX_EXACT_INTEGER: Final = (1 << 53) - 1

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical_json(value: Mapping[str, Any]) -> str:
    """The canonical text of an object; its UTF-8 form is what is hashed. Over-long texts and lists are cut.

    Raises InternalError for what an entry may not contain (a fraction, a number above 2^53, a name that is not ASCII,
    too deep, too large): that is a mistake in the program that made the entry.
    """
    text = _encode(_bounded_object(value, MAX_DEPTH))
    if len(text) > MAX_ENTRY_OCTETS // 4 and len(text.encode()) > MAX_ENTRY_OCTETS:
        raise InternalError(f"an entry has more than {MAX_ENTRY_OCTETS} octets")
    return text


def _bounded_object(value: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Texts without anything to mend, most of what entries hold, are passed on here: a call for each costs as much."""
    bounded = {}
    for name, member in value.items():
        if type(name) is not str or not name.isascii():
            raise InternalError("an entry has a member whose name is not ASCII text")
        is_plain = type(member) is str and len(member) <= MAX_TEXT_CHARS and member.isascii()
        bounded[name] = member if is_plain else _bounded(member, depth)
    return bounded


def _bounded(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """depth: how many levels there may be below the object or list that holds this value, and this one."""
    kind = type(value)
    if kind is str:
        return _bounded_text(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        if abs(value) > _MAX_EXACT_INTEGER:
            raise InternalError("an entry has a number that JSON cannot hold exactly")
        return value
    return _bounded_container(value, depth - 1)


def _bounded_container(value: Any, depth: int) -> Any:  # noqa: ANN401 - an object or a list
    if depth == 0:
        raise InternalError("an entry is nested too deep")
    if type(value) is dict or isinstance(value, Mapping):
        return _bounded_object(value, depth)
    if type(value) is list or type(value) is tuple:
        return [_bounded(member, depth) for member in value[:MAX_ITEMS]]
    raise InternalError(f"an entry has a value of type {type(value).__name__}")


def _bounded_text(text: str) -> str:
    if len(text) > MAX_TEXT_CHARS:
        text = f"{text[:MAX_TEXT_CHARS]}… ({len(text)} characters)"
    # Half a surrogate pair has no UTF-8 form (a header that was no UTF-8 leaves some): it becomes a question mark.
    return text.encode("utf-8", "replace").decode()

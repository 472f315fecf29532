"""On which line does a key of a TOML document stand? The standard library's reader does not say.

The text was accepted by tomllib before it comes here, so nothing is checked again: this only walks over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

KeyPath = tuple[str | int, ...]
"""Keys from the document's top to the value; an int is a position in an array of tables, from 0."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY_PART: Final = re.compile(r"""[ \t]*(?:"((?:\\.|[^"\\\n])*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*""")
_STRING: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


@dataclass(slots=True)
class _Walk:
    """Where the walk is: the text and the table that plain keys belong to."""

    text: str
    at: int = 0
    table: KeyPath = ()
    lines: dict[KeyPath, int] = field(default_factory=dict)
    last_of_array: dict[KeyPath, int] = field(default_factory=dict)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Every table and key of a valid TOML document with its line, from 1. Keys of inline tables are not listed."""
    walk = _Walk(text)
    while True:
        walk.at = _end(_BLANK, text, walk.at)
        if walk.at >= len(text):
            return walk.lines
        if text.startswith("[[", walk.at):
            _array_header(walk)
        elif text.startswith("[", walk.at):
            _table_header(walk)
        else:
            _key_and_value(walk)


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of the key, or of the nearest thing around it; 0 for the document itself."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _line_number(walk: _Walk) -> int:
    return walk.text.count("\n", 0, walk.at) + 1


def _dotted_key(walk: _Walk) -> Iterator[str]:
    """The parts of a dotted key; the walk ends behind the last one."""
    while part := _KEY_PART.match(walk.text, walk.at):
        walk.at = part.end()
        double, single, bare = part.groups()
        yield next(found for found in (double, single, bare) if found is not None)
        if not walk.text.startswith(".", walk.at):
            return
        walk.at += 1


def _placed(walk: _Walk, parts: list[str]) -> KeyPath:
    """The full path of a header: `client.context` below the third `[[client]]` is (client, 2, context)."""
    path: KeyPath = ()
    for part in parts:
        path = (*path, part)
        if path in walk.last_of_array:
            path = (*path, walk.last_of_array[path])
    return path


def _array_header(walk: _Walk) -> None:
    line = _line_number(walk)
    walk.at += 2
    *around, name = _dotted_key(walk)
    array = (*_placed(walk, around), name)
    walk.last_of_array[array] = walk.last_of_array.get(array, -1) + 1
    walk.table = (*array, walk.last_of_array[array])
    walk.lines.setdefault(array, line)
    walk.lines[walk.table] = line
    walk.at += 2


def _table_header(walk: _Walk) -> None:
    line = _line_number(walk)
    walk.at += 1
    walk.table = _placed(walk, list(_dotted_key(walk)))
    walk.lines[walk.table] = line
    walk.at += 1


def _key_and_value(walk: _Walk) -> None:
    line = _line_number(walk)
    path = walk.table
    for part in _dotted_key(walk):
        path = (*path, part)
        walk.lines.setdefault(path, line)
    walk.at += 1  # the equals sign
    _skip_value(walk)


def _skip_value(walk: _Walk) -> None:
    """Go to the end of the value: the end of its line, or of the line that closes its last bracket."""
    depth = 0
    while walk.at < len(walk.text):
        string = _STRING.match(walk.text, walk.at)
        character = walk.text[walk.at]
        if string:
            walk.at = string.end()
            continue
        if character == "#":
            walk.at = _end(_BLANK, walk.text, walk.at) if depth else _end(re.compile(r"#[^\n]*"), walk.text, walk.at)
            continue
        if character == "\n" and depth == 0:
            return
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
        walk.at += 1

r"""Texts that match a pattern of XML Schema (1.0, Part 2, appendix F), drawn at random.

That language is not Python's: it has no anchors, it has `\i`, `\c` and class subtraction, and generators for Python's
expressions stumble over these. Whether a drawn text matches is judged by libxml2 (samples.value_check), so a construct
that is read loosely here costs a further draw and no more.
"""

from __future__ import annotations

import random
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from adapter.errors import DescriptionUnusable

_CYRILLIC: Final = "".join(chr(code) for code in range(0x410, 0x450)) + "ЎўҚқҒғҲҳЁё"
_UNIVERSE: Final = frozenset(string.ascii_letters + string.digits + string.punctuation + " \t\n\r" + _CYRILLIC)
_DIGITS: Final = frozenset(string.digits)
_SPACES: Final = frozenset(" \t\n\r")
_NAME_START: Final = frozenset(string.ascii_letters + "_:")
_NAME: Final = _NAME_START | _DIGITS | frozenset(".-")
_WORDS: Final = frozenset(each for each in _UNIVERSE if unicodedata.category(each)[0] not in "PZC")
_PLAIN: Final = frozenset(string.ascii_letters + string.digits)
_ESCAPES: Final = {"d": _DIGITS, "s": _SPACES, "i": _NAME_START, "c": _NAME, "w": _WORDS}
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t"}
_MAX_RANGE: Final = 4096
_MAX_REPEAT: Final = 4000
_MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters to choose one from, or branches; and how often. maximum is None without a bound."""

    atom: frozenset[str] | _Branches
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class _Branches:
    branches: tuple[tuple[_Piece, ...], ...]


def draw_text(pattern: str, draw: random.Random, *, stretch: int = 2) -> str:
    """One text for the pattern. stretch: how much more than the least number of repetitions is drawn at most.

    Raises DescriptionUnusable for a pattern that this does not read.
    """
    return "".join(_draw(_read(pattern), draw, stretch))


@lru_cache(maxsize=256)
def _read(pattern: str) -> _Branches:
    return _Reader(pattern).whole()


def _draw(found: _Branches, draw: random.Random, stretch: int) -> list[str]:
    drawn: list[str] = []
    for piece in draw.choice(found.branches):
        most = piece.minimum + stretch if piece.maximum is None else min(piece.maximum, piece.minimum + stretch)
        for _ in range(min(draw.randint(piece.minimum, most), _MAX_REPEAT)):
            if isinstance(piece.atom, _Branches):
                drawn += _draw(piece.atom, draw, stretch)
            else:
                drawn.append(_choose(piece.atom, draw))
    return drawn


def _choose(characters: frozenset[str], draw: random.Random) -> str:
    """A letter or a digit where there is one: what an integrator would type."""
    return draw.choice(_plainest(characters))


@lru_cache(maxsize=1024)
def _plainest(characters: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(characters & _PLAIN or characters))


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def whole(self) -> _Branches:
        """The pattern to its end."""
        found = self._branches()
        if self._at != len(self._pattern):
            raise self._unreadable()
        return found

    def _unreadable(self) -> DescriptionUnusable:
        return DescriptionUnusable(f"the pattern {self._pattern[:100]} is not understood at character {self._at + 1}")

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at >= len(self._pattern):
            raise self._unreadable()
        self._at += 1
        return self._pattern[self._at - 1]

    def _branches(self) -> _Branches:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._unreadable()
        branches = [self._branch()]
        while self._peek() == "|":
            self._take()
            branches.append(self._branch())
        self._depth -= 1
        return _Branches(tuple(branches))

    def _branch(self) -> tuple[_Piece, ...]:
        pieces = []
        while self._peek() not in ("", "|", ")"):
            atom = self._atom()
            pieces.append(_Piece(atom, *self._quantifier()))
        return tuple(pieces)

    def _quantifier(self) -> tuple[int, int | None]:
        sign = self._peek()
        if sign in ("?", "*", "+"):
            self._take()
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign]
        if sign != "{":
            return 1, 1
        end = self._pattern.find("}", self._at)
        minimum, comma, maximum = self._pattern[self._at + 1 : end].partition(",")
        if end < 0 or not minimum.isdecimal() or (maximum and not maximum.isdecimal()):
            raise self._unreadable()
        self._at = end + 1
        if not comma:
            return int(minimum), int(minimum)
        return int(minimum), int(maximum) if maximum else None

    def _atom(self) -> frozenset[str] | _Branches:
        character = self._take()
        if character == "(":
            found = self._branches()
            if self._take() != ")":
                raise self._unreadable()
            return found
        if character == "[":
            return self._class()
        if character == ".":
            return _UNIVERSE - _SPACES | frozenset(" ")
        if character == "\\":
            return self._escape()
        return frozenset(character)

    def _escape(self) -> frozenset[str]:
        kind = self._take()
        if kind in _CONTROLS:
            return frozenset(_CONTROLS[kind])
        if kind in ("p", "P"):
            found = self._category()
            return found if kind == "p" else _UNIVERSE - found
        if kind in _ESCAPES:
            return _ESCAPES[kind]
        if kind.lower() in _ESCAPES:
            return _UNIVERSE - _ESCAPES[kind.lower()]
        return frozenset(kind)

    def _category(self) -> frozenset[str]:
        end = self._pattern.find("}", self._at)
        if self._peek() != "{" or end < 0:
            raise self._unreadable()
        name = self._pattern[self._at + 1 : end]
        self._at = end + 1
        if name.startswith("Is"):
            in_block = {"IsCyrillic": _CYRILLIC}.get(name)
            return frozenset(in_block) if in_block else _UNIVERSE
        return frozenset(each for each in _UNIVERSE if unicodedata.category(each).startswith(name))

    def _class(self) -> frozenset[str]:
        is_negated = self._peek() == "^"
        if is_negated:
            self._take()
        found: set[str] = set()
        subtracted: frozenset[str] = frozenset()
        while self._peek() != "]":
            if self._pattern.startswith("-[", self._at):
                self._at += 2
                subtracted = self._class()
            else:
                found |= self._member()
        self._take()
        return (_UNIVERSE - found if is_negated else frozenset(found)) - subtracted

    def _member(self) -> frozenset[str]:
        """One character, an escape or a range of a class."""
        first = self._take()
        start = self._escape() if first == "\\" else frozenset(first)
        is_range = self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", "[", "")
        if not is_range or len(start) > 1:
            return start
        self._take()
        last = self._take()
        end = self._escape() if last == "\\" else frozenset(last)
        low, high = ord(min(start)), ord(min(end))
        return frozenset(map(chr, range(low, min(high, low + _MAX_RANGE) + 1)))

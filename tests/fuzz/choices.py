"""Decisions read from octets, so that a fuzzer that changes octets changes decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_One = TypeVar("_One")


class Choices:
    """Reads decisions one by one. Past the end every decision is the first one, so each input means something."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def are_left(self) -> bool:
        """Whether anything is left to decide."""
        return self._at < len(self._octets)

    def number(self, below: int) -> int:
        """0 to below - 1."""
        width = 1 if below <= 1 << 8 else 2 if below <= 1 << 16 else 4
        taken = self.octets(width)
        return int.from_bytes(taken, "big") % below if below > 0 else 0

    def one(self, of: Sequence[_One]) -> _One:
        """One of several."""
        return of[self.number(len(of))]

    def octets(self, count: int) -> bytes:
        """The next octets as they are; fewer at the end."""
        taken = self._octets[self._at : self._at + count]
        self._at += count
        return taken

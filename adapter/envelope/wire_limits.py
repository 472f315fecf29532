"""How large an envelope between adapters may be, whatever the settings allow: a hostile tree is never built."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from adapter.errors import LimitExceeded
from adapter.xmlsafe import XmlLimits

MAX_WIRE_ELEMENTS: Final = 4_000
MAX_WIRE_ATTRIBUTES: Final = 16_000
"""Of one envelope between adapters: whatever may have many elements is encrypted, and that is text here. With as many
attachments as there may be, an envelope has a sixth of either (tests/unit/envelope/test_wire_limits.py)."""


@lru_cache(maxsize=16)
def wire_limits(limits: XmlLimits) -> XmlLimits:
    """The bounds on an envelope between adapters, from those on any message: a tree of hostile size is never built."""
    return replace(
        limits,
        max_nodes=min(limits.max_nodes, MAX_WIRE_ELEMENTS),
        max_attributes_in_all=min(limits.max_attributes_in_all, MAX_WIRE_ATTRIBUTES),
    )


class ArrivingEnvelope:
    """Looks at the octets of an envelope between adapters as they come, so that the rest of a hostile one is not read.

    What it refuses, `xmlsafe.parse` would refuse within the same bounds, or as not well-formed: of two "<" at most one
    ends an element.
    """

    def __init__(self, limits: XmlLimits) -> None:
        bounds = wire_limits(limits)
        self._tags_left = 2 * bounds.max_nodes
        self._attributes_left = bounds.max_attributes_in_all

    def look_at(self, octets: bytes) -> None:
        """octets: untrusted, the next ones. Raises LimitExceeded."""
        # To see that there is none is forty times as fast as to count, and hardly any piece of ciphertext has one.
        if b"<" in octets:
            self._tags_left -= octets.count(b"<")
        if b"=" in octets:
            self._attributes_left -= octets.count(b'="') + octets.count(b"='")
        if self._tags_left < 0 or self._attributes_left < 0:
            raise LimitExceeded("more elements or attributes than an envelope between adapters has")

"""The messages of the benchmark: a payload of exactly so many octets, made of typed records, and the mix of sizes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from adapter.identifiers import pinfl_check_digit

NAMESPACE: Final = "urn:example:bench-records:1"
SOAP_ACTION: Final = f"{NAMESPACE}/KeepRecords"

KB: Final = 1_000
MB: Final = 1_000_000

MIX: Final[Mapping[int, float]] = MappingProxyType(
    {2 * KB: 0.30, 10 * KB: 0.60, 100 * KB: 0.09, 2 * MB: 0.009, 10 * MB: 0.001}
)
"""Octets of the payload to its share of the messages."""
SMALL: Final[Mapping[int, float]] = MappingProxyType({2 * KB: 1.0})
"""2 kB alone."""

_FIRST_THIRTEEN: Final = "3010190000000"
PINFL: Final = f"{_FIRST_THIRTEEN}{pinfl_check_digit(_FIRST_THIRTEEN)}"
"""Of nobody."""

_KINDS: Final = ("pension", "allowance", "subsidy")
_HOLDERS: Final = ("Alisher Made-Up", "Gulnora Nobody", "Timur Synthetic", "Dilnoza Invented")
_REFERENCE_DIGITS: Final = 9
_START: Final = f'<r:KeepRecords xmlns:r="{NAMESPACE}"><r:Pinfl>{PINFL}</r:Pinfl><r:Reference>'
_END: Final = "</r:Note></r:KeepRecords>"
_ENVELOPE_START: Final = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
_ENVELOPE_END: Final = b"</s:Body></s:Envelope>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One SOAP request, and what its reply must hold: the same records under the same reference."""

    size: int
    octets: bytes
    expected: bytes


def make_call(size: int, number: int) -> Call:
    """The request with this number. size: octets of the payload element, in canonical form."""
    payload = make_payload(size, number)
    inner = payload[payload.index(b"<r:Reference>") : -len(b"</r:KeepRecords>")]
    return Call(size=size, octets=_ENVELOPE_START + payload + _ENVELOPE_END, expected=inner)


def make_payload(size: int, number: int = 0) -> bytes:
    """The payload element, canonical as it stands. Every number gives other octets of the same size."""
    return _START.encode() + f"{number:0{_REFERENCE_DIGITS}d}".encode() + _tail(size)


@lru_cache(maxsize=len(MIX) + 1)
def _tail(size: int) -> bytes:
    """All that follows the reference: as many records as there is room for, and a note that fills up what is left."""
    head = "</r:Reference>"
    room = size - len(_START) - _REFERENCE_DIGITS - len(head) - len("<r:Note>") - len(_END)
    if room < 0:
        raise ValueError(f"a payload has at least {size - room} octets")
    draw = random.Random(size)
    records: list[str] = []
    while True:
        record = _record(draw, len(records) + 1)
        if len(record) > room:
            break
        records.append(record)
        room -= len(record)
    return "".join((head, *records, "<r:Note>", "n" * room, _END)).encode()


def _record(draw: random.Random, number: int) -> str:
    issued = f"20{draw.randrange(10, 25)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}"
    return (
        f"<r:Record><r:Number>{number}</r:Number><r:Kind>{draw.choice(_KINDS)}</r:Kind><r:Issued>{issued}</r:Issued>"
        f"<r:Amount>{draw.randrange(10**7) / 100:.2f}</r:Amount><r:Holder>{draw.choice(_HOLDERS)}</r:Holder></r:Record>"
    )


def draw_sizes(mix: Mapping[int, float], count: int, seed: int) -> list[int]:
    """The sizes of `count` messages in random order. Their shares are those of the mix, as exactly as `count` allows.

    A free draw would have the number of the largest, which cost most, differ from run to run.
    """
    sizes: list[int] = []
    owed = 0.0
    for size in sorted(mix, reverse=True):
        owed += mix[size] * count
        sizes += [size] * (round(owed) - len(sizes))
    random.Random(seed).shuffle(sizes)
    return sizes

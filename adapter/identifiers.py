"""Typed identifiers. A value of one of these types has the right form; who it belongs to is another question.

Law on electronic government, articles 3 and 10: one person, one organisation, one object, one identifier.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NewType, Self

from adapter.errors import InvalidIdentifier

# One segment of a member or service name: what can stand in a URL path, a file name and a log line without escaping.
_SEGMENT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_MESSAGE_ID: Final = re.compile(r"(?:urn:uuid:)?[A-Za-z0-9](?:[A-Za-z0-9.@_-]{14,94})[A-Za-z0-9]")
_VERSION_7: Final = 7
_RFC_VARIANT: Final = 0b10
_OFFICIAL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_DIRECTORY_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
# The signs that a pattern of the directory can name; none of them has a meaning in XML.
_SIGN: Final = r"[A-Za-z0-9:/_.|()\[\]{}?*+\\,-]"
_DIRECTORY_VALUE: Final = re.compile(rf"{_SIGN}(?:(?:{_SIGN}| ){{0,126}}{_SIGN})?")
_PINFL: Final = re.compile(r"[0-9]{14}")
_PINFL_WEIGHTS: Final = (7, 3, 1) * 5

# Each message names the same few members and services a dozen times over: what was read is kept, and so is how each is
# written, with the value. What has not their form is not kept. They are told apart by how they are written: no segment
# has a slash, and looking one up in a dictionary part by part cost more than all else of the look-up.
_CACHED_NAMES: Final = 4096

Purpose = NewType("Purpose", str)
"""A purpose that the directory lists, by its code."""

RecordNumber = NewType("RecordNumber", int)
"""The position of an entry in an adapter's record, from 0."""


def _segment(value: str, what: str) -> str:
    if not _SEGMENT.fullmatch(value):
        raise InvalidIdentifier(f"{what}: 1 to 64 letters, digits, dot, hyphen or underscore are allowed")
    return value


@dataclass(frozen=True, slots=True, order=True)
class MemberId:
    """An organisation: instance, class, code (`UZ/GOV/200000001`)."""

    instance: str
    member_class: str
    code: str
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for part in (self.instance, self.member_class, self.code):
            _segment(part, "member")
        object.__setattr__(self, "_text", f"{self.instance}/{self.member_class}/{self.code}")

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, MemberId) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    @staticmethod
    @lru_cache(maxsize=_CACHED_NAMES)
    def parse(text: str) -> MemberId:
        """Read `instance/class/code`. Raises InvalidIdentifier."""
        parts = text.split("/")
        if len(parts) != 3:
            raise InvalidIdentifier("a member is written instance/class/code")
        return MemberId(*parts)


@dataclass(frozen=True, slots=True, order=True)
class SubsystemId:
    """One information system of a member (`UZ/GOV/200000001/population`)."""

    member: MemberId
    code: str
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _segment(self.code, "subsystem")
        object.__setattr__(self, "_text", f"{self.member}/{self.code}")

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, SubsystemId) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    @staticmethod
    @lru_cache(maxsize=_CACHED_NAMES)
    def parse(text: str) -> SubsystemId:
        """Read `instance/class/code/subsystem`. Raises InvalidIdentifier."""
        if text.count("/") != 3:
            raise InvalidIdentifier("a subsystem is written instance/class/code/subsystem")
        member, _, code = text.rpartition("/")
        return SubsystemId(MemberId.parse(member), code)


@dataclass(frozen=True, slots=True, order=True)
class ServiceId:
    """A service of a subsystem, with its version (`UZ/GOV/200000001/population/GetPerson/v1`)."""

    subsystem: SubsystemId
    code: str
    version: str
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _segment(self.code, "service")
        _segment(self.version, "service version")
        object.__setattr__(self, "_text", f"{self.subsystem}/{self.code}/{self.version}")

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, ServiceId) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    @staticmethod
    @lru_cache(maxsize=_CACHED_NAMES)
    def parse(text: str) -> ServiceId:
        """Read `instance/class/code/subsystem/service/version`. Raises InvalidIdentifier."""
        parts = text.rsplit("/", 2)
        if text.count("/") != 5:
            raise InvalidIdentifier("a service is written instance/class/code/subsystem/service/version")
        return ServiceId(SubsystemId.parse(parts[0]), parts[1], parts[2])


@dataclass(frozen=True, slots=True)
class MessageId:
    """The id that a sender gives to one message; unique for that sender for ever."""

    value: str

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.fullmatch(self.value):
            raise InvalidIdentifier("a message id is 16 to 96 letters, digits, dots, hyphens; urn:uuid: may precede it")

    def __str__(self) -> str:
        return self.value

    @classmethod
    def new(cls, now: datetime) -> Self:
        """A fresh id (RFC 9562, version 7): the time in milliseconds, which `sent` says too, and 74 random bits.

        In the order of time, so that a record that grows has the ids of a day beside each other in its indexes.
        """
        milliseconds = int(now.timestamp() * 1_000)
        fields = (milliseconds << 80) | (_VERSION_7 << 76) | (secrets.randbits(12) << 64)
        return cls(f"urn:uuid:{uuid.UUID(int=fields | (_RFC_VARIANT << 62) | secrets.randbits(62))}")


@dataclass(frozen=True, slots=True)
class OfficialId:
    """The civil servant who asks, by the number that their agency gave them."""

    value: str

    def __post_init__(self) -> None:
        if not _OFFICIAL.fullmatch(self.value):
            raise InvalidIdentifier("official: 1 to 64 letters, digits, dot, hyphen or underscore are allowed")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, repr=False)
class SubjectId:
    """Whom or what the data is about: a typed identifier.

    kind: `pinfl`, `stir`, `cadastre`, `soato`, whose values are checked here, check digit and all; or the code of a
    type of the directory, whose values both adapters hold against its pattern (policy.lawful). The value is personal
    data: it has no place in a log or an error text, and `repr` does not show it.
    """

    kind: str
    value: str

    def __post_init__(self) -> None:
        IDENTIFIER_KINDS.get(self.kind, self._check_shape)(self.value)

    def _check_shape(self, value: str) -> None:
        """Of an identifier that only the directory knows."""
        if not is_identifier_kind(self.kind):
            raise InvalidIdentifier(
                f"a kind of subject identifier is {', '.join(IDENTIFIER_KINDS)} or the code of a type of the directory"
            )
        if not _DIRECTORY_VALUE.fullmatch(value):
            raise InvalidIdentifier("an identifier has 1 to 128 letters, digits and signs, and no space at its ends")

    def __repr__(self) -> str:
        return f"SubjectId({self.kind})"


def is_identifier_kind(code: str) -> bool:
    """Whether it can be a kind of identifier at all: one that every adapter knows, or the directory's to define."""
    return _DIRECTORY_KIND.fullmatch(code) is not None


def is_day(text: str) -> bool:
    """Whether it is a day of the calendar in its one form, 2026-12-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def pinfl_check_digit(first_thirteen: str) -> int:
    """The 14th digit: weights 7, 3, 1 repeated over the first 13 digits, sum modulo 10."""
    return sum(map(int.__mul__, map(int, first_thirteen), _PINFL_WEIGHTS)) % 10


def check_pinfl(value: str) -> None:
    """PINFL: 14 digits, the last one a check digit. Raises InvalidIdentifier without repeating the value."""
    if not _PINFL.fullmatch(value):
        raise InvalidIdentifier("a PINFL has 14 digits")
    if pinfl_check_digit(value[:13]) != int(value[13]):
        raise InvalidIdentifier("the check digit of the PINFL is wrong")


def check_stir(value: str) -> None:
    """STIR: 9 digits. Its check digit is not published, so only the form is checked."""
    if not re.fullmatch(r"[0-9]{9}", value):
        raise InvalidIdentifier("a STIR has 9 digits")


def check_cadastre(value: str) -> None:
    """Cadastre number: groups of digits parted by colons (`10:09:03:01:02:0101`, with an optional /flat)."""
    if not re.fullmatch(r"[0-9]{2}(?::[0-9]{2,6}){3,7}(?:/[0-9]{1,5})?", value):
        raise InvalidIdentifier("a cadastre number is groups of digits parted by colons")


def check_soato(value: str) -> None:
    """SOATO: the classifier of administrative units, 4, 7 or 10 digits beginning with 17."""
    if not re.fullmatch(r"17[0-9]{2}(?:[0-9]{3}){0,2}", value):
        raise InvalidIdentifier("a SOATO code has 4, 7 or 10 digits and begins with 17")


IDENTIFIER_KINDS: Final = {
    "pinfl": check_pinfl,
    "stir": check_stir,
    "cadastre": check_cadastre,
    "soato": check_soato,
}

"""Elements of a directory document to values: what every part of the document is read with.

The document was valid against xsd/directory.xsd; what is refused here is what a schema cannot say. Everything raises
DirectoryRefused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from cryptography import x509
from lxml import etree

from adapter import xmlsafe
from adapter.crypto.certificates import UNREADABLE
from adapter.envelope import names
from adapter.errors import DirectoryRefused, InvalidIdentifier
from adapter.identifiers import MemberId, ServiceId, SubsystemId

_TRUE: Final = ("true", "1")
_MAX_CERTIFICATE_CHARS: Final = 32_768
_DURATION: Final = re.compile("P([0-9]+)D|PT([0-9]+)([HMS])")
_SECONDS: Final = {"H": 3600, "M": 60, "S": 1}

_Id = TypeVar("_Id", MemberId, SubsystemId, ServiceId)
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def tag(local: str) -> str:
    """The qualified name."""
    return names.qname(names.DIRECTORY, local)


def children(root: etree._Element, holder: str, name: str) -> Iterator[etree._Element]:
    """The elements of this name in the holder of this name; none where there is no holder."""
    for held in root.iterchildren(tag(holder)):
        yield from held.iterchildren(tag(name))


def only(element: etree._Element, name: str) -> etree._Element:
    """The one child of this name."""
    found = element.find(tag(name))
    if found is None:  # the schema requires it
        raise DirectoryRefused(f"{name} is missing at line {element.sourceline}")
    return found


def value(element: etree._Element, name: str) -> str:
    """An attribute that has to be there."""
    found = element.get(name)
    if found is None:  # the schema requires it
        raise DirectoryRefused(f"{name} is missing at line {element.sourceline}")
    return found


def flag(element: etree._Element, name: str) -> bool:
    """An attribute of type xs:boolean; absent is false."""
    return element.get(name) in _TRUE


def text(element: etree._Element) -> str:
    """The text as xs:token: white space collapsed."""
    return " ".join((element.text or "").split())


def texts(element: etree._Element, name: str) -> tuple[str, ...]:
    """The texts of the children of this name, in their order."""
    return tuple(text(one) for one in element.iterchildren(tag(name)))


def titles(element: etree._Element, name: str = "Title") -> Mapping[str, str]:
    """Language to text."""
    return unique(((value(one, "language"), text(one)) for one in element.iterchildren(tag(name))), name)


def instant(written: str) -> datetime:
    """A time in UTC."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise DirectoryRefused(f"there is no such time as {written}") from None


def day(written: str) -> date:
    """A day."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise DirectoryRefused(f"there is no such day as {written}") from None


def duration(element: etree._Element, name: str) -> timedelta | None:
    """An attribute of type Duration; None where it is absent."""
    written = element.get(name)
    return None if written is None else read_duration(written)


def read_duration(written: str) -> timedelta:
    """P3D, PT12H, PT15M, PT90S."""
    parts = _DURATION.fullmatch(written)
    if parts is None:
        raise DirectoryRefused(f"{written} is no duration: P3D, PT12H, PT15M or PT90S")
    return timedelta(days=int(parts[1])) if parts[1] else timedelta(seconds=int(parts[2]) * _SECONDS[parts[3]])


def identifier(kind: type[_Id], written: str) -> _Id:
    """A member, subsystem or service."""
    try:
        return kind.parse(written)
    except InvalidIdentifier as cause:
        raise DirectoryRefused(f"{cause.reason}: {written}") from None


def certificate(element: etree._Element, whose: str) -> x509.Certificate:
    """The certificate in an element. whose: for the reason of a refusal."""
    try:
        read = x509.load_der_x509_certificate(_der(element))
        _ = read.subject, read.issuer  # read when asked for, not when loaded; chains are built of them
    except UNREADABLE:
        raise DirectoryRefused(f"{whose} certificate at line {element.sourceline} cannot be read") from None
    return read


def certificate_der(element: etree._Element, whose: str) -> bytes:
    """The octets of the certificate in an element, which is one by its structure; its names are not read."""
    der = _der(element)
    try:
        x509.load_der_x509_certificate(der)
    except UNREADABLE:
        raise DirectoryRefused(f"{whose} certificate at line {element.sourceline} cannot be read") from None
    return der


def _der(element: etree._Element) -> bytes:
    return xmlsafe.decode_base64(element.text or "", max_chars=_MAX_CERTIFICATE_CHARS, error=DirectoryRefused)


def certificates(element: etree._Element, name: str, whose: str) -> tuple[x509.Certificate, ...]:
    """The certificates in the children of this name."""
    return tuple(certificate(one, whose) for one in element.iterchildren(tag(name)))


def unique(pairs: Iterable[tuple[_Key, _Value]], what: str) -> Mapping[_Key, _Value]:
    """A read-only mapping; a key that comes twice is refused."""
    mapping: dict[_Key, _Value] = {}
    for key, kept in pairs:
        if key in mapping:
            raise DirectoryRefused(f"{what} {key} is listed twice")
        mapping[key] = kept
    return MappingProxyType(mapping)

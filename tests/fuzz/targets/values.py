"""Small things that come from everywhere: identifiers and the values of headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from adapter.dialects.json_dialect import _check_media_type
from adapter.dialects.soap import _action
from adapter.envelope.multipart import (
    cid_uri,
    content_id_of,
    media_type_of,
    parameter_of,
    read_related_type,
)
from adapter.envelope.soap import version_of
from adapter.errors import (
    AdapterError,
    AttachmentsInvalid,
    InvalidIdentifier,
    MalformedJson,
)
from adapter.identifiers import IDENTIFIER_KINDS, MemberId, MessageId, OfficialId, ServiceId, SubjectId, SubsystemId
from adapter.policy.clients import Client, IdentifyBy, _is_secret, allows
from adapter.transport.client_requests import _credentials
from tests.envelopes import PINFL
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation

# --- identifiers -----------------------------------------------------------------------------------------------------

_OF_DIRECTORY = "passport"
"""A type that only a directory knows: its values may have spaces within."""


def run_identifiers(octets: bytes) -> None:
    """Every reader gets the text. One that takes it writes the same text again, in ASCII that can stand anywhere."""
    text = octets.decode("utf-8", "surrogateescape")
    taken = [written for read in _READERS for written in _read(read, text)]
    of_directory = list(_read(_subject(_OF_DIRECTORY), text))
    if not taken and not of_directory:
        raise InvalidIdentifier("no reader takes it")
    if taken and " " in text:
        raise AssertionError("an identifier with a space was taken")
    for written in (*taken, *of_directory):
        if written != text or not text.isascii() or not text.isprintable() or text != text.strip():
            raise AssertionError("an identifier was taken that is written another way")


def _read(read: Callable[[str], object], text: str) -> Iterable[str]:
    try:
        yield str(read(text))
    except InvalidIdentifier:
        return


def _subject(kind: str) -> Callable[[str], str]:
    return lambda text: SubjectId(kind, text).value


_READERS: tuple[Callable[[str], object], ...] = (
    MemberId.parse, SubsystemId.parse, ServiceId.parse, MessageId, OfficialId, *map(_subject, IDENTIFIER_KINDS),
)  # fmt: skip

IDENTIFIERS = Target(
    name="identifiers",
    what="members, services, message ids, PINFL, STIR, cadastre, SOATO, paths of services",
    run=run_identifiers,
    may_raise=(InvalidIdentifier,),
    seeds=lambda: [
        b"UZ/GOV/200000001", b"UZ/GOV/200000001/population", b"UZ/GOV/200000001/population/GetPerson/v1",
        str(MessageId("urn:uuid:6f1d2a34-0b5c-4c6e-9f00-1a2b3c4d5e6f")).encode(), b"inspector-7", PINFL.encode(),
        b"200000001", b"10:09:03:01:02:0101/12", b"1726", b"1726269",
    ],
    mutate=octet_mutation(),
    max_bytes=512,
)  # fmt: skip


# --- header values ---------------------------------------------------------------------------------------------------


def run_header_values(octets: bytes) -> None:
    """The value as each header that we read ourselves. None may raise anything; the strict readers may refuse it."""
    text = octets.decode("utf-8", "surrogateescape")  # as aiohttp hands it on
    version_of(text)
    media_type_of(text)
    _action(text, text)
    for shown in _credentials(text):
        if shown is not None:
            _is_secret(shown, _CLIENT)
    allows(text, _SERVICE)
    content_id_of(text, frozenset(("a", text)))
    if text.isprintable() and content_id_of(cid_uri(text), frozenset((text,))) != text:
        raise AssertionError("a Content-ID does not come back from its URI")
    refused = [error for read in _STRICT for error in _refused(read, text)]
    if len(refused) == len(_STRICT):
        raise refused[0]


def _refused(read: Callable[[str], object], text: str) -> Iterable[AdapterError]:
    try:
        read(text)
    except (AttachmentsInvalid, MalformedJson) as error:
        yield error


_STRICT = (
    lambda text: read_related_type(text, AttachmentsInvalid),
    lambda text: parameter_of(text, "charset", AttachmentsInvalid),
    _check_media_type,
)
_CLIENT = Client(
    name="a",
    subsystem=SubsystemId.parse("UZ/GOV/200000003/benefits"),
    identify_by=IdentifyBy.TOKEN,
    secret_sha256=bytes(32),
)
_SERVICE = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")

HEADER_VALUES = Target(
    name="headers",
    what="Content-Type, its parameters, SOAPAction, Authorization, Content-ID and cid: as we read them ourselves",
    run=run_header_values,
    may_raise=(AttachmentsInvalid, MalformedJson),
    seeds=lambda: [
        b"text/xml; charset=utf-8", b'application/soap+xml; charset="utf-8"; action="urn:ask"',
        b"application/json; charset=utf-8", b"Bearer abcdef", b"Basic dXNlcjpwYXNz", b"cid:a%40b", b"UZ/*",
        b'multipart/related; boundary="b"; type="application/xop+xml"; start="<root@a>"; start-info="text/xml"',
        b"multipart/related; boundary*0=a; boundary*1=b; filename*=utf-8''%D0%B0",
    ],
    mutate=octet_mutation(
        b"boundary*0*=", b"charset*=utf-8''%ff", b"charset*=hex''00", b"charset*=idna''a", b"*0", b"*99999999999", b";",
        b"boundary=", b"Basic ", b"Bearer ", b"gNGA", b"\\", b'"', b"*=utf-16'",
    ),
    max_bytes=1024,
)  # fmt: skip

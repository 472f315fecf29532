"""The header block `Attachments` (xsd/envelope.xsd): what each attachment is; on the wire only encrypted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.attachments import MAX_ATTACHMENTS
from adapter.envelope.gate_structure import (
    attribute,
    check_attributes,
    check_empty,
    check_must_understand,
    children,
    refuse,
)
from adapter.envelope.names import ATTACHMENTS, ENVELOPE, SOAP12, SOAP12_MUST_UNDERSTAND, WSU, WSU_ID, qname
from adapter.xmlsafe import escape_attribute

_ATTACHMENT: Final = qname(ENVELOPE, "Attachment")
_BLOCK_ATTRIBUTES: Final = frozenset((WSU_ID, SOAP12_MUST_UNDERSTAND))
_REQUIRED: Final = frozenset(("id", "mediaType", "size"))
_OPTIONAL: Final = frozenset(("name",))
_CONTENT_ID: Final = re.compile(r"[!#-;=?-\[\]-~]{1,256}")
# RFC 9110, 8.3.1: type, subtype and parameters; nothing that could end a line or a header.
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;[ -~]{0,255})?")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,11}")
_MAX_NAME_CHARS: Final = 255
DEFAULT_MEDIA_TYPE: Final = "application/octet-stream"

_START: Final = (
    f'<ia:Attachments xmlns:env="{SOAP12}" xmlns:ia="{ENVELOPE}" xmlns:wsu="{WSU}"'
    ' wsu:Id="attachments" env:mustUnderstand="true">'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """One attachment as the block has it: all but the digest, which stands in the signature."""

    content_id: str
    media_type: str
    size: int
    name: str = ""


def read_attachments(element: etree._Element) -> tuple[Described, ...]:
    """The decrypted block as values, as far trusted as the caller trusts it. Raises EnvelopeRefused."""
    if element.tag != ATTACHMENTS:
        refuse("not an Attachments block")
    check_attributes(element, _BLOCK_ATTRIBUTES)
    check_must_understand(element)
    found = children(element)
    if not 1 <= len(found) <= MAX_ATTACHMENTS:
        refuse("Attachments describes none or too many")
    described = tuple(map(_read, found))
    if len({one.content_id for one in described}) != len(described):
        refuse("Attachments describes one attachment twice")
    return described


def _read(element: etree._Element) -> Described:
    if element.tag != _ATTACHMENT:
        refuse("Attachments may have nothing but Attachment in it")
    check_attributes(element, _REQUIRED, _OPTIONAL)
    check_empty(element)
    return Described(
        content_id=_fitting(_CONTENT_ID, attribute(element, "id"), "id"),
        media_type=_fitting(_MEDIA_TYPE, attribute(element, "mediaType"), "mediaType"),
        size=int(_fitting(_SIZE, attribute(element, "size"), "size")),
        name=_name(element.get("name", "")),
    )


def render_attachments(described: tuple[Described, ...]) -> bytes:
    """The block in exclusive canonical form. Raises EnvelopeRefused when a value has no place on the wire."""
    return (_START + "".join(map(_render, described)) + "</ia:Attachments>").encode()


def _render(one: Described) -> str:
    content_id = escape_attribute(_fitting(_CONTENT_ID, one.content_id, "id"))
    media_type = escape_attribute(_fitting(_MEDIA_TYPE, one.media_type, "mediaType"))
    name = f' name="{escape_attribute(_name(one.name))}"' if one.name else ""
    return f'<ia:Attachment id="{content_id}" mediaType="{media_type}"{name} size="{one.size}"></ia:Attachment>'


def _fitting(pattern: re.Pattern[str], value: str, attribute_name: str) -> str:
    if not pattern.fullmatch(value):
        refuse(f"{attribute_name} of an Attachment has a wrong form")
    return value


def _name(value: str) -> str:
    if len(value) > _MAX_NAME_CHARS or (value and not value.isprintable()):
        refuse("name of an Attachment has a wrong form")
    return value


def media_type_or_default(content_type: str) -> str:
    """A part's Content-Type as it may be said of an attachment; what is none becomes octets of an unknown kind."""
    return content_type if _MEDIA_TYPE.fullmatch(content_type) else DEFAULT_MEDIA_TYPE

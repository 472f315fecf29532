"""Bodies with attachments: what is announced is what is sent, in each form, and what a system of ours is given."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from lxml import etree

from adapter.attachments import Attachment, HeldAttachment, HeldAttachments, Measured
from adapter.envelope.bodies import Form, StreamedBody, related_body
from adapter.envelope.multipart import PartHead, RelatedReader, parameter_of, read_related_type
from adapter.envelope.packaging import XOP_TYPE, envelope_type, package
from adapter.envelope.schema_model_read import schema_model
from adapter.errors import AttachmentsInvalid
from adapter.stages import Packaging, SoapVersion
from tests.unit.envelope.descriptions import NS, of_types

KEY = bytes(16)
XOP = "http://www.w3.org/2004/08/xop/include"


@dataclass(frozen=True, kw_only=True)
class InPieces:
    """An attachment that is read in pieces of three lengths, and the ciphertext that stands for it."""

    plain: bytes

    @property
    def size(self) -> int:
        return len(self.plain) + 28

    @property
    def iv(self) -> bytes:
        return bytes(12)

    async def ciphertext(self) -> AsyncIterator[bytes]:
        yield self.iv
        yield self.plain[::-1] + bytes(16)

    async def plaintext(self, content_key: bytes) -> AsyncIterator[bytes]:
        assert content_key == KEY
        for at in range(0, len(self.plain), 7):
            yield self.plain[at : at + 7]

    async def measure(self, content_key: bytes) -> Measured:
        return Measured(size=len(self.plain), sha256=sha256(self.plain).digest())


def held(**files: bytes) -> HeldAttachments:
    found = []
    for name, octets in files.items():
        said = Attachment(
            content_id=f"{name}@x",
            media_type="text/plain",
            size=len(octets),
            sha256=sha256(octets).digest(),
            name=f"{name} Ў.txt",
        )
        found.append(HeldAttachment(said=said, sealed=InPieces(plain=octets)))
    return HeldAttachments(content_key=KEY, held=tuple(found))


async def read(body: StreamedBody) -> list[tuple[PartHead, bytes]]:
    """The parts; that there are as many octets as the body says is checked."""
    octets = b"".join([piece async for piece in body.stream()])
    assert len(octets) == body.size
    related = read_related_type(body.content_type, AttachmentsInvalid)
    reader = RelatedReader(related.boundary, error=AttachmentsInvalid)
    found: list[tuple[PartHead, bytes]] = []
    for event in reader.feed(octets):
        if isinstance(event, PartHead):
            found.append((event, b""))
        elif isinstance(event, bytes):
            found[-1] = (found[-1][0], found[-1][1] + event)
    reader.finish()
    assert found[0][0].content_id == related.start
    return found


FILES = {"one": b"the first attachment", "two": b""}


async def test_attachments_in_clear_are_sent_with_their_type_and_name() -> None:
    body = related_body(b"<a/>", held(**FILES), root_content_type="text/xml", root_type="text/xml", form=Form.OCTETS)
    root, one, two = await read(body)
    assert root[1] == b"<a/>"
    assert (one[0].content_id, one[0].media_type, one[1]) == ("one@x", "text/plain", FILES["one"])
    assert (two[0].content_id, two[1]) == ("two@x", b"")
    assert one[0].name == "one Ў.txt"
    assert await read(body) == [root, one, two]


async def test_attachments_as_ciphertext_say_neither_their_type_nor_their_name() -> None:
    body = related_body(
        b"<a/>", held(one=b"secret"), root_content_type="text/xml", root_type="text/xml", form=Form.CIPHERTEXT
    )
    _, (head, octets) = await read(body)
    assert head.media_type == "application/octet-stream"
    assert octets == bytes(12) + b"terces" + bytes(16)
    whole = b"".join([piece async for piece in body.stream()])
    assert not any(word in whole for word in (b"text/plain", b".txt"))


async def test_the_root_has_an_id_that_no_attachment_has() -> None:
    attachments = held(one=b"x")
    said = Attachment(content_id="envelope", media_type="a/b", size=1, sha256=b"")
    same = HeldAttachments(content_key=KEY, held=(HeldAttachment(said=said, sealed=attachments.held[0].sealed),))
    root, part = await read(
        related_body(b"<a/>", same, root_content_type="text/xml", root_type="text/xml", form=Form.OCTETS)
    )
    assert part[0].content_id == "envelope"
    assert root[0].content_id.startswith("part-")


# --- the three ways in which a system takes binary content -----------------------------------------------------------

MODEL = schema_model(
    of_types(
        '<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="Data" type="xs:base64Binary"'
        ' maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>'
    )
)
LARGE = bytes(range(256)) * 20


def packed(
    inner: str,
    attachments: HeldAttachments,
    packaging: Packaging,
    *,
    version: SoapVersion = SoapVersion.SOAP11,
    action: str = "urn:ask",
    **more: Any,
) -> tuple[etree._Element, StreamedBody]:
    payload = etree.fromstring(f'<t:Ask xmlns:t="{NS}" xmlns:xop="{XOP}">{inner}</t:Ask>')
    body = package(
        payload,
        attachments,
        lambda: etree.tostring(payload),
        packaging=packaging,
        version=version,
        soap_action=action,
        error=AttachmentsInvalid,
        **more,
    )
    return payload, body


INCLUDE = '<t:Data><xop:Include href="cid:one@x"/></t:Data>'


@pytest.mark.parametrize("length", [0, 1, 2, 3, 6, 7, 8, 100])
async def test_inline_puts_base64_where_an_include_stands(length: int) -> None:
    octets = LARGE[:length]
    payload, body = packed(INCLUDE, held(one=octets), Packaging.INLINE)
    before = etree.tostring(payload)
    written = b"".join([piece async for piece in body.stream()])
    assert len(written) == body.size
    assert etree.fromstring(written).findtext(f"{{{NS}}}Data") == base64.b64encode(octets).decode()
    assert body.content_type == "text/xml; charset=utf-8"
    assert etree.tostring(payload) == before


async def test_soap_12_says_its_action_in_the_content_type() -> None:
    _, body = packed(INCLUDE, held(one=b"x"), Packaging.INLINE, version=SoapVersion.SOAP12)
    assert body.content_type == 'application/soap+xml; charset=utf-8; action="urn:ask"'
    _, without = packed(INCLUDE, held(one=b"x"), Packaging.INLINE, version=SoapVersion.SOAP12, action="")
    assert without.content_type == "application/soap+xml; charset=utf-8"


@pytest.mark.parametrize("packaging", [Packaging.INLINE, Packaging.SWA])
async def test_what_no_include_names_goes_as_soap_with_attachments(packaging: Packaging) -> None:
    _, body = packed(INCLUDE, held(one=b"one", two=b"two"), packaging)
    root, part = await read(body)
    assert etree.fromstring(root[1]).findtext(f"{{{NS}}}Data") == base64.b64encode(b"one").decode()
    assert (part[0].content_id, part[1]) == ("two@x", b"two")
    assert parameter_of(body.content_type, "type", AttachmentsInvalid) == "text/xml"


@pytest.mark.parametrize(
    ("version", "media_type"), [(SoapVersion.SOAP11, "text/xml"), (SoapVersion.SOAP12, "application/soap+xml")]
)
async def test_mtom_sends_every_attachment_as_a_part(version: SoapVersion, media_type: str) -> None:
    _, body = packed(INCLUDE, held(one=b"one"), Packaging.MTOM, version=version)
    root, part = await read(body)
    assert b'<xop:Include href="cid:one@x"/>' in root[1]
    assert part[1] == b"one"
    assert root[0].media_type == XOP_TYPE
    related = read_related_type(body.content_type, AttachmentsInvalid)
    assert (related.root_type, related.start_info) == (XOP_TYPE, media_type)
    assert related.action == ("urn:ask" if version is SoapVersion.SOAP12 else "")
    assert envelope_type(related, root[0], AttachmentsInvalid) == (Packaging.MTOM, f"{media_type}; charset=UTF-8")


async def test_mtom_makes_parts_of_large_base64_in_the_xml() -> None:
    inner = f"<t:Data>{base64.b64encode(LARGE).decode()}</t:Data>"
    payload, body = packed(inner, held(), Packaging.MTOM, model=MODEL)
    root, part = await read(body)
    assert part[1] == LARGE
    assert f"cid:{part[0].content_id}".encode() in root[1]
    assert payload.findtext(f"{{{NS}}}Data") == base64.b64encode(LARGE).decode()


async def test_mtom_without_anything_binary_is_plain_xml() -> None:
    _, body = packed("<t:Data>QQ==</t:Data>", held(), Packaging.MTOM, model=MODEL)
    assert body.content_type == "text/xml; charset=utf-8"
    assert b"".join([piece async for piece in body.stream()]).count(b"QQ==") == 1


@pytest.mark.parametrize(
    ("content_type", "head", "expected"),
    [
        ("text/xml", "", (Packaging.SWA, "text/xml")),
        ("text/xml", "text/xml; charset=windows-1251", (Packaging.SWA, "text/xml; charset=windows-1251")),
        ("application/xop+xml", "", (Packaging.MTOM, "text/xml; charset=utf-8")),
        (
            "text/xml",
            'application/xop+xml; type="application/soap+xml"',
            (Packaging.MTOM, "application/soap+xml; charset=utf-8"),
        ),
    ],
)
def test_the_envelope_of_a_multipart_message_has_the_type_that_its_part_says(
    content_type: str, head: str, expected: tuple[Packaging, str]
) -> None:
    related = read_related_type(f'multipart/related; boundary=b; type="{content_type}"', AttachmentsInvalid)
    part = PartHead(content_id="", content_type=head, name="", is_base64=False)
    assert envelope_type(related, part, AttachmentsInvalid) == expected

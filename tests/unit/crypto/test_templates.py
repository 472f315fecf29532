"""What is written is in exclusive canonical form by construction: lxml's canonicaliser changes no octet of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapter.crypto import templates
from adapter.crypto.canonical_body import canonical_body
from adapter.envelope import names
from adapter.envelope.headers import (
    read_exchange_header,
    read_personal_data,
    render_exchange,
    render_personal_data,
    render_timestamp,
)
from adapter.envelope.instants import read_timestamp
from adapter.identifiers import Purpose
from adapter.stages import LegalBasis, PersonalData
from adapter.xmlsafe import canonical
from tests.envelopes import personal_data, reply_header, request_header, seal_reply, seal_request
from tests.pki import NOW, Federation

LINES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cf", "Cn"), include_characters="&<>\"'ʻ"), min_size=1, max_size=200
).filter(lambda text: text.strip() and not re.search("[\ufffe\uffff]", text))


def assert_canonical(octets: bytes) -> etree._Element:
    element = etree.fromstring(octets)
    assert canonical(element) == octets
    return element


def test_exchange(federation: Federation) -> None:
    request = request_header(federation.social, federation.population, regulation='PKM-395 & "x" <y>')
    for header in (request, reply_header(request)):
        assert read_exchange_header(assert_canonical(render_exchange(header))) == header


def test_personal_data() -> None:
    assert read_personal_data(assert_canonical(render_personal_data(personal_data()))) == personal_data()


@given(reference=LINES, consent=LINES)
def test_personal_data_with_any_text(reference: str, consent: str) -> None:
    data = PersonalData(purpose=Purpose("p"), legal_basis=LegalBasis(kind="law", reference=reference), consent=consent)
    read = read_personal_data(assert_canonical(render_personal_data(data)))
    assert read.legal_basis is not None
    assert read.legal_basis.reference == re.sub(r"[ \t\r\n]+", " ", reference).strip(" ")


def test_timestamp() -> None:
    later = NOW + timedelta(milliseconds=1500)
    assert read_timestamp(assert_canonical(render_timestamp(NOW, later))) == (NOW, later)


def test_token_and_confirmation(federation: Federation) -> None:
    assert_canonical(templates.render_token(federation.social.signing_certificate.public_bytes(Encoding.DER)))
    assert_canonical(templates.render_confirmation(b"x" * 64))


def test_signed_info() -> None:
    references = [templates.render_reference("a", bytes(32)), templates.render_reference("b", bytes(32), ("xs", "ia"))]
    assert_canonical(templates.render_signed_info(names.ECDSA_SHA256, references))


@pytest.mark.parametrize(
    "payload",
    [
        b"<a/>",
        b"<env:a xmlns:env='http://www.w3.org/2003/05/soap-envelope'/>",
        b"<a xmlns='urn:a' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:xs='urn:xs' xsi:type='xs:b'/>",
    ],
)
def test_body(payload: bytes) -> None:
    body = canonical_body(etree.fromstring(payload))
    element = etree.fromstring(body.octets)
    assert canonical(element, inclusive_prefixes=body.inclusive_prefixes) == body.octets
    assert body.octets == templates.BODY_START + body.content + templates.BODY_END


def test_every_digested_part_stands_on_the_wire_in_the_octets_that_were_digested(federation: Federation) -> None:
    request = seal_request(federation.social, federation.population)
    reply = seal_reply(federation.population, federation.social, request, b"<a/>")
    for octets in (request.octets, reply.octets):
        root = etree.fromstring(octets)
        for part_id in ("exchange", "timestamp", "token", "confirmation"):
            for element in root.iter(etree.Element):
                if element.get(names.WSU_ID) == part_id:
                    assert canonical(element) in octets


def test_the_wire_is_ascii_but_for_what_people_write(federation: Federation) -> None:
    seal_request(federation.social, federation.population).octets.decode("ascii")

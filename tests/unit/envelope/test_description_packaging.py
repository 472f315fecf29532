"""What a description says of binary content beside the XML."""

from __future__ import annotations

import pytest

from adapter.envelope.description_packaging import packaging_of
from adapter.stages import Packaging
from tests.corpus import CORPUS, REASON, description_of
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, read, schema, wsdl

MIME = 'xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/"'
MTOM = '<p:Policy xmlns:p="urn:p"><m:MTOM xmlns:m="http://www.w3.org/2007/08/soap12-mtom-policy"/></p:Policy>'
EXPECTED = (
    '<xs:element name="F" type="xs:base64Binary" xmlns:e="http://www.w3.org/2005/05/xmlmime"'
    ' e:expectedContentTypes="a/b"/>'
)


@pytest.mark.parametrize(
    ("types", "extra", "packaging"),
    [
        (ASK_AND_ANSWER, "", Packaging.INLINE),
        (ASK_AND_ANSWER, MTOM, Packaging.MTOM),
        (ASK_AND_ANSWER + EXPECTED, "", Packaging.MTOM),
        (ASK_AND_ANSWER, f"<w:documentation {MIME}><m:multipartRelated/></w:documentation>", Packaging.SWA),
        (ASK_AND_ANSWER, "<w:documentation>multipartRelated</w:documentation>", Packaging.INLINE),
    ],
)
def test_what_a_description_asks_for(types: str, extra: str, packaging: Packaging) -> None:
    assert packaging_of(read({"a.wsdl": wsdl(schema(types), extra=extra)})) is packaging


def test_a_document_in_another_encoding_or_with_a_doctype_says_it_too() -> None:
    text = wsdl(schema(ASK_AND_ANSWER), extra=f"{MTOM}<w:documentation>Ўзбекистон</w:documentation>".replace("Ў", "У"))
    for start, encoding in (
        ('<?xml version="1.0" encoding="windows-1251"?>', "windows-1251"),
        ("<!DOCTYPE x>", "utf-8"),
    ):
        assert packaging_of(read({"a.wsdl": (start + text).encode(encoding)})) is Packaging.MTOM


@pytest.mark.skipif(not CORPUS.is_dir(), reason=REASON)
@pytest.mark.parametrize(
    ("service", "packaging"),
    [
        ("ee-rik-fastapi-swaref", Packaging.SWA),
        ("ee-dvk-document-exchange", Packaging.SWA),
        ("hu-central-bank-rates", Packaging.INLINE),
    ],
)
def test_as_real_descriptions_say(service: str, packaging: Packaging):
    assert packaging_of(description_of(service)) is packaging

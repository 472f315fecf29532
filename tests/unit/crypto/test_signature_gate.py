"""The second gate: what a decrypted ds:Signature may look like. One change, signed by a member, for each rule."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.errors import SecurityFailed
from adapter.xmlsafe import canonical
from tests.envelopes import UnsafeEnvelope, replacing
from tests.pki import Federation


@pytest.fixture(params=[False, True], ids=["our spelling", "foreign spelling"])
def envelope(federation: Federation, request: pytest.FixtureRequest) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population, foreign=request.param)


def refused(envelope: UnsafeEnvelope) -> str:
    with pytest.raises(SecurityFailed) as failure:
        envelope.open()
    assert failure.value.text == "The security of the message could not be verified."
    return failure.value.reason


XSLT = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">'
    '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"></x:stylesheet></ds:Transform>'
)
EXC = f'Algorithm="{names.EXC_C14N}"'
IN_SIGNED_INFO = {
    "inclusive canonicalisation": (names.EXC_C14N, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
    "canonicalisation 1.1": (names.EXC_C14N, "http://www.w3.org/2006/12/xml-c14n11"),
    "canonicalisation with comments": (names.EXC_C14N, f"{names.EXC_C14N}WithComments"),
    "SHA-1": (names.SHA256, f"{names.DS}sha1"),
    "SHA-512": (names.SHA256, f"{names.XENC}sha512"),
    "MD5": (names.SHA256, "http://www.w3.org/2001/04/xmldsig-more#md5"),
    "file": ("#body", "file:///etc/hostname"),
    "relative file": ("#body", "body.xml"),
    "http": ("#body", "http://127.0.0.1/body"),
    "data": ("#body", "data:,body"),
    "empty URI": ("#body", ""),
    "no URI": (' URI="#body"', ""),
    "xpointer": ("#body", "#xpointer(id('body'))"),
    "xpointer root": ("#body", "#xpointer(/)"),
    "element scheme": ("#body", "#element(/1/2)"),
    "XPath injection": ("#body", "#body'] or @x='"),
    "cid": ("#body", "cid:body"),
    "Type": (' URI="#body"', f' URI="#body" Type="{names.DS}Manifest"'),
    "Id on Reference": (' URI="#body"', ' Id="r" URI="#body"'),
    "Id on SignedInfo": ("<ds:SignedInfo ", '<ds:SignedInfo Id="s" '),
    "HMACOutputLength": ("</ds:SignatureMethod>", "<ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>"),
    "text in SignatureMethod": ("</ds:SignatureMethod>", "x</ds:SignatureMethod>"),
    "no transform": (f"<ds:Transform {EXC}></ds:Transform>", ""),
    "two transforms": (f"<ds:Transform {EXC}></ds:Transform>", f"<ds:Transform {EXC}></ds:Transform>" * 2),
    "enveloped": (f"Transform {EXC}", f'Transform Algorithm="{names.DS}enveloped-signature"'),
    "XSLT": (
        f"<ds:Transform {EXC}></ds:Transform>",
        XSLT,
    ),
    "XPath": (
        f"<ds:Transform {EXC}></ds:Transform>",
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>false()</ds:XPath></ds:Transform>',
    ),
    "XPath filter 2": (f"Transform {EXC}", 'Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"'),
    "base64": (f"Transform {EXC}", f'Transform Algorithm="{names.DS}base64"'),
    "decryption": (f"Transform {EXC}", 'Transform Algorithm="http://www.w3.org/2002/07/decrypt#XML"'),
    "STR-Transform": (
        f"Transform {EXC}",
        f'Transform Algorithm="{names.BASE64_BINARY.replace("Base64Binary", "STR-Transform")}"',
    ),
    "child of a transform": (f"<ds:Transform {EXC}>", f"<ds:Transform {EXC}><x></x>"),
    "no CanonicalizationMethod": (f"<ds:CanonicalizationMethod {EXC}></ds:CanonicalizationMethod>", ""),
    "two CanonicalizationMethods": (
        f"<ds:CanonicalizationMethod {EXC}></ds:CanonicalizationMethod>",
        f"<ds:CanonicalizationMethod {EXC}></ds:CanonicalizationMethod>" * 2,
    ),
    "short digest": ("<ds:DigestValue>", "<ds:DigestValue>QUJD</ds:DigestValue><ds:DigestValue>"),
    "something between the References": ("<ds:Reference ", "<x></x><ds:Reference "),
    "text between the References": ("<ds:Reference ", "x<ds:Reference "),
}


@pytest.mark.parametrize("name", IN_SIGNED_INFO)
def test_a_signed_info_outside_the_profile(envelope: UnsafeEnvelope, name: str) -> None:
    envelope.in_signed_info = replacing(*IN_SIGNED_INFO[name])
    assert "after decryption" in refused(envelope)


IN_SIGNATURE = {
    "Object": ("</ds:Signature>", "<ds:Object/></ds:Signature>"),
    "unknown child": ("<ds:KeyInfo>", '<x xmlns="urn:x"/><ds:KeyInfo>'),
    "unknown attribute": ("<ds:Signature ", '<ds:Signature x="y" '),
    "two SignatureValues": ("<ds:SignatureValue>", "<ds:SignatureValue>QUJD</ds:SignatureValue><ds:SignatureValue>"),
    "element in SignatureValue": ("<ds:SignatureValue>", "<ds:SignatureValue><x/>"),
    "KeyInfo after something": ("<ds:KeyInfo>", "<ds:KeyInfo/><ds:KeyInfo>"),
    "KeyValue": (
        '<wsse:Reference URI="#token"',
        f'<ds:KeyValue/><wsse:Reference URI="#token" xmlns:other="{names.DS}"',
    ),
    "another token": ('<wsse:Reference URI="#token"', '<wsse:Reference URI="#body"'),
    "a token from elsewhere": ('<wsse:Reference URI="#token"', '<wsse:Reference URI="http://127.0.0.1/token"'),
    "a token of another type": (names.X509_V3, names.X509_V3.replace("X509v3", "X509PKIPathv1")),
    "Embedded": ("wsse:Reference", "wsse:Embedded"),
    "KeyIdentifier": ("wsse:Reference", "wsse:KeyIdentifier"),
    "text in KeyInfo": ("<ds:KeyInfo>", "<ds:KeyInfo>x"),
    "another namespace": (f'xmlns:ds="{names.DS}"', 'xmlns:ds="urn:x"'),
}


@pytest.mark.parametrize("name", IN_SIGNATURE)
def test_a_signature_element_outside_the_profile(envelope: UnsafeEnvelope, name: str) -> None:
    envelope.in_signature = replacing(*IN_SIGNATURE[name])
    assert "after decryption" in refused(envelope)


@pytest.mark.parametrize("octets", [0, 31, 33])
def test_a_digest_that_has_not_32_octets(envelope: UnsafeEnvelope, octets: int) -> None:
    digest = b64encode(sha256(envelope.exchange).digest()).decode()
    envelope.in_signed_info = replacing(digest, b64encode(bytes(octets)).decode())
    assert "after decryption" in (reason := refused(envelope))
    assert "32 octets" in reason or not octets


STR = f'<wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}"'


@pytest.mark.parametrize("own_id", ["body", "token", "signature-cipher", "exchange"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (STR, f'{STR} xmlns:wsu="{names.WSU}" wsu:Id="%s"'),
        ("<ds:KeyInfo>", '<ds:KeyInfo Id="%s">'),
        ("<ds:SignatureValue>", '<ds:SignatureValue Id="%s">'),
        ("<ds:Signature ", '<ds:Signature Id="%s" '),
    ],
    ids=["SecurityTokenReference", "KeyInfo", "SignatureValue", "Signature"],
)
def test_an_id_in_the_signature_is_none_of_the_message(
    envelope: UnsafeEnvelope, old: str, new: str, own_id: str
) -> None:
    envelope.in_signature = replacing(old, new % "of-its-own")
    assert envelope.open().suite == "p256"
    envelope.in_signature = replacing(old, new % own_id)
    assert "occurs twice" in refused(envelope)


def _forged_first(octets: bytes) -> bytes:
    start, end = octets.index(b"<ds:SignedInfo"), octets.index(b"</ds:SignedInfo>") + 16
    return octets[:end] + octets[start:end] + octets[end:]


def test_two_signed_infos(envelope: UnsafeEnvelope) -> None:
    envelope.in_signature = _forged_first
    assert "after decryption" in refused(envelope)


@pytest.mark.parametrize("count", [2, 3, 20])
def test_the_same_reference_again(envelope: UnsafeEnvelope, count: int) -> None:
    envelope.digested = lambda good: [*good.parts(), *[good.parts()[0]] * (count - 1)]
    assert "References" in refused(envelope) or "Reference" in refused(envelope)


def test_a_reference_twice_where_there_is_room_for_it(envelope: UnsafeEnvelope) -> None:
    envelope.personal_data = None
    envelope.digested = lambda good: [*good.parts(), good.parts()[0]]
    assert "two References to one part" in refused(envelope)


def test_no_reference_at_all(envelope: UnsafeEnvelope) -> None:
    envelope.digested = lambda good: []
    assert "no Reference" in refused(envelope)


PREFIX_LISTS = {
    "#default": "#default",
    "500 prefixes": " ".join(f"p{at}" for at in range(500)),
    "17 prefixes": " ".join(f"p{at}" for at in range(17)),
    "the same prefix twice": "a a",
    "no prefix": "a b&quot;c",
}


@pytest.mark.parametrize("name", PREFIX_LISTS)
@pytest.mark.parametrize("place", ["Transform", "CanonicalizationMethod"])
def test_an_unreasonable_prefix_list(envelope: UnsafeEnvelope, name: str, place: str) -> None:
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{names.EXC_C14N}" PrefixList="{PREFIX_LISTS[name]}">'
    envelope.in_signed_info = replacing(
        f"<ds:{place} {EXC}>", f"<ds:{place} {EXC}>{inclusive}</ec:InclusiveNamespaces>"
    )
    refused(envelope)


def test_a_canonical_signed_info_is_what_is_verified(envelope: UnsafeEnvelope) -> None:
    """White space inside tags of SignedInfo is not part of its canonical form, white space between them is."""
    envelope.in_signature = replacing("<ds:SignatureMethod ", "<ds:SignatureMethod  ")
    assert envelope.open().suite == "p256"
    envelope.in_signature = replacing("<ds:SignatureMethod ", " <ds:SignatureMethod ")
    assert "signature is wrong" in refused(envelope)


def test_what_foreign_stacks_write_in_the_signature_passes(envelope: UnsafeEnvelope) -> None:
    """A PrefixList for SignedInfo, ids on the signature's elements, line breaks in the value."""
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{names.EXC_C14N}" PrefixList="env"></ec:InclusiveNamespaces>'
    start = f"<ds:CanonicalizationMethod {EXC}>"

    def with_prefix_list(octets: bytes) -> bytes:
        declared = replacing("<ds:SignedInfo xmlns:ds", f'<ds:SignedInfo xmlns:env="{names.SOAP12}" xmlns:ds')(octets)
        element = etree.fromstring(replacing(start, f"{start}{inclusive}")(declared))
        return canonical(element, inclusive_prefixes=("env",))

    envelope.in_signed_info = with_prefix_list
    envelope.in_signature = lambda octets: (
        replacing("<ds:Signature ", '<ds:Signature Id="SIG-1" ')(octets)
        .replace(b"</ds:SignatureValue>", b"\n</ds:SignatureValue>")
        .replace(b"<ds:KeyInfo>", b'<ds:KeyInfo Id="KI-1">')
    )
    assert envelope.open().suite == "p256"

"""libxmlsec as a second opinion: what we write, it verifies and decrypts, wherever its wheel has the algorithm.

The decrypted parts are put back into the document as text, so that libxmlsec sees the whole message in the clear, as
the signer signed it, and finds every part by its id itself.
"""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.crypto.content import ContentCipher
from adapter.envelope import names
from adapter.envelope.gate import gate, parse_message
from adapter.stages import MessageKind, SealedMessage
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import PAYLOAD, UnsafeEnvelope, open_octets, received, seal_reply, seal_request
from tests.pki import SUITE_NAMES, Federation, FederationMember, private_pem


@pytest.fixture(scope="module", params=SUITE_NAMES)
def member(request: pytest.FixtureRequest, mixed_federation: Federation) -> FederationMember:
    return next(one for one in mixed_federation.members.values() if one.suite == request.param)


def own_request(member: FederationMember, federation: Federation) -> SealedMessage:
    """A request that a member sends to itself: one suite for signature and key."""
    from tests.envelopes import request_header

    header = request_header(member, federation.population)
    return seal_request(member, member, header=header)


def in_the_clear(sealed: SealedMessage, kind: MessageKind) -> etree._Element:
    """The whole message with every EncryptedData replaced by its plaintext, textually."""
    gated = gate(parse_message(received(sealed.octets), DEFAULT_LIMITS), kind)
    cipher = ContentCipher(sealed.content_key)
    octets = sealed.octets
    for name, encrypted in (
        (b"personal-data-cipher", gated.encrypted_personal_data),
        (b"confirmation-cipher", gated.encrypted_confirmation),
        (b"signature-cipher", gated.encrypted_signature),
        (b"body-cipher", gated.encrypted_body),
    ):
        if encrypted is None:
            continue
        marked = octets.index(b'Id="' + name)
        start = octets.rindex(b"<xenc:EncryptedData", 0, marked)
        end = octets.index(b"</xenc:EncryptedData>", marked) + len(b"</xenc:EncryptedData>")
        octets = octets[:start] + cipher.decrypt(encrypted) + octets[end:]
    return etree.fromstring(octets)


def child(root: etree._Element, name: str) -> etree._Element:
    found = root.find(f".//{name}")
    assert found is not None
    return found


def register_ids(context: xmlsec.SignatureContext, root: etree._Element) -> None:
    for element in root.iter():
        if element.get(names.WSU_ID) is not None:
            context.register_id(element, "Id", names.WSU)


def public_key_of(member: FederationMember) -> xmlsec.Key:
    pem = member.signing_certificate.public_bytes(Encoding.PEM)
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)


def check_signature(root: etree._Element, member: FederationMember) -> None:
    """libxmlsec verifies the one Signature. KeyInfo (a SecurityTokenReference, which it does not know) is set aside."""
    signature = child(root, names.SIGNATURE)
    key_info = child(signature, names.KEY_INFO)
    signature.remove(key_info)
    context = xmlsec.SignatureContext()
    register_ids(context, root)
    context.key = public_key_of(member)
    context.verify(signature)


def test_libxmlsec_verifies_what_we_sign(member: FederationMember, mixed_federation: Federation) -> None:
    request = own_request(member, mixed_federation)
    reply = seal_reply(member, member, request, PAYLOAD)
    for sealed, kind in ((request, MessageKind.REQUEST), (reply, MessageKind.REPLY)):
        root = in_the_clear(sealed, kind)
        if member.suite == "ed25519":
            with pytest.raises(xmlsec.Error):
                check_signature(root, member)
            assert not [name for name in dir(xmlsec.constants) if "25519" in name or "Eddsa" in name], (
                "now it can be tested"
            )
            continue
        check_signature(root, member)


@pytest.mark.parametrize("part", ["exchange", "timestamp", "token", "body", "personal-data"])
def test_libxmlsec_notices_every_part(mixed_federation: Federation, part: str) -> None:
    """The control: libxmlsec does cover each part, so its yes means something."""
    member = mixed_federation.population
    root = in_the_clear(own_request(member, mixed_federation), MessageKind.REQUEST)
    element = next(one for one in root.iter(etree.Element) if one.get(names.WSU_ID) == part)
    element.set("changed", "yes")
    with pytest.raises(xmlsec.VerificationError):
        check_signature(root, member)


def test_libxmlsec_decrypts_what_we_encrypt(member: FederationMember, mixed_federation: Federation) -> None:
    """Content of every suite with the AES key; in suite rsa the key as well, from the EncryptedKey."""
    sealed = own_request(member, mixed_federation)
    root = etree.fromstring(sealed.octets)
    found = root.findall(f".//{names.ENCRYPTED_DATA}")
    assert len(found) == 3
    for data in found:
        manager = xmlsec.KeysManager()
        context = xmlsec.EncryptionContext(manager)
        context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataAes, sealed.content_key)
        context.decrypt(data)
    assert not root.findall(f".//{names.ENCRYPTED_DATA}")
    payload = child(root, names.SOAP12_BODY)[0]
    assert etree.tostring(payload, method="c14n", exclusive=True) == PAYLOAD
    assert root.find(f".//{names.SIGNATURE}") is not None
    assert root.find(f".//{names.PERSONAL_DATA}") is not None


def test_libxmlsec_unwraps_our_key_transport(mixed_federation: Federation) -> None:
    member = next(one for one in mixed_federation.members.values() if one.suite == "rsa")
    sealed = own_request(member, mixed_federation)
    encrypted_key = child(etree.fromstring(sealed.octets), names.ENCRYPTED_KEY)
    key_info = child(encrypted_key, names.KEY_INFO)
    encrypted_key.remove(key_info)
    context = xmlsec.EncryptionContext()
    context.key = xmlsec.Key.from_memory(private_pem(member.agreement_key), xmlsec.constants.KeyDataFormatPem)
    assert cast("Any", context.decrypt(encrypted_key)) == sealed.content_key


# --- and the other way round -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p256", "rsa"])
def test_we_accept_what_libxmlsec_signs(mixed_federation: Federation, name: str) -> None:
    """libxmlsec fills in the digests and the value of a template; our gate and `verify` accept its signature."""
    member = next(one for one in mixed_federation.members.values() if one.suite == name)
    envelope = UnsafeEnvelope.request(member, mixed_federation.population)

    def signed_by_libxmlsec(ours: bytes) -> bytes:
        assert envelope.personal_data is not None
        clear = b"".join(
            (
                f'<env:Envelope xmlns:env="{names.SOAP12}"><env:Header>'.encode(),
                envelope.exchange,
                envelope.personal_data,
                f'<wsse:Security xmlns:wsse="{names.WSSE}">'.encode(),
                envelope.token,
                envelope.timestamp,
                _emptied(ours),
                b"</wsse:Security></env:Header>",
                envelope.body,
                b"</env:Envelope>",
            )
        )
        root = etree.fromstring(clear)
        signature = child(root, names.SIGNATURE)
        context = xmlsec.SignatureContext()
        register_ids(context, root)
        context.key = xmlsec.Key.from_memory(private_pem(member.signing_key), xmlsec.constants.KeyDataFormatPem)
        key_info = child(signature, names.KEY_INFO)
        signature.remove(key_info)
        context.sign(signature)
        signature.append(key_info)
        return etree.tostring(signature)

    envelope.in_signature = signed_by_libxmlsec
    opened = open_octets(envelope.octets, mixed_federation.population)
    assert opened.suite == name
    assert opened.header.operation == "GetPerson"


def _emptied(signature: bytes) -> bytes:
    """The template: every digest and the value are left for libxmlsec to compute."""
    root = etree.fromstring(signature)
    for element in root.iter(f"{{{names.DS}}}DigestValue", f"{{{names.DS}}}SignatureValue"):
        element.text = None
    return etree.tostring(root)


TEMPLATE = (
    f'<xenc:EncryptedData xmlns:xenc="{names.XENC}"><xenc:EncryptionMethod Algorithm="{names.AES128_GCM}"/>'
    "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
)


def test_we_open_what_libxmlsec_encrypts(mixed_federation: Federation) -> None:
    member = mixed_federation.population
    envelope = UnsafeEnvelope.request(member, member)

    def encrypted_by_libxmlsec(part: str, octets: bytes) -> bytes:
        if part != "body":
            return octets
        template = etree.fromstring(TEMPLATE)
        context = xmlsec.EncryptionContext()
        context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataAes, envelope.content_key)
        context.encrypt_binary(template, envelope.body_content)
        value = template.findtext(f".//{{{names.XENC}}}CipherValue")
        return base64.b64decode(value or "")

    envelope.in_ciphertext = encrypted_by_libxmlsec
    assert open_octets(envelope.octets, member).payload.tag == "{urn:example:population}GetPerson"

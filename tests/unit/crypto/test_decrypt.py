"""The checklist of `decrypt` and `decrypt_with_content_key`: one refused case, or more, for every step.

Whatever is wrong, the error is SecurityFailed with the one public text (promise 7).
"""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto import templates
from adapter.crypto.key_encryption import WrappedKey, derive_wrapping_key
from adapter.crypto.open import decrypt
from adapter.crypto.suites import suite
from adapter.envelope import names
from adapter.envelope.gate import gate, parse_message
from adapter.errors import SecurityFailed
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import (
    PAYLOAD,
    UnsafeEnvelope,
    decryption_keys,
    open_octets,
    received,
    replacing,
    request_header,
    seal_request,
)
from tests.pki import SUITE_NAMES, Federation, FederationMember

PUBLIC_TEXT = "The security of the message could not be verified."


@pytest.fixture(params=[False, True], ids=["our spelling", "foreign spelling"])
def envelope(federation: Federation, request: pytest.FixtureRequest) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population, foreign=request.param)


def refused(envelope: UnsafeEnvelope) -> str:
    """The reason of the refusal, which must come from decryption and have the public text of all such refusals."""
    gated = gate(parse_message(received(envelope.octets), DEFAULT_LIMITS), MessageKind.REQUEST)
    with pytest.raises(SecurityFailed) as failure:
        decrypt(gated, decryption_keys(envelope.recipient))
    assert failure.value.text == PUBLIC_TEXT
    assert failure.value.problems == ()
    return failure.value.reason


def test_the_control_is_accepted(envelope: UnsafeEnvelope) -> None:
    assert envelope.open().suite == "p256"


def in_suite(federation: Federation, name: str) -> FederationMember:
    members = (federation.population, federation.cadastre, federation.social)
    return next(member for member in members if member.suite == name)


# --- 1: the key ------------------------------------------------------------------------------------------------------


def test_1_a_message_for_another_recipient(federation: Federation) -> None:
    octets = seal_request(federation.social, federation.population).octets
    with pytest.raises(SecurityFailed, match="not ours"):
        open_octets(octets, federation.cadastre)


def test_1_the_form_of_another_suite(mixed_federation: Federation) -> None:
    from adapter.crypto.certificates import ski

    p256, ed25519 = in_suite(mixed_federation, "p256"), in_suite(mixed_federation, "ed25519")
    header = request_header(p256, mixed_federation.population)
    octets = seal_request(p256, ed25519, header=header).octets
    old, new = (templates._text(ski(member.agreement_certificate)) for member in (ed25519, p256))
    with pytest.raises(SecurityFailed, match="another suite"):
        open_octets(replacing(old, new)(octets), p256)


# --- 2: agreement and unwrapping -------------------------------------------------------------------------------------

OFF_CURVE = b"\x04" + bytes(31) + b"\x01" + bytes(31) + b"\x01"
P256_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(OFF_CURVE, id="not on the curve"),
        pytest.param(b"\x04" + bytes(64), id="zero"),
        pytest.param(b"\x04" + P256_P.to_bytes(32, "big") + bytes(31) + b"\x01", id="x at the prime"),
        pytest.param(b"\x04" + b"\xff" * 64, id="coordinates above the prime"),
    ],
)
def test_2_a_point_that_is_not_on_the_curve(envelope: UnsafeEnvelope, point: bytes) -> None:
    envelope.wrap = lambda _: WrappedKey(wrapped=bytes(24), ephemeral_public=point, hkdf_salt=b"s", hkdf_info=b"")
    assert "P-256" in refused(envelope)


LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "0000000000000000000000000000000000000000000000000000000000000080",
]


@pytest.mark.parametrize("point", LOW_ORDER)
def test_2_a_low_order_x25519_key(mixed_federation: Federation, point: str) -> None:
    envelope = UnsafeEnvelope.request(mixed_federation.population, in_suite(mixed_federation, "ed25519"))
    envelope.exchange = UnsafeEnvelope.request(mixed_federation.cadastre, mixed_federation.population).exchange

    def wrap(content_key: bytes) -> WrappedKey:
        wrapping_key = derive_wrapping_key(bytes(32), salt=b"s", info=b"")
        wrapped = aes_key_wrap(wrapping_key, content_key)
        return WrappedKey(wrapped=wrapped, ephemeral_public=bytes.fromhex(point), hkdf_salt=b"s", hkdf_info=b"")

    envelope.wrap = wrap
    assert "agreement failed" in refused(envelope)


@pytest.mark.parametrize("name", SUITE_NAMES)
def test_2_a_damaged_wrapped_key(mixed_federation: Federation, name: str) -> None:
    recipient = in_suite(mixed_federation, name)
    sender = in_suite(mixed_federation, "ed25519" if name == "p256" else "p256")
    envelope = UnsafeEnvelope.request(sender, mixed_federation.population)
    envelope.recipient = recipient
    public = recipient.agreement_certificate.public_key()

    def wrap(content_key: bytes) -> WrappedKey:
        good = suite(name).wrap(public, content_key)
        damaged = good.wrapped[:-1] + bytes((good.wrapped[-1] ^ 1,))
        return WrappedKey(
            wrapped=damaged,
            ephemeral_public=good.ephemeral_public,
            hkdf_salt=good.hkdf_salt,
            hkdf_info=good.hkdf_info,
        )

    envelope.wrap = wrap
    assert "damaged" in refused(envelope)


def test_2_salt_and_info_are_read_from_the_message(envelope: UnsafeEnvelope) -> None:
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    public = envelope.recipient.agreement_certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    shared = ephemeral.exchange(ec.ECDH(), public)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def wrap(content_key: bytes) -> WrappedKey:
        wrapped = aes_key_wrap(derive_wrapping_key(shared, salt=b"their salt", info=b"their info"), content_key)
        return WrappedKey(wrapped=wrapped, ephemeral_public=point, hkdf_salt=b"their salt", hkdf_info=b"their info")

    envelope.wrap = wrap
    assert envelope.open().suite == "p256"
    info = templates._text(b"their info")
    envelope.in_encrypted_key = replacing(info, templates._text(b"other info"))
    assert "damaged" in refused(envelope)


# --- 3: the content key's length ------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [24, 32])
def test_3_a_content_key_of_another_length(mixed_federation: Federation, length: int) -> None:
    envelope = UnsafeEnvelope.request(in_suite(mixed_federation, "p256"), mixed_federation.population)
    envelope.recipient = in_suite(mixed_federation, "rsa")
    envelope.content_key = os.urandom(length)
    assert "16 octets" in refused(envelope)


# --- 4: tags ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["signature", "body", "personal-data"])
@pytest.mark.parametrize(
    "at", [0, 11, 12, -17, -16, -1], ids=["IV", "IV's end", "text", "text's end", "tag", "tag's end"]
)
def test_4_one_changed_bit(envelope: UnsafeEnvelope, part: str, at: int) -> None:
    def flip(name: str, octets: bytes) -> bytes:
        changed = bytearray(octets)
        if name == part:
            changed[at] ^= 1
        return bytes(changed)

    envelope.in_ciphertext = flip
    assert "tag" in refused(envelope)


@pytest.mark.parametrize("part", ["signature", "body", "personal-data"])
@pytest.mark.parametrize("kept", [12, 8, 4])
def test_4_a_shortened_tag(envelope: UnsafeEnvelope, part: str, kept: int) -> None:
    envelope.in_ciphertext = lambda name, octets: octets[: kept - 16] if name == part else octets
    assert "tag" in refused(envelope)


def test_4_parts_exchanged(envelope: UnsafeEnvelope) -> None:
    kept: dict[str, bytes] = {}
    envelope.in_ciphertext = kept.setdefault
    _ = envelope.octets
    swapped = {"signature": kept["body"], "body": kept["signature"], "personal-data": kept["personal-data"]}
    envelope.in_ciphertext = lambda name, octets: swapped[name]
    assert "after decryption" in refused(envelope)


def test_4_a_content_key_of_an_older_message(envelope: UnsafeEnvelope, federation: Federation) -> None:
    older = seal_request(federation.social, federation.population).octets
    start, end = b"<xenc:EncryptedKey ", b"</xenc:EncryptedKey>"
    old_key = older[older.index(start) : older.index(end) + len(end)]
    envelope.in_encrypted_key = lambda _: old_key
    assert "tag" in refused(envelope)


# --- 5 and 6: the plaintext of signature and header ------------------------------------------------------------------


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(lambda octets: octets + octets, id="two elements"),
        pytest.param(lambda octets: octets + b" ", id="text after it"),
        pytest.param(lambda octets: b"x" + octets, id="text before it"),
        pytest.param(lambda octets: b" ", id="nothing"),
        pytest.param(lambda octets: octets[:-1], id="not closed"),
        pytest.param(lambda octets: b"</fragment><fragment>" + octets, id="closing its surroundings"),
        pytest.param(lambda octets: b"<?xml version='1.0'?>" + octets, id="XML declaration"),
        pytest.param(lambda octets: b"<!DOCTYPE a>" + octets, id="DOCTYPE"),
        pytest.param(lambda octets: b"<!-- -->" + octets, id="comment"),
        pytest.param(lambda octets: octets.replace(b"</", b"<!-- --></", 1), id="comment in a value"),
        pytest.param(lambda octets: octets.replace(b"</", b"<?x y?></", 1), id="processing instruction in a value"),
        pytest.param(lambda octets: octets.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(lambda octets: octets.replace(b">", b">\xff", 1), id="not UTF-8"),
        pytest.param(lambda octets: octets.replace(b">", b">&x;", 1), id="entity"),
        pytest.param(lambda octets: b"<other/>", id="another element"),
        pytest.param(
            lambda octets: f'<ia:Exchange xmlns:ia="{names.ENVELOPE}" xmlns:wsu="{names.WSU}" wsu:Id="e"/>'.encode(),
            id="another element with an id",
        ),
    ],
)
@pytest.mark.parametrize("part", ["signature", "personal_data"])
def test_5_and_6_plaintext_that_is_not_the_one_element(envelope: UnsafeEnvelope, part: str, plaintext) -> None:
    if part == "signature":
        envelope.in_signature = plaintext
    else:
        assert envelope.personal_data is not None
        envelope.personal_data = plaintext(envelope.personal_data)
    refused(envelope)


# --- 7: the plaintext of the Body ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b" ", id="nothing"),
        pytest.param(b"text", id="text"),
        pytest.param(PAYLOAD + PAYLOAD, id="two elements"),
        pytest.param(PAYLOAD + b"text", id="text after it"),
        pytest.param(b"text" + PAYLOAD, id="text before it"),
        pytest.param(b"</env:Body><env:Body>" + PAYLOAD, id="closing the Body"),
        pytest.param(PAYLOAD + b"</env:Body><x/>", id="closing the Body, and something behind it"),
        pytest.param(b"<!DOCTYPE a>" + PAYLOAD, id="DOCTYPE"),
        pytest.param(b"<a><!-- --></a>", id="comment"),
        pytest.param(b"<?x y?>" + PAYLOAD, id="processing instruction"),
        pytest.param(b"<a>&x;</a>", id="entity"),
        pytest.param(f'<a><EncryptedData xmlns="{names.XENC}"/></a>'.encode(), id="encrypted once more"),
        pytest.param(f'<EncryptedKey xmlns="{names.XENC}"/>'.encode(), id="another EncryptedKey"),
        pytest.param(b"<a>" * 150 + b"</a>" * 150, id="too deep"),
        pytest.param(b"<p:a/>", id="prefix that is not bound"),
    ],
)
def test_7_a_body_that_is_not_one_clear_element(envelope: UnsafeEnvelope, content: bytes) -> None:
    envelope.body_content = content
    refused(envelope)


# --- 8: ids ----------------------------------------------------------------------------------------------------------

WSU = f'xmlns:wsu="{names.WSU}"'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f'<a {WSU} wsu:Id="token"/>', id="that of a part"),
        pytest.param(f'<a {WSU} wsu:Id="body"/>', id="that of the Body itself"),
        pytest.param(f'<a {WSU} wsu:Id="personal-data"/>', id="that of another plaintext"),
        pytest.param(f'<a {WSU}><b wsu:Id="x"/><b wsu:Id="x"/></a>', id="twice in the payload"),
        pytest.param('<a xml:id="timestamp"/>', id="xml:id"),
        pytest.param(f'<a><Signature xmlns="{names.DS}" Id="exchange"/></a>', id="Id of a signature"),
    ],
)
def test_8_an_id_in_the_payload_that_occurs_already(envelope: UnsafeEnvelope, content: str) -> None:
    envelope.body_content = content.encode()
    assert "an id occurs twice" in refused(envelope)


def test_8_an_id_in_the_signature_that_occurs_already(envelope: UnsafeEnvelope) -> None:
    envelope.in_signature = replacing("<ds:Signature ", '<ds:Signature Id="body" ')
    assert "an id occurs twice" in refused(envelope)


def test_8_the_id_of_the_header_that_occurs_already(envelope: UnsafeEnvelope) -> None:
    assert envelope.personal_data is not None
    envelope.personal_data = replacing('Id="personal-data"', 'Id="exchange"')(envelope.personal_data)
    assert "an id occurs twice" in refused(envelope)

"""The checklist of `verify`: one refused case, or more, for every step. The second gate: test_signature_gate.

The attacker here is a member with a valid key (or none): SignedInfo is signed after it was changed.
"""

from __future__ import annotations

import functools
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.crypto import templates
from adapter.crypto.suites import suite
from adapter.envelope import names
from adapter.errors import EnvelopeRefused, InvalidIdentifier, SecurityFailed
from adapter.xmlsafe import canonical
from tests.envelopes import PINFL, UnsafeEnvelope, open_octets, replacing
from tests.pki import SIGNING_USAGE, Federation, issue

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PART_IDS = ("exchange", "timestamp", "token", "body", "personal-data")


@pytest.fixture(params=[False, True], ids=["our spelling", "foreign spelling"])
def envelope(federation: Federation, request: pytest.FixtureRequest) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population, foreign=request.param)


def refused(envelope: UnsafeEnvelope) -> str:
    with pytest.raises(SecurityFailed) as failure:
        envelope.open()
    assert failure.value.text == "The security of the message could not be verified."
    return failure.value.reason


def token_of(certificate: x509.Certificate) -> bytes:
    return templates.render_token(certificate.public_bytes(Encoding.DER))


def certificate_for(federation: Federation, key: object) -> x509.Certificate:
    return issue(federation.issuing_ca, public_key=key, subject="Somebody", usage=SIGNING_USAGE)


# --- 1: the token ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda der: der + b"\x00", id="trailing octet"),
        pytest.param(lambda der: der + der, id="two certificates"),
        pytest.param(lambda der: der[:-1], id="cut short"),
        pytest.param(lambda der: b"", id="empty"),
        pytest.param(lambda der: b"\x30\x80" + der[4:] + b"\x00\x00", id="indefinite length"),
        pytest.param(lambda der: b"MIIB", id="not DER"),
    ],
)
def test_1_a_token_that_is_not_one_certificate(envelope: UnsafeEnvelope, change) -> None:
    der = envelope.sender.signing_certificate.public_bytes(Encoding.DER)
    envelope.token = templates.render_token(change(der))
    assert "token" in refused(envelope)


# --- 2: algorithm and key --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make_key",
    [
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP256K1()), id="secp256k1"),
        pytest.param(ed25519.Ed25519PrivateKey.generate, id="Ed25519"),
        pytest.param(lambda: rsa.generate_private_key(65537, 2048), id="RSA"),
    ],
)
def test_2_a_key_of_another_kind_than_the_algorithm(envelope: UnsafeEnvelope, federation: Federation, make_key) -> None:
    envelope.token = token_of(certificate_for(federation, make_key().public_key()))
    assert "not a P-256 key" in refused(envelope)


def test_2_a_short_rsa_key(mixed_federation: Federation) -> None:
    member = next(one for one in mixed_federation.members.values() if one.suite == "rsa")
    key = rsa.generate_private_key(65537, 2048)
    envelope = UnsafeEnvelope.request(member, mixed_federation.population)
    envelope.token = token_of(certificate_for(mixed_federation, key.public_key()))
    envelope.signature_value = lambda octets: suite("rsa").sign(key, octets)
    assert "2048 bits" in refused(envelope)


@pytest.mark.parametrize(
    "algorithm",
    [
        names.EDDSA_ED25519,
        names.RSA_SHA256,
        f"{names.DS}rsa-sha1",
        f"{names.DS}dsa-sha1",
        f"{names.DS}hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519ph",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519ctx",
        "urn:x",
    ],
)
def test_2_another_algorithm_under_a_good_signature(envelope: UnsafeEnvelope, algorithm: str) -> None:
    envelope.signature_algorithm = algorithm
    refused(envelope)


# --- 3: the signature value ------------------------------------------------------------------------------------------

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _integers(value: bytes) -> tuple[int, int]:
    return int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")


def _octets(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _der(value: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    return encode_dss_signature(*_integers(value))


VALUES = {
    "one bit": lambda value: value[:-1] + bytes((value[-1] ^ 1,)),
    "DER": _der,
    "63 octets": lambda value: value[:-1],
    "65 octets": lambda value: value + b"\x00",
    "66 octets": lambda value: b"\x00" + value[:32] + b"\x00" + value[32:],
    "empty": lambda value: b"",
    "r is 0": lambda value: bytes(32) + value[32:],
    "s is 0": lambda value: value[:32] + bytes(32),
    "both 0": lambda value: bytes(64),
    "r is n": lambda value: _octets(ORDER, _integers(value)[1]),
    "s above n": lambda value: value[:32] + b"\xff" * 32,
    "r + n": lambda value: _octets((_integers(value)[0] + ORDER) % (1 << 256), _integers(value)[1]),
}


@pytest.mark.parametrize("name", VALUES)
def test_3_an_ecdsa_value_that_is_not_good(envelope: UnsafeEnvelope, name: str) -> None:
    good = suite("p256")
    envelope.signature_value = lambda octets: VALUES[name](good.sign(envelope.sender.signing_key, octets))
    reason = refused(envelope)
    if "octets" in name or name in ("DER", "empty"):
        assert "64 octets" in reason
    if " is " in name or "above" in name:
        assert "out of range" in reason


def test_3_the_other_s_is_good_too_and_the_record_recognises_the_message_by_its_id(envelope: UnsafeEnvelope) -> None:
    def other(octets: bytes) -> bytes:
        r, s = _integers(suite("p256").sign(envelope.sender.signing_key, octets))
        return _octets(r, ORDER - s)

    envelope.signature_value = other
    assert envelope.open().suite == "p256"


def test_3_signed_by_another_key(envelope: UnsafeEnvelope, federation: Federation) -> None:
    envelope.signature_value = lambda octets: suite("p256").sign(federation.cadastre.signing_key, octets)
    assert "signature is wrong" in refused(envelope)


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_3_an_ed25519_point_of_small_order(mixed_federation: Federation, point: str) -> None:
    key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(point))
    with pytest.raises(SecurityFailed, match="small order"):
        suite("ed25519").check_signing_key(key)
    member = next(one for one in mixed_federation.members.values() if one.suite == "ed25519")
    envelope = UnsafeEnvelope.request(member, mixed_federation.population)
    envelope.signature_value = lambda octets: bytes.fromhex(point) + bytes(32)
    assert "small order" in refused(envelope)


def test_3_another_certificate_for_the_same_key_breaks_the_digest(
    envelope: UnsafeEnvelope, federation: Federation
) -> None:
    other = token_of(certificate_for(federation, federation.social.signing_key.public_key()))
    envelope.in_outer = replacing(envelope.token, other)
    assert "digest" in refused(envelope)


@pytest.mark.parametrize("text", ["*", "-_", "=", "QUJD" * 1000], ids=["junk", "URL alphabet", "padding", "overlong"])
def test_3_a_value_that_is_not_clean_base64(envelope: UnsafeEnvelope, text: str) -> None:
    envelope.in_signature = replacing("<ds:SignatureValue>", f"<ds:SignatureValue>{text}")
    refused(envelope)


# --- 4: coverage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", PART_IDS)
def test_4_a_part_that_is_not_covered(envelope: UnsafeEnvelope, missing: str) -> None:
    envelope.digested = lambda good: [part for part in good.parts() if part[0] != missing]
    assert "does not cover exactly" in refused(envelope)


def test_4_something_else_covered_instead(envelope: UnsafeEnvelope) -> None:
    envelope.digested = lambda good: [*good.parts()[:-1], ("key", b"x", ())]
    assert "does not cover exactly" in refused(envelope)


def test_4_the_encrypted_header_taken_out(envelope: UnsafeEnvelope) -> None:
    def without(octets: bytes) -> bytes:
        end = b"</wsse11:EncryptedHeader>"
        start, stop = octets.index(b"<wsse11:EncryptedHeader"), octets.index(end) + len(end)
        taken = octets[:start] + octets[stop:]
        return replacing('<xenc:DataReference URI="#personal-data-cipher"/>', "")(taken)

    envelope.in_outer = without
    assert "does not cover exactly" in refused(envelope)


def test_4_a_request_without_personal_data_is_complete_without_it(envelope: UnsafeEnvelope) -> None:
    envelope.personal_data = None
    assert envelope.open().personal_data is None


# --- 5: digests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PART_IDS)
def test_5_a_digest_of_something_else(envelope: UnsafeEnvelope, part: str) -> None:
    envelope.digested = lambda good: [
        (name, octets + b" " if name == part else octets, more) for name, octets, more in good.parts()
    ]
    assert "digest" in refused(envelope)


CHANGED_AFTERWARDS = {
    "Exchange": ("<ia:Official>inspector-7<", "<ia:Official>inspector-8<"),
    "Exchange, by a comment's place": (">GetPerson</ia:Operation>", ">GetPersons</ia:Operation>"),
    "Timestamp": ("2026-03-02T09:05:00.000Z</wsu:Expires>", "2026-03-02T09:04:00.000Z</wsu:Expires>"),
    "Body's other attribute": ('wsu:Id="body"><xenc', 'wsu:Id="body2"><xenc'),
}


@pytest.mark.parametrize("name", CHANGED_AFTERWARDS)
def test_5_a_part_changed_on_the_way(envelope: UnsafeEnvelope, name: str) -> None:
    envelope.in_outer = replacing(*CHANGED_AFTERWARDS[name])
    refused(envelope)


def test_5_a_body_encrypted_by_a_stranger(federation: Federation) -> None:
    """Encryption needs no secret: whoever knows the content key or makes a new one can replace the ciphertext."""
    good = UnsafeEnvelope.request(federation.social, federation.population)
    signature = good.signature()
    forged = UnsafeEnvelope.request(
        federation.social, federation.population, exchange=good.exchange, body_content=b"<forged/>"
    )
    forged.in_signature = lambda _: signature
    assert "digest" in refused(forged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("<ia:Operation>GetPerson<", "<ia:Operation>Get&#80;erson<", id="character reference"),
        pytest.param("<ia:Operation>GetPerson<", "<ia:Operation><![CDATA[GetPerson]]><", id="CDATA"),
        pytest.param('<ia:Exchange xmlns:env="', '<ia:Exchange  xmlns:env = "', id="white space in a tag"),
        pytest.param(
            'wsu:Id="exchange" env:mustUnderstand="true"', 'env:mustUnderstand="true" wsu:Id="exchange"', id="order"
        ),
    ],
)
def test_5_another_spelling_of_the_same_document_is_the_same(envelope: UnsafeEnvelope, old: str, new: str) -> None:
    envelope.in_outer = replacing(old, new)
    assert envelope.open().header.operation == "GetPerson"


# --- 6: names in values ----------------------------------------------------------------------------------------------


def _envelope_prefix(octets: bytes) -> bytes:
    return replacing("<env:Envelope ", '<env:Envelope xmlns:t="urn:attacker" ')(octets)


def test_6_an_xsi_type_whose_prefix_is_not_signed(envelope: UnsafeEnvelope) -> None:
    envelope.body_content = f'<a><b {XSI} xsi:type="t:T"></b></a>'.encode()
    envelope.in_outer = _envelope_prefix
    assert "not signed" in refused(envelope)


def test_6_an_xsi_type_whose_prefix_is_in_the_prefix_list(envelope: UnsafeEnvelope) -> None:
    envelope.body_content = f'<a xmlns:t="urn:t"><b {XSI} xsi:type="t:T"></b></a>'.encode()
    envelope.prefixes = {"body": ("t",)}
    opened = envelope.open()
    assert opened.payload[0].nsmap["t"] == "urn:t"
    envelope.in_outer = _envelope_prefix
    assert "digest" in refused(envelope)


def test_6_what_is_handed_on_knows_no_prefix_from_outside(envelope: UnsafeEnvelope) -> None:
    envelope.body_content = b"<a><b>t:name</b></a>"
    envelope.in_outer = _envelope_prefix
    opened = envelope.open()
    assert "t" not in opened.payload.nsmap
    assert canonical(opened.payload) == b"<a><b>t:name</b></a>"


def test_6_an_unprefixed_xsi_type_in_the_default_namespace_of_the_envelope(envelope: UnsafeEnvelope) -> None:
    envelope.body_content = f'<p:a xmlns:p="urn:p" {XSI} xsi:type="T"></p:a>'.encode()
    envelope.in_outer = replacing("<env:Envelope ", '<env:Envelope xmlns="urn:attacker" ')
    assert "not signed" in refused(envelope)


# --- 7: values -------------------------------------------------------------------------------------------------------


def test_7_the_payload_is_the_node_that_was_digested(envelope: UnsafeEnvelope) -> None:
    opened = envelope.open()
    body = opened.payload.getparent()
    assert body is not None
    assert canonical(body) == envelope.body
    digest = sha256(canonical(body)).digest()
    assert templates.render_reference("body", digest).encode() in envelope.signature()


def test_7_a_subject_with_a_wrong_check_digit_is_named_as_that(envelope: UnsafeEnvelope) -> None:
    assert envelope.personal_data is not None
    wrong = PINFL[:-1] + str((int(PINFL[-1]) + 1) % 10)
    envelope.personal_data = replacing(PINFL, wrong)(envelope.personal_data)
    with pytest.raises(InvalidIdentifier) as failure:
        envelope.open()
    assert wrong not in failure.value.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<ia:Purpose>benefit</ia:Purpose>", ""),
        ("<ia:Purpose>benefit</ia:Purpose>", "<ia:Purpose>a b</ia:Purpose>"),
        ("</ia:Purpose>", "</ia:Purpose><ia:Name>x</ia:Name>"),
        ('<ia:LegalBasis kind="law">', "<ia:LegalBasis>"),
        ('<ia:LegalBasis kind="law">', '<ia:LegalBasis kind="law">\u202e'),
        ("<ia:Consent>", "<ia:Consent>" + "x" * 600),
        (' wsu:Id="personal-data"', ' role="x" wsu:Id="personal-data"'),
        ('mustUnderstand="true"', 'mustUnderstand="urn:x"'),
        ('mustUnderstand="true"', 'mustUnderstand=""'),
    ],
)
def test_7_personal_data_outside_its_schema_is_refused(envelope: UnsafeEnvelope, old: str, new: str) -> None:
    assert envelope.personal_data is not None
    envelope.personal_data = replacing(old, new)(envelope.personal_data)
    with pytest.raises(EnvelopeRefused):
        envelope.open()


def _always(octets: bytes, _: bytes) -> bytes:
    return octets


def test_two_captured_messages_cannot_be_mixed(federation: Federation) -> None:
    first = UnsafeEnvelope.request(federation.social, federation.population)
    second = UnsafeEnvelope.request(federation.social, federation.population, body_content=b"<other></other>")
    mixed = UnsafeEnvelope.request(
        federation.social, federation.population, exchange=first.exchange, body_content=b"<other></other>"
    )
    for signature in (first.signature(), second.signature()):
        mixed.in_signature = functools.partial(_always, signature)
        assert "digest" in refused(mixed)


def test_the_outer_octets_are_kept_as_received(envelope: UnsafeEnvelope) -> None:
    octets = envelope.octets
    assert open_octets(octets, envelope.recipient).received.octets == octets
    assert etree.QName(envelope.open().payload).localname == "GetPerson"

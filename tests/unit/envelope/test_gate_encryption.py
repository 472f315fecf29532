"""The first gate on EncryptedKey: each suite's key in exactly one encoding, refused before anything is computed."""

from __future__ import annotations

import base64

import pytest

from adapter.envelope import names
from adapter.errors import EnvelopeRefused
from tests.envelopes import gate_octets, replacing, request_header, seal_request
from tests.pki import Federation


@pytest.fixture(scope="module")
def message(federation: Federation) -> bytes:
    return seal_request(federation.social, federation.population).octets


@pytest.mark.parametrize("length", [0, 8, 16, 23, 25, 32, 40])
def test_a_wrapped_key_of_another_length_is_refused(message: bytes, length: int) -> None:
    wrapped = base64.b64encode(gate_octets(message).encrypted_key.wrapped_key)
    with pytest.raises(EnvelopeRefused, match="24 octets"):
        gate_octets(replacing(wrapped, base64.b64encode(bytes(length)))(message))


POINTS = {
    "compressed": lambda point: b"\x02" + point[1:33],
    "hybrid": lambda point: b"\x06" + point[1:],
    "infinity": lambda point: b"\x00",
    "too short": lambda point: point[:-1],
    "too long": lambda point: point + b"\x00",
    "raw coordinates": lambda point: point[1:],
}


@pytest.mark.parametrize("name", POINTS)
def test_a_point_in_another_encoding_is_refused(message: bytes, name: str) -> None:
    point = gate_octets(message).encrypted_key.ephemeral_public
    forged = base64.b64encode(POINTS[name](point))
    with pytest.raises(EnvelopeRefused, match="uncompressed"):
        gate_octets(replacing(base64.b64encode(point), forged)(message))


@pytest.mark.parametrize("name", ["31 octets", "33 octets", "Ed25519", "X448", "raw"])
def test_an_x25519_key_in_another_form_is_refused(mixed_federation: Federation, name: str) -> None:
    sealed = seal_request(
        mixed_federation.population,
        mixed_federation.cadastre,
        header=request_header(mixed_federation.population, mixed_federation.population),
    )
    key = gate_octets(sealed.octets).encrypted_key.ephemeral_public
    prefix = bytes.fromhex("302a300506032b656e032100")
    forged = {
        "31 octets": prefix + key[:31],
        "33 octets": prefix + key + b"\x00",
        "Ed25519": bytes.fromhex("302a300506032b6570032100") + key,
        "X448": bytes.fromhex("302a300506032b656f032100") + key,
        "raw": key,
    }[name]
    change = replacing(base64.b64encode(prefix + key), base64.b64encode(forged))
    with pytest.raises(EnvelopeRefused, match="not an X25519"):
        gate_octets(change(sealed.octets))


RSA_CASES = {
    "OAEP with SHA-1": (names.SHA256, f"{names.DS}sha1"),
    "MGF1 with SHA-1": (names.MGF1_SHA256, f"{names.XENC11}mgf1sha1"),
    "rsa-oaep-mgf1p": (names.RSA_OAEP, f"{names.XENC}rsa-oaep-mgf1p"),
    "a label": ("<ds:DigestMethod", "<xenc:OAEPparams>QQ==</xenc:OAEPparams><ds:DigestMethod"),
    "no digest": (f'<ds:DigestMethod Algorithm="{names.SHA256}"/>', ""),
    "a key longer than any": ("<xenc:CipherValue>", f"<xenc:CipherValue>{'A' * 1400}"),
}


@pytest.mark.parametrize("name", RSA_CASES)
def test_another_way_of_key_transport_is_refused(mixed_federation: Federation, name: str) -> None:
    sealed = seal_request(
        mixed_federation.population,
        mixed_federation.social,
        header=request_header(mixed_federation.population, mixed_federation.population),
    )
    start = sealed.octets.index(b"<xenc:EncryptedKey ")
    changed = sealed.octets[:start] + replacing(*RSA_CASES[name])(sealed.octets[start:])
    assert gate_octets(sealed.octets).encrypted_key.suite == "rsa"
    with pytest.raises(EnvelopeRefused):
        gate_octets(changed)


def within(octets: bytes, start: bytes, end: bytes) -> bytes:
    """From start to end, both included."""
    begin = octets.index(start)
    return octets[begin : octets.index(end, begin) + len(end)]


def test_a_key_for_nothing_is_refused(message: bytes) -> None:
    references = within(message, b"<xenc:ReferenceList>", b"</xenc:ReferenceList>")
    empty = b"<xenc:ReferenceList></xenc:ReferenceList>"
    with pytest.raises(EnvelopeRefused, match="must name the EncryptedData"):
        gate_octets(replacing(references, empty)(message))
    many = empty.replace(b"><", b">" + b'<xenc:DataReference URI="#body-cipher"/>' * 69 + b"<")
    with pytest.raises(EnvelopeRefused, match="must name the EncryptedData"):
        gate_octets(replacing(references, many)(message))


RECIPIENTS = {
    "by a reference": (b'<wsse:Reference URI="#token"/>', "named by a KeyIdentifier"),
    "in another encoding": (None, "Base64Binary"),
    "by nothing": (b"", "empty or longer"),
    "by too much": (base64.b64encode(bytes(65)), "empty or longer"),
}


@pytest.mark.parametrize("name", RECIPIENTS)
def test_a_recipient_named_in_another_way_is_refused(message: bytes, name: str) -> None:
    new, reason = RECIPIENTS[name]
    identifier = within(message, b"<wsse:KeyIdentifier", b"</wsse:KeyIdentifier>")
    start = identifier[: identifier.index(b">") + 1]
    if new is None:
        forged = identifier.replace(b"#Base64Binary", b"#HexBinary")
    elif new.startswith(b"<"):
        forged = new
    else:
        forged = start + new + b"</wsse:KeyIdentifier>"
    with pytest.raises(EnvelopeRefused, match=reason):
        gate_octets(replacing(identifier, forged)(message))


def test_hkdf_without_an_info_has_an_empty_one(message: bytes) -> None:
    info = within(message, b"<dsig-more:Info>", b"</dsig-more:Info>")
    assert gate_octets(message).encrypted_key.hkdf_info != b""
    assert gate_octets(replacing(info, b"")(message)).encrypted_key.hkdf_info == b""


def test_a_key_may_have_no_id(message: bytes) -> None:
    assert "key" not in gate_octets(replacing(b' Id="key"', b"")(message)).ids


REFERENCES = {
    "with an id of something else": ("body", '<wsse:Reference URI="#key"/>', "an id occurs twice"),
    "two of them": ("r", '<wsse:Reference URI="#key"/>' * 2, "exactly one"),
    "an empty one": ("r", "", "exactly one"),
    "by a certificate": ("r", "<wsse:KeyIdentifier>QQ==</wsse:KeyIdentifier>", "to its key directly"),
    "to a file": ("r", '<wsse:Reference URI="file:///etc/passwd"/>', "not #id"),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_to_the_key_in_another_form_is_refused(message: bytes, name: str) -> None:
    own_id, inner, reason = REFERENCES[name]
    start = 'aes128-gcm"/><xenc:CipherData>'
    reference = (
        f'aes128-gcm"/><ds:KeyInfo xmlns:ds="{names.DS}"><wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}"'
        f' xmlns:wsu="{names.WSU}" wsu:Id="{own_id}">{inner}</wsse:SecurityTokenReference></ds:KeyInfo>'
        "<xenc:CipherData>"
    )
    with pytest.raises(EnvelopeRefused, match=reason):
        gate_octets(replacing(start, reference)(message))

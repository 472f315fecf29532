"""libxmlsec's own files. Twice: our routines against what the mathematics must give, and our gates against what the
profile does not list: whatever is weak or unusual is refused before any mathematics."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from lxml import etree

from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import derive_wrapping_key, load_p256_point, load_x25519, unwrap_aes
from adapter.crypto.keys import FileDecryptionKey
from adapter.crypto.signature_gate import read_signature
from adapter.crypto.suites import Suite, by_signature_algorithm
from adapter.envelope import names
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.gate_encryption import read_encrypted_data, read_encrypted_key
from adapter.envelope.gate_structure import Ids
from adapter.errors import AdapterError, EnvelopeRefused, LimitExceeded, SecurityFailed
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS, canonical
from tests.envelopes import received

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "vectors" / "xmlsec"
NS = {"ds": names.DS, "xenc": names.XENC, "dsig11": names.DSIG11, "more": names.DSIG_MORE}
Case = dict[str, Any]


def cases(op: str) -> list[Case]:
    """The cases of one operation; none where the folder is absent, and then pytest reports the test as skipped."""
    if not (SHARED / "cases.json").is_file():
        return []
    return [case for case in json.loads((SHARED / "cases.json").read_text())["cases"] if case["op"] == op]


def case_id(case: Case) -> str:
    return f"{case['file']}{' (' + case['settings'] + ')' if 'settings' in case else ''}"


def document(file: str) -> etree._Element:
    return etree.parse(SHARED / file).getroot()


def find(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path, NS)
    assert found is not None
    return found


def decoded(root: etree._Element, path: str) -> bytes:
    return base64.b64decode(find(root, path).text or "")


# --- the profile refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("verify") + cases("decrypt"), ids=case_id)
def test_no_such_file_is_a_message_of_ours(case: Case) -> None:
    octets = (SHARED / case["file"]).read_bytes()
    with pytest.raises((EnvelopeRefused, LimitExceeded)):
        gate(parse_message(received(octets), DEFAULT_LIMITS), MessageKind.REQUEST)


@pytest.mark.parametrize("case", cases("verify"), ids=case_id)
def test_the_second_gate_refuses_every_signature_of_another_profile(case: Case) -> None:
    root = document(case["file"])
    signature = root if root.tag == names.SIGNATURE else find(root, ".//ds:Signature")
    with pytest.raises(EnvelopeRefused):
        read_signature(signature, token_id="token", ids=Ids())


@pytest.mark.parametrize("case", cases("decrypt"), ids=case_id)
def test_the_first_gate_refuses_every_encryption_of_another_profile(case: Case) -> None:
    root = document(case["file"])
    for key in root.iter(names.ENCRYPTED_KEY):
        with pytest.raises(AdapterError):
            read_encrypted_key(key, Ids())
    for data in root.iter(names.ENCRYPTED_DATA):
        with pytest.raises(AdapterError):
            read_encrypted_data(data, content_type=names.TYPE_CONTENT, ids=Ids(), max_chars=1 << 20)


WEAK = {"SHA-1", "SHA-224", "HMAC", "RSA-PSS", "DSA", "CBC", "3DES", "AES-192", "MGF1-SHA-1", "Ed25519ph/ctx", "PBKDF2"}


def test_no_weak_algorithm_of_these_files_is_in_a_table() -> None:
    for case in cases("verify") + cases("decrypt"):
        if not WEAK.intersection(case["weak_or_unusual"]):
            continue
        methods = {
            str(element.get("Algorithm"))
            for element in document(case["file"]).iter("{*}SignatureMethod", "{*}EncryptionMethod", "{*}DigestMethod")
        }
        assert methods - ALLOWED, case_id(case)


ALLOWED = {
    names.SHA256,
    names.ECDSA_SHA256,
    names.RSA_SHA256,
    names.EDDSA_ED25519,
    names.KW_AES128,
    names.RSA_OAEP,
    names.AES128_GCM,
}


# --- signatures over SignedInfo --------------------------------------------------------------------------------------


def certificate_key(root: etree._Element) -> PublicKeyTypes | None:
    """The leaf's key of X509Data: the certificate whose subject issued none of the others."""
    found = [
        x509.load_der_x509_certificate(base64.b64decode(element.text or ""))
        for element in root.iter("{*}X509Certificate")
    ]
    issuers = {certificate.issuer for certificate in found}
    leaves = [certificate for certificate in found if certificate.subject not in issuers] or found
    return leaves[0].public_key() if leaves else None


def key_of(root: etree._Element, case: Case) -> PublicKeyTypes:
    der = root.find(".//dsig11:DEREncodedKeyValue", NS)
    if der is not None:
        return load_der_public_key(base64.b64decode(der.text or ""))
    point = root.find(".//dsig11:PublicKey", NS)
    if point is not None:
        return load_p256_point(base64.b64decode(point.text or ""))
    modulus = root.find(".//ds:RSAKeyValue/ds:Modulus", NS)
    if modulus is not None:
        n, e = (
            int.from_bytes(decoded(root, f".//ds:RSAKeyValue/ds:{name}"), "big") for name in ("Modulus", "Exponent")
        )
        return rsa.RSAPublicNumbers(e, n).public_key()
    if (certified := certificate_key(root)) is not None:
        return certified
    for file in case["keys"]:
        octets = (SHARED / file).read_bytes()
        if "pubkey" in file:
            return load_pem_public_key(octets)
        if file.endswith((".crt", "rsa-4096-cert.pem")):
            load = x509.load_pem_x509_certificate if b"-----BEGIN" in octets else x509.load_der_x509_certificate
            return load(octets).public_key()
    pytest.skip("the key comes from a key manager that we do not have")


def signed_info_octets(root: etree._Element) -> bytes:
    """SignedInfo canonicalised inclusively, as most of these files want it: alone, so that lxml does it right."""
    method = find(root, ".//ds:CanonicalizationMethod").get("Algorithm")
    signed_info = find(root, ".//ds:SignedInfo")
    if method == names.EXC_C14N:
        return canonical(signed_info)
    assert method == "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    alone = etree.fromstring(etree.tostring(signed_info, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=False)


def row_of(case: Case) -> Suite:
    method = find(document(case["file"]), ".//ds:SignatureMethod").get("Algorithm", "")
    try:
        return by_signature_algorithm(method)
    except SecurityFailed:
        pytest.skip(f"not an algorithm of ours: {method}")


STRICTER = {
    "aleksey-xmldsig-01/enveloping-sha256-ecdsa-sha256_padded.xml": "66 octets, we want exactly 64",
}


@pytest.mark.parametrize(
    "case", [case for case in cases("verify") if "settings" not in case or case["expect"] == "pass"], ids=case_id
)
def test_signature_values_are_good_or_not_as_stated(case: Case) -> None:
    if case["expect"] == "unsupported":
        pytest.skip("the key form of RFC 4050")
    row = row_of(case)
    root = document(case["file"])
    value = decoded(root, ".//ds:SignatureValue")
    key = key_of(root, case)
    octets = signed_info_octets(root)
    if case["expect"] == "pass" and case["file"] not in STRICTER:
        row.verify(key, value, octets)
        with pytest.raises(SecurityFailed):
            row.verify(key, value, octets + b" ")
    else:
        with pytest.raises(SecurityFailed):
            row.verify(key, value, octets)


# --- canonicalisation ------------------------------------------------------------------------------------------------


def test_exclusive_canonicalisation(shared: Path) -> None:
    """The reference without comments and without #default, which the gate refuses in a PrefixList."""
    del shared
    root = document("merlin-exc-c14n-one/exc-signature.xml")
    target = find(root, ".//ds:Object")
    digest = hashlib.sha1(canonical(target), usedforsecurity=False).digest()
    assert digest == decoded(root, ".//ds:Reference/ds:DigestValue")


# --- content ---------------------------------------------------------------------------------------------------------


@functools.cache
def named_keys(file: str) -> dict[str, bytes]:
    return {
        (info.findtext("{*}KeyName") or "").strip(): base64.b64decode(str(value.xpath("string()")))
        for info in document(file).iter("{*}KeyInfo")
        if (value := info.find(".//{*}AESKeyValue")) is not None
    }


def nist_messages() -> Iterator[Path]:
    return iter(sorted(SHARED.glob("nist-aesgcm/aes*/*.xml")))


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_nist_aes_gcm(shared: Path, bits: int) -> None:
    """AES-128: what has an expected plaintext decrypts, what has none fails. Longer keys are not ours."""
    del shared
    keys = named_keys(f"nist-aesgcm/keys-aes{bits}-gcm.xml")
    decrypted = failed = 0
    for file in nist_messages():
        if not file.name.startswith(f"aes{bits}-"):
            continue
        root = etree.parse(file).getroot()
        key = keys[(root.findtext(".//{*}KeyName") or "").strip()]
        octets = base64.b64decode(root.findtext(".//{*}CipherValue") or "")
        expected = file.with_suffix(".data")
        if bits == 128 and expected.exists():
            assert ContentCipher(key).decrypt(octets) == base64.b64decode(expected.read_bytes())
            decrypted += 1
            continue
        with pytest.raises(SecurityFailed):
            ContentCipher(key).decrypt(octets)
        failed += 1
    assert (decrypted, failed) == {128: (29, 31), 192: (0, 60), 256: (0, 60)}[bits]


GCM = {
    "aleksey-xmlenc-01/enc-aes128gcm-keyname.xml": "keys/keys.xml",
    "xmlenc11-interop-2012/xenc11-example-AES128-GCM.xml": "xmlenc11-interop-2012/xenc11-example-AES128-GCM.key",
}


@pytest.mark.parametrize("file", GCM)
def test_aes128_gcm_content(shared: Path, file: str) -> None:
    del shared
    key_file = GCM[file]
    key = named_keys(key_file)["test-aes128"] if key_file.endswith(".xml") else (SHARED / key_file).read_bytes()
    plaintext = ContentCipher(key).decrypt(decoded(document(file), ".//xenc:CipherValue"))
    assert plaintext.strip() in (SHARED / file).with_suffix(".data").read_bytes()


# --- keys ------------------------------------------------------------------------------------------------------------


def holder(pem: Path) -> FileDecryptionKey:
    key = FileDecryptionKey.__new__(FileDecryptionKey)
    key._private_key = load_pem_private_key(pem.read_bytes(), None)
    return key


def hkdf_files() -> list[str]:
    return sorted(
        case["file"]
        for case in cases("decrypt")
        if re.search(r"enc_(ecdh_p256|xdh_x25519)_hkdf_sha256_kw", case["file"])
    )


@pytest.mark.parametrize("file", hkdf_files())
def test_agreement_hkdf_and_key_wrap(file: str) -> None:
    """Our agreement and unwrapping, and the first half of the derived key: these files wrap with AES-256, so the rest
    of the key is derived here."""
    root = document(file)
    recipient, originator = (SHARED / name for name in _keys_of(file))
    public = load_pem_public_key(originator.read_bytes())
    if isinstance(public, ec.EllipticCurvePublicKey):
        ephemeral: Any = load_p256_point(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    else:
        assert isinstance(public, x25519.X25519PublicKey)
        ephemeral = load_x25519(public.public_bytes_raw())
    shared_secret = holder(recipient).agree(ephemeral)
    salt = decoded(root, ".//more:Salt")
    wrapping_key = HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=b"").derive(shared_secret)
    assert wrapping_key[:16] == derive_wrapping_key(shared_secret, salt=salt, info=b"")
    content_key = unwrap_aes(wrapping_key, decoded(root, ".//xenc:EncryptedKey//xenc:CipherValue"))
    plaintext = ContentCipher(content_key).decrypt(decoded(root, "./xenc:CipherData/xenc:CipherValue"))
    assert canonical(etree.fromstring(plaintext)) == canonical(
        etree.parse(SHARED / file.replace(".xml", ".data")).getroot()
    )


def _keys_of(file: str) -> list[str]:
    return next(case["keys"] for case in cases("decrypt") if case["file"] == file)


WRAPPED = [
    case
    for case in cases("decrypt")
    if "CEK length does not fit content algorithm" in case["weak_or_unusual"] and "sha256" in case["file"]
]


@pytest.mark.parametrize("case", WRAPPED, ids=case_id)
def test_a_wrapped_key_of_32_octets_is_refused(case: Case) -> None:
    wrapped = decoded(document(case["file"]), ".//xenc:EncryptedKey//xenc:CipherValue")
    assert len(wrapped) == 40
    with pytest.raises(SecurityFailed, match="24 octets"):
        unwrap_aes(bytes(32), wrapped)


def test_kw_aes128(shared: Path) -> None:
    del shared
    file = "01-phaos-xmlenc-3/enc-element-aes128-kw-aes128.xml"
    root = document(file)
    key = named_keys("01-phaos-xmlenc-3/keys.xml")[(find(root, ".//xenc:EncryptedKey//ds:KeyName").text or "").strip()]
    wrapped = decoded(root, ".//xenc:EncryptedKey//xenc:CipherValue")
    assert len(unwrap_aes(key, wrapped)) == 16
    with pytest.raises(SecurityFailed):
        unwrap_aes(key, wrapped[:-1] + bytes((wrapped[-1] ^ 1,)))

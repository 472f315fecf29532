"""The gate's part on encryption: EncryptedKey and EncryptedData, exactly one row of algorithms (XML Encryption 1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.attachments import MAX_ATTACHMENTS
from adapter.envelope import names
from adapter.envelope.gate_structure import (
    Ids,
    attribute,
    check_algorithm,
    check_attributes,
    check_empty,
    children,
    leaf_octets,
    leaf_text,
    local_reference,
    only_child,
    read_algorithm,
    refuse,
    sequence,
)
from adapter.envelope.names import qname
from adapter.stages import EncryptedKeyInfo

CIPHER_DATA: Final = qname(names.XENC, "CipherData")
_CIPHER_VALUE: Final = qname(names.XENC, "CipherValue")
_REFERENCE_LIST: Final = qname(names.XENC, "ReferenceList")
_DATA_REFERENCE: Final = qname(names.XENC, "DataReference")
_AGREEMENT_METHOD: Final = qname(names.XENC, "AgreementMethod")
_ORIGINATOR_KEY_INFO: Final = qname(names.XENC, "OriginatorKeyInfo")
_RECIPIENT_KEY_INFO: Final = qname(names.XENC, "RecipientKeyInfo")
_KEY_DERIVATION_METHOD: Final = qname(names.XENC11, "KeyDerivationMethod")
_MGF: Final = qname(names.XENC11, "MGF")
_HKDF_PARAMS: Final = qname(names.DSIG_MORE, "HKDFParams")
_PRF: Final = qname(names.DSIG_MORE, "PRF")
_SALT: Final = qname(names.DSIG_MORE, "Salt")
_INFO: Final = qname(names.DSIG_MORE, "Info")
_KEY_LENGTH: Final = qname(names.DSIG_MORE, "KeyLength")
_KEY_VALUE: Final = qname(names.DS, "KeyValue")
_EC_KEY_VALUE: Final = qname(names.DSIG11, "ECKeyValue")
_NAMED_CURVE: Final = qname(names.DSIG11, "NamedCurve")
_PUBLIC_KEY: Final = qname(names.DSIG11, "PublicKey")
_DER_KEY_VALUE: Final = qname(names.DSIG11, "DEREncodedKeyValue")

_ID: Final = frozenset(("Id",))
_ID_TYPE: Final = frozenset(("Id", "Type"))
_URI: Final = frozenset(("URI",))
_REFERENCE_OPTIONS: Final = frozenset(("ValueType",))
_KEY_IDENTIFIER_ATTRIBUTES: Final = frozenset(("ValueType", "EncodingType"))
_STR_OPTIONS: Final = frozenset((names.WSU_ID, qname(names.WSSE11, "TokenType")))

_KEY_OCTETS: Final = "16"
_WRAPPED_KEY_OCTETS: Final = 24
_GCM_MIN_OCTETS: Final = 12 + 16
# SubjectPublicKeyInfo of X25519 (RFC 8410, 4): this prefix and 32 octets, nothing else.
_X25519_SPKI: Final = bytes.fromhex("302a300506032b656e032100")
_MAX_KEY_TEXT: Final = 2048
_MAX_RSA_OCTETS: Final = 1024
# PersonalData, the signature, Body; with attachments their description and each of them.
_MAX_REFERENCES: Final = 4 + MAX_ATTACHMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class EncryptedKeyElement:
    """A gated EncryptedKey: its values, and the ids of the EncryptedData that it says it is for."""

    info: EncryptedKeyInfo
    id: str | None
    references: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncryptedDataElement:
    """A gated EncryptedData. octets: IV (12), ciphertext, tag (16). key_id: the EncryptedKey it names, if it does."""

    id: str
    octets: bytes
    key_id: str | None


def read_encrypted_data(
    element: etree._Element, *, content_type: str, ids: Ids, max_chars: int
) -> EncryptedDataElement:
    """An EncryptedData of exactly this Type, AES-128-GCM, its octets in a CipherValue (XML Encryption 1.1, 3.4)."""
    if element.tag != names.ENCRYPTED_DATA:
        refuse("something else where EncryptedData must be")
    check_attributes(element, _ID_TYPE)
    if attribute(element, "Type") != content_type:
        refuse("EncryptedData of another Type than its place requires")
    data_id = ids.add(attribute(element, "Id"))
    found = children(element)
    key_id = None
    if len(found) == 3 and found[1].tag == names.KEY_INFO:
        key_id = read_key_reference(found.pop(1), ids)
    if [child.tag for child in found] != [names.ENCRYPTION_METHOD, CIPHER_DATA]:
        refuse("EncryptedData must have EncryptionMethod and CipherData")
    check_algorithm(found[0], names.AES128_GCM)
    octets = _cipher_value(found[1], max_chars=max_chars)
    if len(octets) <= _GCM_MIN_OCTETS:
        refuse("EncryptedData is too short for an IV, a tag and something between")
    return EncryptedDataElement(id=data_id, octets=octets, key_id=key_id)


def _cipher_value(cipher_data: etree._Element, *, max_chars: int) -> bytes:
    check_attributes(cipher_data)
    value = only_child(cipher_data, _CIPHER_VALUE)
    check_attributes(value)
    return leaf_octets(value, max_chars=max_chars)


def _token_reference(key_info: etree._Element, ids: Ids) -> etree._Element:
    """The one child of the SecurityTokenReference in a KeyInfo (WSS 1.1 SOAP Message Security, 7)."""
    check_attributes(key_info)
    reference = only_child(key_info, names.SECURITY_TOKEN_REFERENCE)
    check_attributes(reference, optional=_STR_OPTIONS)
    if (own_id := reference.get(names.WSU_ID)) is not None:
        ids.add(own_id)
    found = children(reference)
    if len(found) != 1:
        refuse("SecurityTokenReference must have exactly one child")
    return found[0]


def read_key_reference(key_info: etree._Element, ids: Ids) -> str:
    """EncryptedData may say by which EncryptedKey of this message it was encrypted; nothing else."""
    reference = _token_reference(key_info, ids)
    if reference.tag != names.TOKEN_REFERENCE:
        refuse("EncryptedData must refer to its key directly")
    check_attributes(reference, _URI, _REFERENCE_OPTIONS)
    check_empty(reference)
    return local_reference(attribute(reference, "URI"))


def read_encrypted_key(element: etree._Element, ids: Ids) -> EncryptedKeyElement:
    """An EncryptedKey for one recipient, in one of the three forms of the profile (XML Encryption 1.1, 3.5.1)."""
    check_attributes(element, optional=_ID)
    key_id = element.get("Id")
    if key_id is not None:
        ids.add(key_id)
    method, key_info, cipher_data, references = sequence(
        element, names.ENCRYPTION_METHOD, names.KEY_INFO, CIPHER_DATA, _REFERENCE_LIST
    )
    wrapped = _cipher_value(cipher_data, max_chars=_MAX_KEY_TEXT)
    algorithm = read_algorithm(method)
    if algorithm == names.KW_AES128:
        check_empty(method)
        info = _agreed_key(key_info, wrapped, ids)
    elif algorithm == names.RSA_OAEP:
        info = _transported_key(method, key_info, wrapped, ids)
    else:
        refuse("EncryptedKey names an algorithm that is not on the list")
    return EncryptedKeyElement(info=info, id=key_id, references=_read_references(references))


def _read_references(reference_list: etree._Element) -> tuple[str, ...]:
    check_attributes(reference_list)
    found = children(reference_list)
    if not 1 <= len(found) <= _MAX_REFERENCES:
        refuse("ReferenceList must name the EncryptedData of this message")
    read = []
    for reference in found:
        if reference.tag != _DATA_REFERENCE:
            refuse("ReferenceList may have DataReference only")
        check_attributes(reference, _URI)
        check_empty(reference)
        read.append(local_reference(attribute(reference, "URI")))
    return tuple(read)


# --- rsa: key transport ----------------------------------------------------------------------------------------------


def _transported_key(method: etree._Element, key_info: etree._Element, wrapped: bytes, ids: Ids) -> EncryptedKeyInfo:
    """RSA-OAEP with SHA-256, MGF1 with SHA-256, and no label (XML Encryption 1.1, 5.5.2)."""
    digest, mgf = sequence(method, names.DIGEST_METHOD, _MGF)
    check_algorithm(digest, names.SHA256)
    check_algorithm(mgf, names.MGF1_SHA256)
    if len(wrapped) > _MAX_RSA_OCTETS:
        refuse("a wrapped key longer than any RSA key of the profile")
    return EncryptedKeyInfo(
        suite="rsa",
        recipient_ski=_recipient(key_info, ids),
        wrapped_key=wrapped,
        ephemeral_public=b"",
        hkdf_salt=b"",
        hkdf_info=b"",
    )


def _recipient(key_info: etree._Element, ids: Ids) -> bytes:
    """Whose key it is: the subject key identifier of the certificate (WSS X.509 Token Profile 1.1, 3.2.1)."""
    identifier = _token_reference(key_info, ids)
    if identifier.tag != names.KEY_IDENTIFIER:
        refuse("the recipient must be named by a KeyIdentifier")
    check_attributes(identifier, _KEY_IDENTIFIER_ATTRIBUTES)
    if attribute(identifier, "ValueType") != names.X509_SKI:
        refuse("the recipient must be named by X509SubjectKeyIdentifier")
    if attribute(identifier, "EncodingType") != names.BASE64_BINARY:
        refuse("KeyIdentifier must be Base64Binary")
    ski = leaf_octets(identifier, max_chars=128)
    if not 1 <= len(ski) <= 64:
        refuse("a subject key identifier that is empty or longer than 64 octets")
    return ski


# --- p256, ed25519: key agreement ------------------------------------------------------------------------------------


def _agreed_key(key_info: etree._Element, wrapped: bytes, ids: Ids) -> EncryptedKeyInfo:
    """An ephemeral-static agreement, HKDF with SHA-256, AES-128 key wrap (XML Encryption 1.1, 5.6.4; RFC 9231)."""
    if len(wrapped) != _WRAPPED_KEY_OCTETS:
        refuse("a wrapped AES-128 key has 24 octets")
    check_attributes(key_info)
    agreement = only_child(key_info, _AGREEMENT_METHOD)
    algorithm = read_algorithm(agreement)
    derivation, originator, recipient = sequence(
        agreement, _KEY_DERIVATION_METHOD, _ORIGINATOR_KEY_INFO, _RECIPIENT_KEY_INFO
    )
    salt, info = _read_hkdf(derivation)
    check_attributes(originator)
    if algorithm == names.ECDH_ES:
        suite, ephemeral = "p256", _p256_point(originator)
    elif algorithm == names.X25519:
        suite, ephemeral = "ed25519", _x25519_octets(originator)
    else:
        refuse("AgreementMethod names an algorithm that is not on the list")
    return EncryptedKeyInfo(
        suite=suite,
        recipient_ski=_recipient(recipient, ids),
        wrapped_key=wrapped,
        ephemeral_public=ephemeral,
        hkdf_salt=salt,
        hkdf_info=info,
    )


def _p256_point(key_info: etree._Element) -> bytes:
    """An uncompressed point on the named curve (XML Signature 1.1, 4.5.2.3.1); whether it lies on it is seen later."""
    key_value = only_child_without_attributes(key_info, _KEY_VALUE)
    curve, public = sequence(only_child_without_attributes(key_value, _EC_KEY_VALUE), _NAMED_CURVE, _PUBLIC_KEY)
    check_attributes(curve, _URI)
    check_empty(curve)
    if attribute(curve, "URI") != names.CURVE_P256:
        refuse("a curve that is not on the list")
    check_attributes(public)
    point = leaf_octets(public, max_chars=256)
    if len(point) != 65 or point[0] != 0x04:
        refuse("a P-256 point must be uncompressed, 65 octets")
    return point


def _x25519_octets(key_info: etree._Element) -> bytes:
    """An X25519 public key as DER SubjectPublicKeyInfo, a child of KeyInfo itself (XML Signature 1.1, 4.5.9)."""
    element = only_child_without_attributes(key_info, _DER_KEY_VALUE)
    spki = leaf_octets(element, max_chars=256)
    if len(spki) != 44 or not spki.startswith(_X25519_SPKI):
        refuse("not an X25519 public key")
    return spki[len(_X25519_SPKI) :]


def only_child_without_attributes(parent: etree._Element, name: str) -> etree._Element:
    """The one child element, of this name, with no attribute."""
    child = only_child(parent, name)
    check_attributes(child)
    return child


def _read_hkdf(derivation: etree._Element) -> tuple[bytes, bytes]:
    """Salt and info of HKDF; everything else is fixed (RFC 5869, named by RFC 9231)."""
    if read_algorithm(derivation) != names.HKDF:
        refuse("KeyDerivationMethod names an algorithm that is not on the list")
    parameters = only_child_without_attributes(derivation, _HKDF_PARAMS)
    found = children(parameters)
    tags = [child.tag for child in found]
    if tags == [_PRF, _SALT, _INFO, _KEY_LENGTH]:
        prf, salt, info, length = found
        check_attributes(info)
        info_octets = leaf_octets(info, max_chars=512)
    elif tags == [_PRF, _SALT, _KEY_LENGTH]:
        prf, salt, length = found
        info_octets = b""
    else:
        refuse("HKDFParams must have PRF, Salt, at most one Info, and KeyLength")
    check_algorithm(prf, names.HMAC_SHA256)
    check_attributes(salt)
    check_attributes(length)
    if leaf_text(length, max_chars=16) != _KEY_OCTETS:
        refuse("KeyLength must be 16 octets")
    return leaf_octets(salt, max_chars=512), info_octets

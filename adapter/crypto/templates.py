"""The security parts of the envelope as text with places for values: rendered, not built as a tree.

Whatever is digested (token, timestamp, confirmation, SignedInfo) is in exclusive canonical form by construction;
tests compare each with lxml's canonicaliser. Values are base64, ids of ours, or algorithm URIs, so that nothing needs
an escape.
"""

from __future__ import annotations

from typing import Final

from pybase64 import b64encode

from adapter.crypto.key_encryption import WrappedKey
from adapter.envelope import names
from adapter.envelope.multipart import cid_uri

BODY_START: Final = f'<env:Body xmlns:env="{names.SOAP12}" xmlns:wsu="{names.WSU}" wsu:Id="body">'.encode()
BODY_END: Final = b"</env:Body>"

ENVELOPE_START: Final = f'<env:Envelope xmlns:env="{names.SOAP12}"><env:Header>'.encode()
SECURITY_START: Final = f'<wsse:Security xmlns:wsse="{names.WSSE}" env:mustUnderstand="true">'.encode()
SECURITY_END: Final = b"</wsse:Security></env:Header>"
ENVELOPE_END: Final = b"</env:Envelope>"

ENCRYPTED_HEADER_START: Final = (
    f'<wsse11:EncryptedHeader xmlns:wsse11="{names.WSSE11}" xmlns:wsu="{names.WSU}"'
    ' wsu:Id="encrypted-header" env:mustUnderstand="true">'
).encode()
ENCRYPTED_HEADER_END: Final = b"</wsse11:EncryptedHeader>"

ENCRYPTED_ATTACHMENTS_START: Final = (
    f'<wsse11:EncryptedHeader xmlns:wsse11="{names.WSSE11}" xmlns:wsu="{names.WSU}"'
    ' wsu:Id="encrypted-attachments" env:mustUnderstand="true">'
).encode()

PERSONAL_DATA_CIPHER: Final = "personal-data-cipher"
SIGNATURE_CIPHER: Final = "signature-cipher"
CONFIRMATION_CIPHER: Final = "confirmation-cipher"
BODY_CIPHER: Final = "body-cipher"
ATTACHMENTS_CIPHER: Final = "attachments-cipher"

TOKEN: Final = (
    f'<wsse:BinarySecurityToken xmlns:wsse="{names.WSSE}" xmlns:wsu="{names.WSU}"'
    f' EncodingType="{names.BASE64_BINARY}" ValueType="{names.X509_V3}" wsu:Id="token">%s</wsse:BinarySecurityToken>'
).encode()

CONFIRMATION: Final = (
    f'<wsse11:SignatureConfirmation xmlns:wsse11="{names.WSSE11}" xmlns:wsu="{names.WSU}"'
    ' Value="%s" wsu:Id="confirmation"></wsse11:SignatureConfirmation>'
).encode()


def render_token(certificate_der: bytes) -> bytes:
    """The BinarySecurityToken (WSS X.509 Certificate Token Profile 1.1, 3.1)."""
    return TOKEN % b64encode(certificate_der)


def render_confirmation(signature_value: bytes) -> bytes:
    """The SignatureConfirmation (WSS 1.1 SOAP Message Security, 8.5)."""
    return CONFIRMATION % b64encode(signature_value)


# --- signature -------------------------------------------------------------------------------------------------------

SIGNED_INFO_START: Final = (
    f'<ds:SignedInfo xmlns:ds="{names.DS}">'
    f'<ds:CanonicalizationMethod Algorithm="{names.EXC_C14N}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="%s"></ds:SignatureMethod>'
)
_INCLUSIVE: Final = f'<ec:InclusiveNamespaces xmlns:ec="{names.EXC_C14N}" PrefixList="%s"></ec:InclusiveNamespaces>'
REFERENCE: Final = (
    '<ds:Reference URI="#%s"><ds:Transforms>'
    f'<ds:Transform Algorithm="{names.EXC_C14N}">%s</ds:Transform></ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{names.SHA256}"></ds:DigestMethod>'
    "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>"
)
SIGNATURE: Final = (
    f'<ds:Signature xmlns:ds="{names.DS}">%s<ds:SignatureValue>%s</ds:SignatureValue>'
    f'<ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}">'
    f'<wsse:Reference URI="#token" ValueType="{names.X509_V3}"/>'
    "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>"
).encode()


def render_reference(part_id: str, digest: bytes, inclusive_prefixes: tuple[str, ...] = ()) -> str:
    """One Reference: exclusive canonicalisation, SHA-256. inclusive_prefixes: NCNames."""
    inclusive = _INCLUSIVE % " ".join(inclusive_prefixes) if inclusive_prefixes else ""
    return REFERENCE % (part_id, inclusive, b64encode(digest).decode())


_ATTACHMENT_REFERENCE: Final = (
    '<ds:Reference URI="%s"><ds:Transforms>'
    f'<ds:Transform Algorithm="{names.SWA_SIGNATURE_TRANSFORM}"></ds:Transform></ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{names.SHA256}"></ds:DigestMethod>'
    "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>"
)


def render_attachment_reference(content_id: str, digest: bytes) -> str:
    """The Reference to an attachment: its content as octets, SHA-256 (SwA Profile 1.1, 5.4)."""
    return _ATTACHMENT_REFERENCE % (cid_uri(content_id), b64encode(digest).decode())


def render_signed_info(algorithm: str, references: list[str]) -> bytes:
    """The canonical SignedInfo: these octets are signed."""
    return f"{SIGNED_INFO_START % algorithm}{''.join(references)}</ds:SignedInfo>".encode()


def render_signature(signed_info: bytes, value: bytes) -> bytes:
    """The ds:Signature around a canonical SignedInfo."""
    return SIGNATURE % (signed_info, b64encode(value))


# --- encryption ------------------------------------------------------------------------------------------------------

_ENCRYPTED_DATA: Final = (
    f'<xenc:EncryptedData xmlns:xenc="{names.XENC}" Id="%s" Type="%s">'
    f'<xenc:EncryptionMethod Algorithm="{names.AES128_GCM}"/>'
    "<xenc:CipherData><xenc:CipherValue>"
)
ENCRYPTED_DATA_END: Final = b"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"


def encrypted_data_start(data_id: str, content_type: str) -> bytes:
    """Everything of an EncryptedData that stands before its base64 octets."""
    return (_ENCRYPTED_DATA % (data_id, content_type)).encode()


# The media type on the wire says nothing, so that no stack canonicalises the octets as text or XML before it digests
# them (SwA Profile 1.1, 5.4.1); the true one stands in the encrypted header.
_ENCRYPTED_ATTACHMENT: Final = (
    f'<xenc:EncryptedData xmlns:xenc="{names.XENC}" Id="%s" MimeType="application/octet-stream"'
    f' Type="{names.SWA_CONTENT_ONLY}"><xenc:EncryptionMethod Algorithm="{names.AES128_GCM}"/>'
    '<xenc:CipherData><xenc:CipherReference URI="%s"><xenc:Transforms>'
    f'<ds:Transform xmlns:ds="{names.DS}" Algorithm="{names.SWA_CIPHERTEXT_TRANSFORM}"/>'
    "</xenc:Transforms></xenc:CipherReference></xenc:CipherData></xenc:EncryptedData>"
)


def attachment_cipher(number: int) -> str:
    """The id of the EncryptedData of an attachment. number: from 1."""
    return f"attachment-{number}-cipher"


def render_encrypted_attachment(number: int, content_id: str) -> bytes:
    """The EncryptedData of an attachment, whose ciphertext is the part itself (SwA Profile 1.1, 5.5.2)."""
    return (_ENCRYPTED_ATTACHMENT % (attachment_cipher(number), cid_uri(content_id))).encode()


_KEY_IDENTIFIER: Final = (
    f'<wsse:SecurityTokenReference><wsse:KeyIdentifier EncodingType="{names.BASE64_BINARY}"'
    f' ValueType="{names.X509_SKI}">%s</wsse:KeyIdentifier></wsse:SecurityTokenReference>'
)
_KEY_START: Final = f'<xenc:EncryptedKey xmlns:xenc="{names.XENC}" xmlns:ds="{names.DS}" Id="key">'
AGREED_KEY: Final = (
    f'{_KEY_START}<xenc:EncryptionMethod Algorithm="{names.KW_AES128}"/>'
    '<ds:KeyInfo><xenc:AgreementMethod Algorithm="%s">'
    f'<xenc11:KeyDerivationMethod xmlns:xenc11="{names.XENC11}" Algorithm="{names.HKDF}">'
    f'<dsig-more:HKDFParams xmlns:dsig-more="{names.DSIG_MORE}"><dsig-more:PRF Algorithm="{names.HMAC_SHA256}"/>'
    "<dsig-more:Salt>%s</dsig-more:Salt><dsig-more:Info>%s</dsig-more:Info>"
    "<dsig-more:KeyLength>16</dsig-more:KeyLength></dsig-more:HKDFParams></xenc11:KeyDerivationMethod>"
    "<xenc:OriginatorKeyInfo>%s</xenc:OriginatorKeyInfo>"
    f"<xenc:RecipientKeyInfo>{_KEY_IDENTIFIER}</xenc:RecipientKeyInfo></xenc:AgreementMethod></ds:KeyInfo>"
    "<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData>"
)
TRANSPORTED_KEY: Final = (
    f'{_KEY_START}<xenc:EncryptionMethod Algorithm="{names.RSA_OAEP}">'
    f'<ds:DigestMethod Algorithm="{names.SHA256}"/>'
    f'<xenc11:MGF xmlns:xenc11="{names.XENC11}" Algorithm="{names.MGF1_SHA256}"/></xenc:EncryptionMethod>'
    f"<ds:KeyInfo>{_KEY_IDENTIFIER}</ds:KeyInfo>"
    "<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData>"
)
_P256_POINT: Final = (
    f'<ds:KeyValue><dsig11:ECKeyValue xmlns:dsig11="{names.DSIG11}"><dsig11:NamedCurve URI="{names.CURVE_P256}"/>'
    "<dsig11:PublicKey>%s</dsig11:PublicKey></dsig11:ECKeyValue></ds:KeyValue>"
)
_X25519_KEY: Final = f'<dsig11:DEREncodedKeyValue xmlns:dsig11="{names.DSIG11}">%s</dsig11:DEREncodedKeyValue>'
X25519_SPKI: Final = bytes.fromhex("302a300506032b656e032100")


def render_encrypted_key(suite: str, key: WrappedKey, recipient_ski: bytes, data_ids: list[str]) -> bytes:
    """The EncryptedKey in the form of the recipient's suite, with a ReferenceList (XML Encryption 1.1, 3.5.1, 3.6)."""
    identifier, wrapped = _text(recipient_ski), _text(key.wrapped)
    if suite == "rsa":
        start = TRANSPORTED_KEY % (identifier, wrapped)
    else:
        algorithm, originator, prefix = ORIGINATORS[suite]
        public = originator % _text(prefix + key.ephemeral_public)
        values = (algorithm, _text(key.hkdf_salt), _text(key.hkdf_info), public, identifier, wrapped)
        start = AGREED_KEY % values
    return start.encode() + render_reference_list(data_ids)


def render_reference_list(data_ids: list[str]) -> bytes:
    """The end of an EncryptedKey: which EncryptedData it is for (XML Encryption 1.1, 3.6)."""
    references = "".join(f'<xenc:DataReference URI="#{data_id}"/>' for data_id in data_ids)
    return f"<xenc:ReferenceList>{references}</xenc:ReferenceList></xenc:EncryptedKey>".encode()


# The agreement's algorithm, the element that holds the ephemeral key, and what stands before the key's octets in it.
ORIGINATORS: Final = {
    "p256": (names.ECDH_ES, _P256_POINT, b""),
    "ed25519": (names.X25519, _X25519_KEY, X25519_SPKI),
}


def _text(octets: bytes) -> str:
    return b64encode(octets).decode()

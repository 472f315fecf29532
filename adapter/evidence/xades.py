"""The XAdES signature of a container, in the one form that is written here (ETSI EN 319 132-1, baseline B, T and LT).

Whatever is digested or signed (SignedInfo, SignedProperties, SignatureValue) is in exclusive canonical form by
construction; tests compare each with lxml's canonicaliser. Values are base64, paths of the container, media types or
algorithm URIs, so that nothing needs an escape. Reading takes the values out and writes them again: a signature in any
other form (a second one, a transform, another digest, a property more or less, white space) is refused, so that no two
programs can read it differently.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from lxml import etree

from adapter.envelope.names import DS, EXC_C14N, SHA256
from adapter.errors import AdapterError, EvidenceInvalid
from adapter.evidence.container import MAX_CONTAINER_BYTES, MAX_FILES
from adapter.evidence.media_types import media_type
from adapter.xmlsafe import XmlLimits, decode_base64_digits, parse

SIGNATURES: Final = "META-INF/signatures.xml"
ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES_TYPE: Final = "http://uri.etsi.org/01903#SignedProperties"

_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"
_LIMITS: Final = XmlLimits(max_bytes=MAX_CONTAINER_BYTES, max_depth=16, max_nodes=20 * MAX_FILES)
_ALGORITHM: Final = re.compile(r"http://www\.w3\.org/[0-9]{4}/[0-9]{2}/[a-z-]+#[a-z0-9-]+")

_START: Final = f'<asic:XAdESSignatures xmlns:asic="{ASIC}"><ds:Signature xmlns:ds="{DS}" Id="signature">'
_SIGNED_INFO: Final = (
    f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="%s"></ds:SignatureMethod>%s</ds:SignedInfo>'
)
_DIGEST: Final = f'<ds:DigestMethod%s Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue%s>%s</ds:DigestValue>'
_OF_FILE: Final = '<ds:Reference Id="file-%d" URI="%s">%s</ds:Reference>'
_OF_PROPERTIES: Final = (
    f'<ds:Reference Type="{SIGNED_PROPERTIES_TYPE}" URI="#signed-properties"><ds:Transforms>'
    f'<ds:Transform Algorithm="{EXC_C14N}"></ds:Transform></ds:Transforms>%s</ds:Reference>'
)
_VALUE: Final = f'<ds:SignatureValue xmlns:ds="{DS}" Id="signature-value">%s</ds:SignatureValue>'
_KEY_INFO: Final = "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
_QUALIFYING: Final = f'<ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#signature">'
_SIGNED_PROPERTIES: Final = (
    f'<xades:SignedProperties xmlns:xades="{XADES}" Id="signed-properties"><xades:SignedSignatureProperties>'
    "<xades:SigningTime>%s</xades:SigningTime>"
    "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>%s</xades:CertDigest></xades:Cert>"
    "</xades:SigningCertificateV2></xades:SignedSignatureProperties>"
    "<xades:SignedDataObjectProperties>%s</xades:SignedDataObjectProperties></xades:SignedProperties>"
)
_FORMAT: Final = (
    '<xades:DataObjectFormat ObjectReference="#file-%d"><xades:MimeType>%s</xades:MimeType></xades:DataObjectFormat>'
)
_STAMP: Final = (
    '<xades:SignatureTimeStamp Id="signature-time-stamp">'
    f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
    "<xades:EncapsulatedTimeStamp>%s</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
)
_END: Final = "</xades:QualifyingProperties></ds:Object></ds:Signature></asic:XAdESSignatures>"
_XMLNS_DS: Final = f' xmlns:ds="{DS}"'


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedProperties:
    """What is signed: by which certificate (DER), when by the signer's own clock, and every file by path and SHA-256.

    algorithm: URI of the signature method. signed_at: whole seconds, UTC. files: in the order of their References.
    """

    algorithm: str
    signed_at: datetime
    certificate: bytes = field(repr=False)
    files: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class XadesSignature:
    """A signature, of which nothing is verified. stamp: DER TimeStampToken. The others: DER, beside the certificate.

    certificates, lists, responses: CertificateValues, CRLValues and OCSPValues; all are empty below level LT.
    """

    signed: SignedProperties
    value: bytes = field(repr=False)
    stamp: bytes | None = field(default=None, repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    lists: tuple[bytes, ...] = field(default=(), repr=False)
    responses: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def stamped(self) -> bytes:
        """What a SignatureTimeStamp is over: the canonical ds:SignatureValue (EN 319 132-1, 5.3)."""
        return (_VALUE % _base64(self.value)).encode()


def render_signed_info(signed: SignedProperties) -> bytes:
    """The canonical SignedInfo: these octets are signed."""
    return _signed_info(signed).encode()


def render_signatures(signature: XadesSignature) -> bytes:
    """META-INF/signatures.xml with this one signature (EN 319 162-1, 4.4.3.1)."""
    pieces = [
        _START,
        _signed_info(signature.signed),
        _VALUE % _base64(signature.value),
        _KEY_INFO % _base64(signature.signed.certificate),
        _QUALIFYING,
        _signed_properties(signature.signed),
        *_unsigned_properties(signature),
        _END,
    ]
    return "".join(pieces).encode()


def _signed_info(signed: SignedProperties) -> str:
    references = [
        _OF_FILE % (number, path, _DIGEST % ("", "", _base64(digest)))
        for number, (path, digest) in enumerate(signed.files.items(), 1)
    ]
    digest = _sha256(_signed_properties(signed).encode())
    references.append(_OF_PROPERTIES % (_DIGEST % ("", "", _base64(digest))))
    return _SIGNED_INFO % (signed.algorithm, "".join(references))


def _signed_properties(signed: SignedProperties) -> str:
    formats = [_FORMAT % (number, media_type(path)) for number, path in enumerate(signed.files, 1)]
    certified = _DIGEST % (_XMLNS_DS, _XMLNS_DS, _base64(_sha256(signed.certificate)))
    return _SIGNED_PROPERTIES % (signed.signed_at.strftime(_INSTANT), certified, "".join(formats))


def _unsigned_properties(signature: XadesSignature) -> Iterator[str]:
    if signature.stamp is None:
        return
    yield "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
    yield _STAMP % _base64(signature.stamp)
    if signature.certificates:
        yield _values("CertificateValues", "EncapsulatedX509Certificate", signature.certificates)
    if signature.lists or signature.responses:
        yield "<xades:RevocationValues>"
        if signature.lists:
            yield _values("CRLValues", "EncapsulatedCRLValue", signature.lists)
        if signature.responses:
            yield _values("OCSPValues", "EncapsulatedOCSPValue", signature.responses)
        yield "</xades:RevocationValues>"
    yield "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"


def _values(name: str, of_one: str, values: tuple[bytes, ...]) -> str:
    inside = "".join(f"<xades:{of_one}>{_base64(one)}</xades:{of_one}>" for one in values)
    return f"<xades:{name}>{inside}</xades:{name}>"


# --- reading ---------------------------------------------------------------------------------------------------------


def read_signatures(octets: bytes) -> XadesSignature:
    """The signature of META-INF/signatures.xml (untrusted octets). Raises EvidenceInvalid for any form but the one.

    Nothing is verified yet: not the value, not the digests, not the time-stamp, not who the certificate is of.
    """
    try:
        root = parse(octets, _LIMITS, error=EvidenceInvalid)
        signature = _read(root)
    except EvidenceInvalid:
        raise
    except AdapterError as cause:
        raise EvidenceInvalid(cause.reason) from None
    except (ValueError, IndexError):
        raise EvidenceInvalid(_OTHER_FORM) from None
    if render_signatures(signature) != octets:
        raise EvidenceInvalid(_OTHER_FORM)
    return signature


_OTHER_FORM: Final = "not one XAdES signature in the form that an export writes"


def _read(root: etree._Element) -> XadesSignature:
    """The values, taken from wherever they stand: that nothing else stands anywhere is seen when they are written."""
    references = _all(root, DS, "Reference")[:-1]  # the last one is to the signed properties
    algorithm = _only(root, DS, "SignatureMethod").get("Algorithm", "")
    if not _ALGORITHM.fullmatch(algorithm):
        raise EvidenceInvalid(_OTHER_FORM)
    said = _only(root, XADES, "SigningTime").text or ""
    return XadesSignature(
        signed=SignedProperties(
            algorithm=algorithm,
            signed_at=datetime.strptime(said, _INSTANT).replace(tzinfo=UTC),
            certificate=_octets(_only(root, DS, "X509Certificate")),
            files={one.get("URI", ""): _octets(_only(one, DS, "DigestValue")) for one in references},
        ),
        value=_octets(_only(root, DS, "SignatureValue")),
        stamp=next((_octets(one) for one in _all(root, XADES, "EncapsulatedTimeStamp")), None),
        certificates=_octets_of_all(root, "EncapsulatedX509Certificate"),
        lists=_octets_of_all(root, "EncapsulatedCRLValue"),
        responses=_octets_of_all(root, "EncapsulatedOCSPValue"),
    )


def _all(root: etree._Element, namespace: str, name: str) -> list[etree._Element]:
    return list(root.iter(f"{{{namespace}}}{name}"))


def _only(root: etree._Element, namespace: str, name: str) -> etree._Element:
    found = _all(root, namespace, name)
    if len(found) != 1:
        raise EvidenceInvalid(_OTHER_FORM)
    return found[0]


def _octets_of_all(root: etree._Element, name: str) -> tuple[bytes, ...]:
    return tuple(_octets(one) for one in _all(root, XADES, name))


def _octets(element: etree._Element) -> bytes:
    return decode_base64_digits((element.text or "").encode(), error=EvidenceInvalid)


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode()


def _sha256(octets: bytes) -> bytes:
    return sha256(octets).digest()

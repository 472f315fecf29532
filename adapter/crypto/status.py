"""Whether a certificate was taken back: OCSP responses (RFC 6960) and revocation lists (RFC 5280, 5), judged as octets.

Nothing is fetched here. What comes in is untrusted, whoever brought it: the signer of a message, a responder, a list.
Each check is a numbered step with a rejecting test (tests/unit/crypto/test_status.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.crypto.certificates import (
    SIGNATURE_ALGORITHMS,
    UNREADABLE,
    check_issued,
    check_period,
    check_whole_octets,
    extended_key_usage,
    is_strong,
    key_usage,
    public_key,
    sha256,
)
from adapter.errors import SecurityFailed, StatusOutdated

MAX_OCSP_OCTETS: Final = 12 * 1024
"""A response with the responder's certificate has one to three thousand octets."""
CLOCK_SKEW: Final = timedelta(minutes=1)
"""How far the clock of a responder may be ahead of ours."""
NONCE_OCTETS: Final = 32
"""RFC 9654, 2.1."""
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303
_REMOVED_ONLY_IN_DELTAS: Final = x509.ReasonFlags.remove_from_crl


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateStatus:
    """What an authority said of one certificate. Made here only, of octets whose signature is good.

    revoked_at None: good. this_update: when it was so. usable_until: the end of relying on a good one; that a
    certificate was revoked does not become untrue with time. octets: as they came, for evidence; of an OCSP response,
    or of a list (is_list).
    """

    certificate_sha256: bytes
    revoked_at: datetime | None
    this_update: datetime
    usable_until: datetime
    is_list: bool
    octets: bytes = field(repr=False)


def encode_ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes | None) -> bytes:
    """An OCSPRequest about one certificate, DER (RFC 6960, 4.1). nonce: NONCE_OCTETS random octets."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _HASHES["sha1"])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def read_ocsp_response(
    octets: bytes,
    *,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    window: timedelta,
    now: datetime,
    nonce: bytes | None = None,
) -> CertificateStatus:
    """What a response says of `certificate`, which `issuer` issued.

    window: how old a status may be, by the directory. nonce: of our own question; None for a response that we did not
    ask for. Raises StatusOutdated when everything but the time is in order, SecurityFailed for all else.

    1. It is one successful basic response, within bounds, about one certificate.
    2. About exactly this certificate of exactly this issuer (3.2, 1).
    3. Signed by the issuer, or by whom the issuer authorised for OCSP (3.2, 2 and 3; 4.2.2.2), with a strong key.
    4. With the nonce that we sent, if it has one at all (4.4.1; responders may prepare their answers).
    5. It knows the certificate (2.2).
    6. It is not from the future, and younger than the window and its own nextUpdate (3.2, 4 and 5).
    """
    response, single = _load_ocsp(octets)
    _check_certificate_id(single, certificate, issuer)
    _check_responder(response, issuer, now)
    _check_nonce(response, nonce)
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise SecurityFailed("the OCSP responder does not know the certificate")
    produced = response.produced_at_utc
    if produced > now + CLOCK_SKEW or single.this_update_utc > produced + CLOCK_SKEW:
        raise StatusOutdated("an OCSP response was produced in the future, or before what it says was true")
    return _timely(
        CertificateStatus(
            certificate_sha256=sha256(certificate),
            revoked_at=single.revocation_time_utc,
            this_update=single.this_update_utc,
            usable_until=_end(single.this_update_utc, single.next_update_utc, window),
            is_list=False,
            octets=octets,
        ),
        now,
    )


def read_revocation_list(
    octets: bytes, *, certificate: x509.Certificate, issuer: x509.Certificate, window: timedelta, now: datetime
) -> CertificateStatus:
    """What a list says of `certificate`, which `issuer` issued. Raises as `read_ocsp_response`.

    1. It can be read, and has no critical extension: no delta, no part of a list, no list for others (5.2).
    2. It is the issuer's, who may sign lists, and signed with its key, which is strong (6.3.3, f and g).
    3. It is not from the future, and younger than the window and its own nextUpdate.
    4. It does not name the certificate's serial number, or that was only held back once.
    """
    listed, name = _load_list(octets)
    if name != issuer.subject.public_bytes():
        raise SecurityFailed("the revocation list is of another authority")
    if not key_usage(issuer).crl_sign:
        raise SecurityFailed("the authority may not sign revocation lists")
    if listed.signature_algorithm_oid not in SIGNATURE_ALGORITHMS:
        raise SecurityFailed("the revocation list is signed with an algorithm that is not on the list")
    key = public_key(issuer)
    if not is_strong(key):
        raise SecurityFailed("the key of the authority that signed a revocation list is weak")
    if not listed.is_signature_valid(key):
        raise SecurityFailed("the signature of the revocation list is wrong")
    check_whole_octets(octets)
    entry = _entry_of(listed, certificate.serial_number)
    return _timely(
        CertificateStatus(
            certificate_sha256=sha256(certificate),
            revoked_at=None if entry is None else entry.revocation_date_utc,
            this_update=listed.last_update_utc,
            usable_until=_end(listed.last_update_utc, listed.next_update_utc, window),
            is_list=True,
            octets=octets,
        ),
        now,
    )


def claimed_time(octets: bytes, *, is_list: bool) -> datetime:
    """When a response (or a list) says that it was made. A claim: nothing of it is verified.

    Raises SecurityFailed: it cannot be read; StatusOutdated: the responder gave no status.
    """
    if is_list:
        return _load_list(octets)[0].last_update_utc
    return _load_ocsp(octets)[0].produced_at_utc


# --- OCSP ------------------------------------------------------------------------------------------------------------


def _load_ocsp(octets: bytes) -> tuple[ocsp.OCSPResponse, ocsp.OCSPSingleResponse]:
    """Step 1."""
    if len(octets) > MAX_OCSP_OCTETS:
        raise SecurityFailed(f"an OCSP response of more than {MAX_OCSP_OCTETS} octets")
    try:
        response = ocsp.load_der_ocsp_response(octets)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise StatusOutdated(f"the OCSP responder gave no status: {response.response_status.name.lower()}")
        singles = list(response.responses)
        critical = [one for one in response.extensions if one.critical and one.oid != x509.OCSPNonce.oid]
        of_single = [one for one in response.single_extensions if one.critical] if len(singles) == 1 else []
    except UNREADABLE:
        raise SecurityFailed("an OCSP response that cannot be read") from None
    if len(singles) != 1:
        raise SecurityFailed("an OCSP response about other certificates too")
    if critical or of_single:
        raise SecurityFailed("an OCSP response has a critical extension that is not understood")
    return response, singles[0]


def _check_certificate_id(
    single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> None:
    """Step 2: CertID has hashes of the issuer's name and key, and the serial number (RFC 6960, 4.1.1)."""
    try:
        algorithm = _HASHES[single.hash_algorithm.name]
    except (KeyError, *UNREADABLE):
        raise SecurityFailed("an OCSP response names certificates by a hash that is not on the list") from None
    wanted = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm).build()
    named = (single.issuer_name_hash, single.issuer_key_hash, single.serial_number)
    if named != (wanted.issuer_name_hash, wanted.issuer_key_hash, wanted.serial_number):
        raise SecurityFailed("an OCSP response is about another certificate")


def _check_responder(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """Step 3."""
    if response.signature_algorithm_oid not in SIGNATURE_ALGORITHMS:
        raise SecurityFailed("an OCSP response is signed with an algorithm that is not on the list")
    if _is_named(response, issuer):
        responder = issuer
    else:
        named = [one for one in response.certificates[:_MAX_CERTIFICATES] if _is_named(response, one)]
        if not named:
            raise SecurityFailed("an OCSP response does not have the certificate of its responder")
        responder = named[0]
        _check_delegated(responder, issuer, now)
    _check_response_signature(response, responder)


_MAX_CERTIFICATES: Final = 4


def _is_named(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    """ResponderID: a name, or SHA-1 of a key (RFC 6960, 4.2.1)."""
    try:
        if response.responder_name is not None:
            return response.responder_name.public_bytes() == certificate.subject.public_bytes()
        key_hash = x509.SubjectKeyIdentifier.from_public_key(public_key(certificate)).digest  # type: ignore[arg-type]
    except UNREADABLE:
        return False
    return response.responder_key_hash == key_hash


def _check_delegated(responder: x509.Certificate, issuer: x509.Certificate, now: datetime) -> None:
    """RFC 6960, 4.2.2.2: issued by the same authority directly, for OCSP, and itself not to be asked about."""
    check_issued(responder, issuer)
    check_period(responder, now)
    if ExtendedKeyUsageOID.OCSP_SIGNING not in extended_key_usage(responder):
        raise SecurityFailed("an OCSP response was signed by a certificate that is not for OCSP")
    if not key_usage(responder).digital_signature:
        raise SecurityFailed("an OCSP response was signed by a certificate that is not for signatures")
    try:
        responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except x509.ExtensionNotFound:  # that they can be read was seen above
        raise SecurityFailed("the responder's certificate does not say that its own status is not asked for") from None


def _check_response_signature(response: ocsp.OCSPResponse, responder: x509.Certificate) -> None:
    key, signature, signed = public_key(responder), response.signature, response.tbs_response_bytes
    if not is_strong(key):
        raise SecurityFailed("the key of an OCSP responder is weak")
    hashed = response.signature_hash_algorithm  # can be read: the algorithm is on the list
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        elif hashed is None:
            raise SecurityFailed("an OCSP response and its responder's key are of different kinds")
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hashed))
        else:
            key.verify(signature, signed, padding.PKCS1v15(), hashed)
    except InvalidSignature:
        raise SecurityFailed("the signature of an OCSP response is wrong") from None
    check_whole_octets(asn1.decode_der(_Response, response.public_bytes(Encoding.DER)).content.basic)


@asn1.sequence
class _ResponseBytes:
    kind: x509.ObjectIdentifier
    basic: bytes


@asn1.sequence
class _Response:
    """OCSPResponse with a response in it (RFC 6960, 4.2.1), around what is signed."""

    status: asn1.TLV
    content: Annotated[_ResponseBytes, asn1.Explicit(0)]


def _check_nonce(response: ocsp.OCSPResponse, nonce: bytes | None) -> None:
    """Step 4."""
    if nonce is None:
        return
    for extension in response.extensions:
        if isinstance(extension.value, x509.OCSPNonce) and extension.value.nonce != nonce:
            raise SecurityFailed("an OCSP response to another question")


# --- lists -----------------------------------------------------------------------------------------------------------


def _load_list(octets: bytes) -> tuple[x509.CertificateRevocationList, bytes]:
    """Step 1: the list, and the DER of its issuer's name."""
    try:
        listed = x509.load_der_x509_crl(octets)
        name = listed.issuer.public_bytes()
        critical = [one for one in listed.extensions if one.critical]
        delta = [one for one in listed.extensions if isinstance(one.value, x509.DeltaCRLIndicator)]
    except UNREADABLE:
        raise SecurityFailed("a revocation list that cannot be read") from None
    if critical or delta:
        raise SecurityFailed("the revocation list is a delta, a part or of a kind that is not understood")
    return listed, name


def _entry_of(listed: x509.CertificateRevocationList, serial: int) -> x509.RevokedCertificate | None:
    """Step 4."""
    try:
        entry = listed.get_revoked_certificate_by_serial_number(serial)
        if entry is None:
            return None
        reasons = [one.value.reason for one in entry.extensions if isinstance(one.value, x509.CRLReason)]
    except UNREADABLE:
        raise SecurityFailed("a revocation list that cannot be read") from None
    return None if reasons == [_REMOVED_ONLY_IN_DELTAS] else entry


# --- time ------------------------------------------------------------------------------------------------------------


def _end(this_update: datetime, next_update: datetime | None, window: timedelta) -> datetime:
    """RFC 6960, 4.2.2.1: past nextUpdate there is something newer; the window bounds it where there is none."""
    end = this_update + window
    return end if next_update is None else min(end, next_update)


def _timely(status: CertificateStatus, now: datetime) -> CertificateStatus:
    if status.this_update > now + CLOCK_SKEW:
        raise StatusOutdated("a certificate's status is from the future")
    if status.revoked_at is None and status.usable_until <= now:
        raise StatusOutdated(f"a certificate's status was good until {status.usable_until:%Y-%m-%d %H:%M:%SZ} only")
    return status

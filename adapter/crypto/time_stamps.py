"""Asking a time-stamp authority, and what its answer has to be (RFC 3161). No network: octets out, octets in.

A token says that some octets existed at a time, in the word of somebody who is neither this adapter nor its agency.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    Accuracy,
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    TimeStampTokenInfo,
)

from adapter.crypto.certificates import UNREADABLE
from adapter.crypto.time_stamp_token import open_token
from adapter.errors import SecurityFailed

MAX_TOKEN_BYTES: Final = 64 * 1024
_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_MAX_ACCURACY: Final = timedelta(minutes=1)
_GRANTED: Final = (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)
_STATUS_OF_SUCCESS: Final = bytes.fromhex("3003020100")  # PKIStatusInfo: granted


@dataclass(frozen=True, kw_only=True, slots=True)
class StampQuestion:
    """A TimeStampReq for some octets. octets: DER, as it goes out. nonce: what the answer has to repeat."""

    octets: bytes
    nonce: int
    document: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeStamp:
    """What a token that was verified says. time: UTC, right to within `accuracy`. policy: the authority's, an OID."""

    token: bytes
    time: datetime
    accuracy: timedelta
    policy: str
    serial: int
    signer: x509.Certificate


def ask_for_stamp(document: bytes) -> StampQuestion:
    """A question about the SHA-256 of some octets, with a fresh nonce, that wants the signer's certificate back."""
    request = TimestampRequestBuilder().data(document).hash_algorithm(HashAlgorithm.SHA256).build()
    if request.nonce is None:  # unreachable: the library asks with a nonce unless it is told not to
        raise SecurityFailed("a question for a time-stamp without a nonce")
    return StampQuestion(octets=request.as_bytes(), nonce=request.nonce, document=document)


def accept_stamp(
    answer: bytes,
    question: StampQuestion,
    *,
    trusted: Sequence[x509.Certificate],
    asked: datetime,
    answered: datetime,
    skew: timedelta,
) -> TimeStamp:
    """Accept what came back for a question. answer: untrusted octets. trusted: the authority's certificates.

    asked and answered: by our own clock. Raises SecurityFailed, saying which of the steps failed.
    """
    # 1. A response that grants a token.
    response = _response(answer)
    if response.status not in _GRANTED:
        said = "; ".join(response.status_string)[:200]
        raise SecurityFailed(f"the authority refuses: status {response.status} {said!r}")
    token = response.time_stamp_token()
    # 2 to 5. A good token for these octets, by a signer whom the directory trusts.
    stamp = verify_stamp(token, question.document, trusted=trusted)
    # 6. The answer to this very question (RFC 3161, 2.4.2).
    if _info(response).nonce != question.nonce:
        raise SecurityFailed("the time-stamp has another nonce: it answers another question")
    # 7. Made between asking and answering, as far as two clocks can agree.
    if not asked - skew - stamp.accuracy <= stamp.time <= answered + skew + stamp.accuracy:
        off_s = (stamp.time - answered).total_seconds()
        raise SecurityFailed(f"the time-stamp's time is {off_s:+.0f} s from this machine's clock")
    return stamp


def verify_stamp(token: bytes, document: bytes, *, trusted: Sequence[x509.Certificate]) -> TimeStamp:
    """Verify a token by itself, whenever. token: DER, untrusted. trusted: certificates of units, or of their CAs.

    Raises SecurityFailed, saying which of the steps failed.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise SecurityFailed(f"a time-stamp token of {len(token)} octets")
    # 2. Its signature is good, and the certificate that goes with it is among what is signed.
    signed = open_token(token, tuple(trusted))
    # 3. It is about these octets, in a form that we know.
    info = _info(_response(_as_response(token)))
    _check_imprint(info, document)
    time, accuracy = info.gen_time, _accuracy(info)
    # 4. The signer makes time-stamps and nothing else (RFC 3161, 2.3).
    _check_for_stamps(signed.signer)
    # 5. It is, at the time that it names, a unit that the directory lists, or one that a listed CA has certified.
    _check_trusted(signed.signer, trusted, time)
    return TimeStamp(
        token=token,
        time=time,
        accuracy=accuracy,
        policy=info.policy.dotted_string,
        serial=info.serial_number,
        signer=signed.signer,
    )


def _response(octets: bytes) -> TimeStampResponse:
    try:
        return rfc3161_client.decode_timestamp_response(octets)
    except UNREADABLE:
        raise SecurityFailed("the answer is no time-stamp response that can be read") from None


def _info(response: TimeStampResponse) -> TimeStampTokenInfo:
    try:
        return response.tst_info
    except UNREADABLE:
        raise SecurityFailed("the time-stamp's content cannot be read") from None


def _as_response(token: bytes) -> bytes:
    """The token in the response that the library reads it from (RFC 3161, 2.4.2)."""
    content = _STATUS_OF_SUCCESS + token
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    header = length if len(content) < 0x80 else bytes((0x80 | len(length),)) + length
    return b"\x30" + header + content


def _check_imprint(info: TimeStampTokenInfo, document: bytes) -> None:
    if info.version != 1:
        raise SecurityFailed(f"a time-stamp of version {info.version}")
    imprint = info.message_imprint
    if imprint.hash_algorithm != _SHA256:
        raise SecurityFailed("the time-stamp is about a digest of another kind than SHA-256")
    if not hmac.compare_digest(imprint.message, hashlib.sha256(document).digest()):
        raise SecurityFailed("the time-stamp is about other octets")


def _accuracy(info: TimeStampTokenInfo) -> timedelta:
    """How far off the authority says it may be; nothing said is nothing claimed."""
    said: Accuracy | None = info.accuracy  # the library's types do not say that it may be absent
    if said is None:
        return timedelta()
    accuracy = timedelta(seconds=said.seconds or 0, milliseconds=said.millis or 0, microseconds=said.micros or 0)
    if accuracy > _MAX_ACCURACY:
        raise SecurityFailed("the time-stamp's accuracy is worse than a minute")
    return accuracy


def _check_for_stamps(signer: x509.Certificate) -> None:
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        constraints = [one.value for one in signer.extensions if isinstance(one.value, x509.BasicConstraints)]
    except x509.ExtensionNotFound:
        raise SecurityFailed("the signer's certificate does not say that it is for time-stamps") from None
    except UNREADABLE:
        raise SecurityFailed("the signer's certificate cannot be read") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise SecurityFailed("the signer's certificate is not, critically, for time-stamps alone")
    if any(one.ca for one in constraints):
        raise SecurityFailed("the signer's certificate is a CA's")


def _check_trusted(signer: x509.Certificate, trusted: Sequence[x509.Certificate], at: datetime) -> None:
    _check_period(signer, at, "the signer's certificate")
    if signer in trusted:
        return
    failure = SecurityFailed("the directory does not list the time-stamp's signer, nor the CA that issued it")
    for issuer in trusted:
        if issuer.subject != signer.issuer:
            continue
        try:
            _check_issuer(issuer, signer, at)
        except SecurityFailed as cause:
            failure = cause
        else:
            return
    raise failure


def _check_issuer(issuer: x509.Certificate, signer: x509.Certificate, at: datetime) -> None:
    """RFC 5280, 6.1.4, for the one step that there is: what the directory lists is trusted as it is."""
    _check_period(issuer, at, "the CA of the signer's certificate")
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        signer.verify_directly_issued_by(issuer)
    except x509.ExtensionNotFound:
        raise SecurityFailed("the issuer of the signer's certificate is not a CA") from None
    except (InvalidSignature, *UNREADABLE, UnsupportedAlgorithm):
        raise SecurityFailed("the listed CA did not issue the signer's certificate") from None
    if not constraints.ca or not usage.key_cert_sign:
        raise SecurityFailed("the issuer of the signer's certificate is not a CA")


def _check_period(certificate: x509.Certificate, at: datetime, what: str) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SecurityFailed(f"{what} was not valid at the time-stamp's time")

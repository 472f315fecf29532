"""An OCSP responder (RFC 6960): `openssl ocsp` answers, one process a question, and faults are played around it."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import core  # type: ignore[import-untyped]
from asn1crypto import ocsp as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.pki import Authority, SigningPrivateKey, certificate_pem, private_pem
from tests.real_pki.serving import ON_THE_WIRE, SHIFTS, SIGNED_WRONG, Fault, FaultyService

VALID_FOR = timedelta(hours=1)


class OcspResponder(FaultyService):
    """Knows what an authority issued (`know`) and what it took back (`revoke`); anything else is unknown to it."""

    plays = ON_THE_WIRE | SIGNED_WRONG
    media_type = "application/ocsp-response"

    def __init__(
        self,
        *,
        authority: Authority,
        key: SigningPrivateKey,
        certificate: x509.Certificate,
        folder: Path,
        known: list[x509.Certificate],
    ) -> None:
        super().__init__()
        self.authority = authority
        self.key = key
        self.certificate = certificate
        self.valid_for = VALID_FOR
        self._known = {one.serial_number: one for one in known}
        self._revoked: dict[int, datetime] = {}
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "authority.pem").write_bytes(certificate_pem(authority.certificate))
        (folder / "responder.pem").write_bytes(certificate_pem(certificate))
        (folder / "responder.key").touch(mode=0o600)
        (folder / "responder.key").write_bytes(private_pem(key))

    def know(self, certificate: x509.Certificate) -> None:
        """The authority issued it."""
        self._known[certificate.serial_number] = certificate

    def revoke(self, certificate: x509.Certificate, *, at: datetime | None = None) -> None:
        """The authority takes it back."""
        self.know(certificate)
        self._revoked[certificate.serial_number] = at or datetime.now(UTC).replace(microsecond=0)

    def answer(self, question: bytes) -> bytes:
        """An OCSPResponse, DER."""
        if self.fault is Fault.TRY_LATER:
            return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
                Encoding.DER
            )
        if self.fault in (Fault.NONE, Fault.SLOW, Fault.BAD_SIGNATURE):
            return self._ask_openssl(question)
        return self._play(ocsp.load_der_ocsp_request(question))

    def _ask_openssl(self, question: bytes) -> bytes:
        (self._folder / "index.txt").write_text(self._index())
        path = self._folder / f"question-{os.urandom(8).hex()}"
        path.write_bytes(question)
        answer = path.with_suffix(".answer")
        command = ["openssl", "ocsp", "-index", "index.txt", "-CA", "authority.pem", "-rsigner", "responder.pem"]
        command += ["-rkey", "responder.key", "-nmin", str(int(self.valid_for / timedelta(minutes=1)))]
        command += ["-rmd", "sha256", "-reqin", str(path), "-respout", str(answer)]
        command += ["-badsig"] if self.fault is Fault.BAD_SIGNATURE else []
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True, timeout=30)
        return answer.read_bytes()

    def _index(self) -> str:
        """The index of `openssl ca`: status, end, revocation, serial, file, subject; parted by tabs."""
        lines = []
        for serial, certificate in self._known.items():
            revoked = self._revoked.get(serial)
            digits = f"{serial:X}"
            digits = digits.zfill(len(digits) + len(digits) % 2)
            end = certificate.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
            at = "" if revoked is None else revoked.strftime("%y%m%d%H%M%SZ")
            lines.append(f"{'V' if revoked is None else 'R'}\t{end}\t{at}\t{digits}\tunknown\t/CN={serial}\n")
        return "".join(lines)

    def _play(self, asked: ocsp.OCSPRequest) -> bytes:
        """What openssl would not say."""
        now = datetime.now(UTC).replace(microsecond=0) + SHIFTS.get(self.fault, timedelta())
        certificate = self._known[asked.serial_number]
        if self.fault is Fault.OTHER:
            certificate = next(one for serial, one in self._known.items() if serial != asked.serial_number)
        nonce = next((one.value.nonce for one in asked.extensions if isinstance(one.value, x509.OCSPNonce)), None)
        if self.fault is Fault.WRONG_NONCE:
            nonce = os.urandom(16)
        if self.fault is Fault.NO_NONCE:
            nonce = None
        response = make_response(
            certificate,
            self.authority,
            responder=self.certificate,
            key=self.key,
            this_update=now,
            next_update=now + self.valid_for,
            revoked_at=self._revoked.get(certificate.serial_number),
            nonce=nonce,
        )
        return signed_by_another(response) if self.fault is Fault.WRONG_KEY else response


def signed_by_another(response: bytes) -> bytes:
    """The same response, signed with a key that nobody knows."""
    return _signed_again(asn1.OCSPResponse.load(response), ec.generate_private_key(ec.SECP256R1()))


def with_issuer_name_hash(response: bytes, name_hash: bytes, key: SigningPrivateKey) -> bytes:
    """The same response, about the certificate of an issuer with another name."""
    whole = asn1.OCSPResponse.load(response)
    data = whole["response_bytes"]["response"].parsed["tbs_response_data"]
    data["responses"][0]["cert_id"]["issuer_name_hash"] = name_hash
    return _signed_again(whole, key)


def with_two_answers(response: bytes, key: SigningPrivateKey) -> bytes:
    """The same response, that says what it says twice."""
    whole = asn1.OCSPResponse.load(response)
    responses = whole["response_bytes"]["response"].parsed["tbs_response_data"]["responses"]
    responses.append(responses[0].copy())
    return _signed_again(whole, key)


def with_extension(
    response: bytes,
    key: SigningPrivateKey,
    *,
    of_single: bool,
    critical: bool,
    name: str = "1.3.6.1.4.1.32473.2",
    value: bytes = b"\x05\x00",
) -> bytes:
    """The same response with one more thing said (RFC 6960, 4.4). of_single: about its one answer. value: DER."""
    whole = asn1.OCSPResponse.load(response)
    data = whole["response_bytes"]["response"].parsed["tbs_response_data"]
    extension = {"extn_id": name, "critical": critical, "extn_value": core.ParsableOctetString(value)}
    if of_single:
        data["responses"][0]["single_extensions"] = [extension]
    else:
        data["response_extensions"] = [extension]
    return _signed_again(whole, key)


def with_hash_algorithm(response: bytes, name: str, key: SigningPrivateKey) -> bytes:
    """The same response, that says its hashes of issuer and key were made in another way."""
    whole = asn1.OCSPResponse.load(response)
    data = whole["response_bytes"]["response"].parsed["tbs_response_data"]
    data["responses"][0]["cert_id"]["hash_algorithm"] = {"algorithm": name}
    return _signed_again(whole, key)


def with_certificates(response: bytes, *certificates: x509.Certificate) -> bytes:
    """The same response with these certificates along; the signature does not cover them."""
    whole = asn1.OCSPResponse.load(response)
    basic = whole["response_bytes"]["response"].parsed
    basic["certs"] = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in certificates]
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return bytes(whole.dump(force=True))


def with_signature_algorithm(response: bytes, name: str) -> bytes:
    """The same response that names another algorithm for its signature."""
    whole = asn1.OCSPResponse.load(response)
    basic = whole["response_bytes"]["response"].parsed
    basic["signature_algorithm"] = {"algorithm": name}
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return bytes(whole.dump(force=True))


def _signed_again(whole: Any, key: SigningPrivateKey) -> bytes:
    basic = whole["response_bytes"]["response"].parsed
    basic["signature"] = _sign(basic["tbs_response_data"].dump(force=True), key)
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return bytes(whole.dump(force=True))


def _sign(octets: bytes, key: SigningPrivateKey) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(octets)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(octets, ec.ECDSA(hashes.SHA256()))


def make_response(
    certificate: x509.Certificate,
    authority: Authority,
    *,
    responder: x509.Certificate,
    key: SigningPrivateKey,
    this_update: datetime,
    next_update: datetime | None,
    revoked_at: datetime | None = None,
    unknown: bool = False,
    nonce: bytes | None = None,
    with_certificate: bool = True,
    by_name: bool = False,
    algorithm: hashes.HashAlgorithm | None = None,
    issuer: x509.Certificate | None = None,
    produced_at: datetime | None = None,
) -> bytes:
    """One OCSPResponse of status successful, DER. issuer: of the certificate id, that of `authority` by default.

    revoked_at: as revoked since then; else good, or unknown. by_name: the responder is named, not its key. produced_at:
    this_update by default, whatever the clock of the machine says.
    """
    status = ocsp.OCSPCertStatus.GOOD if revoked_at is None else ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=issuer or authority.certificate,
        algorithm=algorithm or hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.UNKNOWN if unknown else status,
        this_update=this_update,
        next_update=next_update,
        revocation_time=revoked_at,
        revocation_reason=None if revoked_at is None else x509.ReasonFlags.key_compromise,
    )
    encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(encoding, responder)
    if with_certificate:
        builder = builder.certificates([responder])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    signed_with = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    whole = asn1.OCSPResponse.load(builder.sign(key, signed_with).public_bytes(Encoding.DER))
    whole["response_bytes"]["response"].parsed["tbs_response_data"]["produced_at"] = produced_at or this_update
    return _signed_again(whole, key)

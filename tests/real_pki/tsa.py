"""A time-stamp authority (RFC 3161): `openssl ts` answers, one process a question, and faults are played around it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asn1crypto import cms, core, tsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.pki import Authority, SigningPrivateKey, certificate_pem, issue, private_pem
from tests.real_pki.serving import ON_THE_WIRE, SHIFTS, SIGNED_WRONG, Fault, FaultyService

POLICY = "1.3.6.1.4.1.32473.1"
"""An arc for documentation (RFC 5612)."""
_CONFIG = f"""
[tsa]
default_tsa = it
[it]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = {POLICY}
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_REJECTION = bytes.fromhex("300c300a02010203050600000040")
"""PKIStatusInfo: rejection, systemFailure (RFC 3161, 2.4.2)."""


class TimeStampAuthority(FaultyService):
    """Stamps what it is sent. The token has its certificate, if it is asked for that, and none above it."""

    plays = ON_THE_WIRE | SIGNED_WRONG
    media_type = "application/timestamp-reply"

    def __init__(self, *, key: SigningPrivateKey, certificate: x509.Certificate, folder: Path) -> None:
        super().__init__()
        self.certificate = certificate
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "tsa.cnf").write_text(_CONFIG)
        (folder / "serial").write_text("01\n")
        self._write_signer("tsa", key, certificate)
        self._write_signer("stranger", *_stranger(certificate))

    def answer(self, question: bytes) -> bytes:
        """A TimeStampResp, DER."""
        if self.fault is Fault.TRY_LATER:
            return _REJECTION
        response = self._ask_openssl(question)
        if self.fault in (Fault.NONE, Fault.SLOW):
            return response
        return self._play(tsp.TimeStampResp.load(response))

    def _ask_openssl(self, question: bytes) -> bytes:
        path = self._folder / f"question-{os.urandom(8).hex()}"
        path.write_bytes(question)
        answer = path.with_suffix(".answer")
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", str(path), "-out", str(answer))
        return answer.read_bytes()

    def stamp_saying(self, question: bytes, change: Callable[[Any], None]) -> bytes:
        """A good token (DER) but for what `change` does to its TSTInfo before it is signed."""
        response = tsp.TimeStampResp.load(self._ask_openssl(question))
        info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed.copy()
        change(info)
        return self.sign_content(info.dump())

    def sign_content(self, content: bytes) -> bytes:
        """A token (DER) whose signature is good, over whatever stands where a TSTInfo should."""
        return bytes(self._sign(content, "tsa").dump())

    def _play(self, response: Any) -> bytes:
        """What openssl would not say: the TSTInfo of its answer, changed, and signed again."""
        signed = response["time_stamp_token"]["content"]
        info = signed["encap_content_info"]["content"].parsed.copy()
        self._change(info)
        signer = "stranger" if self.fault is Fault.WRONG_KEY else "tsa"
        token = self._sign(info.dump(), signer)
        if self.fault is Fault.BAD_SIGNATURE:
            signature = token["content"]["signer_infos"][0]["signature"]
            octets = signature.native
            token["content"]["signer_infos"][0]["signature"] = octets[:-1] + bytes((octets[-1] ^ 1,))
        again = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})
        return bytes(again.dump(force=True))

    def _change(self, info: Any) -> None:
        if self.fault in SHIFTS:
            info["gen_time"] = core.GeneralizedTime(info["gen_time"].native + SHIFTS[self.fault])
        elif self.fault is Fault.WRONG_NONCE:
            info["nonce"] = int.from_bytes(os.urandom(8), "big")
        elif self.fault is Fault.NO_NONCE:
            info["nonce"] = None
        elif self.fault is Fault.OTHER:
            info["message_imprint"]["hashed_message"] = os.urandom(
                len(info["message_imprint"]["hashed_message"].native)
            )

    def _sign(self, info: bytes, signer: str) -> Any:
        path = self._folder / f"info-{os.urandom(8).hex()}"
        path.write_bytes(info)
        token = path.with_suffix(".token")
        command = ["cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-econtent_type", _TST_INFO]
        command += ["-md", "sha256", "-cades", "-signer", f"{signer}.pem", "-inkey", f"{signer}.key"]
        self._openssl(*command, "-in", str(path), "-out", str(token))
        return cms.ContentInfo.load(token.read_bytes())

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, timeout=60)

    def _write_signer(self, name: str, key: SigningPrivateKey, certificate: x509.Certificate) -> None:
        (self._folder / f"{name}.pem").write_bytes(certificate_pem(certificate))
        (self._folder / f"{name}.key").touch(mode=0o600)
        (self._folder / f"{name}.key").write_bytes(private_pem(key))


def _stranger(like: x509.Certificate) -> tuple[SigningPrivateKey, x509.Certificate]:
    """A certificate with all that the true one says, issued by nobody whom anybody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    impostor = Authority(key=ec.generate_private_key(ec.SECP256R1()), name=like.issuer)
    certificate = issue(
        impostor,
        public_key=key.public_key(),
        subject=like.subject,
        usage=("digital_signature",),
        valid_from=like.not_valid_before_utc,
        valid_until=like.not_valid_after_utc,
        extra=((x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]), True),),
    )
    return key, certificate

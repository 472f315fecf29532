"""The services of the test PKI answer as openssl's own clients expect, and play what they say that they play."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.pki import certificate_pem
from tests.real_pki.making import RealPki, make_responder
from tests.real_pki.ocsp import OcspResponder
from tests.real_pki.serving import ON_THE_WIRE, Fault, FaultyService

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> RealPki:
    return RealPki.build(tmp_path_factory.mktemp("pki"))


def ask(service: FaultyService, question: bytes = b"", *, timeout_s: float = 5) -> bytes:
    request = urllib.request.Request(service.address, data=question or None)
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:
        return bytes(answer.read(1_000_000))


def question_about(pki: RealPki, leaf: str, nonce: bytes = b"0123456789abcdef") -> bytes:
    one = pki.leaves[leaf]
    builder = ocsp.OCSPRequestBuilder().add_certificate(one.certificate, one.issuer.certificate, hashes.SHA1())
    return builder.add_extension(x509.OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)


def test_every_leaf_verifies_by_openssl(pki: RealPki, tmp_path: Path) -> None:
    above = tmp_path / "above.pem"
    above.write_bytes(certificate_pem(*(one.certificate for one in pki.authorities.values())))
    for name, leaf in pki.leaves.items():
        path = tmp_path / f"{name}.pem"
        path.write_bytes(certificate_pem(leaf.certificate))
        found = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-CAfile", above, path], capture_output=True, check=False
        )
        assert found.returncode == 0, (name, found.stderr)


def test_openssl_accepts_the_responder(pki: RealPki, tmp_path: Path) -> None:
    with pki_responder(pki, "accepted") as responder:
        responder.revoke(pki.leaves["signing-rsa"].certificate)
        (tmp_path / "above.pem").write_bytes(
            certificate_pem(*(pki.authorities[name].certificate for name in ("signing", "root")))
        )
        (tmp_path / "issuer.pem").write_bytes(certificate_pem(pki.authorities["signing"].certificate))
        said = {}
        for name in ("signing-p256", "signing-rsa"):
            (tmp_path / name).write_bytes(certificate_pem(pki.leaves[name].certificate))
            command = ["openssl", "ocsp", "-issuer", "issuer.pem", "-cert", name, "-url", responder.address]
            found = subprocess.run(
                [*command, "-CAfile", "above.pem"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=20
            )
            assert "Response verify OK" in found.stderr
            said[name] = found.stdout.splitlines()[0]
    assert said == {"signing-p256": "signing-p256: good", "signing-rsa": "signing-rsa: revoked"}


def pki_responder(pki: RealPki, label: str) -> OcspResponder:
    known = [leaf.certificate for leaf in pki.leaves.values() if leaf.issuer is pki.authorities["signing"]]
    return make_responder(pki.authorities["signing"], pki.folder / label, known=known, now=pki.now)


def test_faults_of_the_responder(pki: RealPki) -> None:
    nonce = b"0123456789abcdef"
    question = question_about(pki, "signing-p256", nonce)
    serial = pki.leaves["signing-p256"].certificate.serial_number
    now = datetime.now(UTC)
    seen: dict[Fault, ocsp.OCSPResponse] = {}
    with pki_responder(pki, "faulty") as responder:
        for fault in responder.plays - ON_THE_WIRE | {Fault.NONE}:
            responder.play(fault)
            seen[fault] = ocsp.load_der_ocsp_response(ask(responder, question))
    assert seen[Fault.TRY_LATER].response_status is ocsp.OCSPResponseStatus.TRY_LATER
    good = seen[Fault.NONE]
    assert good.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert good.serial_number == serial
    assert _signed_by(good, responder.certificate)
    assert _nonce(good) == nonce
    assert _nonce(seen[Fault.WRONG_NONCE]) not in (nonce, None)
    assert _nonce(seen[Fault.NO_NONCE]) is None
    assert not _signed_by(seen[Fault.WRONG_KEY], responder.certificate)
    assert not _signed_by(seen[Fault.BAD_SIGNATURE], responder.certificate)
    assert seen[Fault.OTHER].serial_number != serial
    next_update = seen[Fault.STALE].next_update_utc
    assert next_update is not None
    assert next_update < now - timedelta(days=1)
    assert seen[Fault.CLOCK_AHEAD].this_update_utc > now + timedelta(minutes=59)
    assert seen[Fault.CLOCK_BEHIND].this_update_utc < now - timedelta(minutes=59)


def _signed_by(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _nonce(response: ocsp.OCSPResponse) -> bytes | None:
    return next((one.value.nonce for one in response.extensions if isinstance(one.value, x509.OCSPNonce)), None)


def test_faults_on_the_wire(pki: RealPki) -> None:
    with pki.crl("tls") as publisher:
        listed = x509.load_der_x509_crl(ask(publisher))
        assert listed.is_signature_valid(pki.authorities["tls"].key.public_key())
        publisher.play(Fault.DOWN)
        with pytest.raises(urllib.error.URLError):
            ask(publisher)
        publisher.play(Fault.ERROR)
        with pytest.raises(urllib.error.HTTPError):
            ask(publisher)
        publisher.play(Fault.SLOW)
        with pytest.raises(TimeoutError):
            ask(publisher, timeout_s=0.2)
        publisher.play(Fault.GARBAGE)
        with pytest.raises(ValueError, match="parsing"):
            x509.load_der_x509_crl(ask(publisher))
        publisher.play(Fault.EMPTY)
        assert ask(publisher) == b""
        publisher.play(Fault.ENDLESS)
        assert len(ask(publisher)) == 1_000_000
        assert publisher.asked == 6
        with pytest.raises(ValueError, match="does not play"):
            publisher.play(Fault.WRONG_NONCE)


def test_faults_of_the_list(pki: RealPki) -> None:
    authority = pki.authorities["signing"]
    key = authority.key.public_key()
    now = datetime.now(UTC)
    with pki.crl("signing") as publisher:
        publisher.revoke(pki.leaves["signing-p256"].certificate)
        serial = pki.leaves["signing-p256"].certificate.serial_number
        seen = {}
        for fault in (Fault.NONE, Fault.STALE, Fault.WRONG_KEY, Fault.OTHER, Fault.CLOCK_AHEAD):
            publisher.play(fault)
            seen[fault] = x509.load_der_x509_crl(ask(publisher))
    assert seen[Fault.NONE].get_revoked_certificate_by_serial_number(serial) is not None
    assert seen[Fault.NONE].is_signature_valid(key)
    assert not seen[Fault.WRONG_KEY].is_signature_valid(key)
    assert seen[Fault.OTHER].issuer != authority.name
    assert (seen[Fault.STALE].next_update_utc or now) < now - timedelta(days=1)
    assert seen[Fault.CLOCK_AHEAD].last_update_utc > now + timedelta(minutes=59)

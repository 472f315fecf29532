"""The demonstration authority: what it issues can be entered in a directory; what it should not issue it refuses."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.crypto.certificates import Purpose, check_chain
from adapter.crypto.enrolment import agreement_request, certificate_request, subject_name
from adapter.crypto.keys import AGREEMENT_PURPOSES, FileSigningKey
from adapter.crypto.suites import SUITES
from adapter.errors import AdapterError
from adapter.identifiers import MemberId
from examples.authority.ca import TOKEN_HEADER, load_or_make_token, make_application
from examples.authority.issuing import AGREEMENT, SIGNING, TLS, Authorities
from tests.pki import SUITE_NAMES, new_agreement_key, new_signing_key

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAYS = timedelta(days=90)
SUBJECT = subject_name(MemberId.parse("UZ/GOV/200000003"), "Agency", "signing")


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    return Authorities.load_or_make(tmp_path / "ca", NOW)


def signing_cas(authorities: Authorities) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(authorities.chain_pem(SIGNING)))


def issue(authorities: Authorities, profile: str, request: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authorities.issue(profile, request, now=NOW, valid_for=DAYS))


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_issues_what_each_suite_needs(authorities: Authorities, suite: str) -> None:
    signing_key, agreement_key = new_signing_key(suite, "authority"), new_agreement_key(suite, "authority")
    signing = issue(authorities, SIGNING, certificate_request(signing_key, SUBJECT))
    check_chain(signing, signing_cas(authorities), NOW, Purpose.SIGNING)
    if isinstance(agreement_key, x25519.X25519PrivateKey):
        request = agreement_request(agreement_key.public_key(), FileSigningKey(signing_key, signing, suite))
    else:
        request = certificate_request(agreement_key, SUBJECT)
    agreement = issue(authorities, AGREEMENT, request)
    check_chain(agreement, signing_cas(authorities), NOW, AGREEMENT_PURPOSES[SUITES[suite].agreement_usage])
    assert agreement.public_key() == agreement_key.public_key()


def test_issues_tls_certificates_below_their_own_ca(authorities: Authorities) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue(authorities, TLS, certificate_request(key, SUBJECT, hosts=("localhost", "127.0.0.1")))
    check_chain(certificate, x509.load_pem_x509_certificates(authorities.chain_pem(TLS)), NOW, Purpose.TLS)
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_refuses_a_tls_request_without_hosts(authorities: Authorities) -> None:
    with pytest.raises(AdapterError, match="hosts"):
        issue(authorities, TLS, certificate_request(ec.generate_private_key(ec.SECP256R1()), SUBJECT))


def test_issues_no_ca_certificate_whatever_the_request_says(authorities: Authorities) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(SUBJECT)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = issue(authorities, SIGNING, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_refuses_an_agreement_request_vouched_for_by_a_stranger(authorities: Authorities, tmp_path: Path) -> None:
    stranger = Authorities.load_or_make(tmp_path / "stranger", NOW)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue(stranger, SIGNING, certificate_request(key, SUBJECT))
    request = agreement_request(
        x25519.X25519PrivateKey.generate().public_key(), FileSigningKey(key, certificate, "p256")
    )
    with pytest.raises(AdapterError):
        issue(authorities, AGREEMENT, request)


@pytest.mark.parametrize("request_octets", [b"", b"{", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", b"\x00" * 100])
def test_refuses_garbage(authorities: Authorities, request_octets: bytes) -> None:
    for profile in (SIGNING, AGREEMENT, TLS):
        with pytest.raises(AdapterError):
            authorities.issue(profile, request_octets, now=NOW, valid_for=DAYS)


def test_keeps_its_keys_to_itself_and_over_a_restart(tmp_path: Path) -> None:
    first = Authorities.load_or_make(tmp_path / "ca", NOW)
    second = Authorities.load_or_make(tmp_path / "ca", NOW + DAYS)
    assert first.chain_pem(SIGNING) == second.chain_pem(SIGNING)
    secrets = [*(tmp_path / "ca").glob("*.key")]
    assert len(secrets) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


async def test_over_http_it_wants_the_token(authorities: Authorities, tmp_path: Path) -> None:
    token = load_or_make_token(tmp_path)
    assert load_or_make_token(tmp_path) == token
    request = certificate_request(ec.generate_private_key(ec.SECP256R1()), SUBJECT)
    async with TestClient(TestServer(make_application(authorities, token, valid_for=DAYS))) as client:
        good = await client.post("/sign?profile=signing", data=request, headers={TOKEN_HEADER: token})
        assert good.status == 200
        assert x509.load_pem_x509_certificate(await good.read()).issuer == authorities.issuing.certificate.subject
        for headers in ({}, {TOKEN_HEADER: "wrong"}, {TOKEN_HEADER: token + "x"}):
            refused = await client.post("/sign?profile=signing", data=request, headers=headers)
            assert refused.status == 403
        for query, body in (("profile=other", request), ("", request), ("profile=signing", b"garbage")):
            wrong = await client.post(f"/sign?{query}", data=body, headers={TOKEN_HEADER: token})
            assert wrong.status == 400
        chain = await client.get("/ca.pem")
        assert await chain.read() == authorities.chain_pem(SIGNING)
        assert await (await client.get("/ca.pem?profile=tls")).read() == authorities.chain_pem(TLS)
        assert (await client.get("/ca.pem?profile=x")).status == 400

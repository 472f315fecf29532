"""The demonstration authority: what it issues can be entered in a directory; what it should not issue it refuses."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adapter.crypto.certificates import Purpose, check_chain
from adapter.crypto.keys import AGREEMENT_PURPOSES
from adapter.crypto.requests import RequestProfile, build_request
from adapter.crypto.suites import SUITES
from adapter.errors import AdapterError, SecurityFailed
from adapter.identifiers import MemberId
from examples.authority.ca import TOKEN_HEADER, load_or_make_token, make_application
from examples.authority.issuing import AGREEMENT, SIGNING, TLS, Authorities
from tests.pki import SUITE_NAMES, new_agreement_key, new_signing_key

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAYS = timedelta(days=90)
MEMBER = MemberId.parse("UZ/GOV/200000003")
PROFILES = Path(__file__).resolve().parents[3] / "keys"


def request_for(
    profile: str, key, *, member: MemberId = MEMBER, hosts=("localhost", "127.0.0.1"), vouching=None
) -> bytes:
    return build_request(
        RequestProfile.parse((PROFILES / f"{profile}.toml").read_text()),
        private_key=key,
        member=member,
        organisation="Agency",
        hosts=hosts,
        vouching_key=vouching,
    )


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
    signing = issue(authorities, SIGNING, request_for(SIGNING, signing_key))
    check_chain(signing, signing_cas(authorities), NOW, Purpose.SIGNING)
    vouching = signing_key if suite == "ed25519" else None
    agreement = issue(authorities, AGREEMENT, request_for(AGREEMENT, agreement_key, vouching=vouching))
    check_chain(agreement, signing_cas(authorities), NOW, AGREEMENT_PURPOSES[SUITES[suite].agreement_usage])
    assert agreement.public_key() == agreement_key.public_key()


def test_issues_tls_certificates_below_their_own_ca(authorities: Authorities) -> None:
    certificate = issue(authorities, TLS, request_for(TLS, ec.generate_private_key(ec.SECP256R1())))
    check_chain(certificate, x509.load_pem_x509_certificates(authorities.chain_pem(TLS)), NOW, Purpose.TLS)
    hosts = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert hosts.get_values_for_type(x509.DNSName) == ["localhost"]


def test_refuses_a_tls_request_without_hosts(authorities: Authorities) -> None:
    with pytest.raises(AdapterError, match="hosts"):
        issue(authorities, TLS, request_for(SIGNING, ec.generate_private_key(ec.SECP256R1())))


def test_issues_no_ca_certificate_whatever_the_request_says(authorities: Authorities) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = issue(authorities, SIGNING, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def vouched(authorities: Authorities, *, member: MemberId = MEMBER) -> tuple[bytes, ed25519.Ed25519PrivateKey]:
    """A certified Ed25519 signing key of MEMBER, and its request for an X25519 key in the name of `member`."""
    key = ed25519.Ed25519PrivateKey.generate()
    issue(authorities, SIGNING, request_for(SIGNING, key))
    return request_for(AGREEMENT, x25519.X25519PrivateKey.generate(), member=member, vouching=key), key


def test_issues_nothing_that_a_stranger_vouches_for(authorities: Authorities) -> None:
    vouched(authorities)
    stranger = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(SecurityFailed):
        issue(authorities, AGREEMENT, request_for(AGREEMENT, x25519.X25519PrivateKey.generate(), vouching=stranger))


def test_issues_nothing_in_the_name_of_another_member(authorities: Authorities) -> None:
    request, _ = vouched(authorities, member=MemberId.parse("UZ/GOV/200000002"))
    with pytest.raises(SecurityFailed):
        issue(authorities, AGREEMENT, request)


def test_refuses_every_changed_line_of_a_vouched_request(authorities: Authorities) -> None:
    request, _ = vouched(authorities)
    assert isinstance(issue(authorities, AGREEMENT, request).public_key(), x25519.X25519PublicKey)
    for at in range(request.index(b"\n\n")):
        with pytest.raises(AdapterError):
            issue(authorities, AGREEMENT, request[:at] + bytes([request[at] ^ 1]) + request[at + 1 :])


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
    request = request_for(SIGNING, ec.generate_private_key(ec.SECP256R1()))
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

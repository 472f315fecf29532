"""Certificate requests ask for what the profiles in keys/ say, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapter.crypto.keys import generate_agreement_key, generate_signing_key
from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.crypto.requests import RequestProfile, build_host_request, build_request, build_request_elsewhere
from adapter.errors import KeyUnusable
from adapter.identifiers import MemberId
from tests.pki import rsa_key

MEMBER = MemberId.parse("UZ/GOV/200000001")


@pytest.fixture(scope="module")
def profiles(root: Path) -> dict[str, RequestProfile]:
    return {path.stem: RequestProfile.parse(path.read_text()) for path in (root / "keys").glob("*.toml")}


def request(profile: RequestProfile, key: PrivateKeyTypes, **more: object) -> x509.CertificateSigningRequest:
    pem = build_request(profile, private_key=key, member=MEMBER, organisation="Тест", **more)  # type: ignore[arg-type]
    return x509.load_pem_x509_csr(pem)


def usages(found: x509.CertificateSigningRequest) -> set[str]:
    usage = found.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return {name for name in (*names, "key_cert_sign", "crl_sign") if getattr(usage.value, name)}


def test_all_three_profiles_are_there(profiles: dict[str, RequestProfile]) -> None:
    assert set(profiles) == {"signing", "agreement", "tls"}
    assert all(profile.purpose == name for name, profile in profiles.items())


def test_signing(profiles: dict[str, RequestProfile]) -> None:
    for key in (generate_signing_key("p256"), generate_signing_key("ed25519"), rsa_key("requests")):
        found = request(profiles["signing"], key)
        assert found.is_signature_valid
        assert found.subject.rfc4514_string() == "CN=UZ/GOV/200000001 signing,O=Тест,C=UZ"
        assert usages(found) == {"digital_signature"}
        assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_agreement(profiles: dict[str, RequestProfile]) -> None:
    assert usages(request(profiles["agreement"], generate_agreement_key("p256"))) == {"key_agreement"}
    assert usages(request(profiles["agreement"], rsa_key("requests"))) == {"key_encipherment"}


def test_tls(profiles: dict[str, RequestProfile]) -> None:
    found = request(profiles["tls"], generate_signing_key("p256"), hosts=("adapter.example", "192.0.2.7"))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["adapter.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    extended = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {usage._name for usage in extended} == {"serverAuth", "clientAuth"}
    with pytest.raises(KeyUnusable, match="host"):
        request(profiles["tls"], generate_signing_key("p256"))


def test_an_x25519_key_is_vouched_for_by_the_signing_key(profiles: dict[str, RequestProfile]) -> None:
    vouching = ed25519.Ed25519PrivateKey.generate()
    key = generate_agreement_key("ed25519")
    note = build_request(
        profiles["agreement"], private_key=key, member=MEMBER, organisation="Test", vouching_key=vouching
    )
    verifier = NoteVerifier.parse(NoteSigner(str(MEMBER), vouching).vkey)
    lines = open_note(note, [verifier]).splitlines()
    assert lines[1:4] == ["agreement", "UZ/GOV/200000001", "Test"]
    import base64

    assert load_der_public_key(base64.b64decode(lines[4])) == key.public_key()
    with pytest.raises(KeyUnusable, match="vouch"):
        build_request(profiles["agreement"], private_key=key, member=MEMBER, organisation="Test")


def test_a_key_for_another_purpose(profiles: dict[str, RequestProfile]) -> None:
    with pytest.raises(KeyUnusable, match="no usage"):
        request(profiles["signing"], generate_agreement_key("ed25519"))
    with pytest.raises(KeyUnusable, match="no usage"):
        request(profiles["agreement"], generate_signing_key("ed25519"))


def test_a_name_that_does_not_fit(profiles: dict[str, RequestProfile]) -> None:
    with pytest.raises(KeyUnusable, match="64 characters"):
        build_request(
            profiles["signing"], private_key=generate_signing_key("p256"), member=MEMBER, organisation="x" * 65
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('country = "UZ"', ""),
        ('country = "UZ"', 'country = "UZ"\ncolour = "red"'),
        ('country = "UZ"', 'country = "UZ'),
        ('"digital_signature"', '"sign_everything"'),
        ("extended_key_usage = []", 'extended_key_usage = ["any"]'),
    ],
)
def test_a_wrong_profile(root: Path, old: str, new: str) -> None:
    text = (root / "keys" / "signing.toml").read_text()
    assert old in text
    with pytest.raises(KeyUnusable):
        RequestProfile.parse(text.replace(old, new))


def test_a_key_of_no_suite_gets_no_request(profiles: dict[str, RequestProfile]) -> None:
    key = ed448.Ed448PrivateKey.generate()
    with pytest.raises(KeyUnusable, match="kind unknown"):
        request(profiles["signing"], key)
    allowing = replace(profiles["signing"], key_usage={"unknown": ("digital_signature",)})
    with pytest.raises(KeyUnusable, match="no suite"):
        request(allowing, key)


def test_a_country_that_is_none_cannot_be_written(profiles: dict[str, RequestProfile]) -> None:
    with pytest.raises(KeyUnusable, match="cannot be written"):
        request(replace(profiles["signing"], country="Uzbekistan"), generate_signing_key("p256"))


def test_a_name_that_is_no_text_cannot_be_written(profiles: dict[str, RequestProfile]) -> None:
    with pytest.raises(KeyUnusable, match="cannot be written"):
        build_request(
            profiles["signing"], private_key=generate_signing_key("p256"), member=MEMBER, organisation="\ud800"
        )


def test_a_key_elsewhere_has_to_sign_its_request_itself(profiles: dict[str, RequestProfile]) -> None:
    own, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def ask(signer: ec.EllipticCurvePrivateKey) -> bytes:
        return build_request_elsewhere(
            profiles["signing"],
            public_key=own.public_key(),
            sign=lambda octets: signer.sign(octets, ec.ECDSA(hashes.SHA256())),
            member=MEMBER,
            organisation="Test",
        )

    assert x509.load_pem_x509_csr(ask(own)).public_key() == own.public_key()
    with pytest.raises(KeyUnusable, match="another key's"):
        ask(other)


def test_a_request_for_a_ca_that_knows_hosts_names_no_member(profiles: dict[str, RequestProfile]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = build_host_request(profiles["tls"], private_key=key, hosts=("adapter.example",))
    found = x509.load_pem_x509_csr(pem)
    assert found.is_signature_valid
    assert found.subject == x509.Name([])
    assert found.public_key() == key.public_key()
    hosts = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert hosts.get_values_for_type(x509.DNSName) == ["adapter.example"]
    assert usages(found) == usages(request(profiles["tls"], key, hosts=("adapter.example",)))
    with pytest.raises(KeyUnusable, match="the request cannot be written: "):
        build_host_request(profiles["tls"], private_key=key, hosts=("адаптер.example",))

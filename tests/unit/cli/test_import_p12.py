"""`adapter keys import-p12`: each thing that can be wrong with a key from elsewhere, and how the right one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.cli.key_import import check_certificate
from adapter.errors import KeyUnusable
from adapter.settings import load_settings
from adapter.store.keyfiles import KeyPurpose, load_certificate, load_private_key, load_signing_keys, save_private_key
from adapter.store.pkcs12 import HandedOver, read_pkcs12
from tests.command_line import Typed
from tests.pki import NOW, Federation, FederationMember, issue, make_ca
from tests.unit.cli.dialogue import Run

PHRASE = b"of the file"


def p12(key: object, certificate: x509.Certificate | None, others: Sequence[x509.Certificate] = ()) -> bytes:
    return serialize_key_and_certificates(
        b"key",
        key,  # type: ignore[arg-type]
        certificate,
        others,
        BestAvailableEncryption(PHRASE),
    )


# --- the command -----------------------------------------------------------------------------------------------------


@dataclass
class Office:
    """The register's home with encrypted keys to come, and a PKCS #12 file of its own signing key."""

    place: Path
    run: Run

    @property
    def keys(self) -> Path:
        return self.place / "register" / "keys"

    def take(self, *more: str, file: str = "signing.p12") -> Typed:
        arguments = ["--settings", "register", "--passphrase-file", "p12.pass", *more]
        return self.run("keys", "import-p12", file, *arguments)


@pytest.fixture
def office(place: Path, run: Run) -> Office:
    for name, octets in (("p12.pass", PHRASE), ("register/keys.pass", b"of the keys\n")):
        (place / name).touch(mode=0o600)
        (place / name).write_bytes(octets)
    settings = place / "register" / "adapter.toml"
    text = settings.read_text()
    settings.write_text(text.replace("[adapter]\n", '[adapter]\npassphrase_file = "keys.pass"\n', 1))
    found = Office(place, run)
    for purpose in (KeyPurpose.SIGNING, KeyPurpose.AGREEMENT, KeyPurpose.TLS):
        key = load_private_key(found.keys / f"{purpose.value}.key", purpose)
        (place / f"{purpose.value}.p12").write_bytes(p12(key, load_certificate(found.keys / f"{purpose.value}.pem")))
        for made in found.keys.glob(f"{purpose.value}.*"):
            made.unlink()
    record = load_private_key(found.keys / "record.key", KeyPurpose.RECORD)
    (found.keys / "record.key").unlink()
    phrase = place / "register/keys.pass"
    save_private_key(found.keys / "record.key", record, KeyPurpose.RECORD, passphrase_file=phrase)
    return found


@pytest.mark.parametrize("purpose", ["signing", "agreement", "tls"])
def test_a_key_is_kept_encrypted_with_its_certificate(office: Office, purpose: str) -> None:
    done = office.take("--purpose", purpose, file=f"{purpose}.p12")
    assert done.code == 0, done.err
    path = office.keys / f"{purpose}.key"
    octets = path.read_bytes()
    assert octets.startswith(f"Purpose: {purpose}\n".encode())
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TypeError, match="encrypted"):
        load_pem_private_key(octets[octets.index(b"-----") :], None)
    kept = load_private_key(path, KeyPurpose(purpose), passphrase_file=office.place / "register" / "keys.pass")
    assert kept.public_key() == load_certificate(path.with_suffix(".pem")).public_key()


def test_the_imported_key_signs(office: Office) -> None:
    assert office.take("--purpose", "signing", "--name", "2027").code == 0
    (key,) = load_signing_keys(office.keys, passphrase_file=office.place / "register" / "keys.pass")
    assert len(key.sign(b"octets")) == 64


def test_nothing_is_kept_of_a_key_that_is_refused(office: Office) -> None:
    (office.place / "p12.pass").write_bytes(b"another")
    refused = {
        "wrong passphrase": office.take("--purpose", "signing"),
        "other purpose": office.take("--purpose", "agreement"),
    }
    for why, done in refused.items():
        assert done.code == 3, why
        assert "another" not in done.err
    assert not list(office.keys.glob("signing*"))
    assert not list(office.keys.glob("agreement*"))


def test_a_key_is_never_overwritten(office: Office) -> None:
    assert office.take("--purpose", "signing").code == 0
    before = (office.keys / "signing.key").read_bytes()
    again = office.take("--purpose", "signing")
    assert again.code == 2
    assert "--name" in again.err
    assert (office.keys / "signing.key").read_bytes() == before


@pytest.mark.parametrize("end", ["revoked", "destroyed"])
def test_a_key_that_was_ended_here_does_not_come_back(office: Office, end: str) -> None:
    assert office.take("--purpose", "signing", "--name", "2027").code == 0
    here = ("--settings", "register")
    assert office.run("keys", "revoke", "signing-2027", "--reason", "key-compromise", *here).code == 0
    if end == "destroyed":
        assert office.run("keys", "destroy", "signing-2027", "--yes", *here).code == 0
    for name in ("2027", "2028"):
        done = office.take("--purpose", "signing", "--name", name)
        assert done.code == 2, done
        assert f"signing-2027 is {end}: it can become " in done.err
    left = {file.name for file in office.keys.glob("signing*")}
    assert left == ({"signing-2027.pem"} if end == "destroyed" else {"signing-2027.key", "signing-2027.pem"})


def test_without_a_passphrase_for_the_keys_nothing_is_kept(office: Office) -> None:
    settings = office.place / "register" / "adapter.toml"
    settings.write_text(settings.read_text().replace('passphrase_file = "keys.pass"\n', ""))
    assert load_settings(settings).adapter.passphrase_file is None
    done = office.take("--purpose", "signing")
    assert done.code == 2
    assert "only kept encrypted" in done.err
    assert not list(office.keys.glob("signing*"))


def test_the_passphrase_of_the_file_is_no_argument(office: Office) -> None:
    done = office.run("keys", "import-p12", "signing.p12", "--settings", "register", "--purpose", "signing")
    assert done.code == 3
    assert "there is no terminal" in done.err


# --- the file --------------------------------------------------------------------------------------------------------


def test_what_is_no_such_file_is_refused(federation: Federation) -> None:
    social, other = federation.social, ec.generate_private_key(ec.SECP256R1())
    good = p12(social.signing_key, social.signing_certificate)
    assert read_pkcs12(good, PHRASE).certificate == social.signing_certificate
    for octets, phrase in ((good, b"wrong"), (good[:-40], PHRASE), (b"", PHRASE), (b"\x30\x80", PHRASE)):
        with pytest.raises(KeyUnusable, match="passphrase is wrong"):
            read_pkcs12(octets, phrase)
    with pytest.raises(KeyUnusable, match="one private key and its certificate"):
        read_pkcs12(p12(other, None), PHRASE)
    with pytest.raises(KeyUnusable, match="one private key and its certificate"):
        read_pkcs12(p12(None, None, [social.signing_certificate]), PHRASE)
    assert "private_key" not in repr(read_pkcs12(good, PHRASE))


# --- the checks ------------------------------------------------------------------------------------------------------


def held(key: object, certificate: x509.Certificate) -> HandedOver:
    return HandedOver(private_key=key, certificate=certificate, others=())  # type: ignore[arg-type]


def renewed(federation: Federation, member: FederationMember, **more: object) -> HandedOver:
    """A certificate that the directory does not have yet, good unless a test says otherwise."""
    values: dict[str, object] = {"usage": ["digital_signature"], "subject": f"{member.id} signing", **more}
    issuer = values.pop("issuer", federation.issuing_ca)
    public = member.signing_key.public_key()
    return held(member.signing_key, issue(issuer, public_key=public, **values))  # type: ignore[arg-type]


def test_a_renewed_certificate_is_taken(federation: Federation) -> None:
    social = federation.social
    check_certificate(
        renewed(federation, social).certificate, KeyPurpose.SIGNING, social.id, federation.directory(), NOW
    )


def test_each_check_refuses(federation: Federation) -> None:
    social, cadastre = federation.social, federation.cadastre
    past = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    wrong = {
        "not for signing": renewed(federation, social, usage=["key_agreement"]),
        "no certificate of the authority": renewed(federation, social, issuer=make_ca("Somebody's CA")),
        "has expired": renewed(federation, social, valid_from=past[0], valid_until=past[1]),
        "does not name": renewed(federation, social, subject=f"{cadastre.id} signing"),
        "has this certificate as one of": held(cadastre.signing_key, cadastre.signing_certificate),
    }
    for words, handed_over in wrong.items():
        with pytest.raises(KeyUnusable, match=words):
            check_certificate(handed_over.certificate, KeyPurpose.SIGNING, social.id, federation.directory(), NOW)


def test_a_tls_certificate_of_the_ca_for_signing_is_refused(federation: Federation) -> None:
    social = federation.social
    of_the_wrong_ca = renewed(federation, social, issuer=federation.issuing_ca)
    with pytest.raises(KeyUnusable, match="no certificate of the authority"):
        check_certificate(of_the_wrong_ca.certificate, KeyPurpose.TLS, social.id, federation.directory(), NOW)


def test_a_certificate_that_was_ordered_is_for_its_hosts_for_both_ways_and_of_no_other_member(
    federation: Federation,
) -> None:
    social, host = federation.social, "adapter.example.uz"
    both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)

    def check(**more: object) -> None:
        good = {"issuer": federation.tls_ca, "hosts": (host,), "extended_usage": both, "subject": host}
        certificate = renewed(federation, social, **{**good, **more}).certificate
        hosts = frozenset({host})
        check_certificate(certificate, KeyPurpose.TLS, social.id, federation.directory(), NOW, ordered_for=hosts)

    check()
    check(extended_usage=())
    check(subject=f"{social.id} tls")
    wrong: dict[str, dict[str, object]] = {
        "not for servers and clients both": {"extended_usage": both[:1]},
        "for other hosts than those that were ordered": {"hosts": (host, "another.example.uz")},
        "names no host": {"hosts": ()},
        "another member's id": {"subject": f"{federation.cadastre.id} tls"},
        "no certificate of the authority": {"issuer": make_ca("Somebody's CA")},
    }
    for words, more in wrong.items():
        with pytest.raises(KeyUnusable, match=words):
            check(**more)

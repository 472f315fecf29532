"""Certificates for `--client-tls`: a CA of the agency's own, its adapter's listener and the system that calls it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from adapter.settings import load_settings

_VALID: Final = timedelta(days=1)
_LISTENER: Final = "[client_listener]\n"
_BY_ADDRESS: Final = 'identify_by = "address"\naddresses = ["127.0.0.1/32"]'


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientTls:
    """PEM files below one folder."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        """Both ends believe it."""
        return self.folder / "ca.pem"

    def certificate_file(self, name: str) -> Path:
        """Of `listener` or `system`."""
        return self.folder / f"{name}.pem"

    def key_file(self, name: str) -> Path:
        """Of `listener` or `system`."""
        return self.folder / f"{name}.key"


def demand_client_tls(settings_file: Path, folder: Path) -> ClientTls:
    """Make the certificates, and have the adapter demand them where its own systems call."""
    files = ClientTls(folder=folder)
    system = make_certificates(files)
    text = settings_file.read_text(encoding="utf-8")
    mode = (
        f'mode = "mutual-tls"\ncertificate_file = "{files.certificate_file("listener")}"\n'
        f'key_file = "{files.key_file("listener")}"\nclient_ca_file = "{files.ca_file}"\n'
    )
    fingerprint = system.fingerprint(hashes.SHA256()).hex()
    by_certificate = f'identify_by = "certificate"\ncertificate_sha256 = "{fingerprint}"'
    changed = text.replace(_LISTENER, _LISTENER + mode).replace(_BY_ADDRESS, by_certificate)
    settings_file.write_text(changed, encoding="utf-8")
    if load_settings(settings_file).client_listener.mode != "mutual-tls":
        raise ValueError("the settings are written in another way than the benchmark expects")
    return files


def make_certificates(files: ClientTls) -> x509.Certificate:
    """A CA, and a certificate of it for each end. That of the system comes back."""
    files.folder.mkdir(parents=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    basic = x509.BasicConstraints(ca=True, path_length=0)
    ca = _certificate("Benchmark CA", ca_key.public_key(), "Benchmark CA", ca_key, [(basic, True)])
    files.ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    for name in ("listener", "system"):
        key = ec.generate_private_key(ec.SECP256R1())
        issued = _certificate(name, key.public_key(), "Benchmark CA", ca_key, [(host, False)])
        files.certificate_file(name).write_bytes(issued.public_bytes(Encoding.PEM))
        files.key_file(name).touch(mode=0o600)
        files.key_file(name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return issued


def _certificate(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(identifier, critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())

"""Put the example issuer behind an adapter.

    python -m examples.consents HOME UZ/GOV/200000009/consents

makes HOME/consents with a key for statements and its certificate, and the two services in HOME/services.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapter.contracts import read_contract
from adapter.identifiers import SubsystemId
from examples.consents.issuer import CERTIFICATE, FOLDER, KEY, NAME, utc_now

_LIFE: Final = timedelta(days=730)
_USAGES: Final = (
    "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
    "encipher_only", "decipher_only",
)  # fmt: skip
_GET: Final = """\
# What the adapters of registers ask: wsdl/consent-issuer.wsdl.

code = "GetConsent"
version = "v1"
subsystem = "{subsystem}"
title = "Consents: whether one holds"
wsdl = "wsdl/consent-issuer.wsdl"
personal_data = true
backend = "python"

[python]
class = "examples.consents.service:GetConsent"
timeout_s = 5
"""
_MANAGE: Final = """\
# What a portal asks, on which a person gives consents and takes them back.

code = "ManageConsents"
version = "v1"
subsystem = "{subsystem}"
title = "Consents: to give one and to take it back"
wsdl = "consents.wsdl"
personal_data = true
backend = "python"
subject_kind = "pinfl"
subject_xpath = "m:Pinfl"

[namespaces]
m = "urn:example:consents:1"

[python]
class = "examples.consents.service:ManageConsents"
timeout_s = 5
"""


def install(home: Path, issuer: SubsystemId, now: datetime) -> Path:
    """Write key, certificate and services into an adapter's home; the folder that CONSENT_ISSUER has to name."""
    folder = home / "consents"
    folder.mkdir(mode=0o700, parents=True)
    _make_key(folder, issuer, now)
    (folder / NAME).write_text(f"{issuer}\n", encoding="ascii")
    wsdl = Path(__file__).with_name("consents.wsdl").read_bytes()
    contracts = ("wsdl/consent-issuer.wsdl", "xsd/consent-service.xsd")
    _add_service(home, issuer, "GetConsent", _GET, {name: read_contract(name) for name in contracts})
    _add_service(home, issuer, "ManageConsents", _MANAGE, {"consents.wsdl": wsdl})
    return folder


def _add_service(home: Path, issuer: SubsystemId, code: str, settings: str, documents: dict[str, bytes]) -> None:
    service = home / "services" / f"{issuer.code}.{code}.v1"
    for name, octets in documents.items():
        path = service / "description" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
    (service / "service.toml").write_text(settings.format(subsystem=issuer.code), encoding="utf-8")


def _make_key(folder: Path, issuer: SubsystemId, now: datetime) -> None:
    """A key and its certificate, signed by itself: the directory names it, so nobody else has to vouch."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{issuer} consents")])
    usage = x509.KeyUsage(digital_signature=True, **dict.fromkeys(_USAGES, False))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / KEY).touch(mode=0o600)
    (folder / KEY).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Put the example consent issuer behind an adapter.")
    parser.add_argument("home", type=Path)
    parser.add_argument("issuer", type=SubsystemId.parse, help="instance/class/code/subsystem")
    arguments = parser.parse_args()
    folder = install(arguments.home.resolve(), arguments.issuer, utc_now())
    print(f"{FOLDER}={folder}")
    print(f"The authority enters it: adapter authority set-consent-issuer FOLDER {arguments.issuer} \\")
    print(f"  --certificate {folder / CERTIFICATE}")


if __name__ == "__main__":
    main()

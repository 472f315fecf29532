"""Certificate revocation lists over HTTP (RFC 5280, 5), with faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from tests.pki import Authority, SigningPrivateKey
from tests.real_pki.serving import ON_THE_WIRE, SHIFTS, Fault, FaultyService

_ANOTHER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another authority")])


class CrlPublisher(FaultyService):
    """Publishes an authority's list. `revoke` adds to it; each request gets a list of its own moment."""

    plays = ON_THE_WIRE | {Fault.STALE, Fault.WRONG_KEY, Fault.OTHER, Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND}
    media_type = "application/pkix-crl"

    def __init__(self, authority: Authority, *, valid_for: timedelta = timedelta(hours=1)) -> None:
        super().__init__()
        self._authority = authority
        self._valid_for = valid_for
        self._number = 0
        self.revoked: dict[int, datetime] = {}

    def revoke(self, certificate: x509.Certificate, *, at: datetime | None = None) -> None:
        """From now on the list names this certificate."""
        self.revoked[certificate.serial_number] = at or datetime.now(UTC).replace(microsecond=0)

    def write(self, path: Path) -> None:
        """The present list as a file, DER."""
        path.write_bytes(self.answer(b""))

    def answer(self, question: bytes) -> bytes:
        """The list, DER."""
        now = datetime.now(UTC).replace(microsecond=0) + SHIFTS.get(self.fault, timedelta())
        self._number += 1
        return make_crl(
            self._authority,
            number=self._number,
            revoked=self.revoked,
            this_update=now,
            next_update=now + self._valid_for,
            key=ec.generate_private_key(ec.SECP256R1()) if self.fault is Fault.WRONG_KEY else None,
            issuer=_ANOTHER if self.fault is Fault.OTHER else None,
        )


def make_crl(
    authority: Authority,
    *,
    revoked: dict[int, datetime],
    this_update: datetime,
    next_update: datetime,
    number: int = 1,
    key: SigningPrivateKey | None = None,
    issuer: x509.Name | None = None,
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    of_entries: tuple[x509.ExtensionType, ...] = (),
    digest: hashes.SHA224 | None = None,
) -> bytes:
    """One list, right by default; every argument exists so that a test can make a wrong one."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer or authority.name)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    for serial, at in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        for said in of_entries:
            entry = entry.add_extension(said, critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    signing_key = key or authority.key
    algorithm = None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return builder.sign(signing_key, algorithm).public_bytes(serialization.Encoding.DER)

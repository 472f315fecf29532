"""A whole federation in memory, for tests: certificate authorities, members with their keys, the signed directory.

Everything is made when it is needed from the description below; nothing is read from or written to disk unless a test
asks (`FederationMember.write`, `Federation.write`). The clock is `NOW`. Synthetic organisations only.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapter.crypto.note import NoteSigner
from adapter.directory.anchor import Anchor
from adapter.directory.content import CertificationAuthority, LegalBasisKind, SecrecyKind, Titles
from adapter.directory.document import parse_directory
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import (
    AdapterEntry,
    Directory,
    DirectoryService,
    Member,
    RegisteredCertificate,
    Registration,
)
from adapter.directory.proof import DirectoryProof
from adapter.directory.rendering import render_directory
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from tests.repository import Repository

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
"""The time at which tests happen."""

SUITE_NAMES = ("p256", "ed25519", "rsa")
RSA_BITS = 3072

SigningPrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
PrivateKey = SigningPrivateKey | x25519.X25519PrivateKey


# --- keys ------------------------------------------------------------------------------------------------------------


@functools.cache
def rsa_key(label: str) -> rsa.RSAPrivateKey:
    """An RSA key, made once per process for each label: making one takes a second."""
    del label
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def new_signing_key(suite: str, label: str) -> SigningPrivateKey:
    """A key that signs in this suite. label tells apart cached RSA keys."""
    if suite == "rsa":
        return rsa_key(f"{label}/signing")
    if suite == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def new_agreement_key(suite: str, label: str) -> PrivateKey:
    """A key that others encrypt to in this suite."""
    if suite == "rsa":
        return rsa_key(f"{label}/agreement")
    if suite == "ed25519":
        return x25519.X25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


# --- certificates ----------------------------------------------------------------------------------------------------

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def key_usage(*allowed: str) -> x509.KeyUsage:
    """A KeyUsage extension with these bits (`digital_signature`, `key_agreement` …) set."""
    return x509.KeyUsage(**{usage: usage in allowed for usage in KEY_USAGES})


SIGNING_USAGE = ("digital_signature",)
AGREEMENT_USAGE: Mapping[str, tuple[str, ...]] = {
    "p256": ("key_agreement",),
    "ed25519": ("key_agreement",),
    "rsa": ("key_encipherment",),
}
TLS_USAGE = ("digital_signature",)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority: its key, its name and its certificate (None while it signs its own)."""

    key: SigningPrivateKey
    name: x509.Name
    own_certificate: x509.Certificate | None = None

    @property
    def certificate(self) -> x509.Certificate:
        """The CA's certificate."""
        if self.own_certificate is None:
            raise ValueError("the CA has no certificate yet")
        return self.own_certificate


def make_ca(
    name: str,
    *,
    issuer: Authority | None = None,
    now: datetime = NOW,
    path_length: int | None = None,
    key: SigningPrivateKey | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Authority:
    """A CA with a fresh P-256 key: self-signed, or below `issuer`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = issue(
        issuer or Authority(key=key, name=_name(name)),
        public_key=key.public_key(),
        subject=_name(name),
        usage=("key_cert_sign", "crl_sign"),
        is_ca=True,
        path_length=path_length,
        now=now,
        valid_from=valid_from or now - timedelta(days=365),
        valid_until=valid_until or now + timedelta(days=7300),
    )
    return Authority(key=key, name=_name(name), own_certificate=certificate)


def issue(
    issuer: Authority,
    *,
    public_key: object,
    subject: x509.Name | str,
    usage: Sequence[str] | None,
    is_ca: bool = False,
    path_length: int | None = None,
    now: datetime = NOW,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    hosts: Sequence[str] = (),
    extended_usage: Sequence[x509.ObjectIdentifier] = (),
    basic_constraints: bool = True,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> x509.Certificate:
    """One certificate, right by default; every argument exists so that a test can make a wrong one.

    usage None leaves the KeyUsage extension out. hosts: names and addresses for subjectAltName.
    """
    subject = _name(subject) if isinstance(subject, str) else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(public_key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from or now - timedelta(days=1))
        .not_valid_after(valid_until or now + timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)  # type: ignore[arg-type]
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if basic_constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
    if usage is not None:
        builder = builder.add_extension(key_usage(*usage), critical=True)
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False
        )
    if extended_usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(extended_usage)), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    algorithm = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(issuer.key, algorithm)


def _name(common_name: str, organisation: str = "Test federation") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "UZ"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def private_pem(key: PrivateKey) -> bytes:
    """PKCS#8, PEM, not encrypted: for tests only."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_pem(*certificates: x509.Certificate) -> bytes:
    """One or several certificates, PEM, one after the other."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


# --- the description -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MemberPlan:
    """What a member of the federation looks like. services: subsystem to (code, version, title, personal data)."""

    id: str
    names: Mapping[str, str]
    subsystems: tuple[str, ...]
    services: Mapping[str, tuple[tuple[str, str, str, bool], ...]] = field(default_factory=dict)
    port: int = 8443


POPULATION = MemberPlan(
    id="UZ/GOV/200000001",
    names={
        "en": "Population Register (synthetic)",
        "ru": "Реестр населения (вымышленный)",
        "uz": "Aholi reyestri (o‘ylab topilgan)",
        "uz-Cyrl": "Аҳоли реестри (ўйлаб топилган)",
    },
    subsystems=("population",),
    services={"population": (("GetPerson", "v1", "Data of a person by PINFL", True),)},
    port=18441,
)
CADASTRE = MemberPlan(
    id="UZ/GOV/200000002",
    names={
        "en": "Cadastre (synthetic)",
        "ru": "Кадастр (вымышленный)",
        "uz": "Kadastr (o‘ylab topilgan)",
        "uz-Cyrl": "Кадастр (ўйлаб топилган)",
    },
    subsystems=("cadastre",),
    services={"cadastre": (("GetProperty", "v1", "Real property by cadastre number or owner", True),)},
    port=18442,
)
SOCIAL = MemberPlan(
    id="UZ/GOV/200000003",
    names={
        "en": "Social Protection Agency (synthetic)",
        "ru": "Агентство социальной защиты (вымышленное)",
        "uz": "Ijtimoiy himoya agentligi (o‘ylab topilgan)",
        "uz-Cyrl": "Ижтимоий ҳимоя агентлиги (ўйлаб топилган)",
    },
    subsystems=("benefits",),
    port=18443,
)
MEMBER_PLANS = (POPULATION, CADASTRE, SOCIAL)

PURPOSES: Mapping[str, Titles] = {
    "benefit": {"en": "Assigning a social benefit"},
    "registration": {"en": "State registration of rights"},
}
LEGAL_BASIS_KINDS = {
    code: LegalBasisKind(code=code, titles={"en": title})
    for code, title in (
        ("consent", "Consent of the person"),
        ("law", "A law or another act"),
        ("court-order", "A court order"),
    )
}
SECRECY_KINDS = {
    "criminal-inquiry": SecrecyKind(
        code="criminal-inquiry", titles={"en": "A criminal inquiry"}, maximum=timedelta(days=365)
    )
}
GROUPS = {"social-bloc": ("UZ/GOV/200000003/benefits",)}


# --- the federation --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class FederationMember:
    """One member with all its private keys."""

    plan: MemberPlan
    suite: str
    signing_key: SigningPrivateKey
    signing_certificate: x509.Certificate
    agreement_key: PrivateKey
    agreement_certificate: x509.Certificate
    tls_key: SigningPrivateKey
    tls_certificate: x509.Certificate
    record_key: ed25519.Ed25519PrivateKey

    @property
    def id(self) -> MemberId:
        """The member's identifier."""
        return MemberId.parse(self.plan.id)

    @property
    def subsystem(self) -> SubsystemId:
        """The member's first subsystem."""
        return SubsystemId(self.id, self.plan.subsystems[0])

    @property
    def service(self) -> ServiceId:
        """The first service of the member's first subsystem."""
        code, version, _, _ = self.plan.services[self.plan.subsystems[0]][0]
        return ServiceId(self.subsystem, code, version)

    @property
    def record_signer(self) -> NoteSigner:
        """The signer of the checkpoints of the member's record; its name is the record's origin."""
        return NoteSigner(self.plan.id, self.record_key)

    @property
    def tls_sha256(self) -> bytes:
        """SHA-256 of the TLS certificate: what a transport puts into `Peer`."""
        return self.tls_certificate.fingerprint(hashes.SHA256())

    def write(self, folder: Path) -> None:
        """The three keys (mode 0600) and certificates as PEM files: signing, agreement, tls; .key and .pem."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, key, certificate in (
            ("signing", self.signing_key, self.signing_certificate),
            ("agreement", self.agreement_key, self.agreement_certificate),
            ("tls", self.tls_key, self.tls_certificate),
            ("record", self.record_key, None),
        ):
            path = folder / f"{name}.key"
            path.touch(mode=0o600)
            path.write_bytes(private_pem(key))
            if certificate is not None:
                (folder / f"{name}.pem").write_bytes(certificate_pem(certificate))


def make_member(
    plan: MemberPlan, *, suite: str, issuing_ca: Authority, tls_ca: Authority, now: datetime = NOW
) -> FederationMember:
    """Keys and certificates for one member, all in order."""
    signing_key = new_signing_key(suite, plan.id)
    agreement_key = new_agreement_key(suite, plan.id)
    tls_key = ec.generate_private_key(ec.SECP256R1())
    return FederationMember(
        plan=plan,
        suite=suite,
        signing_key=signing_key,
        signing_certificate=issue(
            issuing_ca,
            public_key=signing_key.public_key(),
            subject=_name(f"{plan.id} signing"),
            usage=SIGNING_USAGE,
            now=now,
        ),
        agreement_key=agreement_key,
        agreement_certificate=issue(
            issuing_ca,
            public_key=agreement_key.public_key(),
            subject=_name(f"{plan.id} agreement"),
            usage=AGREEMENT_USAGE[suite],
            now=now,
        ),
        tls_key=tls_key,
        tls_certificate=issue(
            tls_ca,
            public_key=tls_key.public_key(),
            subject=_name(f"{plan.id} adapter"),
            usage=TLS_USAGE,
            hosts=("localhost", "127.0.0.1"),
            extended_usage=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
            now=now,
        ),
        record_key=ed25519.Ed25519PrivateKey.generate(),
    )


@dataclass(frozen=True, kw_only=True)
class Federation:
    """The authority, its CAs and the members."""

    now: datetime
    root_ca: Authority
    issuing_ca: Authority
    tls_ca: Authority
    repository: Repository
    members: Mapping[str, FederationMember]

    @classmethod
    def build(
        cls,
        *,
        suites: Sequence[str] = ("p256",),
        plans: Sequence[MemberPlan] = MEMBER_PLANS,
        now: datetime = NOW,
    ) -> Federation:
        """Population, cadastre and social protection. suites: one for each member, the last one for all the rest."""
        root_ca = make_ca("Test root CA", now=now, path_length=1)
        issuing_ca = make_ca("Test issuing CA", issuer=root_ca, now=now, path_length=0)
        tls_ca = make_ca("Test TLS CA", now=now, path_length=0)
        members = {
            plan.id: make_member(
                plan, suite=suites[min(at, len(suites) - 1)], issuing_ca=issuing_ca, tls_ca=tls_ca, now=now
            )
            for at, plan in enumerate(plans)
        }
        return cls(
            now=now,
            root_ca=root_ca,
            issuing_ca=issuing_ca,
            tls_ca=tls_ca,
            repository=Repository.make(now),
            members=members,
        )

    @property
    def population(self) -> FederationMember:
        """UZ/GOV/200000001."""
        return self.members[POPULATION.id]

    @property
    def cadastre(self) -> FederationMember:
        """UZ/GOV/200000002."""
        return self.members[CADASTRE.id]

    @property
    def social(self) -> FederationMember:
        """UZ/GOV/200000003: the consumer in most tests."""
        return self.members[SOCIAL.id]

    @property
    def anchor(self) -> Anchor:
        """What every adapter was handed over out of band."""
        return self.repository.anchor

    def draft(self, *, version: int = 1, valid_for: timedelta = timedelta(days=30)) -> DirectoryDraft:
        """The directory before it is rendered: change it with `dataclasses.replace` for a wrong one."""
        registrations = [registration_of(member) for member in self.members.values()]
        return DirectoryDraft(
            instance="UZ",
            version=version,
            issued=self.now,
            expires=self.now + valid_for,
            signing_authorities=authorities(self.root_ca.certificate, self.issuing_ca.certificate),
            tls_authorities=authorities(self.tls_ca.certificate),
            members={one.member.id: one.member for one in registrations},
            services={service.service: service for one in registrations for service in one.services},
            purposes=PURPOSES,
            legal_basis_kinds=LEGAL_BASIS_KINDS,
            secrecy_kinds=SECRECY_KINDS,
            groups={
                code: frozenset(SubsystemId.parse(name) for name in members)
                for code, members in GROUPS.items()
                if all(SubsystemId.parse(name).member in {one.member.id for one in registrations} for name in members)
            },
        )

    def signed(self, draft: DirectoryDraft | None = None) -> DirectoryProof:
        """directory.xml with two officers' signatures, of this draft or of the whole federation."""
        return self.repository.signed(render_directory(draft or self.draft()))

    def directory(self, draft: DirectoryDraft | None = None) -> Directory:
        """The directory, read back from its document as an adapter reads it."""
        return parse_directory(render_directory(draft or self.draft()))

    def write(self, folder: Path) -> None:
        """The repository, anchor.json, the CAs (PEM), and members/<code>/ with keys and certificates."""
        folder.mkdir(parents=True, exist_ok=True)
        self.repository.write(folder, self.signed())
        (folder / "anchor.json").write_bytes(self.repository.root)
        (folder / "signing-ca.pem").write_bytes(certificate_pem(self.root_ca.certificate, self.issuing_ca.certificate))
        (folder / "tls-ca.pem").write_bytes(certificate_pem(self.tls_ca.certificate))
        for member in self.members.values():
            member.write(folder / "members" / member.id.code)


def authorities(*certificates: x509.Certificate) -> tuple[CertificationAuthority, ...]:
    """CAs as the directory holds them, without addresses for statuses."""
    return tuple(CertificationAuthority(certificate=one) for one in certificates)


def registered(certificate: x509.Certificate, suite: str) -> RegisteredCertificate:
    """A certificate as the directory holds it."""
    return RegisteredCertificate.of(certificate, suite)


def registration_of(member: FederationMember) -> Registration:
    """What the member would hand to the authority."""
    plan = member.plan
    return Registration(
        member=Member(
            id=member.id,
            names=plan.names,
            stir=member.id.code,
            suite=member.suite,
            adapter=AdapterEntry(
                address=f"https://localhost:{plan.port}/peer",
                tls_certificates=(registered(member.tls_certificate, "tls"),),
            ),
            signing=(registered(member.signing_certificate, member.suite),),
            agreement=(registered(member.agreement_certificate, member.suite),),
            subsystems=frozenset(plan.subsystems),
            record_vkey=member.record_signer.vkey,
        ),
        services=tuple(
            DirectoryService(
                service=ServiceId(SubsystemId(member.id, subsystem), code, version),
                titles={"en": title},
                personal_data=personal_data,
                description_sha256=hashlib.sha256(f"{code}/{version}".encode()).hexdigest(),
            )
            for subsystem, services in plan.services.items()
            for code, version, title, personal_data in services
        ),
    )

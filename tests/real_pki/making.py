"""Keys, certificates and services out of pki.toml: made when a test asks, thrown away after it.

The services that are not certificates (responders, CRLs, time-stamps) are real: openssl answers, behind the HTTP server
of `serving`. They live in the present: the clock of this PKI is that of the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.pki import (
    AGREEMENT_USAGE,
    SIGNING_USAGE,
    TLS_USAGE,
    Authority,
    PrivateKey,
    issue,
    make_ca,
    new_agreement_key,
    new_signing_key,
)
from tests.real_pki.crl import CrlPublisher
from tests.real_pki.description import LeafPlan, PkiPlan, read_plan
from tests.real_pki.ocsp import OcspResponder
from tests.real_pki.tsa import TimeStampAuthority


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """An end-entity certificate with its key."""

    key: PrivateKey
    certificate: x509.Certificate
    issuer: Authority


@dataclass(frozen=True, kw_only=True)
class RealPki:
    """Everything that the description names. folder: where the services keep their files."""

    plan: PkiPlan
    now: datetime
    folder: Path
    authorities: Mapping[str, Authority]
    leaves: Mapping[str, Leaf]

    @classmethod
    def build(cls, folder: Path, *, plan: PkiPlan | None = None, now: datetime | None = None) -> RealPki:
        """Make it all. folder: exists, and is a test's own."""
        plan = plan or read_plan()
        now = now or datetime.now(UTC).replace(microsecond=0)
        authorities: dict[str, Authority] = {}
        for name, ca in plan.authorities.items():
            authorities[name] = make_ca(
                ca.name,
                issuer=None if ca.issuer is None else authorities[ca.issuer],
                now=now,
                path_length=ca.path_length,
                key=new_signing_key(ca.key, f"real-pki/{name}"),
            )
        leaves = {name: make_leaf(name, leaf, authorities[leaf.issuer], now) for name, leaf in plan.leaves.items()}
        return cls(plan=plan, now=now, folder=folder, authorities=authorities, leaves=leaves)

    def responder(self, name: str) -> OcspResponder:
        """An OCSP responder that knows every leaf of its authority as good. Enter it, and it listens."""
        authority = self.authorities[self.plan.responders[name].authority]
        known = [leaf.certificate for leaf in self.leaves.values() if leaf.issuer is authority]
        return make_responder(authority, self.folder / f"ocsp-{name}", known=known, now=self.now)

    def crl(self, authority: str) -> CrlPublisher:
        """The list of what an authority has revoked: nothing yet. Enter it, and it listens."""
        return CrlPublisher(self.authorities[authority])

    def time_stamp(self, name: str) -> TimeStampAuthority:
        """A time-stamp authority. Enter it, and it listens."""
        plan = self.plan.time_stamps[name]
        issuer = self.authorities[plan.issuer]
        return make_time_stamp_authority(issuer, self.folder / f"tsa-{name}", name=name, now=self.now, suite=plan.key)


def make_leaf(name: str, plan: LeafPlan, issuer: Authority, now: datetime) -> Leaf:
    """One certificate of a profile, valid from a day ago for ten years."""
    extended: tuple[x509.ObjectIdentifier, ...] = ()
    key: PrivateKey
    if plan.profile == "agreement":
        key, usage = new_agreement_key(plan.suite, f"real-pki/{name}"), AGREEMENT_USAGE[plan.suite]
    else:
        key = new_signing_key(plan.suite, f"real-pki/{name}")
        usage = SIGNING_USAGE
    hosts: tuple[str, ...] = ()
    if plan.profile == "tls":
        usage, hosts = TLS_USAGE, ("localhost", "127.0.0.1")
        extended = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    certificate = issue(
        issuer,
        public_key=key.public_key(),
        subject=f"Test PKI {name}",
        usage=usage,
        hosts=hosts,
        extended_usage=extended,
        now=now,
    )
    return Leaf(key=key, certificate=certificate, issuer=issuer)


def make_responder(
    authority: Authority, folder: Path, *, known: list[x509.Certificate], now: datetime
) -> OcspResponder:
    """A responder for any authority of the tests, with a delegated certificate (RFC 6960, 4.2.2.2)."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = responder_certificate(authority, key.public_key(), now=now)
    return OcspResponder(authority=authority, key=key, certificate=certificate, folder=folder, known=known)


def responder_certificate(
    authority: Authority, public_key: object, *, now: datetime, delegated: bool = True
) -> x509.Certificate:
    """delegated False: an ordinary signing certificate of the same authority, which may speak for nobody."""
    return issue(
        authority,
        public_key=public_key,
        subject="Test OCSP responder",
        usage=SIGNING_USAGE,
        now=now,
        valid_until=now + timedelta(days=30),
        extended_usage=(ExtendedKeyUsageOID.OCSP_SIGNING,) if delegated else (),
        extra=((x509.OCSPNoCheck(), False),) if delegated else (),
    )


def make_time_stamp_authority(
    issuer: Authority, folder: Path, *, name: str, now: datetime, suite: str = "p256"
) -> TimeStampAuthority:
    """A time-stamp authority below any authority of the tests (RFC 3161, 2.3: its key is for nothing else)."""
    key = new_signing_key(suite, f"time-stamp/{name}")
    certificate = issue(
        issuer,
        public_key=key.public_key(),
        subject=f"Test time-stamp authority {name}",
        usage=SIGNING_USAGE,
        now=now,
        extra=((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),),
    )
    return TimeStampAuthority(key=key, certificate=certificate, folder=folder)

"""Messages whose signature is good, and directories that differ in one thing: what the tests of trust are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Directory, RegisteredCertificate
from adapter.directory.trust import ChainCache, establish_trust
from adapter.identifiers import MessageId, OfficialId, SubsystemId
from adapter.stages import ExchangeHeader, MessageKind, Peer, ReceivedMessage, TrustedMessage, VerifiedMessage
from tests.pki import (
    NOW,
    SIGNING_USAGE,
    Authority,
    Federation,
    FederationMember,
    issue,
)

YEAR = timedelta(days=365)


def verified_from(
    federation: Federation,
    member: FederationMember | None = None,
    *,
    kind: MessageKind = MessageKind.REQUEST,
    signer: x509.Certificate | None = None,
    suite: str | None = None,
    claimed_consumer: SubsystemId | None = None,
) -> VerifiedMessage:
    """A message whose signature is good. By default: the request of social protection to the population register."""
    member = member or federation.social
    header = ExchangeHeader(
        message_id=MessageId("urn:uuid:00000000-0000-4000-8000-000000000001"),
        claimed_consumer=claimed_consumer or federation.social.subsystem,
        service=federation.population.service,
        operation="GetPerson",
        official=OfficialId("clerk-17"),
        sent=NOW,
        reply_by=NOW + timedelta(seconds=30),
    )
    return VerifiedMessage(
        received=ReceivedMessage(octets=b"", received_at=NOW, peer=peer_of(member)),
        kind=kind,
        header=header,
        personal_data=None,
        created=NOW,
        expires=NOW + timedelta(minutes=5),
        signer=signer or member.signing_certificate,
        suite=suite or member.suite,
        signature_value=b"",
        signed_digest=b"",
        confirmation=None,
        payload=etree.Element("payload"),
        content_key=b"",
    )


def peer_of(member: FederationMember) -> Peer:
    return Peer(certificate_sha256=member.tls_sha256, address="127.0.0.1")


def trust(
    verified: VerifiedMessage, directory: Directory, *, peer: Peer | None = None, now: datetime = NOW
) -> TrustedMessage:
    return establish_trust(
        verified, directory=directory, peer=peer or verified.received.peer, now=now, chains=ChainCache()
    )


def with_signing(
    federation: Federation, *certificates: RegisteredCertificate, draft: DirectoryDraft | None = None
) -> Directory:
    """The directory with these signing certificates of social protection."""
    draft = draft or federation.draft()
    member = replace(draft.members[federation.social.id], signing=certificates)
    return federation.directory(replace(draft, members={**draft.members, member.id: member}))


def new_certificate(
    federation: Federation, *, issuer: Authority | None = None, **wrong: object
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A fresh signing certificate of social protection, right but for what `wrong` says."""
    key = ec.generate_private_key(ec.SECP256R1())
    arguments = {"subject": "another", "usage": SIGNING_USAGE, "public_key": key.public_key(), **wrong}
    return issue(issuer or federation.issuing_ca, **arguments), key  # type: ignore[arg-type]

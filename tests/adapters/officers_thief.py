"""What somebody can do who stole a key: ask in the name of its member, or publish in the name of the authority."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from adapter.cli.authority_folder import AuthorityFolder
from adapter.crypto.seal import seal
from adapter.directory.metadata import TIMESTAMP_FILE, snapshot_file
from adapter.directory.repository import new_timestamp, sealed
from adapter.identifiers import MessageId, OfficialId, Purpose, SubjectId, SubsystemId
from adapter.ports import SigningKey
from adapter.stages import ExchangeHeader, LegalBasis, PersonalData
from adapter.store.keyfiles import KeyPurpose
from adapter.store.officer_keys import load_repository_signer
from examples.demo.peer_messages import TlsIdentity, post_to_peer
from examples.federation.home import Home
from tests.adapters.officers_scene import LIFETIME_S
from tests.adapters.small_federation import NAMESPACE, fresh_pinfl


@dataclass(frozen=True, kw_only=True)
class Thief:
    """Who has the consumer's signing key, its TLS key, and everything that is public."""

    key: SigningKey
    consumer: Home
    provider: Home

    def asks(self) -> str:
        """One request in the consumer's name; what the provider's record says came of it."""
        record = self.provider.record
        before = record.size()
        keys = self.consumer.folder / "keys"
        post_to_peer(
            self.provider.peer_address,
            self._request(datetime.now(UTC)),
            TlsIdentity(certificate=keys / "tls.pem", key=keys / "tls.key"),
        )
        return record.since(before)[-1].outcome or "nothing"

    def _request(self, now: datetime) -> bytes:
        plan, pinfl = self.provider.plan, fresh_pinfl()
        keys = self.provider.folder / "keys"
        (agreement,) = (one for one in keys.glob("agreement*.pem") if one.with_suffix(".key").exists())
        return seal(
            header=ExchangeHeader(
                message_id=MessageId.new(datetime.now(UTC)),
                claimed_consumer=SubsystemId(self.consumer.plan.member, "pensions"),
                service=plan.service("register", "GetPerson"),
                operation="GetPerson",
                official=OfficialId("clerk-1"),
                sent=now,
                reply_by=now + timedelta(seconds=LIFETIME_S - 1),
            ),
            personal_data=PersonalData(
                purpose=Purpose("social-benefit"),
                subjects=(SubjectId("pinfl", pinfl),),
                legal_basis=LegalBasis(kind="law", reference="Law No. 395 of 2015, article 12"),
            ),
            payload=f'<p:GetPerson xmlns:p="{NAMESPACE}"><p:Pinfl>{pinfl}</p:Pinfl></p:GetPerson>'.encode(),
            confirmation=None,
            signing_key=self.key,
            recipient=x509.load_pem_x509_certificate(agreement.read_bytes()),
            recipient_suite=plan.suite,
            now=now,
            lifetime_s=LIFETIME_S,
        ).octets


def forge_time_stamp(published: Path, stolen_keys: Path, folder: Path) -> None:
    """A mirror of all that is public, with a time-stamp that stolen online keys signed a moment ago."""
    shutil.copytree(published, folder)
    authority = AuthorityFolder(path=folder.parent)
    real, snapshot = authority.timestamp(), authority.snapshot()
    assert real is not None
    assert snapshot is not None
    octets = (folder / snapshot_file(snapshot.version)).read_bytes()
    forged = new_timestamp(octets, real, snapshot_version=snapshot.version, now=datetime.now(UTC))
    signer = load_repository_signer(stolen_keys / "timestamp.key", KeyPurpose.TIMESTAMP)
    (folder / TIMESTAMP_FILE).write_bytes(sealed(forged, signer))

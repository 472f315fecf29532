"""Who is asked about a signature: a time-stamp authority, a responder, a list. Real ones, of a federation in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapter.app.evidence_signing import SigningDesk
from adapter.app.status_keeper import StatusKeeper
from adapter.crypto.keys import FileSigningKey
from adapter.directory.content import CertificationAuthority
from adapter.directory.content import TimeStampAuthority as Listed
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Directory
from adapter.directory.status import StatusBook
from adapter.directory.trust import ChainCache
from adapter.store.status_copies import StatusCopies
from adapter.transport.destinations import PeerDestinations
from adapter.transport.status_client import StatusClient
from adapter.transport.time_stamp_client import TimeStampClient
from tests.pki import Federation, FederationMember
from tests.real_pki.crl import CrlPublisher
from tests.real_pki.making import make_responder, make_time_stamp_authority
from tests.real_pki.ocsp import OcspResponder
from tests.real_pki.tsa import TimeStampAuthority

_WINDOW = timedelta(hours=1)
_TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class OutsideWorld:
    """responder: of the issuing CA. crl: of the root, which certified the issuing CA and the time-stamp authority."""

    stamps: TimeStampAuthority
    responder: OcspResponder
    crl: CrlPublisher
    copies: StatusCopies

    def draft(self, federation: Federation) -> DirectoryDraft:
        """A directory that names all of them, in force now."""
        root, issuing = federation.root_ca.certificate, federation.issuing_ca.certificate
        return replace(
            federation.draft(valid_for=timedelta(days=3650)),
            signing_authorities=(
                CertificationAuthority(certificate=root, crl_addresses=(self.crl.address,), status_window=_WINDOW),
                CertificationAuthority(
                    certificate=issuing, ocsp_addresses=(self.responder.address,), status_window=_WINDOW
                ),
            ),
            time_stamp_authorities={"clock": Listed(name="clock", address=self.stamps.address, certificates=(root,))},
        )

    def desk(self, member: FederationMember, directory: Directory) -> SigningDesk:
        """What signs in a member's name and asks by this directory."""
        destinations = PeerDestinations(loopback="always")
        return SigningDesk(
            key=FileSigningKey(member.signing_key, member.signing_certificate, member.suite),
            directory=directory,
            stamps=TimeStampClient(timeout_s=_TIMEOUT_S, destinations=destinations),
            statuses=StatusKeeper(
                own=member.id,
                book=StatusBook(),
                client=StatusClient(timeout_s=_TIMEOUT_S, max_list_bytes=1_000_000, destinations=destinations),
                copies=self.copies,
                directory=lambda: directory,
                chains=ChainCache(),
                clock=now,
            ),
            copies=self.copies,
            clock=now,
            skew=timedelta(minutes=1),
        )


def now() -> datetime:
    """The clock of these services is that of the machine."""
    return datetime.now(UTC)


@contextmanager
def outside_world(federation: Federation, folder: Path) -> Iterator[OutsideWorld]:
    """Listening on ports of this machine until left. folder: exists, and is theirs."""
    made = now().replace(microsecond=0)
    stamps = make_time_stamp_authority(federation.root_ca, folder / "tsa", name="clock", now=made)
    known = [member.signing_certificate for member in federation.members.values()]
    responder = make_responder(federation.issuing_ca, folder / "ocsp", known=known, now=made)
    with stamps, responder, CrlPublisher(federation.root_ca) as crl:
        yield OutsideWorld(stamps=stamps, responder=responder, crl=crl, copies=StatusCopies(folder / "statuses"))

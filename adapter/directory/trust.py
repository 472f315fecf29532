"""Is the signer who the message says it is, now, by the directory? The numbered checklist of trust.

A good signature proves that the holder of some key signed. Everything else about the sender is settled here, and only
by what the authority signed: never by what the message or its certificate says of itself.
"""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from adapter.crypto import suites
from adapter.crypto.certificates import Purpose, check_chain, sha256
from adapter.crypto.keys import AGREEMENT_PURPOSES
from adapter.directory.model import Directory, Member, RegisteredCertificate
from adapter.directory.proof import check_current
from adapter.directory.status import StatusBook, StatusQuestion, status_question
from adapter.errors import PeerMismatch, SecurityFailed
from adapter.identifiers import MemberId
from adapter.stages import MessageKind, Peer, TrustedMessage, VerifiedMessage

DEFAULT_CACHED_CHAINS: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainWindow:
    """When a whole chain is valid: from the latest beginning to the earliest end of its certificates.

    question: what the directory wants to be known of the status of its first certificate; None: nothing.
    """

    not_before: datetime
    not_after: datetime
    question: StatusQuestion | None


class ChainCache:
    """Chains that were checked, so that a member's hundredth message costs a look-up.

    Only the building and the signatures of a chain are remembered, together with the time in which it is valid; the
    time itself is checked for every message. Keyed by certificate and directory version: a new directory starts anew.
    Bounded; the oldest goes first. May be shared between threads.
    """

    def __init__(self, max_chains: int = DEFAULT_CACHED_CHAINS) -> None:
        self._max_chains = max_chains
        self._windows: dict[tuple[bytes, int], ChainWindow] = {}
        self._lock = threading.Lock()

    def find(self, certificate_sha256: bytes, directory_version: int) -> ChainWindow | None:
        """The window of a chain that was checked before, or None."""
        return self._windows.get((certificate_sha256, directory_version))

    def keep(self, certificate_sha256: bytes, directory_version: int, window: ChainWindow) -> None:
        """Remember a chain that is good."""
        with self._lock:
            while len(self._windows) >= self._max_chains:
                del self._windows[next(iter(self._windows))]
            self._windows[(certificate_sha256, directory_version)] = window

    def __len__(self) -> int:
        return len(self._windows)


def establish_trust(
    verified: VerifiedMessage,
    *,
    directory: Directory,
    peer: Peer,
    now: datetime,
    chains: ChainCache,
    statuses: StatusBook | None = None,
) -> TrustedMessage:
    """Who signed this message that has just come over a connection. The only maker of `TrustedMessage`.

    verified: signature and coverage are good; its header is still a claim about the sender. peer: the other end of the
    mutual TLS connection as the transport knows it. statuses: what is known of revocations; None: nothing.
    Raises DirectoryExpired, UnknownMember, SecurityFailed (one public text for all of steps 3 to 7), PeerMismatch, and
    StatusUnavailable when the directory wants a status and no fresh one is known.
    """
    book = StatusBook() if statuses is None else statuses
    # 1 to 6. The signer is the member that the header names.
    sender, chain = _identify(verified, directory, now, chains)
    # 7. Its authority has not taken the certificate back, as far as the directory wants that to be known.
    status = _check_status(verified, chain.question, now, book)
    # 8. The connection was made by that member's own adapter: who relays another member's message is refused, however
    #    well it is signed.
    _check_peer(sender, directory, peer, book)
    return TrustedMessage(verified=verified, sender=sender, directory_version=directory.version, fetched_status=status)


def identify_signer(verified: VerifiedMessage, *, directory: Directory, at: datetime, chains: ChainCache) -> MemberId:
    """The member that signed, judged at a time: what can be known of a message without its connection.

    For stored evidence, where there is no peer any more. No TrustedMessage comes of it, so that nothing that was judged
    without a connection can be exchanged. Raises DirectoryExpired, UnknownMember, SecurityFailed.
    """
    return _identify(verified, directory, at, chains)[0]


def _identify(
    verified: VerifiedMessage, directory: Directory, at: datetime, chains: ChainCache
) -> tuple[MemberId, ChainWindow]:
    # 1. The directory itself is current.
    check_current(directory, at)
    # 2. The sender that the header names is a member.
    claimed = claimed_sender(verified)
    member = directory.member(claimed)
    # 3. The authority registered exactly this certificate, as a signing certificate of exactly this member.
    registered = _registered(verified.signer, member)
    # 4. The suite of the message is the suite of the certificate and of the member.
    _check_suite(verified.suite, registered, member)
    # 5. The suite has not come to its end, by our own table or by the directory: whichever is sooner.
    _check_suite_end(verified.suite, directory, at)
    # 6. The certificate is for signing messages, and a chain of current certificates leads from it to a CA of the
    #    directory. (Last: it is the dearest, and steps 2 and 3 keep strangers from making us work.)
    return claimed, _check_chain(registered.certificate, directory, at, chains, Purpose.SIGNING)


def question_about(
    certificate: x509.Certificate,
    directory: Directory,
    at: datetime,
    chains: ChainCache,
    purpose: Purpose = Purpose.SIGNING,
) -> StatusQuestion | None:
    """What the directory wants to be asked about a registered certificate; None when nothing. Raises SecurityFailed."""
    return _check_chain(certificate, directory, at, chains, purpose).question


def choose_recipient(
    member: Member, *, directory: Directory, now: datetime, chains: ChainCache, statuses: StatusBook | None = None
) -> RegisteredCertificate:
    """The certificate to encrypt to for this member: the first of its suite whose chain is valid now.

    One that is known to be revoked is passed over; that nothing is known of its status does not stop what is signed.

    Raises DirectoryExpired; SecurityFailed when there is none, or the member's suite has ended.
    """
    check_current(directory, now)
    _check_suite_end(member.suite, directory, now)
    purpose = AGREEMENT_PURPOSES[suites.suite(member.suite).agreement_usage]
    if statuses is not None:
        statuses.partners.add(member.id)
    for registered in member.agreement:
        if registered.suite == member.suite:
            if statuses is not None and statuses.is_revoked(registered.sha256):
                continue
            try:
                _check_chain(registered.certificate, directory, now, chains, purpose)
            except SecurityFailed:
                continue  # while one is being renewed, the other may be past its end or not begun
            return registered
    raise SecurityFailed(f"{member.id} has no agreement certificate of suite {member.suite} that is valid now")


def claimed_sender(verified: VerifiedMessage) -> MemberId:
    """Who the header says has signed: the consumer of a request, the provider of a reply."""
    header = verified.header
    return header.claimed_consumer.member if verified.kind is MessageKind.REQUEST else header.service.subsystem.member


def _registered(signer: x509.Certificate, member: Member) -> RegisteredCertificate:
    signer_sha256 = sha256(signer)
    for registered in member.signing:
        if hmac.compare_digest(registered.sha256, signer_sha256):
            return registered
    raise SecurityFailed(f"the signing certificate {signer_sha256.hex()} is not registered for {member.id}")


def _check_suite(suite: str, registered: RegisteredCertificate, member: Member) -> None:
    if suite != registered.suite:
        raise SecurityFailed(f"signed in suite {suite} with a certificate of suite {registered.suite}")
    if suite != member.suite:
        raise SecurityFailed(f"signed in suite {suite}; {member.id} uses {member.suite}")


def _check_suite_end(suite: str, directory: Directory, at: datetime) -> None:
    suites.suite(suite).check_in_force(at)
    end = directory.suite_ends.get(suite)
    if end is not None and at >= end:
        raise SecurityFailed(f"suite {suite} ended at {end:%Y-%m-%d %H:%M:%SZ}")


def _check_chain(
    certificate: x509.Certificate, directory: Directory, at: datetime, chains: ChainCache, purpose: Purpose
) -> ChainWindow:
    """The purpose need not be part of the cache's key: a certificate is registered for one use (document)."""
    key = sha256(certificate)
    window = chains.find(key, directory.version)
    if window is None:
        cas = directory.tls_cas if purpose is Purpose.TLS else directory.signing_cas
        window = _window(check_chain(certificate, cas, now=at, purpose=purpose), directory)
        chains.keep(key, directory.version, window)
    if not window.not_before <= at <= window.not_after:
        raise SecurityFailed(f"the chain of {key.hex()} is not valid at {at:%Y-%m-%d %H:%M:%SZ}")
    return window


def _check_status(
    verified: VerifiedMessage, question: StatusQuestion | None, now: datetime, book: StatusBook
) -> bytes | None:
    """The OCSP response that was relied on and that the message does not bring itself."""
    if question is None:
        return None
    stapled = verified.header.certificate_status
    status = book.check(question, now, stapled)
    return None if status.is_list or status.octets == stapled else status.octets


def _window(chain: tuple[x509.Certificate, ...], directory: Directory) -> ChainWindow:
    return ChainWindow(
        not_before=max(certificate.not_valid_before_utc for certificate in chain),
        not_after=min(certificate.not_valid_after_utc for certificate in chain),
        question=status_question(chain[0], chain[1], directory),
    )


def _check_peer(sender: MemberId, directory: Directory, peer: Peer, book: StatusBook) -> None:
    if peer.certificate_sha256 is None:
        raise PeerMismatch("the connection has no TLS certificate")
    owner = directory.by_tls_certificate.get(peer.certificate_sha256)
    if owner is None:
        raise PeerMismatch(f"the TLS certificate {peer.certificate_sha256.hex()} is not registered")
    if owner != sender:
        raise PeerMismatch(f"the connection was made by the adapter of {owner}, the message by {sender}")
    if book.is_revoked(peer.certificate_sha256):
        raise PeerMismatch(f"the TLS certificate {peer.certificate_sha256.hex()} was revoked")
    book.partners.add(sender)

"""What `adapter doctor --peer` looks at: who answers at the address that the directory names for a member."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from cryptography import x509

from adapter.app.keyring import own_lives, own_tls_key
from adapter.cli.doctor_checks import Finding, fail, ok
from adapter.cli.doctor_stamps import destinations_of
from adapter.cli.trust_faults import TrustFault
from adapter.crypto.certificates import sha256
from adapter.directory.model import Directory
from adapter.errors import PeerUnreachable
from adapter.identifiers import MemberId
from adapter.settings import Settings
from adapter.transport.presented import presented_certificate

_SHORT: Final = 12
_REACH: Final = "Ask that member; look at the network and the firewall between."
_OTHERS: Final = (
    "Somebody else answers in its place, or it has not registered its new certificate: ask that member on a known "
    "number before anything is sent. Exchanges with it are refused meanwhile."
)


def look_at_peers(settings: Settings, directory: Directory, peers: Sequence[MemberId]) -> Iterator[Finding]:
    """A TLS handshake with each, and nothing more. Raises KeyUnusable, UnknownMember, StoreUnusable."""
    own = own_tls_key(settings, own_lives(settings))
    destinations = destinations_of(settings, directory)
    for peer in peers:
        entry = directory.member(peer).adapter
        what = f"peer {peer}"
        try:
            shown = asyncio.run(
                presented_certificate(entry.address, own, destinations, timeout_s=settings.timing.peer_timeout_s)
            )
        except PeerUnreachable as failure:
            yield fail(what, failure.reason, _REACH, TrustFault.PEER_UNREACHABLE)
            continue
        known = {one.sha256 for one in entry.tls_certificates}
        if sha256(shown) in known:
            yield ok(what, f"{entry.address} shows the certificate that is registered")
            continue
        theirs = ", ".join(sorted(_short(one) for one in known))
        found = f"{entry.address} shows {_subject(shown)} ({_short(sha256(shown))}), the directory names {theirs}"
        yield fail(what, found, _OTHERS, TrustFault.PEER_OF_OTHERS)


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _short(digest: bytes) -> str:
    return f"{digest.hex()[:_SHORT]}…"

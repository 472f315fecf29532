"""What the consumer's side of one adapter works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from adapter.crypto.seal import seal
from adapter.directory.model import Directory, DirectoryService
from adapter.directory.trust import choose_recipient
from adapter.envelope.description import ServiceDescription
from adapter.errors import ClientNotIdentified
from adapter.exchange.attachments import ScanRule
from adapter.exchange.opening import Opener, no_checkpoint, nothing_stapled
from adapter.exchange.parts import NO_ATTACHMENTS, AttachmentBounds
from adapter.exchange.recording import Recorder
from adapter.identifiers import MemberId
from adapter.policy.clients import Client
from adapter.policy.freshness import TimeBounds
from adapter.policy.stamped import never
from adapter.ports import Clock, PeerTransport, SigningKey
from adapter.stages import AuthorizedCall, SealedMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """What the consumer's side of one adapter works with. directory() raises when there is no valid one.

    description: fetches the published contract of a service by the digest that the directory names.
    attachments: of one message, in either direction. min_rate_bytes_s: how slow a transfer of them is waited for, and
    max_transfer_s: how long at most. stamp_deadline: until when our record may wait for its time-stamp. staple: the
    status of our own certificate to send along; checkpoint: the newest of our own record.
    """

    own: MemberId
    clock: Clock
    bounds: TimeBounds
    reply_within_s: float
    opener: Opener
    signing_key: Callable[[], SigningKey]
    directory: Callable[[], Directory]
    description: Callable[[DirectoryService], Awaitable[ServiceDescription]]
    clients: tuple[Client, ...]
    peers: PeerTransport
    recorder: Recorder
    attachments: AttachmentBounds = NO_ATTACHMENTS
    min_rate_bytes_s: int = 64 * 1024
    max_transfer_s: float = 3600
    scan: ScanRule | None = None
    stamp_deadline: Callable[[], datetime | None] = never
    staple: Callable[[x509.Certificate], bytes | None] = nothing_stapled
    checkpoint: Callable[[], bytes | None] = no_checkpoint

    def client(self, name: str) -> Client:
        """A client of the settings by its name. Raises ClientNotIdentified."""
        for client in self.clients:
            if client.name == name:
                return client
        raise ClientNotIdentified(f"no client {name} in the settings")


def seal_call(call: AuthorizedCall, site: Consumer, directory: Directory) -> SealedMessage:
    """Sign and encrypt a call for the member that provides the service. Raises UnknownMember, SecurityFailed."""
    provider = directory.member(call.header.service.subsystem.member)
    opener = site.opener
    recipient = choose_recipient(
        provider, directory=directory, now=call.header.sent, chains=opener.chains, statuses=opener.statuses
    )
    signing_key = site.signing_key()
    return seal(
        header=call.header.carrying(status=site.staple(signing_key.certificate), checkpoint=site.checkpoint()),
        personal_data=call.personal_data,
        payload=call.valid.parsed.payload,
        confirmation=None,
        signing_key=signing_key,
        recipient=recipient.certificate,
        recipient_suite=recipient.suite,
        now=call.header.sent,
        lifetime_s=site.bounds.max_lifetime_s,
        names_in_values=call.valid.names_in_values,
        attachments=call.valid.parsed.identified.received.attachments,
    )

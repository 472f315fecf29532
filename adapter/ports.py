"""What the core needs from the edge. The edge implements these; the core never imports it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from adapter.identifiers import MemberId, MessageId, RecordNumber, SubsystemId
from adapter.stages import BackendAnswer, ReceivedMessage, RecordedCall, RecordedRequest

# --- keys ------------------------------------------------------------------------------------------------------------


class SigningKey(Protocol):
    """A private key that signs, with its certificate. A file, or a token that never gives the key away."""

    @property
    def suite(self) -> str:
        """Name of the row in crypto.suites that the key belongs to."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that goes into the BinarySecurityToken."""

    def sign(self, octets: bytes) -> bytes:
        """The XML Signature value of the octets (for ECDSA r||s, 64 octets)."""


class DecryptionKey(Protocol):
    """A private key that opens what was encrypted for us, with its certificate. Never the signing key."""

    @property
    def suite(self) -> str:
        """Name of the row in crypto.suites that the key belongs to."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that others encrypt to."""

    def agree(self, ephemeral: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> bytes:
        """The shared secret, 32 octets. Raises SecurityFailed for a low-order point or another kind of key."""

    def decrypt_oaep(self, wrapped: bytes) -> bytes:
        """RSA-OAEP, SHA-256, MGF1-SHA-256, no label. Raises SecurityFailed."""


# --- the record ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of the record: a JSON object (audit.entry makes it) and the few values that it is searched by."""

    body: dict[str, Any]
    kind: str
    at: datetime
    message_id: str | None = None
    consumer: str | None = None
    service: str | None = None
    outcome: str | None = None
    incident: str | None = None


REQUEST: Final = "request"
REPLY: Final = "reply"
"""The direction of the message that answers a retry."""
STATUS_OF: Final = {REQUEST: "request-status", REPLY: "reply-status"}
"""The direction under which the OCSP response is kept that was fetched for a message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptMessage:
    """A message as it went over the wire and its content key: kept sealed, for evidence. direction: see above."""

    direction: str
    octets: bytes
    content_key: bytes


@dataclass(frozen=True, slots=True)
class Keeping:
    """What decides how long kept messages are kept: the service and purpose of an exchange that was allowed.

    Both empty for a refused message: what it says of itself decides nothing.
    """

    service: str = ""
    purpose: str = ""


REFUSED: Final = Keeping()


class ExchangeState(Enum):
    """The life of one (consumer, MessageId) at the provider; the transitions are a table in audit.exchange_states."""

    RELEASED = "released"
    ANSWERED = "answered"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The reservation of a message id: at most once (promise 3). content_digest tells a retry from a reuse."""

    consumer: SubsystemId
    message_id: MessageId
    content_digest: bytes
    expires: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownExchange:
    """What the store holds about a (consumer, MessageId). reply: the octets that were sent, when answered."""

    state: ExchangeState
    content_digest: bytes
    reply: bytes | None
    reply_number: RecordNumber | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A checkpoint of its own record that a member showed in a message, to be kept (audit.peer_checkpoints)."""

    member: MemberId
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordWrite:
    """One atomic, durable addition to the record.

    claim: reserve this id in the same transaction (state RELEASED); the write is refused if it is known already.
    answers: close this claim (state ANSWERED, with kept[-1].octets as the reply for a retry). A write may have
    both (a refusal that is stored as the answer). shown: what its sender showed in the message that the entry is about.
    keeping: of what is kept.
    """

    entry: Entry
    kept: tuple[KeptMessage, ...] = ()
    claim: Claim | None = None
    answers: Claim | None = None
    shown: Shown | None = None
    keeping: Keeping = REFUSED


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """The write is durable. number: position of the entry."""

    number: RecordNumber


class Record(Protocol):
    """The tamper-evident record. When `write` returns, the entry is durable; when it raises, it is not there."""

    async def find(self, consumer: SubsystemId, message_id: MessageId) -> KnownExchange | None:
        """What is known of a message id. Raises RecordUnavailable."""

    async def write(self, write: RecordWrite) -> Written | KnownExchange:
        """Append durably. A KnownExchange comes back, and nothing was written, when the claimed id is taken.

        Raises RecordUnavailable: nothing was written, or it is not known; nothing may be released.
        """


# --- the two outward sides -------------------------------------------------------------------------------------------


class Backend(Protocol):
    """An information system behind this adapter. Takes a RecordedRequest and nothing else (promise 1)."""

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Ask the system.

        Raises ProviderSystemDown, ProviderSystemTimeout, ProviderSystemInvalid, ProviderSystemFault, NoSuchSubject;
        nothing else.
        """

    async def close(self) -> None:
        """Give back connections and threads."""


class PeerTransport(Protocol):
    """The way to other adapters."""

    async def send(self, call: RecordedCall) -> ReceivedMessage:
        """Post the sealed call to the provider's adapter and return the whole answer, untrusted.

        Raises PeerUnreachable, PeerTimeout, PeerRefused, PeerAnswerInvalid, LimitExceeded.
        """


class Scanner(Protocol):
    """Looks for malware in what is about to be handed on."""

    async def scan(self, octets: AsyncIterator[bytes]) -> str | None:
        """The name of what was found, None when nothing was. Raises ScanUnavailable, and what the octets raise."""


class Clock(Protocol):
    """The time, as an argument. Always aware, always UTC."""

    def __call__(self) -> datetime:
        """Now."""

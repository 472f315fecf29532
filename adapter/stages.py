"""What a message is at each stage of its path. Each type is made in one place only (see tests/architecture).

The provider's path reads: ReceivedMessage, ParsedMessage, GatedMessage, DecryptedMessage, VerifiedMessage,
TrustedMessage, FreshRequest, ValidRequest, AuthorizedRequest, RecordedRequest, BackendAnswer, ValidAnswer,
ReleasedAnswer, SealedMessage, RecordedReply. The consumer's path is its mirror. A step takes the type of the step
before it and nothing else, so that the type checker refuses a path that skips a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from cryptography import x509
from lxml import etree

from adapter.attachments import Attachment, HeldAttachments, Holding, ReceivedPart
from adapter.identifiers import (
    MemberId,
    MessageId,
    OfficialId,
    Purpose,
    RecordNumber,
    ServiceId,
    SubjectId,
    SubsystemId,
)
from adapter.released_fields import ReleasedFields

# --- values that an envelope carries ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ExchangeHeader:
    """The `Exchange` header block (xsd/envelope.xsd): clear, signed, used for routing.

    in_reply_to is None in a request. record_number is the sender's own record entry, in a reply only.
    certificate_status: an OCSP response about the signer's certificate, DER, as far trusted as its own signature.
    checkpoint: the newest one of the sender's record, a signed note; its own signature is not verified yet.
    """

    message_id: MessageId
    claimed_consumer: SubsystemId
    service: ServiceId
    operation: str
    official: OfficialId
    sent: datetime
    reply_by: datetime
    regulation: str | None = None
    in_reply_to: MessageId | None = None
    record_number: RecordNumber | None = None
    certificate_status: bytes | None = field(default=None, repr=False)
    checkpoint: bytes | None = field(default=None, repr=False)

    def carrying(self, *, status: bytes | None, checkpoint: bytes | None) -> ExchangeHeader:
        """The same header with a status of the signer's certificate and the newest checkpoint of its record."""
        return replace(self, certificate_status=status, checkpoint=checkpoint)


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalBasis:
    """Why the transfer is lawful: a kind that the directory lists, and what it refers to (an act, a decision).

    names: what it names apart (`document`, `article`, `number`, `date`, `court`, `until`), sorted; the directory says
    for each kind what has to be there.
    """

    kind: str
    reference: str
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RepresentedParty:
    """Whom the consumer speaks for: who is no member, and gets the answer (X-Road PR-THIRDPARTY, 2.2). May be a person.

    party_class is None when the code says all.
    """

    party_class: str | None
    code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalData:
    """The `PersonalData` header block: encrypted, signed. Never in a log.

    issue: the application, case or document that the request is made for (X-Road PR-MESS, 2.2). emergency: why it
    cannot wait, in the official's words, which may be about a person; None: it is no emergency.
    """

    purpose: Purpose
    subjects: tuple[SubjectId, ...] = ()
    legal_basis: LegalBasis | None = None
    consent: str | None = None
    issue: str | None = None
    represented_party: RepresentedParty | None = None
    emergency: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedConsent:
    """The consent that a request relies on, as its entry names it. status_at: when its issuer was asked."""

    reference: str
    statement_sha256: bytes
    status_at: datetime


# --- opening a peer's message, the same for requests and replies -----------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Who is at the other end of the connection, as the transport knows it.

    certificate_sha256: of the TLS certificate that the peer proved to own; None on a plain connection.
    """

    certificate_sha256: bytes | None
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedMessage:
    """Octets from the network, whole, untrusted. Made by the transport.

    parts: what came beside the envelope. holding: where the attachments of the exchange wait; None when there is no
    place for any (a stored message).
    """

    octets: bytes
    received_at: datetime
    peer: Peer
    parts: tuple[ReceivedPart, ...] = ()
    holding: Holding | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedMessage:
    """A well-formed document within the limits. Untrusted. Made by envelope.gate.parse_message."""

    received: ReceivedMessage
    root: etree._Element


class MessageKind(Enum):
    """Which profile the gate applied."""

    REQUEST = "request"
    REPLY = "reply"


@dataclass(frozen=True, kw_only=True, slots=True)
class EncryptedKeyInfo:
    """The parsed EncryptedKey (XML Encryption 1.1, 3.5.1, 5.6). Algorithms are on the list; values are untrusted."""

    suite: str
    recipient_ski: bytes
    wrapped_key: bytes
    ephemeral_public: bytes
    hkdf_salt: bytes
    hkdf_info: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedPart:
    """A part that the signature has to cover: an element to canonicalise, or its canonical octets when they are known.

    Exactly one of the two is there. octets: the part as it was received, in exclusive canonical form by its spelling.
    """

    id: str
    element: etree._Element | None = None
    octets: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What stands around the encrypted parts and is needed to read them: namespaces in scope, and the tags of Body."""

    personal_data: Mapping[str | None, str]
    signature: Mapping[str | None, str]
    body_start: bytes
    body_end: bytes
    attachments: Mapping[str | None, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class GatedMessage:
    """Exactly the structure of the profile; algorithms on the list; ids unique. Nothing is decrypted or verified yet.

    Made by envelope.gate.gate, or by crypto.recognition for the one spelling that our own stack writes (is_canonical).
    Every value is readable, and claimed only; each was read from the part that verification will digest.
    certificate: claimed to be DER. encrypted_confirmation: of a SignatureConfirmation, in a reply.
    """

    received: ReceivedMessage
    kind: MessageKind
    is_canonical: bool
    claimed_header: ExchangeHeader
    created: datetime
    expires: datetime
    certificate: bytes
    exchange: SignedPart
    timestamp: SignedPart
    token: SignedPart
    surroundings: Surroundings
    encrypted_key: EncryptedKeyInfo
    encrypted_personal_data: bytes | None
    encrypted_confirmation: bytes | None
    encrypted_signature: bytes
    encrypted_body: bytes
    ids: frozenset[str]
    encrypted_attachments: bytes | None = None
    attachments: tuple[str, ...] = ()
    """Content ids that an EncryptedData names, in their order; the parts may not be at hand (a stored message)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureParts:
    """The decrypted ds:Signature after the second gate: values to compare, octets to verify."""

    signed_info: bytes
    algorithm: str
    value: bytes
    digests: tuple[tuple[str, bytes, tuple[str, ...]], ...]
    """For each Reference: the id, the digest, the InclusiveNamespaces prefixes."""
    attachment_digests: tuple[tuple[str, bytes], ...] = ()
    """For each Reference to an attachment: the content id, the digest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmationPart:
    """The decrypted SignatureConfirmation of a reply: the signature value that it claims, and what is digested."""

    value: bytes
    part: SignedPart


@dataclass(frozen=True, kw_only=True, slots=True)
class DecryptedMessage:
    """Opened, second gate passed, not yet verified. Made by crypto.open.decrypt.

    body is the Body element in the document that verification will digest, parsed from body_octets; its payload is its
    only child. content_key: 16 octets, secret.
    """

    gated: GatedMessage
    personal_data: etree._Element | None
    confirmation: ConfirmationPart | None
    body: etree._Element
    body_octets: bytes
    signature: SignatureParts
    content_key: bytes
    attachments: etree._Element | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedMessage:
    """The signature is good and covers every part. Holds values read from the verified nodes only.

    attachments: what the signer says of them; that the octets at hand are those is a stage of its own.

    Made by crypto.open.verify. Whether the signer is who the header claims is not known yet.
    payload is the very element whose Body the verified reference resolved to (promise 2).
    """

    received: ReceivedMessage
    kind: MessageKind
    header: ExchangeHeader
    personal_data: PersonalData | None
    created: datetime
    expires: datetime
    signer: x509.Certificate
    suite: str
    signature_value: bytes
    signed_digest: bytes
    confirmation: bytes | None
    payload: etree._Element
    content_key: bytes
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenAttachments:
    """The octets at hand are exactly what the verified signature covers, and clean. Made by exchange.attachments.prove.

    message: whose they are.
    """

    message: VerifiedMessage
    attachments: HeldAttachments


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedMessage:
    """The signer is a current member of the directory and is the sender that the header names.

    Made by directory.trust.establish_trust. sender: consumer of a request, provider of a reply. fetched_status: the
    OCSP response by which its certificate was relied on, when it did not come with the message.
    """

    verified: VerifiedMessage
    sender: MemberId
    directory_version: int
    fetched_status: bytes | None = field(default=None, repr=False)


# --- the provider's side ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshRequest:
    """Within its time, addressed to us, by a registered subsystem. Made by policy.freshness.check_fresh.

    consumer is no longer claimed. The id is reserved only when the request is recorded.
    """

    message: TrustedMessage
    consumer: SubsystemId


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidRequest:
    """The Body is valid against the service's XSD and fits the named operation. Made by exchange.validation.

    input_element: of the Body, `{namespace}local`; with the operation's name it tells overloaded operations apart.
    type_checked: there was a schema to check it by; a SOAP-encoded Body is passed through by its name.
    """

    fresh: FreshRequest
    operation: str
    input_element: str
    type_checked: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizedRequest:
    """A rule allows it. Made by policy.decision.authorize."""

    valid: ValidRequest
    rule_id: str
    policy_version: int
    fields: ReleasedFields | None
    """Of the answer, what the rule lets out and the consent covers; None: all of it, which nobody may mean by saying
    nothing."""
    consent: UsedConsent | None = None
    """Verified; None when the legal basis is another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """Durably recorded, its id reserved. The only thing that a backend accepts. Made by exchange.recording."""

    authorized: AuthorizedRequest
    proven: ProvenAttachments
    record_number: RecordNumber

    @property
    def payload(self) -> etree._Element:
        """The verified Body element."""
        return self.authorized.valid.fresh.message.verified.payload

    @property
    def header(self) -> ExchangeHeader:
        """The verified Exchange header."""
        return self.authorized.valid.fresh.message.verified.header

    @property
    def personal_data(self) -> PersonalData | None:
        """The verified PersonalData header."""
        return self.authorized.valid.fresh.message.verified.personal_data

    @property
    def attachments(self) -> HeldAttachments:
        """The proven attachments."""
        return self.proven.attachments


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendAnswer:
    """What the information system said. Untrusted until it is valid. Made by backends only.

    size: octets in which it came, about.
    """

    payload: etree._Element
    size: int = 0
    attachments: HeldAttachments | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidAnswer:
    """An answer that fits the service's XSD (or a declared fault of the service). Made by exchange.validation.

    names_in_values: its values may hold prefixed names, so no declaration may be lost.
    """

    payload: etree._Element
    names_in_values: bool = False
    attachments: HeldAttachments | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedAnswer:
    """Of a valid answer what the rule lets out, valid again. Made by exchange.minimising.

    released: paths of the fields that are in it, as the rule names them; None when the rule lets out all of it.
    replaced: path to what stands for the field instead. names_in_values: as in ValidAnswer.
    """

    payload: etree._Element
    names_in_values: bool = False
    attachments: HeldAttachments | None = None
    released: tuple[str, ...] | None = None
    replaced: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedMessage:
    """Signed, then encrypted; the octets for the wire. Made by crypto.seal.seal.

    signed_digest: SHA-256 of the canonical SignedInfo. content_key: 16 octets, secret, for the sealed archive.
    """

    octets: bytes
    header: ExchangeHeader
    signature_value: bytes
    signed_digest: bytes
    content_key: bytes
    attachments: HeldAttachments | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedReply:
    """A sealed reply whose record is durable: may leave. Made by exchange.recording."""

    sealed: SealedMessage
    record_number: RecordNumber


# --- the consumer's side ---------------------------------------------------------------------------------------------


class SoapVersion(Enum):
    """A version of SOAP."""

    SOAP11 = "1.1"
    SOAP12 = "1.2"


class Packaging(Enum):
    """How a system of our own sends and takes binary content: as base64 in the XML, MTOM, or SOAP with Attachments."""

    INLINE = "inline"
    MTOM = "mtom"
    SWA = "swa"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedCall:
    """A client system's HTTP request, whole, untrusted. Made by the transport.

    token, user and password are secrets and come from the Authorization header. path_service: from the URL.
    attachments: parts beside the envelope, sealed as they came in. packaging: how they came; content_type is then that
    of the envelope, as if it had come alone. holding: where the attachments of the exchange wait.
    """

    octets: bytes
    received_at: datetime
    peer: Peer
    content_type: str
    soap_action: str
    service: ServiceId
    bearer_token: str | None = None
    basic_user: str | None = None
    basic_password: str | None = None
    packaging: Packaging = Packaging.INLINE
    attachments: HeldAttachments | None = None
    holding: Holding | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentifiedCall:
    """The client system is known. Made by policy.clients.identify. client: its name in the settings."""

    received: ReceivedCall
    client: str
    subsystem: SubsystemId


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedCall:
    """A call in whatever dialect as XML: the element to send, and a RequestContext. Made by a dialect only.

    payload: for the operation that the call names, by its name or by its place. Untrusted until it is valid. Where
    headers of the service or further elements go along, all of them together (envelope.carried).
    operation: the operation's name where the dialect knows it already.
    message_id: under which it goes out, made of the id that the client gave it; None: a fresh one. client_message_id:
    that id as the client wrote it, for the record.
    """

    identified: IdentifiedCall
    context: etree._Element | None
    payload: etree._Element
    operation: str | None = None
    message_id: MessageId | None = None
    client_message_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidCall:
    """The Body is valid against the service's XSD. Made by exchange.validation.

    input_element: of the Body, `{namespace}local`. type_checked, names_in_values: as in ValidRequest and ValidAnswer.
    """

    parsed: ParsedCall
    operation: str
    input_element: str
    type_checked: bool = True
    names_in_values: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizedCall:
    """Complete (who, why, about whom) and allowed by our own settings. Made by policy.outgoing.authorize_call."""

    valid: ValidCall
    header: ExchangeHeader
    personal_data: PersonalData


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedCall:
    """Sealed and durably recorded: the only thing that the peer transport sends. Made by exchange.recording."""

    authorized: AuthorizedCall
    sealed: SealedMessage
    record_number: RecordNumber


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrelatedReply:
    """A trusted reply to exactly the call that was sent, from its provider. Made by policy.freshness.correlate."""

    message: TrustedMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidReply:
    """The reply's Body is valid against the service's XSD, or a fault. Made by exchange.validation."""

    correlated: CorrelatedReply
    is_fault: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverableReply:
    """Durably recorded: may be handed to the client system. Made by exchange.recording."""

    valid: ValidReply
    proven: ProvenAttachments
    record_number: RecordNumber

"""Envelopes for tests: good ones made by our own sealing, and ones that a member with a valid key makes wrong.

`UnsafeEnvelope` has every part of a message as octets that a test may change before it is signed, between signing and
encrypting, or after. Unchanged it is accepted; so whatever is refused is refused for the change.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.crypto import templates
from adapter.crypto.certificates import ski
from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import WrappedKey
from adapter.crypto.keys import DecryptionKeys, FileDecryptionKey, FileSigningKey
from adapter.crypto.open import decrypt, verify
from adapter.crypto.recognition import recognise
from adapter.crypto.seal import seal
from adapter.crypto.suites import suite
from adapter.envelope import names
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.headers import render_exchange, render_personal_data, render_timestamp
from adapter.identifiers import MessageId, OfficialId, Purpose, RecordNumber, SubjectId, pinfl_check_digit
from adapter.stages import (
    ExchangeHeader,
    GatedMessage,
    LegalBasis,
    MessageKind,
    Peer,
    PersonalData,
    ReceivedMessage,
    SealedMessage,
    SignedPart,
    VerifiedMessage,
)
from adapter.xmlsafe import DEFAULT_LIMITS, canonical
from tests.pki import NOW, FederationMember

PINFL = "3010190000000" + str(pinfl_check_digit("3010190000000"))
PAYLOAD = f'<p:GetPerson xmlns:p="urn:example:population"><p:Pinfl>{PINFL}</p:Pinfl></p:GetPerson>'.encode()


def signing_key(member: FederationMember) -> FileSigningKey:
    return FileSigningKey(member.signing_key, member.signing_certificate, member.suite)


def decryption_keys(member: FederationMember) -> DecryptionKeys:
    return DecryptionKeys.of(FileDecryptionKey(member.agreement_key, member.agreement_certificate, member.suite))


def request_header(sender: FederationMember, recipient: FederationMember, **changes: object) -> ExchangeHeader:
    values: dict[str, object] = {
        "message_id": MessageId.new(NOW),
        "claimed_consumer": sender.subsystem,
        "service": recipient.service,
        "operation": "GetPerson",
        "official": OfficialId("inspector-7"),
        "sent": NOW,
        "reply_by": NOW + timedelta(seconds=30),
    }
    return ExchangeHeader(**{**values, **changes})  # type: ignore[arg-type]


def reply_header(request: ExchangeHeader) -> ExchangeHeader:
    return ExchangeHeader(
        message_id=MessageId.new(NOW),
        in_reply_to=request.message_id,
        claimed_consumer=request.claimed_consumer,
        service=request.service,
        operation=request.operation,
        official=request.official,
        sent=NOW,
        reply_by=request.reply_by,
        record_number=RecordNumber(17),
    )


def personal_data() -> PersonalData:
    return PersonalData(
        purpose=Purpose("benefit"),
        subjects=(SubjectId("pinfl", PINFL),),
        legal_basis=LegalBasis(kind="law", reference="Закон № 395, 12-модда & «ʻ»"),
        consent="consent/2026/17",
    )


def seal_request(
    sender: FederationMember,
    recipient: FederationMember,
    *,
    payload: etree._Element | bytes = PAYLOAD,
    header: ExchangeHeader | None = None,
    data: PersonalData | None = None,
    now: datetime = NOW,
    attachments: HeldAttachments | None = None,
) -> SealedMessage:
    return seal(
        header=header or request_header(sender, recipient),
        personal_data=data or personal_data(),
        payload=payload,
        confirmation=None,
        signing_key=signing_key(sender),
        recipient=recipient.agreement_certificate,
        recipient_suite=recipient.suite,
        now=now,
        attachments=attachments,
    )


def seal_reply(
    sender: FederationMember, recipient: FederationMember, request: SealedMessage, payload: etree._Element | bytes
) -> SealedMessage:
    return seal(
        header=reply_header(request.header),
        personal_data=None,
        payload=payload,
        confirmation=request.signature_value,
        signing_key=signing_key(sender),
        recipient=recipient.agreement_certificate,
        recipient_suite=recipient.suite,
        now=NOW,
    )


def received(octets: bytes) -> ReceivedMessage:
    return ReceivedMessage(octets=octets, received_at=NOW, peer=Peer(certificate_sha256=None, address="192.0.2.1"))


def gate_octets(octets: bytes, kind: MessageKind = MessageKind.REQUEST) -> GatedMessage:
    """Through the gate as the adapter does it; what is recognised by its spelling is held against the general gate."""
    recognised = recognise(received(octets), kind, DEFAULT_LIMITS)
    general = gate(parse_message(received(octets), DEFAULT_LIMITS), kind)
    if recognised is None:
        return general
    assert settled(recognised) == settled(general)
    return recognised


def settled(gated: GatedMessage) -> GatedMessage:
    """The message with each part in its canonical octets, to compare by value."""

    def octets_of(part: SignedPart) -> SignedPart:
        if part.element is None:
            return part
        return SignedPart(id=part.id, octets=canonical(part.element))

    around = gated.surroundings
    return replace(
        gated,
        is_canonical=False,
        exchange=octets_of(gated.exchange),
        timestamp=octets_of(gated.timestamp),
        token=octets_of(gated.token),
        surroundings=replace(around, personal_data=dict(around.personal_data), signature=dict(around.signature)),
    )


def open_octets(octets: bytes, recipient: FederationMember, kind: MessageKind = MessageKind.REQUEST) -> VerifiedMessage:
    return verify(decrypt(gate_octets(octets, kind), decryption_keys(recipient)))


Digested = tuple[str, bytes, tuple[str, ...]]
"""A part: its id, the octets to digest, the prefixes of its PrefixList."""


@dataclass(kw_only=True)
class UnsafeEnvelope:
    """A request by a member who has a valid key and uses it for something wrong.

    Change a field, then take `octets`. in_signed_info, in_signature, in_encrypted_key, in_outer: changes to the octets
    of that stage; a change in SignedInfo is signed. foreign: with white space that our own stack does not write, so
    that the general gate reads it whatever crypto.recognition thinks.
    """

    sender: FederationMember
    recipient: FederationMember
    exchange: bytes
    timestamp: bytes
    token: bytes
    personal_data: bytes | None
    foreign: bool = False
    body_start: bytes = templates.BODY_START
    body_content: bytes = PAYLOAD
    confirmation: bytes | None = None
    digested: Callable[[UnsafeEnvelope], list[Digested]] | None = None
    prefixes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    signature_algorithm: str | None = None
    signature_value: Callable[[bytes], bytes] | None = None
    in_signed_info: Callable[[bytes], bytes] = lambda octets: octets
    in_signature: Callable[[bytes], bytes] = lambda octets: octets
    in_encrypted_key: Callable[[bytes], bytes] = lambda octets: octets
    in_outer: Callable[[bytes], bytes] = lambda octets: octets
    wrap: Callable[[bytes], WrappedKey] | None = None
    content_key: bytes = field(default_factory=lambda: os.urandom(16))
    ivs: tuple[bytes, bytes, bytes, bytes] = (b"1" * 12, b"2" * 12, b"3" * 12, b"4" * 12)
    in_ciphertext: Callable[[str, bytes], bytes] = lambda part, octets: octets

    @classmethod
    def request(cls, sender: FederationMember, recipient: FederationMember, **changes: object) -> UnsafeEnvelope:
        """A good request."""
        header = request_header(sender, recipient)
        return cls._message(
            sender, recipient, header, {"personal_data": render_personal_data(personal_data()), **changes}
        )

    @classmethod
    def reply(cls, sender: FederationMember, recipient: FederationMember, **changes: object) -> UnsafeEnvelope:
        """A good reply to some request."""
        header = replace(
            request_header(recipient, sender), in_reply_to=MessageId.new(NOW), record_number=RecordNumber(17)
        )
        confirmation = templates.render_confirmation(b"v" * 64)
        return cls._message(sender, recipient, header, {"personal_data": None, "confirmation": confirmation, **changes})

    @classmethod
    def _message(
        cls, sender: FederationMember, recipient: FederationMember, header: ExchangeHeader, more: dict[str, object]
    ) -> UnsafeEnvelope:
        values: dict[str, object] = {
            "exchange": render_exchange(header),
            "timestamp": render_timestamp(NOW, NOW + timedelta(seconds=300)),
            "token": templates.render_token(sender.signing_certificate.public_bytes(Encoding.DER)),
        }
        return cls(sender=sender, recipient=recipient, **{**values, **more})  # type: ignore[arg-type]

    @property
    def body(self) -> bytes:
        """The Body in the clear."""
        return self.body_start + self.body_content + templates.BODY_END

    def parts(self) -> list[Digested]:
        """What is digested unless a test says otherwise: every part in the octets in which it stands."""
        found: list[Digested] = [
            ("exchange", self.exchange, self.prefixes.get("exchange", ())),
            ("timestamp", self.timestamp, self.prefixes.get("timestamp", ())),
            ("token", self.token, self.prefixes.get("token", ())),
            ("body", self.body, self.prefixes.get("body", ())),
        ]
        if self.personal_data is not None:
            found.append(("personal-data", self.personal_data, self.prefixes.get("personal-data", ())))
        if self.confirmation is not None:
            found.append(("confirmation", self.confirmation, ()))
        return found

    def signature(self) -> bytes:
        """The ds:Signature in the clear."""
        row = suite(self.sender.suite)
        parts = self.parts() if self.digested is None else self.digested(self)
        references = [templates.render_reference(name, sha256(octets).digest(), more) for name, octets, more in parts]
        signed_info = templates.render_signed_info(self.signature_algorithm or row.signature_algorithm, references)
        signed_info = self.in_signed_info(signed_info)
        sign = self.signature_value or (lambda octets: row.sign(self.sender.signing_key, octets))
        return self.in_signature(templates.render_signature(signed_info, sign(signed_info)))

    @property
    def octets(self) -> bytes:
        """The message on the wire."""
        cipher = ContentCipher(self.content_key[:16])
        recipient_key = self.recipient.agreement_certificate.public_key()
        wrap = self.wrap or (lambda key: suite(self.recipient.suite).wrap(recipient_key, key))
        data_ids = [templates.SIGNATURE_CIPHER, templates.BODY_CIPHER]
        header, confirmation = b"", b""
        if self.confirmation is not None:
            data_ids.insert(0, templates.CONFIRMATION_CIPHER)
            confirmation = self._encrypted(cipher, "confirmation", self.ivs[3], self.confirmation, names.TYPE_ELEMENT)
        if self.personal_data is not None:
            data_ids.insert(0, templates.PERSONAL_DATA_CIPHER)
            data = self._encrypted(cipher, "personal-data", self.ivs[0], self.personal_data, names.TYPE_ELEMENT)
            header = templates.ENCRYPTED_HEADER_START + data + templates.ENCRYPTED_HEADER_END
        key = templates.render_encrypted_key(
            self.recipient.suite, wrap(self.content_key), ski(self.recipient.agreement_certificate), data_ids
        )
        outer = [
            templates.ENVELOPE_START,
            self.exchange,
            header,
            templates.SECURITY_START,
            self.token,
            self.in_encrypted_key(key),
            self.timestamp,
            confirmation,
            self._encrypted(cipher, "signature", self.ivs[1], self.signature(), names.TYPE_ELEMENT),
            templates.SECURITY_END,
            self.body_start,
            self._encrypted(cipher, "body", self.ivs[2], self.body_content, names.TYPE_CONTENT),
            templates.BODY_END,
            templates.ENVELOPE_END,
        ]
        octets = self.in_outer(b"".join(outer))
        return octets.replace(b"<env:Header>", b"<env:Header>\n", 1) if self.foreign else octets

    def _encrypted(self, cipher: ContentCipher, part: str, iv: bytes, plaintext: bytes, content_type: str) -> bytes:
        octets = self.in_ciphertext(part, cipher.encrypt(iv, plaintext))
        start = templates.encrypted_data_start(f"{part}-cipher", content_type)
        return start + b64encode(octets) + templates.ENCRYPTED_DATA_END

    def open(self) -> VerifiedMessage:
        """What the recipient makes of it."""
        kind = MessageKind.REQUEST if self.confirmation is None else MessageKind.REPLY
        return open_octets(self.octets, self.recipient, kind)


def replacing(old: bytes | str, new: bytes | str, *, count: int = 1) -> Callable[[bytes], bytes]:
    """A change to octets; that there is something to change is checked, or a test would prove nothing."""
    before = old.encode() if isinstance(old, str) else old
    after = new.encode() if isinstance(new, str) else new

    def change(octets: bytes) -> bytes:
        assert before in octets, f"nothing to replace: {before[:80]!r}"
        return octets.replace(before, after, count)

    return change

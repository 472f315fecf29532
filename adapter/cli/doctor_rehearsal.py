"""A real signature and a real exchange with oneself, with the adapter's own keys; nothing leaves this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from adapter.app.kept_statuses import kept_revocation
from adapter.app.keyring import SigningKeyChoice, own_decryption_keys, own_lives, own_signing_keys
from adapter.audit.key_life import is_loaded
from adapter.cli.doctor_checks import Finding, ok
from adapter.cli.token_keys import survey_all
from adapter.crypto.certificates import Purpose, sha256
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.open import decrypt, verify
from adapter.crypto.seal import seal
from adapter.crypto.suites import suite
from adapter.directory.model import Directory
from adapter.directory.trust import ChainCache, identify_signer
from adapter.envelope.lint import examine
from adapter.errors import EnvelopeRefused, KeyUnusable, SecurityFailed
from adapter.identifiers import MessageId, OfficialId, RecordNumber, ServiceId, SubsystemId
from adapter.identifiers import Purpose as StatedPurpose
from adapter.ports import SigningKey
from adapter.settings import Settings
from adapter.stages import ExchangeHeader, PersonalData, SealedMessage, VerifiedMessage
from adapter.store.keyfiles import KeyPurpose
from adapter.xmlsafe import DEFAULT_LIMITS

PAYLOAD: Final = b'<Rehearsal xmlns="urn:interagency-adapter:doctor:1"></Rehearsal>'
OFFICIAL: Final = OfficialId("doctor")
_REPLY_WITHIN_S: Final = 30
_PROBE: Final = b"a real signature, made and verified by adapter doctor"


def try_signature(settings: Settings, directory: Directory | None, now: datetime) -> Iterator[Finding]:
    """Sign something with the key that a running adapter would choose now, and verify it with its certificate."""
    key = chosen_signing_key(settings, directory, now)
    row = suite(key.suite)
    row.verify(key.certificate.public_key(), key.sign(_PROBE), _PROBE)
    yield ok("signature", f"signed and verified in suite {key.suite}")


def chosen_signing_key(settings: Settings, directory: Directory | None, now: datetime) -> SigningKey:
    """As a running adapter chooses; before a directory names this member, the first that may sign. Raises KeyUnusable.

    Of revocations it knows what the running adapter keeps.
    """
    keys = own_signing_keys(settings, own_lives(settings))
    if not keys:
        raise KeyUnusable("no signing key was activated: `adapter keys list` shows what is missing")
    if directory is None or settings.member not in directory.members:
        return keys[0]
    revoked = {
        sha256(key.certificate)
        for key in keys
        if kept_revocation(settings, key.certificate, Purpose.SIGNING, directory, now) is not None
    }
    return SigningKeyChoice(keys, settings.member, revoked.__contains__).choose(directory, now)


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnKeys:
    """What sealing for ourselves and opening it again takes."""

    signing: SigningKey
    decryption: DecryptionKeys
    recipient: x509.Certificate
    recipient_suite: str

    @classmethod
    def of(cls, settings: Settings, directory: Directory | None, now: datetime) -> OwnKeys:
        """The signing key to use now and the newest agreement key with a certificate. Raises KeyUnusable."""
        lives = own_lives(settings)
        signing, decryption = chosen_signing_key(settings, directory, now), own_decryption_keys(settings, lives)
        for key in reversed(survey_all(settings, now)):
            if (
                key.purpose == KeyPurpose.AGREEMENT.value
                and key.certificate is not None
                and is_loaded(key.key_id, lives)
            ):
                return cls(signing=signing, decryption=decryption, recipient=key.certificate, recipient_suite=key.suite)
        raise KeyUnusable("there is no agreement key with a certificate")


def try_exchange(settings: Settings, directory: Directory | None, now: datetime) -> Iterator[Finding]:
    """Seal a request and its reply for ourselves, and open both as a peer's would be opened."""
    keys = OwnKeys.of(settings, directory, now)
    own = SubsystemId(settings.member, "adapter")
    request = rehearsal_request(keys, own, ServiceId(own, "Rehearsal", "v1"), "rehearsal", now)
    opened = open_own(request.octets, keys, now)
    reply = seal(
        header=_header(own, request.header.service, now, answers=request.header.message_id),
        personal_data=None,
        payload=PAYLOAD,
        confirmation=opened.signature_value,
        signing_key=keys.signing,
        recipient=keys.recipient,
        recipient_suite=keys.recipient_suite,
        now=now,
    )
    if open_own(reply.octets, keys, now).confirmation != request.signature_value:
        raise SecurityFailed("the reply does not confirm the request's signature")
    yield ok("exchange", f"a request and its reply sealed, opened and verified; {len(request.octets)} octets")
    if directory is not None and settings.member in directory.members:
        signer = identify_signer(opened, directory=directory, at=now, chains=ChainCache())
        yield ok("trust", f"by the directory, what this adapter signs is signed by {signer}")


def rehearsal_request(
    keys: OwnKeys, consumer: SubsystemId, service: ServiceId, purpose: str, now: datetime
) -> SealedMessage:
    """A request of ours to ourselves, with a Body that no service has: whoever opens it has to refuse it."""
    return seal(
        header=_header(consumer, service, now, answers=None),
        personal_data=PersonalData(purpose=StatedPurpose(purpose)),
        payload=PAYLOAD,
        confirmation=None,
        signing_key=keys.signing,
        recipient=keys.recipient,
        recipient_suite=keys.recipient_suite,
        now=now,
    )


def _header(consumer: SubsystemId, service: ServiceId, now: datetime, *, answers: MessageId | None) -> ExchangeHeader:
    return ExchangeHeader(
        message_id=MessageId.new(now),
        in_reply_to=answers,
        claimed_consumer=consumer,
        service=service,
        operation="Rehearsal",
        official=OFFICIAL,
        sent=now,
        reply_by=now + timedelta(seconds=_REPLY_WITHIN_S),
        record_number=None if answers is None else RecordNumber(0),
    )


def open_own(octets: bytes, keys: OwnKeys, now: datetime) -> VerifiedMessage:
    """Gate, decrypt and verify a message that is for us. Raises EnvelopeRefused, SecurityFailed."""
    examined = examine(octets, DEFAULT_LIMITS, now=now)
    if examined.gated is None:
        raise EnvelopeRefused("; ".join(problem.text for problem in examined.problems))
    return verify(decrypt(examined.gated, keys.decryption))

"""What a peer sends: the envelope as octets, and really sealed messages changed before or after they were sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from adapter.envelope.faults import public_fault, read_fault, render_fault
from adapter.envelope.names import SOAP12_FAULT
from adapter.errors import (
    AccessDenied,
    EnvelopeRefused,
    HeaderNotUnderstood,
    InvalidIdentifier,
    LimitExceeded,
    PeerAnswerInvalid,
    SecurityFailed,
)
from adapter.stages import MessageKind, SoapVersion, VerifiedMessage
from adapter.xmlsafe import canonical, parse
from tests.envelopes import UnsafeEnvelope, gate_octets, open_octets
from tests.fuzz.choices import Choices
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation, xml_mutation
from tests.pki import SUITE_NAMES, Federation, FederationMember

IN_DOCUMENT = octet_mutation(
    b'<env:Header xmlns:env="http://www.w3.org/2003/05/soap-envelope">', b"<xenc:EncryptedData", b"wsu:Id='body'",
    b'env:mustUnderstand="1"', b"<ia:Exchange>", b"xmlns:env=", b"<ds:Reference URI='#body'>", b"#WithComments",
)  # fmt: skip
DIRECTIONS = ("request", "reply", "fault")
FAULT = canonical(parse(render_fault(public_fault(AccessDenied(), "incident-1"), SoapVersion.SOAP12)))


@cache
def federations() -> dict[str, Federation]:
    """One for each suite, with keys made now."""
    return {suite: Federation.build(suites=(suite,)) for suite in SUITE_NAMES}


def envelope(suite: str, direction: str) -> UnsafeEnvelope:
    """A good message, of which any stage may be changed before `octets` is taken."""
    federation = federations()[suite]
    asks, answers = federation.social, federation.population
    if direction == "request":
        return UnsafeEnvelope.request(asks, answers)
    reply = UnsafeEnvelope.reply(answers, asks)
    return replace(reply, body_content=FAULT) if direction == "fault" else reply


def kind_of(direction: str) -> MessageKind:
    """Which profile the gate applies."""
    return MessageKind.REQUEST if direction == "request" else MessageKind.REPLY


# --- the gate --------------------------------------------------------------------------------------------------------


def run_gate(octets: bytes) -> None:
    """As either kind of message. Recognition by spelling and the general gate have to agree (in gate_octets)."""
    refused = []
    for kind in MessageKind:
        try:
            gate_octets(octets, kind)
        except GATE_ERRORS as error:
            refused.append(error)
    if len(refused) == len(MessageKind):
        raise refused[0]


GATE_ERRORS = (EnvelopeRefused, HeaderNotUnderstood, LimitExceeded)


def sealed_messages() -> list[bytes]:
    """One in each suite and direction, in our own spelling and in a foreign one."""
    made = [envelope(suite, direction) for suite in SUITE_NAMES for direction in DIRECTIONS]
    return [one.octets for one in made] + [replace(one, foreign=True).octets for one in made[:2]]


GATE = Target(
    name="gate",
    what="envelope parser, structure gate, recognition by spelling",
    run=run_gate,
    may_raise=GATE_ERRORS,
    seeds=sealed_messages,
    mutate=xml_mutation(IN_DOCUMENT),
)


# --- decrypt and verify ----------------------------------------------------------------------------------------------

_in_xml = xml_mutation(IN_DOCUMENT)
_in_octets = octet_mutation()
Change = Callable[[Choices, UnsafeEnvelope], None]


def _field(name: str) -> Change:
    """A part before it is digested: a member signs whatever it likes."""

    def change(choices: Choices, made: UnsafeEnvelope) -> None:
        before = getattr(made, name)
        if before is not None:
            setattr(made, name, _in_xml(choices, before))

    return change


def _stage(name: str) -> Change:
    """The octets of a stage of sealing, after what stood there was signed, or in what is signed."""

    def change(choices: Choices, made: UnsafeEnvelope) -> None:
        before = getattr(made, name)
        decisions = choices.octets(16)
        setattr(made, name, lambda octets: _in_xml(Choices(decisions), before(octets)))

    return change


def _ciphertext(choices: Choices, made: UnsafeEnvelope) -> None:
    part = choices.one(("body", "signature", "personal-data", "confirmation"))
    decisions = choices.octets(8)
    made.in_ciphertext = lambda name, octets: _in_octets(Choices(decisions), octets) if name == part else octets


def _spelling(_choices: Choices, made: UnsafeEnvelope) -> None:
    made.foreign = not made.foreign


def _prefixes(choices: Choices, made: UnsafeEnvelope) -> None:
    made.prefixes[choices.one(("exchange", "timestamp", "token", "body", "personal-data"))] = choices.one(
        (("env",), ("env", "wsu"), ("#default",), ("x",), ("env", "env"))
    )


_BEFORE_SEALING: tuple[Change, ...] = (
    _field("exchange"), _field("timestamp"), _field("token"), _field("personal_data"), _field("confirmation"),
    _field("body_content"), _field("body_start"), _stage("in_signed_info"), _stage("in_signature"),
    _stage("in_encrypted_key"), _ciphertext, _spelling, _prefixes,
)  # fmt: skip


def run_open(octets: bytes) -> None:
    """octets: decisions. They take a suite and a direction, and change a message before and after it is sealed.

    What was only changed after it was sealed says what it said, or is refused.
    """
    choices = Choices(octets)
    suite, direction = choices.one(SUITE_NAMES), choices.one(DIRECTIONS)
    made = envelope(suite, direction)
    inner = choices.number(4)
    for _ in range(inner):
        choices.one(_BEFORE_SEALING)(choices, made)
    sealed = made.octets
    reader, kind = made.recipient, kind_of(direction)
    good = None if inner else said(opened(sealed, reader, kind))
    while choices.are_left:
        sealed = _in_xml(choices, sealed)
    now = opened(sealed, reader, kind)
    if good is not None and said(now) != good:
        raise AssertionError("a message that was changed on the wire was taken and says something else")
    if now.payload.tag == SOAP12_FAULT:
        read_fault(now.payload)


def opened(octets: bytes, reader: FederationMember, kind: MessageKind) -> VerifiedMessage:
    """Gate, decrypt, verify."""
    return open_octets(octets, reader, kind)


def said(message: VerifiedMessage) -> tuple[object, ...]:
    """Everything that is handed on of a message."""
    return (
        message.header,
        message.personal_data,
        message.created,
        message.expires,
        message.confirmation,
        message.signer,
        canonical(message.payload),
    )


def programs() -> list[bytes]:
    """Each suite and direction, untouched, with each stage changed once, and with a change on the wire."""
    places = [bytes((suite, direction)) for suite in range(3) for direction in range(3)]
    stages = [bytes((at % 3, at % 2, 1, at)) + bytes(range(at, at + 12)) for at in range(len(_BEFORE_SEALING))]
    return [*places, *stages, *(place + b"\x00" + bytes(range(7, 15)) for place in places)]


OPEN = Target(
    name="open",
    what="decrypt and verify really sealed messages, changed before and after sealing, in each suite and direction",
    run=run_open,
    may_raise=(*GATE_ERRORS, SecurityFailed, InvalidIdentifier, PeerAnswerInvalid),
    seeds=programs,
    mutate=octet_mutation(),
    max_bytes=96,
)

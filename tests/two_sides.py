"""Both sides of an exchange in memory: real keys, directory, gate, policy and schema; a record and a network that are
dictionaries and function calls behind the same ports. Tests change one thing and see what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from lxml import etree

from adapter.audit.entry import EntryMaker
from adapter.crypto.keys import DecryptionKeys, FileDecryptionKey, FileSigningKey
from adapter.crypto.seal import seal
from adapter.dialects.model import ClientAnswer
from adapter.dialects.soap import SoapDialect
from adapter.directory.model import Directory, DirectoryService
from adapter.directory.trust import ChainCache
from adapter.envelope.description import ServiceDescription
from adapter.envelope.names import FAULT
from adapter.exchange.consume import consume
from adapter.exchange.consumer import Consumer
from adapter.exchange.opening import Opener
from adapter.exchange.provide import provide
from adapter.exchange.provider import PeerAnswer, ProvidedService, Provider
from adapter.exchange.recording import Recorder
from adapter.exchange.validation import SubjectRule
from adapter.identifiers import (
    MessageId,
    OfficialId,
)
from adapter.policy.clients import Client, IdentifyBy
from adapter.policy.freshness import TimeBounds
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.stages import (
    ExchangeHeader,
    Peer,
    PersonalData,
    ReceivedCall,
    ReceivedMessage,
    RecordedCall,
    SealedMessage,
)
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.get_person import GOOD_PERSONAL_DATA, PERSON, description, get_person, good_call
from tests.memory_parts import Clock, MemoryRecord, Register
from tests.pki import NOW, Federation, FederationMember


@dataclass
class Wire:
    """ports.PeerTransport: hands the octets to the provider's side. `change` is the attacker on the way."""

    provider: Provider
    consumer: FederationMember
    producer: FederationMember
    sent: list[bytes] = field(default_factory=list)
    answers: list[PeerAnswer] = field(default_factory=list)
    change: Callable[[bytes], bytes] = lambda octets: octets
    change_reply: Callable[[bytes], bytes] = lambda octets: octets

    async def send(self, call: RecordedCall) -> ReceivedMessage:
        self.sent.append(call.sealed.octets)
        answer = await self.post(self.change(call.sealed.octets))
        peer = Peer(certificate_sha256=self.producer.tls_sha256, address="192.0.2.1")
        return ReceivedMessage(octets=self.change_reply(answer.octets), received_at=self.provider.clock(), peer=peer)

    async def post(self, octets: bytes, *, sender: FederationMember | None = None) -> PeerAnswer:
        """What an adapter does that connects with the sender's TLS certificate."""
        peer = Peer(certificate_sha256=(sender or self.consumer).tls_sha256, address="192.0.2.3")
        received = ReceivedMessage(octets=octets, received_at=self.provider.clock(), peer=peer)
        answer = await provide(received, self.provider)
        self.answers.append(answer)
        return answer


@dataclass
class TwoSides:
    """A consumer's and a provider's adapter, and everything that a test may look at or change."""

    federation: Federation
    clock: Clock
    directory: Directory
    register: Register
    consumer_record: MemoryRecord
    provider_record: MemoryRecord
    rules: tuple[AccessRule, ...]
    wire: Wire
    consumer: Consumer
    provider: Provider

    async def call(self, body: str | None = None, **more: object) -> ClientAnswer:
        """A client system's call; without a body the good one."""
        call = client_call(self, body or good_call(), **more)  # type: ignore[arg-type]
        return await consume(call, SoapDialect(content_type=call.content_type), self.consumer)


def opener_of(member: FederationMember) -> Opener:
    key = FileDecryptionKey(member.agreement_key, member.agreement_certificate, member.suite)
    return Opener(limits=DEFAULT_LIMITS, keys=DecryptionKeys.of(key), chains=ChainCache())


def recorder_of(member: FederationMember, record: MemoryRecord) -> Recorder:
    return Recorder(record=record, entries=EntryMaker(own=member.id, subject_key=b"k" * 32))


def signing_key_of(member: FederationMember) -> FileSigningKey:
    return FileSigningKey(member.signing_key, member.signing_certificate, member.suite)


def two_sides(federation: Federation) -> TwoSides:
    """Social protection asks the population register; one rule allows it."""
    social, population = federation.social, federation.population
    sides = TwoSides.__new__(TwoSides)
    register, clock = Register(), Clock(NOW + timedelta(hours=1))
    consumer_record, provider_record = MemoryRecord(), MemoryRecord()
    provider = _provider(sides, population, clock, register, provider_record)
    wire = Wire(provider=provider, consumer=social, producer=population)
    rule = AccessRule(id="r1", consumer=str(social.subsystem), service=population.service)
    sides.__init__(  # type: ignore[misc]
        federation=federation,
        clock=clock,
        directory=federation.directory(),
        register=register,
        consumer_record=consumer_record,
        provider_record=provider_record,
        rules=(rule,),
        wire=wire,
        consumer=_consumer(sides, social, clock, wire, consumer_record),
        provider=provider,
    )
    return sides


def _provider(
    sides: TwoSides, population: FederationMember, clock: Clock, register: Register, record: MemoryRecord
) -> Provider:
    service = ProvidedService(
        description=description(),
        backend=register,
        subject_rule=SubjectRule(kind="pinfl", xpath=etree.XPath("p:Pinfl", namespaces={"p": PERSON})),
    )
    return Provider(
        own=population.id,
        clock=clock,
        bounds=TimeBounds(),
        opener=opener_of(population),
        signing_key=partial(signing_key_of, population),
        directory=lambda: sides.directory,
        policy=lambda: PolicySnapshot.of(1, sides.rules),
        services={population.service: service},
        recorder=recorder_of(population, record),
    )


def _consumer(sides: TwoSides, social: FederationMember, clock: Clock, wire: Wire, record: MemoryRecord) -> Consumer:
    async def described(_service: DirectoryService) -> ServiceDescription:
        return description()

    client = Client(
        name="benefits",
        subsystem=social.subsystem,
        identify_by=IdentifyBy.ADDRESS,
        addresses=("127.0.0.1",),
        services=("*",),
    )
    return Consumer(
        own=social.id,
        clock=clock,
        bounds=TimeBounds(),
        reply_within_s=30,
        opener=opener_of(social),
        signing_key=partial(signing_key_of, social),
        directory=lambda: sides.directory,
        description=described,
        clients=(client,),
        peers=wire,
        recorder=recorder_of(social, record),
    )


def client_call(
    sides: TwoSides, body: str, *, address: str = "127.0.0.1", content_type: str = "text/xml; charset=utf-8"
) -> ReceivedCall:
    return ReceivedCall(
        octets=body.encode(),
        received_at=sides.clock(),
        peer=Peer(certificate_sha256=None, address=address),
        content_type=content_type,
        soap_action="",
        service=sides.federation.population.service,
    )


def sealed_request(
    sides: TwoSides,
    *,
    sender: FederationMember | None = None,
    header: ExchangeHeader | None = None,
    payload: str | None = None,
    personal_data: PersonalData | None = None,
    now: datetime | None = None,
) -> SealedMessage:
    """A peer's request, made with the sender's real keys; without arguments the good one."""
    now = now or sides.clock()
    return seal(
        header=header or request_header(sides, now=now),
        personal_data=personal_data or GOOD_PERSONAL_DATA,
        payload=etree.fromstring((payload or get_person()).encode()),
        confirmation=None,
        signing_key=signing_key_of(sender or sides.federation.social),
        recipient=sides.federation.population.agreement_certificate,
        recipient_suite=sides.federation.population.suite,
        now=now,
    )


def request_header(sides: TwoSides, *, now: datetime | None = None) -> ExchangeHeader:
    """The Exchange header of a good request."""
    now = now or sides.clock()
    return ExchangeHeader(
        message_id=MessageId.new(now),
        claimed_consumer=sides.federation.social.subsystem,
        service=sides.federation.population.service,
        operation="GetPerson",
        official=OfficialId("inspector-7"),
        sent=now,
        reply_by=now + timedelta(seconds=30),
    )


async def peer_outcome(sides: TwoSides, personal_data: PersonalData) -> str:
    """What comes of a peer's request with these personal data: `answered`, or the code of its refusal."""
    answer = await sides.wire.post(sealed_request(sides, personal_data=personal_data).octets)
    return answer.refused.code if answer.refused else "answered"


def fault_code(answer: ClientAnswer | PeerAnswer) -> str:
    """The catalogue code of a fault, or `answered`."""
    for fault in etree.fromstring(answer.octets).iter(f"{{{FAULT}}}Fault"):
        return str(fault.findtext(f"{{{FAULT}}}Code"))
    return "answered"

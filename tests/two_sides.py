"""Both sides of an exchange in memory: real keys, directory, gate, policy and schema; a record and a network that are
dictionaries and function calls behind the same ports. Tests change one thing and see what comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial

from lxml import etree

from adapter.audit.entry import EntryMaker
from adapter.crypto.keys import DecryptionKeys, FileDecryptionKey, FileSigningKey
from adapter.crypto.seal import seal
from adapter.dialects.model import ClientAnswer
from adapter.dialects.soap import SoapDialect
from adapter.directory.model import Directory, DirectoryService
from adapter.directory.trust import ChainCache
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.names import CLIENT, FAULT, SOAP11
from adapter.errors import RecordUnavailable
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
    Purpose,
    RecordNumber,
    SubjectId,
    SubsystemId,
    pinfl_check_digit,
)
from adapter.policy.clients import Client, IdentifyBy
from adapter.policy.freshness import TimeBounds
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.ports import ExchangeState, KnownExchange, RecordWrite, Written
from adapter.stages import (
    BackendAnswer,
    ExchangeHeader,
    LegalBasis,
    Peer,
    PersonalData,
    ReceivedCall,
    ReceivedMessage,
    RecordedCall,
    RecordedRequest,
    SealedMessage,
)
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.pki import NOW, Federation, FederationMember

PERSON = "urn:test:person"
PINFL = "3010190000001" + str(pinfl_check_digit("3010190000001"))
OTHER_PINFL = "4020292000002" + str(pinfl_check_digit("4020292000002"))

WSDL = f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:p="{PERSON}" targetNamespace="{PERSON}">
  <types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{PERSON}"
    elementFormDefault="qualified">
    <xs:element name="GetPerson"><xs:complexType><xs:sequence>
      <xs:element name="Pinfl"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[0-9]{{14}}"/>
      </xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType></xs:element>
    <xs:element name="GetPersonResponse"><xs:complexType><xs:sequence>
      <xs:element name="Surname" type="xs:string"/><xs:element name="Born" type="xs:date"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:schema></types>
  <message name="In"><part name="parameters" element="p:GetPerson"/></message>
  <message name="Out"><part name="parameters" element="p:GetPersonResponse"/></message>
  <portType name="Person">
    <operation name="GetPerson"><input message="p:In"/><output message="p:Out"/></operation></portType>
  <binding name="PersonSoap" type="p:Person">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
    <operation name="GetPerson"><soap:operation soapAction="urn:GetPerson"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="PersonService"><port name="PersonSoap" binding="p:PersonSoap">
    <soap:address location="http://127.0.0.1/person"/></port></service>
</definitions>""".encode()

ANSWER = f'<GetPersonResponse xmlns="{PERSON}"><Surname>Каримов</Surname><Born>1990-01-01</Born></GetPersonResponse>'


@cache
def description() -> ServiceDescription:
    """The contract of GetPerson."""
    return read_description({"service.wsdl": WSDL}.get, "service.wsdl")


class MemoryRecord:
    """ports.Record in a dictionary. `fail` makes it raise; `log` is what was durable, in order."""

    def __init__(self) -> None:
        self.log: list[RecordWrite] = []
        self.known: dict[tuple[SubsystemId, MessageId], KnownExchange] = {}
        self.fail: Callable[[RecordWrite], bool] = lambda _write: False

    async def find(self, consumer: SubsystemId, message_id: MessageId) -> KnownExchange | None:
        return self.known.get((consumer, message_id))

    async def write(self, write: RecordWrite) -> Written | KnownExchange:
        await asyncio.sleep(0)
        if self.fail(write):
            raise RecordUnavailable("told to fail")
        if write.claim is not None:
            key = (write.claim.consumer, write.claim.message_id)
            if key in self.known:
                return self.known[key]
            self.known[key] = KnownExchange(
                state=ExchangeState.RELEASED,
                content_digest=write.claim.content_digest,
                reply=None,
                reply_number=None,
            )
        number = RecordNumber(len(self.log))
        self.log.append(write)
        if write.answers is not None:
            key = (write.answers.consumer, write.answers.message_id)
            self.known[key] = replace(
                self.known[key], state=ExchangeState.ANSWERED, reply=write.kept[-1].octets, reply_number=number
            )
        return Written(number=number)

    @property
    def kinds(self) -> list[str]:
        return [write.entry.kind for write in self.log]

    @property
    def outcomes(self) -> list[str | None]:
        return [write.entry.outcome for write in self.log]


class Register:
    """ports.Backend: answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[RecordedRequest] = []
        self.answer_with: str | Exception = ANSWER
        self.before_answer: Callable[[], None] = lambda: None

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        self.asked.append(request)
        self.before_answer()
        await asyncio.sleep(0)
        if isinstance(self.answer_with, Exception):
            raise self.answer_with
        return BackendAnswer(payload=etree.fromstring(self.answer_with.encode()), size=len(self.answer_with))

    async def close(self) -> None:
        return None


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


class Clock:
    """A clock that tests set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


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


LEGAL_BASIS = '<c:LegalBasis kind="law">ZRU-395</c:LegalBasis>'
SUBJECT = f'<c:Subject kind="pinfl">{PINFL}</c:Subject>'


def context(
    *, pinfl: str = PINFL, purpose: str = "benefit", basis: str = LEGAL_BASIS, official: str = "inspector-7"
) -> str:
    """The RequestContext header of a client system."""
    return (
        f'<c:RequestContext xmlns:c="{CLIENT}"><c:Official>{official}</c:Official><c:Purpose>{purpose}</c:Purpose>'
        f"{basis}{SUBJECT.replace(PINFL, pinfl)}</c:RequestContext>"
    )


def soap(header: str, body: str, namespace: str = SOAP11) -> str:
    """A client system's envelope."""
    return (
        f'<soap:Envelope xmlns:soap="{namespace}"><soap:Header>{header}</soap:Header>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def get_person(pinfl: str = PINFL) -> str:
    """The Body element of the request."""
    return f'<p:GetPerson xmlns:p="{PERSON}"><p:Pinfl>{pinfl}</p:Pinfl></p:GetPerson>'


def good_call(namespace: str = SOAP11) -> str:
    """A call in which everything is as it should be."""
    return soap(context(), get_person(), namespace)


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


GOOD_PERSONAL_DATA = PersonalData(
    purpose=Purpose("benefit"),
    subjects=(SubjectId("pinfl", PINFL),),
    legal_basis=LegalBasis(kind="law", reference="ZRU-395"),
)


def request_header(sides: TwoSides, *, now: datetime | None = None) -> ExchangeHeader:
    """The Exchange header of a good request."""
    now = now or sides.clock()
    return ExchangeHeader(
        message_id=MessageId.new(),
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

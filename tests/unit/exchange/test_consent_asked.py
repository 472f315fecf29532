"""Three members: a consumer, a register that asks, and an issuer of consents; each message between them is real."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from lxml import etree

from adapter.app.consent_asking import IssuerAsking
from adapter.app.consents import ConsentDesk
from adapter.app.provided import load_provided
from adapter.dialects.soap import SoapDialect
from adapter.directory.content import ConsentIssuer
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS
from adapter.directory.model import DirectoryService
from adapter.envelope.consent_service import read_get_consent_response
from adapter.envelope.description import ServiceDescription
from adapter.errors import AdapterError, PeerUnreachable, catalogue
from adapter.exchange.consume import consume
from adapter.exchange.consumer import Consumer
from adapter.exchange.provider import ProvidedService, Provider
from adapter.identifiers import ServiceId
from adapter.pace import TransferBounds
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.settings import ConsentsSettings
from adapter.stages import ReceivedMessage, RecordedCall
from examples.consents.__main__ import install
from examples.consents.issuer import CERTIFICATE, FOLDER
from tests.get_person import OTHER_PINFL, PINFL, context, get_person, soap
from tests.memory_parts import MemoryRecord
from tests.two_sides import TwoSides, Wire, client_call, fault_code, opener_of, recorder_of, signing_key_of

CACHE = timedelta(minutes=5)
SERVICE = "urn:interagency-adapter:consent-service:1"
MANAGE = "urn:example:consents:1"


@dataclass
class IssuerWire(Wire):
    """The way to the issuer's adapter, which can be cut."""

    cut: bool = False
    waits: asyncio.Event | None = None

    async def send(self, call: RecordedCall) -> ReceivedMessage:
        if self.waits is not None:
            await self.waits.wait()
        if self.cut:
            raise PeerUnreachable("cut")
        return await super().send(call)


@dataclass
class Scene:
    sides: TwoSides
    issuer: Provider
    issuer_record: MemoryRecord
    wire: IssuerWire
    portal: Consumer
    rules: list[AccessRule]

    @property
    def issuer_name(self) -> str:
        return str(self.sides.federation.cadastre.subsystem)

    @property
    def refused(self) -> str:
        """What the register's last entry says of why."""
        return str(self.sides.provider_record.log[-1].entry.body["reason"])

    async def manage(self, body: str, pinfl: str = PINFL) -> str:
        """What the portal gets, which acts for the person: the text of the answer's only element, or the code."""
        said = soap(context(pinfl=pinfl, purpose="registration"), body)
        call = client_call(self.sides, said)
        service = ServiceId(self.sides.federation.cadastre.subsystem, "ManageConsents", "v1")
        answer = await consume(replace(call, service=service), SoapDialect(content_type=call.content_type), self.portal)
        code = fault_code(answer)
        return "".join(map(str, etree.fromstring(answer.octets).itertext())).strip() if code == "answered" else code

    async def give(self) -> str:
        federation = self.sides.federation
        until = (self.sides.clock() + timedelta(days=30)).date()
        return await self.manage(
            f'<m:GiveConsent xmlns:m="{MANAGE}"><m:Pinfl>{PINFL}</m:Pinfl><m:OperatorName>Social</m:OperatorName>'
            f"<m:OperatorStir>{federation.social.id.code}</m:OperatorStir><m:Purpose>benefit</m:Purpose>"
            f"<m:Data><m:Service>{federation.population.service}</m:Service></m:Data><m:Until>{until}</m:Until>"
            "<m:CrossBorder>false</m:CrossBorder></m:GiveConsent>"
        )

    async def revoke(self, id_: str, pinfl: str = PINFL) -> str:
        said = f'<m:RevokeConsent xmlns:m="{MANAGE}"><m:Pinfl>{pinfl}</m:Pinfl><m:Id>{id_}</m:Id></m:RevokeConsent>'
        return await self.manage(said, pinfl)

    async def ask(self, id_: str) -> str:
        """What the consumer of the data gets."""
        said = context(basis='<c:LegalBasis kind="consent">Consent of the person</c:LegalBasis>')
        name = f"{self.sides.federation.cadastre.subsystem}/{id_}"
        said = said.replace("</c:RequestContext>", f"<c:Consent>{name}</c:Consent></c:RequestContext>")
        return fault_code(await self.sides.call(soap(said, get_person())))


SETTINGS = {
    "purpose": "registration",
    "legal_basis_kind": "law",
    "legal_basis_reference": "Law on personal data, article 18",
}


Services = Mapping[ServiceId, ProvidedService]


def entered(sides: TwoSides, services: Services, certificate: Path) -> None:
    """Let the directory name the issuer, the certificate of its statements, and its services."""
    named = ConsentIssuer(
        subsystem=sides.federation.cadastre.subsystem,
        kinds=frozenset({"consent"}),
        cache_limit=CACHE,
        certificates=(x509.load_pem_x509_certificate(certificate.read_bytes()),),
    )
    known = dict(sides.directory.services)
    for service in services:
        known[service] = DirectoryService(
            service=service, titles={"en": service.code}, personal_data=True, description_sha256="0" * 64
        )
    sides.directory = replace(
        sides.directory,
        legal_basis_kinds=DEFAULT_LEGAL_BASIS_KINDS,
        consent_issuers={named.subsystem: named},
        services=known,
    )


def issuers_side(sides: TwoSides, services: Services, rules: list[AccessRule], record: MemoryRecord) -> Provider:
    issuer = sides.federation.cadastre
    return replace(
        sides.provider,
        own=issuer.id,
        opener=opener_of(issuer),
        signing_key=partial(signing_key_of, issuer),
        policy=lambda: PolicySnapshot.of(1, tuple(rules)),
        services=services,
        recorder=recorder_of(issuer, record),
    )


def asking_side(sides: TwoSides, portal: Consumer, wire: IssuerWire) -> ConsentDesk:
    """The register's asking, over the register's own consumer's side."""
    population = sides.federation.population
    consumer = replace(
        portal,
        own=population.id,
        opener=opener_of(population),
        signing_key=partial(signing_key_of, population),
        peers=wire,
        recorder=recorder_of(population, sides.provider_record),
    )
    settings = ConsentsSettings(subsystem=str(population.subsystem), **SETTINGS)  # type: ignore[arg-type]
    return ConsentDesk(ask=IssuerAsking.of(settings, lambda client: replace(consumer, clients=(client,))))


@pytest.fixture
def scene(sides: TwoSides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    federation = sides.federation
    issuer, population, social = federation.cadastre, federation.population, federation.social
    folder = install(tmp_path, issuer.subsystem, sides.clock())
    monkeypatch.setenv(FOLDER, str(folder))
    monkeypatch.setattr("examples.consents.issuer.utc_now", sides.clock)
    services = load_provided(tmp_path / "services", issuer.id, TransferBounds(stall_s=1, min_rate_bytes_s=1, max_s=1))
    entered(sides, services, folder / CERTIFICATE)
    registers, portals = (ServiceId(issuer.subsystem, code, "v1") for code in ("GetConsent", "ManageConsents"))
    rules = [
        AccessRule(id="registers", consumer=str(population.subsystem), service=registers),
        AccessRule(id="portal", consumer=str(social.subsystem), service=portals),
    ]
    record = MemoryRecord()
    provider = issuers_side(sides, services, rules, record)

    async def described(service: DirectoryService) -> ServiceDescription:
        return services[service.service].description

    wire = IssuerWire(provider=provider, consumer=population, producer=issuer)
    to_issuer = Wire(provider=provider, consumer=social, producer=issuer)
    portal = replace(sides.consumer, description=described, peers=to_issuer)
    sides.provider = sides.wire.provider = replace(sides.provider, consents=asking_side(sides, portal, wire))
    return Scene(sides=sides, issuer=provider, issuer_record=record, wire=wire, portal=portal, rules=rules)


async def test_a_consent_lets_the_data_out_until_it_is_taken_back(scene: Scene) -> None:
    id_ = await scene.give()
    assert await scene.ask(id_) == "answered"
    assert await scene.revoke(id_) == "true"
    scene.sides.clock.now += CACHE - timedelta(seconds=1)
    assert await scene.ask(id_) == "answered"  # as long as the directory lets it be kept
    scene.sides.clock.now += timedelta(seconds=1)
    assert await scene.ask(id_) == "ConsentRevoked"
    assert len(scene.wire.sent) == 2


async def test_without_its_issuer_a_consent_is_good_for_as_long_as_it_is_kept(scene: Scene) -> None:
    id_ = await scene.give()
    assert await scene.ask(id_) == "answered"
    scene.wire.cut = True
    scene.sides.clock.now += CACHE - timedelta(seconds=1)
    assert await scene.ask(id_) == "answered"
    scene.sides.clock.now += timedelta(seconds=1)
    assert await scene.ask(id_) == "ConsentUnavailable"
    assert scene.refused == f"{scene.issuer_name}: PeerUnreachable"
    scene.wire.cut = False
    assert await scene.ask(id_) == "answered"


async def test_nobody_but_the_person_takes_it_back(scene: Scene) -> None:
    id_ = await scene.give()
    assert await scene.revoke(id_, pinfl=OTHER_PINFL) == "NoSuchSubject"
    assert await scene.ask(id_) == "answered"
    assert await scene.ask("made-up") == "ConsentUnknown"


async def test_the_asking_is_recorded_on_both_sides_with_its_own_ground(scene: Scene) -> None:
    id_ = await scene.give()
    assert await scene.ask(id_) == "answered"
    register, issuer = scene.sides.provider_record, scene.issuer_record
    assert register.kinds == ["request-sent", "reply-received", "request-received", "reply-sent"]
    asked, _, released, _ = (write.entry.body for write in register.log)
    assert asked["client"] == "[consents]"
    assert (asked["purpose"], asked["legal_basis"]["kind"], asked["official"]) == (
        "registration",
        "law",
        "consent-check",
    )
    assert asked["subjects"] == released["subjects"]
    assert asked["consent"] == released["consent"] == f"{scene.issuer_name}/{id_}"
    assert issuer.log[-2].entry.body["rule"] == "registers"
    assert issuer.log[-1].entry.outcome == "answered"


async def test_the_issuer_that_lets_nobody_ask_is_named(scene: Scene) -> None:
    id_ = await scene.give()
    scene.rules.clear()
    assert await scene.ask(id_) == "ConsentUnavailable"
    assert scene.refused == f"{scene.issuer_name}: AccessDenied"


async def test_a_request_of_another_legal_basis_asks_nobody(scene: Scene) -> None:
    assert fault_code(await scene.sides.call()) == "answered"
    assert not scene.wire.sent
    assert scene.sides.provider_record.kinds == ["request-received", "reply-sent"]


async def test_asking_on_the_basis_of_a_consent_would_never_end(scene: Scene) -> None:
    id_ = await scene.give()
    named = scene.sides.directory.consent_issuers[scene.sides.federation.cadastre.subsystem]
    also = replace(named, kinds=frozenset({"consent", "law"}))
    scene.sides.directory = replace(scene.sides.directory, consent_issuers={named.subsystem: also})
    assert await scene.ask(id_) == "ConsentUnavailable"
    assert "is a consent itself" in scene.refused
    assert not scene.wire.sent


async def test_a_request_waits_no_longer_than_half_of_its_time(scene: Scene) -> None:
    id_ = await scene.give()
    scene.wire.waits = asyncio.Event()
    scene.sides.consumer = replace(scene.sides.consumer, reply_within_s=0.2)
    assert await scene.ask(id_) == "ConsentUnavailable"
    assert scene.refused == f"{scene.issuer_name} did not answer within 0.1 seconds"
    scene.wire.waits.set()


NO_ANSWERS = {
    "no status": "",
    "an attribute": "<Status x='y'>active</Status>",
    "one more": "<Status>active</Status><Status/>",
    "no base64": "<Status>active</Status><Statement>*</Statement>",
    "text": "active",
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_an_answer_of_another_form_is_none(name: str) -> None:
    answer = f"<GetConsentResponse xmlns='{SERVICE}'>{{}}</GetConsentResponse>"
    good = "<Status>active</Status><Statement>YQ==</Statement>"
    assert read_get_consent_response(etree.fromstring(answer.format(good))) == ("active", b"a")
    with pytest.raises(AdapterError):
        read_get_consent_response(etree.fromstring(answer.format(NO_ANSWERS[name])))
    with pytest.raises(AdapterError):
        read_get_consent_response(etree.fromstring(answer.format(good).replace("GetConsentR", "GiveConsentR")))


def test_the_page_says_every_fault_of_a_consent(root: Path) -> None:
    page = (root / "docs" / "consent.md").read_text(encoding="utf-8")
    codes = {error.code for error in catalogue() if error.code.startswith("Consent")}
    assert len(codes) > 8
    assert not {code for code in codes if f"`{code}`" not in page}

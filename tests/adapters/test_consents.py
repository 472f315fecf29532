"""Three agencies as processes: a consent lets data out until it is taken back, and the person is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from zeep import Client
from zeep.exceptions import Fault

from adapter.audit.checkpoint import record_origin
from adapter.audit.secrecy import Covered, order_details
from adapter.cli import authority_publishing
from adapter.cli.authority import signers_here
from adapter.contracts import read_contract
from adapter.directory.content import ConsentIssuer, SecrecyKind
from adapter.directory.editing import put_entry
from adapter.identifiers import ServiceId
from adapter.store.appending import Log
from adapter.store.engine import open_database
from adapter.store.secrecy_orders import SecrecyOrders
from examples.consents.__main__ import install
from examples.consents.issuer import CERTIFICATE, FOLDER
from examples.demo.soap_calls import SoapAnswer, post_soap, soap_envelope
from examples.federation.federation import Federation, build_federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes
from tests.adapters.small_federation import NAMESPACE, fresh_pinfl, member_plan
from tests.adapters.stub_system import StubSystem
from tests.proof_check import opened_checkpoint, root_of

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

CACHE = timedelta(seconds=2)
CLIENT = "urn:interagency-adapter:client:1"
MANAGE = "urn:example:consents:1"
ASKING = """
[consents]
subsystem = "UZ/GOV/200000001/register"
purpose = "registration-of-rights"
legal_basis_kind = "law"
legal_basis_reference = "Law on personal data, article 18"
"""


USAGE_TOML = """\
code = "findUsage"
version = "v1"
subsystem = "register"
title = "Who got a person's data from here, and why"
wsdl = "wsdl/usage.wsdl"
personal_data = true
backend = "usage"

[usage]
"""


def issuer_plan(folder: Path) -> MemberPlan:
    plan = MemberPlan(
        id="UZ/GOV/200000002", folder="issuer", names={"en": "Issuer of consents (synthetic)"}, subsystems=("consents",)
    )
    install(folder, plan.subsystem("consents"), datetime.now(UTC))
    services = tuple(
        ServicePlan(toml=(place / "service.toml").read_text(encoding="utf-8"), description=place / "description")
        for place in sorted((folder / "services").iterdir())
    )
    grants = (
        GrantPlan(consumer="UZ/GOV/200000001", service=plan.service("consents", "GetConsent")),
        GrantPlan(consumer="UZ/GOV/200000003", service=plan.service("consents", "ManageConsents")),
    )
    return replace(plan, services=services, grants=grants)


def with_usage(plan: MemberPlan, folder: Path) -> MemberPlan:
    """The register offers what `adapter service add --built-in usage` adds; every member may ask."""
    for name in ("wsdl/usage.wsdl", "xsd/usage.xsd"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(read_contract(name))
    grant = GrantPlan(consumer="UZ/GOV/200000003", service=plan.service("register", "findUsage"))
    usage = ServicePlan(toml=USAGE_TOML, description=folder)
    return replace(plan, services=(*plan.services, usage), grants=(*plan.grants, grant))


@dataclass(frozen=True, kw_only=True)
class Ground:
    federation: Federation

    @property
    def consumer(self) -> Home:
        return self.federation.homes["consumer"]

    @property
    def issuer(self) -> Home:
        return self.federation.homes["issuer"]

    @property
    def wanted(self) -> ServiceId:
        return self.federation.homes["register"].plan.service("register", "GetPerson")

    def manage(self, pinfl: str, body: str) -> SoapAnswer:
        url = self.consumer.service_url(self.issuer.plan.service("consents", "ManageConsents"))
        return post_soap(url, soap_envelope(body, header=said(pinfl, "registration-of-rights", "law")))

    def ask(self, pinfl: str, consent: str) -> str:
        more = f"<c:Consent>{self.issuer.plan.subsystem('consents')}/{consent}</c:Consent>"
        header = said(pinfl, "social-benefit", "consent", more)
        return self.get_person(pinfl, header)

    def get_person(self, pinfl: str, header: str) -> str:
        body = f'<p:GetPerson xmlns:p="{NAMESPACE}"><p:Pinfl>{pinfl}</p:Pinfl></p:GetPerson>'
        return post_soap(self.consumer.service_url(self.wanted), soap_envelope(body, header=header)).code


def said(pinfl: str, purpose: str, kind: str, more: str = "") -> str:
    return (
        f'<c:RequestContext xmlns:c="{CLIENT}"><c:Official>clerk-1</c:Official><c:Purpose>{purpose}</c:Purpose>'
        f'<c:LegalBasis kind="{kind}">As agreed</c:LegalBasis><c:Subject kind="pinfl">{pinfl}</c:Subject>{more}'
        "</c:RequestContext>"
    )


def enter_issuer(federation: Federation, certificate: Path) -> None:
    """What `adapter authority set-consent-issuer` and `release` do."""
    authority, now = federation.authority, datetime.now(UTC)
    entry = ConsentIssuer(
        subsystem=federation.homes["issuer"].plan.subsystem("consents"),
        kinds=frozenset({"consent"}),
        cache_limit=CACHE,
        certificates=(x509.load_pem_x509_certificate(certificate.read_bytes()),),
    )
    authority.keep_draft(put_entry(authority.draft(), entry))
    authority_publishing.propose(authority, now=now, valid_for=timedelta(days=1))
    authority_publishing.sign_here(authority, signers_here(authority)[:2])
    authority_publishing.publish(authority, now=now)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("consents")
    with StubSystem() as system, Processes(folder / "logs") as processes, pytest.MonkeyPatch.context() as patched:
        patched.setenv(FOLDER, str(folder / "issuing" / "consents"))
        members = (
            with_usage(member_plan(1, "register", suite="p256", system=system, more_settings=ASKING), folder / "usage"),
            issuer_plan(folder / "issuing"),
            replace(
                member_plan(3, "consumer", suite="p256", system=system),
                clients=(ClientPlan(name="portal", subsystem="register"),),
            ),
        )
        federation = build_federation(FederationPlan(members=members), folder / "federation", processes)
        enter_issuer(federation, folder / "issuing" / "consents" / CERTIFICATE)
        federation.start()
        yield Ground(federation=federation)


def test_a_portal_tells_a_person_who_got_their_data_and_anybody_can_check_it(ground: Ground) -> None:
    pinfl, register = fresh_pinfl(), ground.federation.homes["register"]
    assert ground.get_person(pinfl, said(pinfl, "social-benefit", "law")) == "answered"
    portal = Client(f"{ground.consumer.service_url(register.plan.service('register', 'findUsage'))}?wsdl")
    context = portal.get_element(f"{{{CLIENT}}}RequestContext")(
        Official="portal-1",
        Purpose="social-benefit",
        LegalBasis={"_value_1": "Law on personal data, article 30", "kind": "law"},
        Subject=[{"_value_1": pinfl, "kind": "pinfl"}],
    )

    def find_usage(whom: str = pinfl) -> Any:
        return portal.service.findUsage(Subject={"_value_1": whom, "kind": "pinfl"}, _soapheaders=[context])

    told = find_usage()
    assert (told.Total, told.Withheld, [one.Action for one in told.Usage]) == (1, 0, ["GetPerson"])
    size, root = opened_checkpoint(told.Checkpoint, register.keyring.record.vkey)
    for one in (told.Usage[0].Request, told.Usage[0].Answer):
        assert root_of(one.LeafHash, one.number, size, one.PathHash) == root
    assert [one.Action for one in find_usage().Usage] == ["findUsage", "GetPerson"], "the look itself is told as well"
    with pytest.raises(Fault, match="person asked about"):
        find_usage(fresh_pinfl())

    now, record = datetime.now(UTC), Log(record_origin(register.plan.member), register.keyring.record)
    kind = SecrecyKind(code="inquiry", titles={"en": "An inquiry"}, maximum=timedelta(days=9))
    covered = Covered(service=ground.wanted)
    details = order_details(kind, "17-2026", covered, until=now.date() + timedelta(days=1), now=now)
    orders = SecrecyOrders(open_database(register.settings.database_url))
    orders.place(details, officer="officer-7", log=record, now=now)
    told = find_usage()
    assert (told.Total, told.Withheld, {one.Action for one in told.Usage}) == (2, 1, {"findUsage"})


def test_a_consent_is_given_taken_back_and_its_issuer_goes_down(ground: Ground) -> None:
    pinfl, until = fresh_pinfl(), (datetime.now(UTC) + timedelta(days=30)).date()
    given = [
        ground.manage(
            pinfl,
            f'<m:GiveConsent xmlns:m="{MANAGE}"><m:Pinfl>{pinfl}</m:Pinfl><m:OperatorName>Agency 3</m:OperatorName>'
            f"<m:OperatorStir>200000003</m:OperatorStir><m:Purpose>social-benefit</m:Purpose>"
            f"<m:Data><m:Service>{ground.wanted}</m:Service></m:Data><m:Until>{until}</m:Until>"
            "<m:CrossBorder>false</m:CrossBorder></m:GiveConsent>",
        )
        for _ in range(2)
    ]
    assert [answer.code for answer in given] == ["answered", "answered"]
    kept, taken_back = ("".join(map(str, answer.payload.itertext())).strip() for answer in given)
    assert [ground.ask(pinfl, one) for one in (kept, taken_back)] == ["answered", "answered"]
    revoke = (
        f'<m:RevokeConsent xmlns:m="{MANAGE}"><m:Pinfl>{pinfl}</m:Pinfl><m:Id>{taken_back}</m:Id></m:RevokeConsent>'
    )
    assert ground.manage(pinfl, revoke).code == "answered"
    time.sleep(CACHE.total_seconds())  # what the directory allows is over by then
    assert ground.ask(pinfl, taken_back) == "ConsentRevoked"
    assert ground.ask(pinfl, kept) == "answered"
    ground.federation.processes["issuer"].kill()
    time.sleep(CACHE.total_seconds())
    assert ground.ask(pinfl, kept) == "ConsentUnavailable"

"""X-Road on real sockets: two adapters, a client made for X-Road at one end, a system made for it at the other."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from lxml import etree

from adapter.envelope.names import SOAP11
from adapter.envelope.xroad import IDENTIFIERS, XROAD
from adapter.stages import SoapVersion
from adapter.transport.client_requests import ClientSide
from adapter.transport.xroad_listener import XRoadListener
from examples.demo.soap_calls import post_soap, soap_envelope
from examples.federation.federation import CHECKOUT, Federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, GrantPlan, MemberPlan
from tests.adapters.dialogues import assert_shown, dialogues
from tests.adapters.exchanges import verified_size
from tests.adapters.small_federation import CONTEXT, NAMESPACE, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import ANSWER, StubSystem
from tests.adapters.test_listeners import BOUNDS, INTAKE, ask, client_listener, listening
from tests.adapters.test_listeners import post as post_octets
from tests.adapters.xroad_system import SOAP, XRoadSystem
from tests.fixtures_pki import federation
from tests.pki import Federation as PkiFederation
from tests.two_sides import two_sides
from tests.xroad_messages import MESSAGE_ID, PARTY, client, field, fields, message, service

__all__ = ["federation"]

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

CLIENT = ("UZ", "GOV", "200000004", "pensions")
PROVIDER = ("UZ", "GOV", "200000001", "population")
DOCS = CHECKOUT / "docs" / "xroad.md"
AT_ROOT = "xroad_at_root = true\n"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """pensions asks. population provides GetPerson twice: v1 by a system made for X-Road, v2 by one that is not."""

    federation: Federation
    system: XRoadSystem

    @property
    def pensions(self) -> Home:
        return self.federation.homes["pensions"]

    @property
    def population(self) -> Home:
        return self.federation.homes["population"]

    @property
    def listener(self) -> str:
        return f"127.0.0.1:{self.pensions.settings.client_listener.port}"

    def address(self, path: str = "/xroad") -> str:
        return f"http://{self.listener}{path}"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("xroad") / "federation"
    answer = etree.tostring(etree.fromstring((ANSWER % "30101900010014").encode())[0][0]).decode()
    with (
        StubSystem() as plain,
        XRoadSystem(answer) as system,
        running(folder, _pensions(plain), _population(plain, system)) as federation,
    ):
        yield Ground(federation=federation, system=system)


def _pensions(plain: StubSystem) -> MemberPlan:
    context = "\n".join(line for line in CONTEXT.splitlines() if not line.startswith("official"))
    return replace(
        member_plan(4, "pensions", suite="p256", system=plain),
        subsystems=("pensions",),
        services=(),
        grants=(),
        client_listener="xroad_at_root = true\n",
        clients=(ClientPlan(name="case-system", subsystem="pensions", context=context),),
    )


def _population(plain: StubSystem, system: XRoadSystem) -> MemberPlan:
    plan = member_plan(1, "population", suite="p256", system=plain)
    (given,) = plan.services
    toml = given.toml.replace('"register"', '"population"')
    in_xroad = toml.replace(plain.address, system.address).replace("[soap]\n", '[soap]\nprotocol = "xroad-4.0"\n')
    services = (replace(given, toml=in_xroad), replace(given, toml=toml.replace('"v1"', '"v2"')))
    ids = (plan.service("population", "GetPerson", version) for version in ("v1", "v2"))
    grants = tuple(GrantPlan(consumer="/".join(CLIENT), service=service) for service in ids)
    return replace(plan, subsystems=("population",), services=services, grants=grants)


@pytest.fixture(autouse=True)
def _answers_well(ground: Ground) -> None:
    ground.system.change = lambda _envelope: None


def ask_person(pinfl: str | None = None) -> str:
    return f'<p:GetPerson xmlns:p="{NAMESPACE}"><p:Pinfl>{pinfl or fresh_pinfl()}</p:Pinfl></p:GetPerson>'


_ids = iter(range(10_000))


def good_fields(**more: str) -> str:
    fresh = field("id", f"{MESSAGE_ID[:-4]}{next(_ids):04d}")
    known = {"client": client(*CLIENT), "service": service(*PROVIDER, "GetPerson", "v1"), "id": fresh}
    return fields(**{**known, **more})


def post(url: str, text: str) -> tuple[int, etree._Element]:
    request = urllib.request.Request(url, text.encode(), {"Content-Type": "text/xml; charset=utf-8"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, etree.fromstring(answer.read())
    except urllib.error.HTTPError as fault:
        return fault.code, etree.fromstring(fault.read())


def fault_of(envelope: etree._Element) -> tuple[str, str]:
    fault = envelope.find(f"{SOAP}Body/{SOAP}Fault")
    assert fault is not None, etree.tostring(envelope)
    return fault.findtext("faultcode") or "", fault.findtext("faultstring") or ""


def test_a_client_and_a_system_made_for_xroad_meet(ground: Ground) -> None:
    asked = message(good_fields(issue=field("issue", "2026/17"), party=PARTY), ask_person())
    status, envelope = post(ground.address(), asked)
    assert status == 200
    assert envelope.findtext(f"{SOAP}Body/{{{NAMESPACE}}}GetPersonResponse//{{*}}Pinfl") == "30101900010014"
    assert [block.tag for block in envelope[0]][-1] == f"{{{XROAD}}}requestHash"
    sent_id = etree.fromstring(asked.encode())[0].findtext(f"{{{XROAD}}}id")
    assert ground.system.header() == {
        "client": "/".join(CLIENT),
        "service": "/".join((*PROVIDER, "GetPerson", "v1")),
        "representedParty": "COM/30210",
        "id": sent_id,
        "userId": "UZ12345",
        "issue": "2026/17",
        "protocolVersion": "4.0",
    }
    assert verified_size(ground.pensions) >= 2
    assert verified_size(ground.population) >= 2


@pytest.mark.parametrize("path", ["/", "/xroad", "/xroad/"])
def test_every_address_of_a_security_server_is_answered(ground: Ground, path: str) -> None:
    status, _ = post(ground.address(path), message(good_fields(), ask_person()))
    assert status == 200


def test_a_system_made_for_xroad_answers_a_client_that_is_not(ground: Ground) -> None:
    said = "<c:Official>clerk-7</c:Official>"
    header = f'<c:RequestContext xmlns:c="urn:interagency-adapter:client:1">{said}</c:RequestContext>'
    url = ground.pensions.service_url(ground.population.plan.service("population", "GetPerson"))
    answer = post_soap(url, soap_envelope(ask_person(), header=header))
    assert answer.code == "answered"
    told = ground.system.header()
    assert (told["userId"], told["client"]) == ("clerk-7", "/".join(CLIENT))
    assert "issue" not in told
    assert told["id"] == answer.headers["Adapter-Message-Id"].removeprefix("urn:uuid:")


def test_a_client_made_for_xroad_asks_a_system_that_is_not(ground: Ground) -> None:
    pinfl, before = fresh_pinfl(), len(ground.system.asked)
    asked = message(good_fields(service=service(*PROVIDER, "GetPerson", "v2")), ask_person(pinfl))
    status, envelope = post(ground.address(), asked)
    assert status == 200
    assert envelope.findtext(f"{SOAP}Body/{{{NAMESPACE}}}GetPersonResponse//{{*}}Pinfl") == pinfl
    assert len(ground.system.asked) == before


def test_who_asks_is_missed_under_the_name_that_the_client_knows(ground: Ground) -> None:
    before = len(ground.system.asked)
    code, said = fault_of(post(ground.address(), message(good_fields(userId=""), ask_person()))[1])
    assert code == "Client.MissingHeaderField"
    assert said.endswith("userId: The header is missing.")
    assert len(ground.system.asked) == before


def test_of_several_versions_none_is_guessed(ground: Ground) -> None:
    asked = message(good_fields(service=service(*PROVIDER, "GetPerson")), ask_person())
    code, said = fault_of(post(ground.address(), asked)[1])
    assert code == "Server.ServerProxy.UnknownService"
    assert "name one version" in said


def _another_id(envelope: etree._Element) -> None:
    found = envelope.find(f".//{{{XROAD}}}id")
    assert found is not None
    found.text = "another"


def _no_header(envelope: etree._Element) -> None:
    envelope.remove(envelope[0])


def _fault(envelope: etree._Element) -> None:
    _no_header(envelope)
    fault = (
        f"<s:Fault xmlns:s='{SOAP11}'><faultcode>Server.Register.Closed</faultcode><faultstring>Закрыто</faultstring>"
    )
    envelope[-1][:] = [etree.fromstring(f"{fault}</s:Fault>")]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (_another_id, "Server.ServerProxy.ServiceFailed.InvalidSoap", "not that of the request"),
        (_no_header, "Server.ServerProxy.ServiceFailed.InvalidSoap", "The header is missing."),
        (_fault, "Server.Register.Closed", "Закрыто"),
    ],
)
def test_what_the_system_says_wrongly_and_its_own_faults(ground: Ground, change, code: str, words: str) -> None:
    ground.system.change = change
    status, envelope = post(ground.address(), message(good_fields(), ask_person()))
    assert status == 500
    found, said = fault_of(envelope)
    assert found == code
    assert words in said


def test_a_message_that_comes_again_is_not_answered_again(ground: Ground) -> None:
    asked = message(good_fields(), ask_person())
    assert post(ground.address(), asked)[0] == 200
    before = len(ground.system.asked)
    code, said = fault_of(post(ground.address(), asked)[1])
    assert code == "Server.ServerProxy.InvalidRequest"
    assert "was received before" in said
    assert len(ground.system.asked) == before


def test_list_clients(ground: Ground) -> None:
    with urllib.request.urlopen(ground.address("/listClients"), timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        listed = etree.fromstring(answer.read())
    assert listed.tag == f"{{{XROAD}}}clientList"
    types = [member[0].get(f"{{{IDENTIFIERS}}}objectType") for member in listed]
    assert types == ["MEMBER", "SUBSYSTEM"] * 2
    assert listed[0].findtext(f"{{{XROAD}}}name") == "Agency 1 (synthetic)"
    request = urllib.request.Request(
        ground.address("/xroad/listClients?xRoadInstance=UZ"), headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        members = json.load(answer)["member"]
    assert members[1]["id"] == {
        "object_type": "SUBSYSTEM",
        "xroad_instance": "UZ",
        "member_class": "GOV",
        "member_code": "200000001",
        "subsystem_code": "population",
    }
    with pytest.raises(urllib.error.HTTPError) as other:
        urllib.request.urlopen(ground.address("/listClients?xRoadInstance=EE"), timeout=30)
    assert other.value.code == 404


def test_other_methods_are_told_what_is_allowed(ground: Ground) -> None:
    for path, method, allowed in (("/xroad", "GET", "POST"), ("/listClients", "POST", "GET")):
        request = urllib.request.Request(ground.address(path), method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        assert (refused.value.code, refused.value.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("heading", ["A consumer", "Metaservices"])
def test_the_page_shows_what_is_printed(ground: Ground, heading: str, tmp_path: Path) -> None:
    ground.system.change = lambda _envelope: None
    for dialogue in dialogues(heading, DOCS):
        command = dialogue.command.replace("127.0.0.1:8080", ground.listener)
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
        assert_shown(dialogue.shown, done.stdout.splitlines())


async def test_the_root_is_xroads_only_where_the_settings_say_so(federation: PkiFederation) -> None:
    sides = two_sides(federation)
    side = ClientSide(site=sides.consumer, bounds=BOUNDS, intake=INTAKE)
    handler = XRoadListener(side, client_listener(sides), at_root=False, public_url=None)
    async with listening(handler, SoapVersion.SOAP11) as port:
        at_root = await ask(port, post_octets("/", b"<a/>", "text/xml"))
        at_xroad = await ask(port, post_octets("/xroad", b"<a/>", "text/xml"))
        listed = await ask(port, b"GET /listClients HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (at_root.code, b"faultDetail" in at_root.body) == ("UnknownService", False)
    assert (at_xroad.code, b"faultDetail" in at_xroad.body) == ("NotSoap", True)
    assert listed.status == 404

"""X-Road on real sockets: two adapters, a client made for X-Road at one end, a system made for it at the other."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from lxml import etree

from adapter.envelope.names import SOAP11
from adapter.envelope.xroad import IDENTIFIERS, XROAD
from examples.demo.soap_calls import post_soap, soap_envelope
from examples.federation.federation import Federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan
from tests.adapters.exchanges import verified_size
from tests.adapters.small_federation import CONTEXT, NAMESPACE, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import ANSWER, StubSystem
from tests.adapters.xroad_system import SOAP, XRoadSystem
from tests.xroad_messages import MESSAGE_ID, PARTY, client, field, fields, message, service

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

CLIENT = ("UZ", "GOV", "200000001", "register")
PROVIDER = ("UZ", "GOV", "200000002", "register")
AT_ROOT = "xroad_at_root = true\n"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """old: its systems speak plain SOAP. xroad: its systems are made for X-Road. Each may ask the other."""

    federation: Federation
    system: XRoadSystem

    @property
    def asking(self) -> Home:
        return self.federation.homes["asking"]

    @property
    def xroad(self) -> Home:
        return self.federation.homes["xroad"]

    def address(self, path: str = "/xroad") -> str:
        return f"http://127.0.0.1:{self.asking.settings.client_listener.port}{path}"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("xroad") / "federation"
    answer = etree.tostring(etree.fromstring((ANSWER % "30101900010014").encode())[0][0]).decode()
    with StubSystem() as plain, XRoadSystem(answer) as system:
        asking = member_plan(1, "asking", suite="p256", system=plain)
        asking = replace(
            asking,
            client_listener=AT_ROOT,
            clients=(ClientPlan(name="case-system", subsystem="register", context=context_without_official()),),
        )
        provider = member_plan(2, "xroad", suite="p256", system=plain)
        toml = provider.services[0].toml.replace(plain.address, system.address)
        toml = toml.replace("[soap]\n", '[soap]\nprotocol = "xroad-4.0"\n')
        provider = replace(provider, services=(replace(provider.services[0], toml=toml),))
        with running(folder, asking, provider) as federation:
            yield Ground(federation=federation, system=system)


@pytest.fixture(autouse=True)
def _answers_well(ground: Ground) -> None:
    ground.system.change = lambda _envelope: None


def context_without_official() -> str:
    return "\n".join(line for line in CONTEXT.splitlines() if not line.startswith("official"))


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
    assert verified_size(ground.asking) >= 2
    assert verified_size(ground.xroad) >= 2


@pytest.mark.parametrize("path", ["/", "/xroad", "/xroad/"])
def test_every_address_of_a_security_server_is_answered(ground: Ground, path: str) -> None:
    status, _ = post(ground.address(path), message(good_fields(), ask_person()))
    assert status == 200


def test_a_system_made_for_xroad_answers_a_client_that_is_not(ground: Ground) -> None:
    said = "<c:Official>clerk-7</c:Official>"
    header = f'<c:RequestContext xmlns:c="urn:interagency-adapter:client:1">{said}</c:RequestContext>'
    url = ground.asking.service_url(ground.xroad.plan.service("register", "GetPerson"))
    answer = post_soap(url, soap_envelope(ask_person(), header=header))
    assert answer.code == "answered"
    told = ground.system.header()
    assert (told["userId"], told["client"]) == ("clerk-7", "/".join(CLIENT))
    assert "issue" not in told
    assert told["id"] == answer.headers["Adapter-Message-Id"].removeprefix("urn:uuid:")


def test_a_client_made_for_xroad_asks_a_system_that_is_not(ground: Ground) -> None:
    own = message(good_fields(service=service(*CLIENT, "GetPerson")), ask_person())
    code, _ = fault_of(post(ground.address(), own)[1])
    assert code == "Server.ServerProxy.AccessDenied", "the agency did not grant itself access; its adapter was asked"


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
        "subsystem_code": "register",
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

"""The sandbox on real sockets: called directly, and as the system behind an adapter; and the trace of what went by."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree

from adapter.envelope.carried import Content
from adapter.envelope.description import Operation, ServiceDescription, load_description
from adapter.envelope.schema import check_content
from adapter.envelope.soap import NAMESPACE_OF, content_type_of
from adapter.samples.make import SampleMaker, Variant
from adapter.sandbox.play import parse_play
from examples.federation.federation import CHECKOUT, Federation
from examples.federation.home import Home
from examples.federation.plan import GrantPlan, MemberPlan, ServicePlan
from tests.adapters.sandboxes import RunningSandbox, running_sandbox
from tests.adapters.small_federation import fresh_pinfl, member_plan, running
from tests.command_line import typed
from tests.corpus import CORPUS, INDEX, NAMES, description_of

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(240)]

POPULATION = CHECKOUT / "examples" / "population" / "description" / "population.wsdl"
NS = "urn:example:population-register:1"
ASKING = ("--official", "inspector-17", "--purpose", "social-benefit", "--basis", "law:Law No. 395 of 2015, article 12")
CONTEXT = """\
official = "inspector-17"
purpose = "social-benefit"
legal_basis_kind = "law"
legal_basis_reference = "Law No. 395 of 2015, article 12\""""

# One of each kind: SOAP 1.2, one-way, rpc/encoded, headers of the service's own, bare, a deep schema.
ON_SOCKETS = (
    "eu-ics2-ccn2",
    "py-sifen-receive",
    "us-nws-ndfd",
    "cz-isds-data-box-messages",
    "kg-tunduk-demo-adapter",
    "uk-laa-ccms-cases",
    "hu-central-bank-rates",
)
CORPUS_TOML = """\
code = "{code}"
version = "v1"
subsystem = "register"
title = "Of the corpus"
wsdl = "{entry}"
personal_data = false
backend = "soap"

[soap]
address = "{address}"
timeout_s = 20
"""


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, RunningSandbox]]:
    with ExitStack() as stack:
        population = load_description(POPULATION.parent, POPULATION.name)
        found = {"population": stack.enter_context(running_sandbox(population))}
        for name in ON_SOCKETS if NAMES else ():
            found[name] = stack.enter_context(running_sandbox(description_of(name), variant=Variant.MINIMAL))
        yield found


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory, sandboxes: dict[str, RunningSandbox]) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("sandbox") / "federation"
    asking = member_plan(1, "asking", suite="p256", system=sandboxes["population"])
    asking = replace(asking, services=(), grants=(), clients=(replace(asking.clients[0], context=CONTEXT),))
    with running(folder, asking, _asked(sandboxes)) as started:
        yield started


def _asked(sandboxes: dict[str, RunningSandbox]) -> MemberPlan:
    """A member that provides the population register and services of the corpus, all out of sandboxes."""
    plan = member_plan(2, "asked", suite="p256", system=sandboxes["population"])
    services = [
        ServicePlan(
            toml=CORPUS_TOML.format(code=name, entry=entry_of(name), address=sandbox.address),
            description=CORPUS / name,
        )
        for name, sandbox in sandboxes.items()
        if name != "population"
    ]
    grants = [GrantPlan(consumer="UZ/GOV/200000001", service=plan.service("register", name)) for name in sandboxes]
    grants[0] = GrantPlan(consumer="UZ/GOV/200000001", service=plan.service("register", "GetPerson"))
    return replace(plan, services=(*plan.services, *services), grants=tuple(grants))


def entry_of(name: str) -> str:
    entry = next(service["entry"] for service in INDEX if service["name"] == name)
    return str(entry.partition("/")[2])


# --- directly --------------------------------------------------------------------------------------------------------


def envelope(pinfl: str, element: str = "Pinfl") -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>\n'
        f'<GetPerson xmlns="{NS}">\n<{element}>{pinfl}</{element}></GetPerson></s:Body></s:Envelope>'
    ).encode()


def post(address: str, octets: bytes, **more) -> requests.Response:
    return requests.post(address, data=octets, headers={"Content-Type": "text/xml"}, timeout=20, **more)


def test_a_zeep_client_made_from_its_wsdl_gets_an_answer_about_the_person_asked_for(sandboxes):
    pinfl = fresh_pinfl()
    client = zeep.Client(sandboxes["population"].address + "?wsdl")
    person = client.service.GetPerson(Pinfl=pinfl)
    assert person.Pinfl == pinfl
    assert "a" <= person.NameLatin.Surname[-1] <= "z"
    assert "а" <= person.NameCyrillic.Surname[-1] <= "я"
    assert client.service.GetPerson(Pinfl=pinfl).NameLatin.Surname == person.NameLatin.Surname


def test_what_is_wrong_with_a_request_is_told_to_both_sides(sandboxes):
    sandbox = sandboxes["population"]
    answer = post(sandbox.address, envelope(fresh_pinfl(), "Pinfk"))
    assert answer.status_code == 500
    assert "line 3, GetPerson/*: An element that the schema does not know" in answer.text
    problem = sandbox.arrivals[-1].answer.problems[0]
    assert (problem.line, problem.rule) == (3, "cvc-complex-type.2.4")
    assert "expected here: Pinfl" in problem.text


PLAYED = {
    "fault": (500, "soap:Server"),
    "fault=client": (500, "soap:Client"),
    "nonsense": (200, "It works!"),
    "down": (503, "down"),
    "delay=0.2": (200, "GetPersonResponse"),
    "invalid": (200, "soap:Body"),
}


@pytest.mark.parametrize("play", PLAYED)
def test_a_request_says_by_its_url_or_a_header_what_is_played(sandboxes, play):
    address, (status, text) = sandboxes["population"].address, PLAYED[play]
    by_url = post(f"{address}?play={play}", envelope(fresh_pinfl()))
    assert (by_url.status_code, text in by_url.text) == (status, True)
    headers = {"Content-Type": "text/xml", "Sandbox-Play": play}
    by_header = requests.post(address, data=envelope(fresh_pinfl()), headers=headers, timeout=20)
    assert (by_header.status_code, text in by_header.text) == (status, True)
    assert post(address, envelope(fresh_pinfl())).status_code == 200


@pytest.mark.parametrize("play", ["drop", "half"])
def test_a_connection_breaks_on_demand(sandboxes, play):
    with pytest.raises(requests.exceptions.RequestException):
        _ = post(sandboxes["population"].address + f"?play={play}", envelope(fresh_pinfl())).content


def test_an_invalid_answer_is_invalid(sandboxes):
    description = load_description(POPULATION.parent, POPULATION.name)
    answer = post(sandboxes["population"].address + "?play=invalid", envelope(fresh_pinfl()))
    body = etree.fromstring(answer.content)[-1][0]
    operation = description.operations[0]
    with pytest.raises(Exception, match="findings of the schema validation"):
        check_content(description, Content(body=body), operation, in_output=True)


def test_the_control_path_sets_counts_and_ends_a_play(sandboxes):
    address = sandboxes["population"].address
    assert requests.post(f"{address}play?play=fault,times=1", timeout=20).json()["playing"] == ["fault,times=1"]
    assert requests.put(f"{address}play?play=down,times=1", timeout=20).json()["playing"][1] == "down,times=1"
    statuses = [post(address, envelope(fresh_pinfl())).status_code for _ in range(3)]
    assert statuses == [500, 503, 200]
    requests.post(f"{address}play?play=down", timeout=20)
    assert requests.delete(f"{address}play", timeout=20).json()["playing"] == []
    wrong = requests.post(f"{address}play?play=faul", timeout=20)
    assert (wrong.status_code, "did you mean fault?" in wrong.text) == (400, True)


def test_a_play_for_one_operation_leaves_the_others_alone(sandboxes):
    sandbox = sandboxes["population"]
    sandbox.stage.set(parse_play("fault,operation=Another,times=1"))
    try:
        assert post(sandbox.address, envelope(fresh_pinfl())).status_code == 200
        assert [str(play) for play in sandbox.stage.plays] == ["fault,times=1,operation=Another"]
    finally:
        sandbox.stage.set(None)


def test_the_command_prints_its_wsdl_and_a_line_for_each_request():
    command = [sys.executable, "-c", "from adapter.cli.main import run; run()", "sandbox", str(POPULATION)]
    with subprocess.Popen(
        [*command, "--port", "0", "--json", "--show"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            first = json.loads(process.stdout.readline())
            assert requests.get(first["wsdl"], timeout=20).status_code == 200
            pinfl = fresh_pinfl()
            post(first["address"], envelope(pinfl, "Pinfk"))
            line = process.stdout.readline()
            seen = json.loads(line)
            assert (seen["outcome"], seen["problems"][0]["line"]) == ("refused: SchemaInvalid", 3)
            assert pinfl not in line
            assert "99999999999999" in seen["request"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


# --- behind an adapter -----------------------------------------------------------------------------------------------


@pytest.fixture
def asking(federation: Federation) -> Home:
    return federation.homes["asking"]


@pytest.fixture
def asked(federation: Federation) -> Home:
    return federation.homes["asked"]


@pytest.mark.skipif(not NAMES, reason="the corpus of service descriptions is not beside the repository")
@pytest.mark.parametrize("name", ON_SOCKETS)
def test_every_operation_goes_there_and_back_over_sockets(asking: Home, asked: Home, sandboxes, name: str):
    description = description_of(name)
    maker = SampleMaker(description)
    url = asking.service_url(asked.plan.service("register", name))
    for operation in description.operations:
        answer = requests.post(
            url,
            data=_envelope(maker, operation),
            headers={
                "Content-Type": content_type_of(operation.soap_version),
                "SOAPAction": f'"{operation.soap_action}"',
            },
            timeout=30,
        )
        seen = sandboxes[name].arrivals[-1].answer
        assert (seen.operation, seen.problems) == (operation.name, ())
        _check(description, operation, answer)


def _envelope(maker: SampleMaker, operation: Operation) -> bytes:
    body = etree.tostring(maker.sample(operation.input_element).element)
    namespace = NAMESPACE_OF[operation.soap_version].encode()
    return b'<s:Envelope xmlns:s="' + namespace + b'"><s:Body>' + body + b"</s:Body></s:Envelope>"


def _check(description: ServiceDescription, operation: Operation, answer: requests.Response) -> None:
    if operation.output_element is None:
        assert (answer.status_code, answer.content) == (202, b"")
        return
    assert answer.status_code == 200, answer.text
    check_content(description, Content(body=etree.fromstring(answer.content)[-1][0]), operation, in_output=True)


def test_a_played_fault_reaches_the_client_through_both_adapters(asking: Home, asked: Home, sandboxes):
    sandboxes["population"].stage.set(parse_play("fault,times=1"))
    pinfl = fresh_pinfl()
    done = typed("call", *_where(asking, asked), "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}")
    assert "ProviderSystemFault" in done.out
    assert "told to answer with a fault" in done.out


def _where(asking: Home, asked: Home) -> tuple[object, ...]:
    return ("--settings", asking.settings_file, "--service", asked.plan.service("register", "GetPerson"))


# --- the trace of it -------------------------------------------------------------------------------------------------


def _called(asking: Home, asked: Home, pinfl: str) -> dict[str, Any]:
    done = typed(
        "call", *_where(asking, asked), "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}", "--json"
    )
    assert done.code == 0, done.err
    return dict(json.loads(done.out))


def test_a_trace_shows_every_stage_on_both_sides_and_no_value_of_the_person(asking: Home, asked: Home):
    pinfl = fresh_pinfl()
    answer = _called(asking, asked, pinfl)
    surname = answer["reply"]["GetPersonResponse"]["Person"]["NameLatin"]["Surname"]
    names = {}
    for home in (asking, asked):
        done = typed("trace", answer["message_id"], "--settings", home.settings_file, "--json")
        assert done.code == 0, done.err
        assert pinfl not in done.out
        assert surname not in done.out
        assert "Law No. 395" not in done.out
        assert answer["message_id"] in done.out
        stages = [stage["stage"] for stage in json.loads(done.out)]
        names[home.plan.folder] = ["record" if stage.startswith("record ") else stage for stage in stages]
    assert names["asking"] == [
        "record", "request as sent to the peer", "request opened", "request verified", "request validated",
        "record", "reply as received from the peer", "reply opened", "reply verified", "reply validated",
        "reply sent on to the client system",
    ]  # fmt: skip
    assert names["asked"] == [
        "record", "request as received from the peer", "request opened", "request verified", "request validated",
        "request sent on to the information system",
        "record", "reply as sent to the peer", "reply opened", "reply verified", "reply validated",
    ]  # fmt: skip


def test_a_trace_by_record_number_is_of_the_whole_exchange(asking: Home, asked: Home):
    answer = _called(asking, asked, fresh_pinfl())
    done = typed("trace", answer["records"][1], "--settings", asking.settings_file)
    assert done.code == 0, done.err
    assert answer["message_id"] in done.out
    assert "Pinfl>99999999999999<" in done.out


def test_a_trace_of_a_refused_exchange_says_where_it_stopped(asking: Home, asked: Home, sandboxes):
    sandboxes["population"].stage.set(parse_play("nonsense,times=1"))
    pinfl = fresh_pinfl()
    typed("call", *_where(asking, asked), "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}")
    listed = json.loads(typed("log", "list", "--settings", asked.settings_file, "--limit", 1, "--json").out)
    done = typed("trace", listed[0]["record"], "--settings", asked.settings_file, "--json")
    assert done.code == 1
    assert "ProviderSystemInvalid" in done.out
    assert pinfl not in done.out


def test_a_trace_masks_what_the_system_wrote_into_its_fault(asking: Home, asked: Home, sandboxes):
    sandboxes["population"].stage.set(parse_play("fault,times=1"))
    pinfl = fresh_pinfl()
    typed("call", *_where(asking, asked), "--field", f"Pinfl={pinfl}", *ASKING, "--subject", f"pinfl:{pinfl}")
    listed = json.loads(typed("log", "list", "--settings", asking.settings_file, "--limit", 1, "--json").out)
    done = typed("trace", listed[0]["record"], "--settings", asking.settings_file)
    assert done.code == 1
    assert "ProviderSystemFault" in done.out
    assert "xxxxxxx xxx xxxx xx xxxxxx xxxx x xxxxx" in done.out
    assert "told to answer" not in done.out


def test_a_trace_of_nothing_known_says_so(asking: Home):
    done = typed("trace", "nothing", "--settings", asking.settings_file)
    assert done.code != 0
    assert "no file, no record number and no message id" in done.err


def test_a_trace_of_a_file_follows_it_as_far_as_a_file_can_be(tmp_path: Path):
    request = tmp_path / "request.xml"
    pinfl = fresh_pinfl()
    request.write_bytes(envelope(pinfl, "Pinfk"))
    done = typed("trace", request, "--wsdl", POPULATION, "--json")
    assert done.code == 1
    stages = json.loads(done.out)
    assert [stage["stage"] for stage in stages] == ["as it stands in the file", "identified", "validated"]
    assert stages[2]["problems"][0]["line"] == 3
    assert pinfl not in done.out

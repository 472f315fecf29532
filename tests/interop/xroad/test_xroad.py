"""A consumer, a provider and a portal, each made by Apache CXF from an X-Road WSDL of somebody else, at two adapters.

The provider is made from the Tunduk demo adapter's WSDL, the portal from that of the metaservices, and one consumer
from what the portal was given by getWsdl: the example adapter of XRd4J.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from examples.federation.federation import Federation, build_federation
from examples.federation.free_ports import free_ports
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes
from tests.adapters.small_federation import fresh_pinfl
from tests.adapters.xroad_system import XRoadSystem
from tests.interop.stacks import Said, build, call, java_classpath, java_missing

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
CORPUS = Path(__file__).parents[4] / "shared" / "wsdl-corpus"
PROGRAMS = HERE / "java"
CLIENT = "UZ/GOV/200000001/cases"
REGISTER = "UZ/GOV/200000002/register"
EXAMPLE = "http://test.x-road.global/producer"
HELLO = f'<h:helloServiceResponse xmlns:h="{EXAMPLE}"><h:message>Салом, Дилноза</h:message></h:helloServiceResponse>'
CONTEXT = """\
purpose = "social-benefit"
legal_basis_kind = "law"
legal_basis_reference = "Law No. 395 of 2015, article 12"
subject_kind = "pinfl"
subject_xpath = "request"
"""
SERVICE = """\
code = "{code}"
version = "{version}"
subsystem = "register"
title = "{title}"
wsdl = "{wsdl}"
personal_data = {personal}
backend = "soap"

[soap]
address = "{address}"
protocol = "xroad-4.0"
"""


@dataclass(frozen=True, kw_only=True)
class Code:
    """Java programs made from one WSDL."""

    classes: Path
    jars: str

    def command(self, program: str) -> Sequence[str]:
        return ("java", "-XX:TieredStopAtLevel=1", "-cp", f"{self.classes}:{self.jars}", program)


def made_from(wsdl: str, catalogue: Path, folder: Path, *programs: str) -> Code:
    """Generate and compile. wsdl: a file or an address."""
    jars = java_classpath("xroad", HERE / "pom.xml")
    folder.mkdir()
    arguments = (str(HERE / "generate.sh"), wsdl, str(catalogue), str(PROGRAMS), *programs)
    build("sh", *arguments, cwd=folder, environment={"CLASSPATH": jars})
    return Code(classes=folder / "classes", jars=jars)


def catalogue_of(service: str, folder: Path) -> Path:
    """The documents that a description of the corpus names by URL, as an OASIS catalogue."""
    files = json.loads((CORPUS / service / "catalog.json").read_text())["urls"]
    entries = "".join(
        f"<{tag} {key}={quoteattr(url)} uri={quoteattr((CORPUS / service / name).as_uri())}/>"
        for url, name in files.items()
        for tag, key in (("system", "systemId"), ("uri", "name"))
    )
    path = folder / f"{service}.catalogue.xml"
    path.write_text(f'<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">{entries}</catalog>')
    return path


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the tests talk to. asked: what the provider made by CXF was told, line by line."""

    federation: Federation
    example: XRoadSystem
    folder: Path
    person: Code
    portal: Code
    log: Path

    @property
    def asking(self) -> Home:
        return self.federation.homes["asking"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.asking.settings.client_listener.port}/"

    @property
    def asked(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        return [line.removeprefix("asked: ") for line in lines if line.startswith("asked: ")]

    def ask_person(self, pin: str, *, service: str = "GetPerson/v1", client: str = CLIENT, id_: str = "") -> Said:
        asked = (self.url, client, f"{REGISTER}/{service}", id_ or str(uuid.uuid4()), "UZ12345", "2026/17", pin)
        return call(self.person.command("PersonClient"), *asked)

    def ask_portal(self, service: str, *more: str) -> Said:
        wsdl = (CORPUS / "xroad-metaservices" / "metaservices.wsdl").as_uri()
        return call(self.portal.command("MetaClient"), wsdl, self.url, CLIENT, f"{REGISTER}/{service}", *more)


@contextmanager
def provider(code: Code, address: str, log: Path) -> Iterator[None]:
    """The provider made by CXF, until the tests are over."""
    with log.open("w") as output:
        process = subprocess.Popen([*code.command("PersonProvider"), address], stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    if not CORPUS.is_dir():
        pytest.skip("the WSDL corpus is not beside the repository")
    if absent := java_missing():
        pytest.skip(absent)
    folder = tmp_path_factory.mktemp("xroad")
    kg, meta = "kg-tunduk-demo-adapter", "xroad-metaservices"
    wsdl = str(CORPUS / kg / "localhost.wsdl")
    person = made_from(wsdl, catalogue_of(kg, folder), folder / "person", "PersonClient", "PersonProvider")
    wsdl = str(CORPUS / meta / "metaservices.wsdl")
    portal = made_from(wsdl, catalogue_of(meta, folder), folder / "portal", "MetaClient")
    (port,) = free_ports(1)
    address, log = f"http://127.0.0.1:{port}/person", folder / "provider.log"
    with (
        provider(person, address, log),
        XRoadSystem(HELLO) as example,
        Processes(folder / "logs") as processes,
    ):
        federation = build_federation(_plan(address, example.address), folder / "federation", processes)
        federation.start()
        yield Ground(federation=federation, example=example, folder=folder, person=person, portal=portal, log=log)


def _plan(person: str, example: str) -> FederationPlan:
    services = (
        _service("kg-tunduk-demo-adapter", "localhost.wsdl", "GetPerson", "v1", person, personal=True),
        _service("xroad-xrd4j-example-adapter", "example-adapter.wsdl", "Example", "2026", example, personal=False),
        *(
            _service(folder, wsdl, code, "1", "http://127.0.0.1:9/", personal=False)
            for folder, (wsdl, code, _) in READ_ONLY.items()
        ),
    )
    register = MemberPlan(
        id="UZ/GOV/200000002",
        folder="register",
        names={"en": "Register (synthetic)"},
        subsystems=("register",),
        services=services,
    )
    ids = (register.service("register", "GetPerson"), register.service("register", "Example", "2026"))
    grants = tuple(GrantPlan(consumer=CLIENT, service=service) for service in ids)
    asking = MemberPlan(
        id="UZ/GOV/200000001",
        folder="asking",
        names={"en": "Agency (synthetic)"},
        subsystems=("cases", "other"),
        client_listener="xroad_at_root = true\n",
        clients=(ClientPlan(name="case-system", subsystem="cases", context=CONTEXT),),
    )
    return FederationPlan(members=(asking, MemberPlan(**{**vars(register), "grants": grants})))


READ_ONLY = {
    "fi-population-vtj": ("service.wsdl", "Vtj", "HenkilonTunnusKysely"),
    "ee-rik-fastapi-swaref": ("with_swa_ref_element.wsdl", "Files", "pytestAction"),
}
"""Services that are in the directory and answer nothing: WSDL, code, one of their operations.

CXF reads both as they are. That of the Estonian education register it does not: it wants a binding that renames the two
parameters `data` of laeHuviharidus.
"""


def _service(folder: str, wsdl: str, code: str, version: str, address: str, *, personal: bool) -> ServicePlan:
    toml = SERVICE.format(
        code=code, version=version, title=code, wsdl=wsdl, address=address, personal=str(personal).lower()
    )
    return ServicePlan(toml=toml, description=CORPUS / folder)


# --- consumer and provider -------------------------------------------------------------------------------------------


def test_a_consumer_and_a_provider_made_by_cxf_meet(ground: Ground) -> None:
    pin, message_id = _pin_of_somebody(), str(uuid.uuid4())
    said = ground.ask_person(pin, id_=message_id)
    assert said.exit_code == 0, said
    echo = f"{CLIENT} {REGISTER}/GetPerson/v1 {message_id} UZ12345 2026/17 4.0"
    assert said.lines == {
        "pin": pin,
        "name": "Асанова Айгүл",
        "born": "1990-01-01T00:00:00",
        "gender": "FEMALE",
        "photo": str(len("сүрөт".encode())),
        "echo": echo,
    }
    assert ground.asked[-1] == echo, "with a UUID the id is the same on the whole way"


def test_a_service_without_its_version_is_the_only_one(ground: Ground) -> None:
    said = ground.ask_person(_pin_of_somebody(), service="GetPerson")
    assert said.exit_code == 0, said
    assert said.lines["echo"].split()[1] == f"{REGISTER}/GetPerson"
    assert ground.asked[-1].split()[1] == f"{REGISTER}/GetPerson/v1"


def test_an_id_that_is_no_uuid_is_answered_with_itself(ground: Ground) -> None:
    said = ground.ask_person(_pin_of_somebody(), id_="ID 11/234")
    assert said.lines["echo"].endswith("ID 11/234 UZ12345 2026/17 4.0"), said


def test_the_providers_own_fault_arrives(ground: Ground) -> None:
    said = ground.ask_person(_pin_of_nobody())
    assert (said.exit_code, said.lines["code"]) == (1, "Server.Register.NoSuchPerson"), said
    assert said.lines["text"] == "Мындай адам жок"
    assert said.lines["incident"] in [entry.incident for entry in ground.federation.homes["register"].record.since(0)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client": "UZ/GOV/200000001/other"}, "Server.ClientProxy.AccessDenied"),
        ({"client": "UZ/GOV/200000002/register"}, "Server.ClientProxy.AccessDenied"),
        ({"service": "GetPerson/v2"}, "Server.ServerProxy.UnknownService"),
        ({"service": "helloService/v1"}, "Client.InconsistentHeaders"),
    ],
)
def test_the_adapters_refusals_are_soap_faults_that_cxf_reads(
    ground: Ground, change: dict[str, str], code: str
) -> None:
    said = ground.ask_person(_pin_of_somebody(), **change)
    assert (said.exit_code, said.lines["code"]) == (1, code), said
    assert said.lines["text"]


def test_a_wrong_check_digit_is_refused_before_anything_leaves(ground: Ground) -> None:
    pin = _pin_of_somebody()
    wrong = pin[:-1] + str((int(pin[-1]) + 1) % 10)
    assert ground.ask_person(wrong).lines["code"] == "Client.InvalidRequest"
    assert wrong not in "".join(ground.asked)


# --- metaservices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metaservice", ["listMethods", "allowedMethods"])
def test_the_portal_finds_every_operation_as_a_service(ground: Ground, metaservice: str) -> None:
    said = ground.ask_portal(metaservice)
    names = ("getRandom", "helloService", "listPeople", "personDetails", "storeAttachments", "getAttachments")
    expected = {f"{REGISTER}/GetPerson/v1", *(f"{REGISTER}/{name}/v1" for name in names)}
    assert expected < set(said.lines["services"].split()), said


@pytest.mark.parametrize("folder", sorted(READ_ONLY))
def test_cxf_makes_code_from_what_get_wsdl_gives_of_others(ground: Ground, folder: str) -> None:
    operation = READ_ONLY[folder][2]
    (listed,) = [
        service.split("/")[-1]
        for service in ground.ask_portal("listMethods").lines["services"].split()
        if f"/{operation}/" in service
    ]
    wsdl = ground.folder / f"{folder}.wsdl"
    said = ground.ask_portal("getWsdl", operation, listed, str(wsdl))
    assert said.lines["service"] == f"{operation}/{listed}", said
    made_from(str(wsdl), catalogue_of(folder, ground.folder), ground.folder / folder)


def test_a_consumer_is_made_from_what_the_portal_was_given(ground: Ground) -> None:
    wsdl = ground.folder / "example.wsdl"
    said = ground.ask_portal("getWsdl", "helloService", "v1", str(wsdl))
    assert said.lines["service"] == "helloService/v1", said
    assert int(said.lines["octets"]) == wsdl.stat().st_size
    catalogue = catalogue_of("xroad-xrd4j-example-adapter", ground.folder)
    code = made_from(str(wsdl), catalogue, ground.folder / "example", "ExampleClient")
    asked = (ground.url, CLIENT, f"{REGISTER}/helloService/v1", str(uuid.uuid4()), "Дилноза")
    said = call(code.command("ExampleClient"), *asked)
    assert said.lines == {"message": "Салом, Дилноза"}, said
    told = ground.example.header()
    assert (told["client"], told["service"], told["issue"]) == (CLIENT, f"{REGISTER}/helloService/v1", "17")


def _pin_of_somebody() -> str:
    """Synthetic, valid; one that the provider knows."""
    return next(pin for pin in iter(fresh_pinfl, "") if not pin.endswith("0"))


def _pin_of_nobody() -> str:
    return next(pin for pin in iter(fresh_pinfl, "") if pin.endswith("0"))

"""Every operation of the real X-Road descriptions, in X-Road's words at both ends: client, adapters, system, back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from lxml import etree

from adapter.backends.xroad import xroad_headers
from adapter.dialects.model import ClientAnswer
from adapter.directory.model import DirectoryService
from adapter.envelope.carried import accepted
from adapter.envelope.description import Operation, ServiceDescription, read_description
from adapter.envelope.names import SOAP11
from adapter.envelope.soap import build_provider_request, content_type_of, parse_provider_answer
from adapter.envelope.wsdl_publish import publish, query_url
from adapter.envelope.xroad import XROAD, check_repeated, render_headers, service_of_operation
from adapter.envelope.xroad_metadata import ENDPOINT, wsdl_for_xroad
from adapter.exchange.provider import ProvidedService
from adapter.exchange.xroad_services import list_services
from adapter.identifiers import ServiceId
from adapter.samples.make import SampleMaker, Variant
from adapter.sandbox.system import SandboxSystem, SystemRequest
from adapter.stages import BackendAnswer, RecordedRequest, SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS, canonical
from tests.corpus import NAMES, REASON, description_of
from tests.get_person import context
from tests.pki import Federation
from tests.two_sides import TwoSides, two_sides
from tests.unit.exchange.test_xroad import ask
from tests.xroad_messages import PROVIDER, field, fields, message, service

OF_XROAD = {
    "xroad-metaservices": 0,  # not listed, and answered by the adapter itself
    "xroad-xrd4j-example-adapter": 6,
    "kg-tunduk-demo-adapter": 1,
    "fi-population-vtj": 7,
    "ee-education-register": 90,
    "ee-rik-fastapi-swaref": 1,
}
"""The descriptions with X-Road's header fields, and how many services each one is to X-Road."""
EVERY = pytest.mark.parametrize("name", [name for name in OF_XROAD if name in NAMES])
SOAP = f"{{{SOAP11}}}"

if not NAMES:
    pytest.skip(REASON, allow_module_level=True)


class XRoadMock:
    """A system made for X-Road: the sandbox, told in header fields who asks, which it repeats."""

    def __init__(self, description: ServiceDescription) -> None:
        self.description = description
        self.system = SandboxSystem(description, seed=7, variant=Variant.MINIMAL)
        self.asked: list[etree._Element] = []

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        valid = request.authorized.valid
        operation = self.description.operation(valid.operation, valid.input_element)
        sent = xroad_headers(request, operation)
        octets = build_provider_request(request.payload, SoapVersion.SOAP11, render_headers(sent))
        self.asked.append(etree.fromstring(octets))
        said = self.system.answer(
            SystemRequest(octets=octets, content_type=content_type_of(SoapVersion.SOAP11), soap_action='""')
        )
        if operation.output_element is None and not said.octets:
            return BackendAnswer(payload=accepted())
        envelope = etree.fromstring(said.octets)
        envelope.insert(0, etree.fromstring(octets)[0])
        return BackendAnswer(
            payload=parse_provider_answer(
                etree.tostring(envelope),
                DEFAULT_LIMITS,
                declared=operation.carried_headers(in_output=True),
                check_header=lambda header: check_repeated(header, sent),
            )
        )

    async def close(self) -> None:
        return None


def between(federation: Federation, name: str) -> tuple[TwoSides, XRoadMock]:
    description = description_of(name)
    mock, sides = XRoadMock(description), two_sides(federation)
    known = ProvidedService(description=description, backend=mock)
    sides.wire.provider = sides.provider = replace(sides.provider, services={federation.population.service: known})

    async def described(_service: DirectoryService) -> ServiceDescription:
        return description

    sides.consumer = replace(sides.consumer, description=described)
    return sides, mock


async def call(sides: TwoSides, operation: Operation, body: bytes, number: int) -> ClientAnswer:
    meant = service(*PROVIDER, operation.name, operation.version)
    official = field("userId", "inspector-7")
    header = fields(service=meant, id=field("id", f"call {number}"), userId=official)
    said = context().replace("<c:Official>inspector-7</c:Official>", "")
    return await ask(sides, message(header + said, body.decode()))


@EVERY
async def test_every_operation_there_and_back(federation: Federation, name: str) -> None:
    sides, mock = between(federation, name)
    maker = SampleMaker(mock.description)
    for number, operation in enumerate(mock.description.operations):
        if not OF_XROAD[name]:
            continue
        sample = maker.sample(operation.input_element, seed=operation.name, variant=Variant.MINIMAL)
        answer = await call(sides, operation, etree.tostring(sample.element), number)
        told = mock.asked[-1]
        assert canonical(told[-1][0]) == canonical(sample.element)
        assert told.findtext(f".//{{{XROAD}}}userId") == "inspector-7"
        if operation.output_element is None:
            assert (answer.status, answer.octets) == (202, b"")
            continue
        root = etree.fromstring(answer.octets)
        assert root[-1][0].tag == operation.output_element, answer.octets[:2000]
        assert root.findtext(f"{SOAP}Header/{{{XROAD}}}id") == f"call {number}"
    assert len(mock.asked) == OF_XROAD[name]


@EVERY
async def test_every_operation_is_listed_as_a_service(sides: TwoSides, name: str) -> None:
    description = description_of(name)

    async def described(_service: DirectoryService) -> ServiceDescription:
        return description

    population = sides.federation.population.service
    listed = await list_services(population.subsystem, sides.directory, described)
    assert len(listed) == len(set(listed)) == OF_XROAD[name]
    offered = [service_of_operation(population, operation) for operation in description.operations]
    assert listed == [service for service in offered if OF_XROAD[name]]


@EVERY
def test_what_get_wsdl_gives_is_the_same_service_elsewhere(name: str) -> None:
    description = description_of(name)
    at = f"http://adapter.example/service/{ServiceId.parse('UZ/GOV/200000001/population/GetPerson/v1')}"
    octets = wsdl_for_xroad(description, at)
    served = publish(
        description, address=at, contracts={}, context_schema="client.xsd", fault_schema="fault.xsd"
    ).documents
    named = {query_url(at, "xsd", document): f"served/{number}" for number, document in enumerate(served)}
    files = dict(zip(named.values(), served.values(), strict=True))
    files |= {"entry.wsdl": octets, "catalog.json": json.dumps({"urls": named}).encode()}
    again = read_description(files.get, "entry.wsdl")
    assert [operation.name for operation in again.operations] == [one.name for one in description.operations]
    assert {port.address for port in again.ports} == {ENDPOINT}

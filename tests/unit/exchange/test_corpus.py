"""Every operation of every real service description: from a client system through both adapters to a system and back.

The request is a generated sample, the system is the sandbox behind the real making and reading of SOAP. Each message is
held against the schema at every station by the adapters themselves, and against the original here.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace

import pytest
from lxml import etree

from adapter.dialects.soap import SoapDialect
from adapter.envelope.carried import Content, accepted
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.names import FAULT
from adapter.envelope.schema import check_content
from adapter.envelope.schema_model import local_name
from adapter.envelope.soap import NAMESPACE_OF, build_provider_request, content_type_of, parse_provider_answer
from adapter.envelope.whole_message import read_whole
from adapter.envelope.xop import find_includes
from adapter.errors import ProviderSystemInvalid
from adapter.exchange.consume import consume
from adapter.exchange.provider import ProvidedService
from adapter.samples.broken import Mistake, break_sample
from adapter.samples.make import Sample, SampleMaker, Variant
from adapter.sandbox.system import SandboxSystem, SystemAnswer, SystemRequest
from adapter.stages import BackendAnswer, RecordedRequest
from adapter.xmlsafe import DEFAULT_LIMITS, canonical
from tests.corpus import NAMES, NO_SAMPLE, REASON, description_of
from tests.get_person import context
from tests.pki import Federation
from tests.two_sides import TwoSides, client_call, fault_code, two_sides

if not NAMES:
    pytest.skip(REASON, allow_module_level=True)

EVERY = pytest.mark.parametrize("name", NAMES)

FULL_UP_TO = 30
"""A service with more operations than this gets minimal samples: full ones of a hundred operations take minutes."""
BROKEN_AT_MOST = 24
"""Broken requests for one service; the mistakes and their words repeat themselves."""


def variant_for(description: ServiceDescription) -> Variant:
    return Variant.FULL if len(description.operations) <= FULL_UP_TO else Variant.MINIMAL


def inline(answer: SystemAnswer) -> bytes:
    """The answer's envelope with base64 where its parts belong: an MTOM answer as one without MTOM is."""
    whole = read_whole(answer.octets, answer.content_type, ProviderSystemInvalid)
    root = etree.fromstring(whole.octets)
    contents = {part.said.content_id: part.octets for part in whole.parts}
    for include in find_includes(root, whole.said, ProviderSystemInvalid):
        include.parent.remove(include.element)
        include.parent.text = b64encode(contents[include.content_id]).decode()
    return etree.tostring(root)


class Mock:
    """A provider's system: the sandbox, asked and read as the SOAP backend asks and reads, without the socket."""

    def __init__(self, description: ServiceDescription) -> None:
        self.description = description
        self.system = SandboxSystem(description, seed=7, variant=variant_for(description))
        self.asked: list[bytes] = []
        self.answers: list[SystemAnswer] = []

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        valid = request.authorized.valid
        operation = self.description.operation(valid.operation, valid.input_element)
        octets = build_provider_request(request.payload, operation.soap_version)
        self.asked.append(octets)
        answer = self.system.answer(
            SystemRequest(
                octets=octets,
                content_type=content_type_of(operation.soap_version),
                # What the address says to a real system where nothing else tells two operations apart.
                soap_action=f'"{self.description.action_of(operation)}"',
            )
        )
        self.answers.append(answer)
        if operation.output_element is None and not answer.octets:
            return BackendAnswer(payload=accepted())
        return BackendAnswer(
            payload=parse_provider_answer(
                inline(answer),
                DEFAULT_LIMITS,
                declared=operation.carried_headers(in_output=True),
                may_be_encoded=operation.is_encoded,
            )
        )

    async def close(self) -> None:
        return None


@dataclass
class Between:
    """Both sides with one description of the corpus between them."""

    sides: TwoSides
    mock: Mock
    maker: SampleMaker

    @property
    def description(self) -> ServiceDescription:
        return self.mock.description

    async def call(self, operation: Operation, body: bytes, headers: bytes = b""):
        version = operation.soap_version
        namespace = NAMESPACE_OF[version]
        envelope = (
            f'<soap:Envelope xmlns:soap="{namespace}"><soap:Header>{context()}'.encode()
            + headers
            + b"</soap:Header>\n<soap:Body>"
            + body
            + b"</soap:Body></soap:Envelope>"
        )
        call = client_call(self.sides, envelope.decode(), content_type=content_type_of(version))
        call = replace(call, soap_action=self.description.action_of(operation))
        return await consume(call, SoapDialect(content_type=call.content_type), self.sides.consumer)

    def headers(self, operation: Operation) -> bytes:
        """A sample of each header that the operation declares and the schemas know."""
        declared = operation.carried_headers(in_output=False)
        known = self.description.schema.elements if self.description.schema is not None else frozenset()
        samples = (self.maker.sample(element, variant=Variant.MINIMAL) for element in declared if element in known)
        return b"".join(etree.tostring(sample.element) for sample in samples)


def between(federation: Federation, name: str) -> Between:
    description = description_of(name)
    mock = Mock(description)
    sides = two_sides(federation)
    service = ProvidedService(description=description, backend=mock)
    provider = replace(sides.provider, services={federation.population.service: service})
    sides.wire.provider = sides.provider = provider

    async def described(_service: object) -> ServiceDescription:
        return description

    sides.consumer = replace(sides.consumer, description=described)
    return Between(sides, mock, SampleMaker(description))


def sampled(around: Between, operation: Operation, name: str) -> Sample | None:
    if local_name(operation.input_element) in NO_SAMPLE.get(name, set()):
        return None
    return around.maker.sample(operation.input_element, seed=operation.name, variant=variant_for(around.description))


@EVERY
async def test_every_operation_there_and_back(federation: Federation, name: str) -> None:
    around = between(federation, name)
    for operation in around.description.operations:
        sample = sampled(around, operation, name)
        if sample is None:
            continue
        answer = await around.call(operation, etree.tostring(sample.element), around.headers(operation))
        if operation.output_element is None:
            assert (answer.status, answer.octets) == (202, b""), operation.name
            continue
        assert fault_code(answer) == "answered", (operation.name, answer.octets[:2000])
        seen = around.mock.answers[-1]
        assert (seen.outcome, seen.problems) == ("answered", ())
        assert canonical(etree.fromstring(around.mock.asked[-1])[-1][0]) == canonical(sample.element)
        content = content_of(answer.octets, operation)
        assert content.body.tag == operation.output_element
        check_content(around.description, content, operation, in_output=True)
        assert canonical(content.body) == canonical(etree.fromstring(inline(seen))[-1][0])
        assert {str(header.tag) for header in content.headers} == {
            str(header.tag) for header in content_of(inline(seen), operation).headers
        }


def content_of(octets: bytes, operation: Operation) -> Content:
    root = etree.fromstring(octets)
    headers = tuple(root[0]) if len(root) == 2 else ()
    declared = operation.carried_headers(in_output=True)
    return Content(body=root[-1][0], headers=tuple(header for header in headers if header.tag in declared))


@EVERY
async def test_broken_requests_are_refused_with_line_element_and_rule(federation: Federation, name: str) -> None:
    around = between(federation, name)
    made = 0
    for operation in around.description.operations:
        sample = sampled(around, operation, name)
        if sample is None or not operation.type_checked:
            continue
        for mistake in Mistake:
            broken = break_sample(around.description, sample, mistake, seed=operation.name)
            if broken is None or made >= BROKEN_AT_MOST:
                continue
            made += 1
            answer = await around.call(operation, etree.tostring(broken.element))
            assert fault_code(answer) == "SchemaInvalid"
            problem = next(etree.fromstring(answer.octets).iter(f"{{{FAULT}}}Problem"))
            # The header stands on the first line, the Body on the second.
            assert problem.get("line") == "2", (operation.name, mistake)
            assert problem.get("rule", "").startswith("cvc-")
            shown = [step.partition("[")[0] for step in problem.get("element", "").split("/")]
            assert tuple(shown[: len(broken.path) - 1]) == broken.path[:-1]
            assert (problem.text or "").endswith(".")
    assert not around.mock.asked

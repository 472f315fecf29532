"""The contracts in xsd/, both ways: what we write is valid, what is not valid is refused, and the examples are right.

Schema and code say the same thing in two languages. Each case of REFUSED is a block that both refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.envelope.attachments_header import Described, render_attachments
from adapter.envelope.faults import plain_fault_message, public_fault, read_fault, render_fault
from adapter.envelope.headers import (
    read_exchange_header,
    read_personal_data,
    read_request_context,
    render_exchange,
    render_personal_data,
)
from adapter.envelope.soap import find_context, read_envelope
from adapter.errors import AdapterError, Problem, SchemaInvalid, catalogue
from adapter.stages import MessageKind, SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import gate_octets, personal_data, replacing, reply_header, request_header
from tests.pki import Federation

ENVELOPE, CLIENT, FAULT = "xsd/envelope.xsd", "xsd/client.xsd", "xsd/fault.xsd"


@pytest.fixture(scope="module")
def schemas(root: Path) -> dict[str, etree.XMLSchema]:
    return {name: etree.XMLSchema(etree.parse(root / name)) for name in (ENVELOPE, CLIENT, FAULT)}


@pytest.fixture(scope="module")
def examples(root: Path) -> Path:
    return root / "xsd" / "examples"


def find(root: etree._Element, name: str) -> etree._Element:
    found = root.find(f".//{name}")
    assert found is not None
    return found


def assert_valid(schema: etree.XMLSchema, element: etree._Element) -> None:
    assert schema.validate(element), schema.error_log


# --- what we write is valid ------------------------------------------------------------------------------------------


def test_what_we_write_is_valid(schemas: dict[str, etree.XMLSchema], federation: Federation) -> None:
    request = request_header(federation.social, federation.population, regulation="PKM-395")
    for octets in (
        render_exchange(request),
        render_exchange(reply_header(request)),
        render_personal_data(personal_data()),
        render_attachments((Described(content_id="a@b", media_type="a/b; c=d", size=0, name='Ўз "1".pdf'),)),
    ):
        assert_valid(schemas[ENVELOPE], etree.fromstring(octets))


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
@pytest.mark.parametrize("version", SoapVersion)
def test_every_fault_is_valid(
    schemas: dict[str, etree.XMLSchema], error: type[AdapterError], version: SoapVersion
) -> None:
    problem = Problem(line=3, column=0, element="Pinfl", rule="xsd:pattern", text='Not <allowed> & "so".\x00')
    fault = public_fault(error("secret reason", problems=(problem,) * 60), "7KQ2M-XR4TB")
    rendered = etree.fromstring(render_fault(fault, version))
    assert_valid(schemas[FAULT], find(rendered, names.qname(names.FAULT, "Fault")))
    assert b"secret reason" not in render_fault(fault, version)


# --- what is not valid is refused ------------------------------------------------------------------------------------

Read = Callable[[etree._Element], object]

READERS: dict[str, tuple[str, Read]] = {
    "exchange.xml": (ENVELOPE, read_exchange_header),
    "personal-data.xml": (ENVELOPE, read_personal_data),
    "client-request.xml": (CLIENT, lambda root: read_request_context(root[0][0])),
}

REFUSED = [
    ("exchange.xml", "<ia:MessageId>urn:uuid:", "<ia:MessageId>a b"),
    ("exchange.xml", "<ia:MessageId>urn:uuid:", f"<ia:MessageId>{'a' * 100}"),
    ("exchange.xml", "/benefits</ia:Consumer>", "</ia:Consumer>"),
    ("exchange.xml", "/v1</ia:Service>", "</ia:Service>"),
    ("exchange.xml", "/v1</ia:Service>", "/-v1</ia:Service>"),
    ("exchange.xml", "<ia:Operation>", "<ia:Operation>1 "),
    ("exchange.xml", "<ia:Official>inspector-7</ia:Official>", ""),
    ("exchange.xml", "<ia:Official>inspector-7", "<ia:Official>inspector 7"),
    ("exchange.xml", "Z</ia:Sent>", "</ia:Sent>"),
    ("exchange.xml", "Z</ia:Sent>", "+05:00</ia:Sent>"),
    ("exchange.xml", "-03-02T09:00:00.000Z</ia:Sent>", "-02-30T09:00:00.000Z</ia:Sent>"),
    ("exchange.xml", "<ia:ReplyBy>", "<ia:Other>x</ia:Other><ia:ReplyBy>"),
    ("exchange.xml", "<ia:Operation>", '<ia:Operation kind="x">'),
    ("exchange.xml", "</ia:Exchange>", "<ia:RecordNumber>-1</ia:RecordNumber></ia:Exchange>"),
    ("exchange.xml", "</ia:Exchange>", "<ia:RecordNumber>01</ia:RecordNumber></ia:Exchange>"),
    ("exchange.xml", ' wsu:Id="exchange"', ' wsu:Id="exchange" other="x"'),
    ("exchange.xml", ' env:mustUnderstand="true"', ""),
    ("personal-data.xml", "<ia:Purpose>benefit</ia:Purpose>", ""),
    ("personal-data.xml", "<ia:Purpose>benefit", "<ia:Purpose>benefit of children"),
    ("personal-data.xml", 'kind="pinfl"', 'kind="Passport"'),
    ("personal-data.xml", 'kind="pinfl">3', 'kind="pinfl">&#233;'),
    ("personal-data.xml", ' kind="law"', ""),
    ("personal-data.xml", "<ia:Consent>consent/2026/17", "<ia:Consent>"),
    ("personal-data.xml", "<ia:Consent>", "<ia:Consent>\u202e"),
    ("personal-data.xml", "<ia:Consent>", f"<ia:Consent>{'x' * 600}"),
    ("personal-data.xml", "</ia:PersonalData>", "<ia:Name>x</ia:Name></ia:PersonalData>"),
    ("personal-data.xml", "</ia:PersonalData>", "<ia:Issue>x</ia:Issue></ia:PersonalData>"),
    ("personal-data.xml", "<ia:Issue>application 2026/1723", "<ia:Issue>"),
    ("personal-data.xml", "<ia:Issue>", '<ia:Issue kind="x">'),
    ("personal-data.xml", ' class="COM"', ' kind="COM"'),
    ("personal-data.xml", ' class="COM"', ' class="a b"'),
    ("personal-data.xml", ">302100003<", "><"),
    ("client-request.xml", "<c:Purpose>", "<c:Purposes>x</c:Purposes><c:Purpose>"),
    ("client-request.xml", "<c:Official>inspector-7", "<c:Official>Name Surname"),
    ("client-request.xml", "<c:Official>inspector-7</c:Official>", "<c:Subject kind='stir'>200000001</c:Subject>"),
    ("client-request.xml", ' kind="law"', ' sort="law"'),
    ("client-request.xml", 'kind="pinfl"', 'kind="a name"'),
    ("client-request.xml", "<c:Regulation>", "<c:Regulation/><c:Regulation>"),
]


@pytest.mark.parametrize(("file", "old", "new"), REFUSED)
def test_what_is_not_valid_is_refused(
    schemas: dict[str, etree.XMLSchema], examples: Path, file: str, old: str, new: str
) -> None:
    name, read = READERS[file]
    root = etree.fromstring(replacing(old, new)((examples / file).read_bytes()))
    block = root[0][0] if file == "client-request.xml" else root
    assert not schemas[name].validate(block)
    with pytest.raises(AdapterError) as refused:
        read(root)
    assert refused.value.code in {"EnvelopeRefused", "InvalidIdentifier", "ContextInvalid"}


def test_a_fault_that_is_not_valid_is_not_read(schemas: dict[str, etree.XMLSchema], examples: Path) -> None:
    octets = (examples / "fault-soap12.xml").read_bytes()
    for old, new in (
        ("<ia-fault:Code>SchemaInvalid", "<ia-fault:Code>Schema invalid"),
        ("<ia-fault:Incident>7KQ2M-XR4TB", "<ia-fault:Incident>../../etc"),
        ("<ia-fault:Code>SchemaInvalid</ia-fault:Code>", ""),
    ):
        root = etree.fromstring(replacing(old, new)(octets))
        assert not schemas[FAULT].validate(find(root, names.qname(names.FAULT, "Fault")))
        with pytest.raises(AdapterError):
            read_fault(root[0][0])


# --- the examples ----------------------------------------------------------------------------------------------------


def test_the_blocks_among_the_examples_are_valid_and_read(schemas: dict[str, etree.XMLSchema], examples: Path) -> None:
    for file, (name, read) in READERS.items():
        root = etree.parse(examples / file).getroot()
        assert_valid(schemas[name], root[0][0] if file == "client-request.xml" else root)
        assert read(root)


@pytest.mark.parametrize("file", ["client-request.xml", "client-request-soap12.xml"])
def test_the_client_requests_among_the_examples_are_understood(
    schemas: dict[str, etree.XMLSchema], examples: Path, file: str
) -> None:
    content_type = "text/xml" if file == "client-request.xml" else "application/soap+xml"
    sent = find_context(read_envelope((examples / file).read_bytes(), content_type, DEFAULT_LIMITS))
    assert sent is not None
    assert_valid(schemas[CLIENT], sent)
    context = read_request_context(sent)
    assert (str(context.official), context.purpose, len(context.subjects)) == ("inspector-7", "benefit", 1)


@pytest.mark.parametrize(("file", "kind"), [("request.xml", MessageKind.REQUEST), ("reply.xml", MessageKind.REPLY)])
def test_the_sealed_messages_among_the_examples_pass_the_gate(
    schemas: dict[str, etree.XMLSchema], examples: Path, file: str, kind: MessageKind
) -> None:
    octets = (examples / file).read_bytes()
    assert gate_octets(octets, kind).claimed_header.operation == "GetPerson"
    assert_valid(schemas[ENVELOPE], find(etree.fromstring(octets), names.EXCHANGE))


def test_the_faults_among_the_examples_are_what_we_write(examples: Path) -> None:
    problem = Problem(
        line=7,
        column=5,
        element="Pinfl",
        rule="xsd:pattern",
        text="The value does not have the form that the schema requires.",
    )
    fault = public_fault(SchemaInvalid(problems=(problem,)), "7KQ2M-XR4TB")
    for file, version in (("fault-soap11.xml", SoapVersion.SOAP11), ("fault-soap12.xml", SoapVersion.SOAP12)):
        written = (examples / file).read_bytes().partition(b"\n")[2].strip()
        assert written == plain_fault_message(fault, version)


def test_every_type_is_documented_for_integrators(root: Path) -> None:
    for file in sorted((root / "xsd").glob("*.xsd")):
        schema = etree.parse(file).getroot()
        assert schema.find(f"{{{names.XSD}}}annotation") is not None, f"{file.name} says nothing of itself"
        for tag in ("element", "simpleType", "complexType"):
            for declared in schema.findall(f"{{{names.XSD}}}{tag}"):
                documented = declared.find(f"{{{names.XSD}}}annotation/{{{names.XSD}}}documentation") is not None
                helper = file.name == "fault.xsd" and declared.get("name") == "Text"
                assert documented or helper or file.name == "directory.xsd", f"{file.name}: {declared.get('name')}"

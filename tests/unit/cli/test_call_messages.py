"""The message of `adapter call`, and its answer, without a network."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from lxml import etree

from adapter.cli.call import listener_url
from adapter.cli.call_answer import answer_value, answer_words, read_answer
from adapter.cli.call_message import Asking, message_from_fields, message_from_file, nested
from adapter.cli.output import Output
from adapter.cli.settings_template import adapter_toml
from adapter.envelope import names
from adapter.envelope.description import load_description
from adapter.envelope.faults import public_fault, render_fault
from adapter.envelope.lint import examine
from adapter.errors import (
    AccessDenied,
    AdapterError,
    CommandRefused,
    DescriptionUnusable,
    MalformedMessage,
    PeerAnswerInvalid,
)
from adapter.identifiers import MemberId, OfficialId, SubjectId
from adapter.settings import load_settings
from adapter.stages import LegalBasis, SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS, parse
from tests.pki import NOW
from tests.unit.envelope.descriptions import NS, read, schema, wsdl

FILES = Path(__file__).parent / "files"
ASKING = Asking(
    official=OfficialId("inspector-17"),
    purpose="social-benefit",
    legal_basis=LegalBasis(kind="law", reference="ZRU-395, article 12 & 13"),
    regulation="AR-12",
    subjects=(SubjectId("stir", "200000001"),),
    consent="C-1",
)
PINFL = "30101850000006"


def population():
    return load_description(FILES / "wsdl", "population.wsdl")


def test_fields_make_a_message_that_the_linter_finds_nothing_wrong_with() -> None:
    message = message_from_fields(population(), None, [f"Pinfl={PINFL}"], ASKING)
    assert message.soap_action == "urn:example:population-register:1/GetPerson"
    assert message.content_type.startswith("text/xml")
    assert examine(message.octets, DEFAULT_LIMITS, now=NOW, description=population()).problems == ()
    block = parse(message.octets).find(f".//{names.REQUEST_CONTEXT}")
    assert block is not None
    assert [etree.QName(child).localname for child in block] == [
        "Official",
        "Purpose",
        "LegalBasis",
        "Regulation",
        "Subject",
        "Consent",
    ]


def test_an_element_in_a_file_becomes_the_body_with_its_prefixes() -> None:
    octets = b'<p:a xmlns:p="urn:p" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="p:T">1</p:a>'
    message = message_from_file(octets, ASKING)
    payload = parse(message.octets)[1][0]
    assert payload.tag == "{urn:p}a"
    assert payload.nsmap["p"] == "urn:p"
    assert payload.get(names.XSI_TYPE) == "p:T"


def test_without_anything_to_say_there_is_no_header() -> None:
    assert b"Header" not in message_from_file(b"<a/>", Asking()).octets


@pytest.mark.parametrize("namespace", [names.SOAP11, names.SOAP12])
def test_an_envelope_in_a_file_goes_as_it_is(namespace: str) -> None:
    octets = f'<e:Envelope xmlns:e="{namespace}"><e:Body><a/></e:Body></e:Envelope>'.encode()
    message = message_from_file(octets, Asking())
    assert message.octets == octets
    assert message.content_type.startswith("text/xml" if namespace == names.SOAP11 else "application/soap+xml")
    with pytest.raises(CommandRefused):
        message_from_file(octets, ASKING)


def test_a_file_that_is_no_xml() -> None:
    with pytest.raises(MalformedMessage):
        message_from_file(b"PK\x03\x04", Asking())


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        (["A=1"], {"A": "1"}),
        (["A.B=1", "A.C=2"], {"A": {"B": "1", "C": "2"}}),
        (["A=1", "A=2", "A=3"], {"A": ["1", "2", "3"]}),
        (["A=x=y"], {"A": "x=y"}),
        (["A="], {"A": ""}),
    ],
)
def test_fields(fields: list[str], content: object) -> None:
    assert nested(fields) == content


@pytest.mark.parametrize("fields", [["A"], ["=1"], ["A..B=1"], ["A=1", "A.B=2"], ["A.B=2", "A=1"]])
def test_fields_that_mean_nothing(fields: list[str]) -> None:
    with pytest.raises(CommandRefused):
        nested(fields)


@pytest.mark.parametrize("fields", [["Nothing=1"], ["Pinfl.Inner=1"], ["Pinfl=1", "More=2"]])
def test_fields_that_the_schema_has_no_place_for(fields: list[str]) -> None:
    with pytest.raises(CommandRefused):
        message_from_fields(population(), None, fields, Asking())


def test_descriptions_in_real_use(shared: Path) -> None:
    """Zeep is offered every description of the corpus; none makes it fetch anything, and most can be asked."""
    from adapter.cli.call_message import _offline_client

    read = 0
    for found in sorted((shared / "wsdl-corpus").rglob("*.wsdl"))[::3]:
        try:
            description = load_description(found.parent, found.name)
        except AdapterError:
            continue
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(DescriptionUnusable):
            _offline_client(description, Path(folder))
            read += 1
    assert read >= 4


# --- the answer ------------------------------------------------------------------------------------------------------

HEADERS = {"Adapter-Message-Id": "urn:uuid:1", "Adapter-Record": "5 8", "Adapter-Peer-Record": "6"}


def shown(answer) -> str:
    output = Output.of()
    with output.results.capture() as captured:
        for one in answer_words(answer, "uz"):
            output.results.print(one)
    return captured.get()


def test_a_reply_as_a_tree_and_as_json() -> None:
    octets = (
        f'<e:Envelope xmlns:e="{names.SOAP12}"><e:Body><R x="1"><A>1</A><A>2</A><B><C/></B></R></e:Body></e:Envelope>'
    )
    answer = read_answer(octets.encode(), 200, HEADERS)
    value = answer_value(answer)
    assert isinstance(value, dict)
    assert value["reply"] == {"R": {"@x": "1", "A": ["1", "2"], "B": {"C": ""}}}
    assert value["records"] == [5, 8]
    assert value["peer_records"] == [6]
    assert "Our record (request, reply)  5, 8" in shown(answer)
    assert "├── A  1" in shown(answer)


@pytest.mark.parametrize("version", list(SoapVersion))
def test_a_fault_of_the_catalogue_in_either_version(version: SoapVersion) -> None:
    namespace = names.SOAP11 if version is SoapVersion.SOAP11 else names.SOAP12
    fault = render_fault(public_fault(AccessDenied("a reason that stays"), "ABCDE-12345"), version).decode()
    answer = read_answer(f'<e:Envelope xmlns:e="{namespace}"><e:Body>{fault}</e:Body></e:Envelope>'.encode(), 500, {})
    assert answer.fault is not None
    assert (answer.fault.code, answer.fault.incident) == ("AccessDenied", "ABCDE-12345")
    assert "ruxsat" in shown(answer)
    assert "a reason that stays" not in shown(answer)


def test_a_fault_of_another_stack_is_shown_in_its_own_words() -> None:
    octets = f'<e:Envelope xmlns:e="{names.SOAP11}"><e:Body><e:Fault><faultcode>e:Server</faultcode>'
    octets += "<faultstring>No\nroute</faultstring></e:Fault></e:Body></e:Envelope>"
    answer = read_answer(octets.encode(), 500, {})
    assert answer.fault is None
    assert "No route" in shown(answer)


@pytest.mark.parametrize("octets", [b"", b"<html/>", b"not xml", b"<!DOCTYPE a><a/>"])
def test_what_is_no_answer(octets: bytes) -> None:
    with pytest.raises(PeerAnswerInvalid):
        read_answer(octets, 200, {})


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("", "http://127.0.0.1:8080"),
        ('public_url = "https://adapter.example/soap/"\n', "https://adapter.example/soap"),
        ('address = "::1"\nport = 1\n', "http://[::1]:1"),
        ('address = "0.0.0.0"\nallow_plain_http_beyond_loopback = true\n', "http://127.0.0.1:8080"),
    ],
)
def test_where_the_client_listener_is(more: str, url: str, tmp_path: Path) -> None:
    text = adapter_toml(MemberId.parse("UZ/GOV/200000001"), directory="d", anchor=Path("a"))
    (tmp_path / "adapter.toml").write_text(text.replace("[client_listener]\n", f"[client_listener]\n{more}"))
    assert listener_url(load_settings(tmp_path / "adapter.toml")) == url


def test_a_header_that_the_service_declares_is_known_and_checked() -> None:
    types = '<xs:element name="Session" type="xs:int"/><xs:element name="Ask" type="xs:string"/>'
    heads = '<w:message name="heads"><w:part name="s" element="t:Session"/></w:message>'
    text = wsdl(
        schema(types + '<xs:element name="Answer" type="xs:string"/>'),
        extra=heads,
        body='<s:header message="t:heads" part="s" use="literal"/>',
    )
    description = read({"a.wsdl": text})
    session = f'<t:Session xmlns:t="{NS}" xmlns:s="{names.SOAP11}" s:mustUnderstand="1">%s</t:Session>'
    call = '<s:Envelope xmlns:s="%s"><s:Header>%s</s:Header><s:Body><t:Ask xmlns:t="%s"/></s:Body></s:Envelope>'

    def problems(value: str) -> list[str]:
        octets = (call % (names.SOAP11, session % value, NS)).encode()
        return [problem.rule for problem in examine(octets, DEFAULT_LIMITS, now=NOW, description=description).problems]

    assert problems("7") == []
    assert problems("seven") == ["cvc-datatype-valid"]

"""Real service descriptions of real organisations, none of them ours: all are read, bundled and published again."""

import json
from urllib.parse import quote

import pytest
import zeep
from lxml import etree
from zeep.transports import Transport

from adapter.contracts import read_contract
from adapter.envelope.description import (
    ServiceDescription,
    load_bundle,
    load_description,
    make_bundle,
    read_description,
)
from adapter.envelope.description_octets import read_document
from adapter.envelope.wsdl_peer import publish_for_peers, served_below
from adapter.envelope.wsdl_publish import CONTRACT_PREFIX, publish
from adapter.stages import SoapVersion
from scripts.corpus_page import corpus_page
from tests.conftest import ROOT

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"
INDEX = json.loads((CORPUS / "index.json").read_bytes()) if CORPUS.is_dir() else []
ADDRESS = "http://adapter.example/service/UZ/GOV/1/s/c/v1"

if not INDEX:
    pytest.skip("the corpus of service descriptions is not beside the repository", allow_module_level=True)

EVERY = pytest.mark.parametrize("service", INDEX, ids=lambda service: service["name"])

PASSED_THROUGH = {"atlassian-jira-rpc", "ee-dvk-document-exchange", "us-nws-ndfd"}
"""rpc/encoded: their Bodies are not type-checked, and the notes say so."""

WITHOUT_SCHEMA = {"ee-dvk-document-exchange"}
"""It imports a schema that is nowhere to be had."""

EMPTY_BODY = {"fr-ratp-traveller-info": 1}
"""Operations whose Body is empty: the envelope carries exactly one element, so they are left out, with a note."""


def load(service: dict) -> ServiceDescription:
    folder, _, entry = service["entry"].partition("/")
    return load_description(CORPUS / folder, entry)


@EVERY
def test_is_read(service):
    description = load(service)
    name = service["name"]
    assert len({operation.name for operation in description.operations}) >= 1
    bound = {(port.port_type, operation.name) for port in description.ports for operation in port.operations}
    # The index counts names; two port types may have operations of one name.
    assert len({name for _, name in bound}) <= service["operations"] <= len(bound) + EMPTY_BODY.get(name, 0)
    assert all(operation.type_checked is (name not in PASSED_THROUGH) for operation in description.operations)
    assert (description.schema is None) is (name in WITHOUT_SCHEMA)
    versions = {port.soap_version.value for port in description.ports}
    assert versions == set(service["soap_versions"])


@EVERY
def test_whatever_is_not_checked_is_noted(service):
    description = load(service)
    unchecked = [operation for operation in description.operations if not operation.type_checked]
    assert all(any(operation.name in note for note in description.notes) for operation in unchecked)
    if service["name"] in EMPTY_BODY:
        assert any("left out" in note for note in description.notes)


@EVERY
def test_documents_are_untouched(service):
    folder = CORPUS / service["name"]
    for name, octets in load(service).documents.items():
        assert octets == (folder / name).read_bytes()


@EVERY
def test_bundle_is_the_same_description(service):
    description = load(service)
    bundle = make_bundle(description)
    again = load_bundle(bundle)
    assert make_bundle(again) == bundle
    assert (again.operations, again.ports, again.documents) == (
        description.operations,
        description.ports,
        description.documents,
    )


@EVERY
def test_published_description_is_whole_and_leads_to_the_adapter(service):
    description = load(service)
    published = _publish(description)
    again = _read_back(published.documents, description.entry)
    assert {operation.input_element for operation in again.operations} == {
        operation.input_element for operation in description.operations
    }
    assert all(port.address == ADDRESS for port in again.ports if port.service)
    assert {port.soap_version for port in again.ports if port.service} >= {SoapVersion.SOAP11} or not any(
        port.service for port in description.ports
    )
    assert all(any(h.name == "requestContext" for h in operation.headers) for operation in again.operations)
    for name, octets in description.documents.items():
        if b"schemaLocation" not in octets and b"DOCTYPE" not in octets and not _is_wsdl(octets, name):
            assert published.documents[name] == octets


@EVERY
def test_zeep_reads_what_is_published(service):
    """Every description that zeep reads in the original, and three that it does not."""
    cannot = {"ee-dvk-document-exchange", "ihe-pix-iti47"}  # no such schema; no chameleon include in zeep
    if service["name"] in cannot:
        pytest.skip("zeep cannot read what these schemas are made of")
    published = _publish(load(service)).documents
    urls = {_url(kind, name): octets for name, octets in published.items() for kind in ("wsdl", "xsd")}
    catalogue = json.loads((CORPUS / service["name"] / "catalog.json").read_bytes())
    # zeep asks for the SOAP encoding schema although nobody names it.
    urls |= {url: (CORPUS / service["name"] / name).read_bytes() for url, name in catalogue["implied"].items()}

    class Offline(Transport):
        def load(self, url):
            return urls[url]

    client = zeep.Client(_url("wsdl", service["entry"].partition("/")[2]), transport=Offline())
    assert client.wsdl.services
    assert client.get_element("{urn:interagency-adapter:client:1}RequestContext")


def _publish(description: ServiceDescription):
    schemas = ("client.xsd", "identifiers.xsd", "legal-basis.xsd", "fault.xsd", "xml-lang.xsd")
    contracts = {name: read_contract(f"xsd/{name}") for name in schemas}
    return publish(
        description,
        address=f"{ADDRESS}?wsdl",
        contracts=contracts,
        context_schema="client.xsd",
        fault_schema="fault.xsd",
    )


def _url(kind: str, name: str) -> str:
    return f"{ADDRESS}?{kind}={quote(name, safe='/')}"


def _read_back(documents, entry: str) -> ServiceDescription:
    """Read it with the addresses as a catalogue; what is not among the documents does not exist."""
    urls = {_url(kind, name): name for name in documents for kind in ("wsdl", "xsd")}
    files = {**documents, "catalog.json": json.dumps({"urls": urls}).encode()}
    return read_description(files.get, entry)


def _is_wsdl(octets: bytes, name: str) -> bool:
    return etree.QName(read_document(octets, name)).localname == "definitions"


def test_own_schemas_are_served_too():
    published = _publish(load(INDEX[0]))
    schemas = ("client.xsd", "identifiers.xsd", "legal-basis.xsd", "fault.xsd", "xml-lang.xsd")
    assert {name for name in published.documents if name.startswith(CONTRACT_PREFIX)} == {
        f"{CONTRACT_PREFIX}{name}" for name in schemas
    }


@EVERY
def test_for_another_stack_every_port_is_soap12_at_the_peer_address(service):
    published = publish_for_peers(
        load(service), location=served_below(ADDRESS), peer_address="https://peer.example/peer", contracts={}
    )
    roots = [etree.fromstring(octets) for octets in published.documents.values()]
    ports = [port for root in roots for port in root.iter("{http://schemas.xmlsoap.org/wsdl/}port")]
    assert ports
    soap12 = "{http://schemas.xmlsoap.org/wsdl/soap12/}address"
    assert {(child.tag, child.get("location")) for port in ports for child in port} == {
        (soap12, "https://peer.example/peer")
    }
    assert not any(list(root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}*")) for root in roots)


def test_the_page_about_the_corpus_is_what_the_code_says():
    assert (ROOT / "docs" / "corpus.md").read_text() == corpus_page(), "make docs"

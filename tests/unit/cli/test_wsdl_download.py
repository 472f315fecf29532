"""A WSDL from its address: what it imports from the same server, nothing from anywhere else, and within bounds."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from adapter.cli import wsdl_download
from adapter.cli.wsdl_download import Source, complete, download_description, host_of
from adapter.envelope.names import WSDL, WSDL_SOAP11, XSD
from adapter.errors import CommandRefused, DescriptionUnusable, PeerUnreachable

AT = "http://system.example/service?wsdl"
SCHEMA = f'<xs:schema xmlns:xs="{XSD}" targetNamespace="urn:s"><xs:element name="Ask" type="xs:string"/></xs:schema>'
WSDL_TEXT = f"""<w:definitions xmlns:w="{WSDL}" xmlns:s="{WSDL_SOAP11}" xmlns:t="urn:s" targetNamespace="urn:w"
    xmlns:me="urn:w"><w:types><xs:schema xmlns:xs="{XSD}">
    <xs:import namespace="urn:s" schemaLocation="?xsd=1"/>
    <xs:import namespace="urn:far" schemaLocation="http://elsewhere.example/far.xsd"/></xs:schema></w:types>
  <w:message name="m"><w:part name="p" element="t:Ask"/></w:message>
  <w:portType name="pt"><w:operation name="Ask"><w:input message="me:m"/></w:operation></w:portType>
  <w:binding name="b" type="me:pt"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <w:operation name="Ask"><s:operation soapAction=""/><w:input><s:body use="literal"/></w:input></w:operation>
  </w:binding>
  <w:service name="sv"><w:port name="p" binding="me:b"><s:address location="http://system.example/service"/></w:port>
  </w:service></w:definitions>"""
SITE = {AT: WSDL_TEXT, "http://system.example/service?xsd=1": SCHEMA}


class Site(requests.Session):
    """A web server in memory, which notes what it was asked for."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        super().__init__()
        self.pages = pages
        self.asked: list[str] = []

    def get(self, url, **_: object) -> requests.Response:
        self.asked.append(str(url))
        if str(url).startswith("http://dead"):
            raise requests.ConnectionError
        response = requests.Response()
        response.status_code = 200 if url in self.pages else 404
        response.raw = io.BytesIO(self.pages.get(str(url), "").encode())
        return response


def test_what_is_imported_from_the_same_server_comes_too_and_nothing_else() -> None:
    site = Site(SITE)
    downloaded = download_description(AT, site)
    assert site.asked == list(SITE)
    assert downloaded.skipped == ("http://elsewhere.example/far.xsd",)
    description = downloaded.description()
    assert [operation.name for operation in description.operations] == ["Ask"]
    assert description.operations[0].type_checked


def test_other_hosts_are_asked_when_they_are_named() -> None:
    far = "http://elsewhere.example/far.xsd"
    site = Site({**SITE, far: SCHEMA.replace("urn:s", "urn:far")})
    downloaded = download_description(AT, site, hosts={"system.example", "elsewhere.example"})
    assert site.asked == [*SITE, far]
    assert downloaded.skipped == ()
    assert len(downloaded.description().documents) == 3


def in_a_folder(folder: Path) -> Path:
    """The WSDL as a file; it names one schema by a path that is no file, and one by an address."""
    folder.mkdir()
    (folder / "a.wsdl").write_text(WSDL_TEXT.replace('"?xsd=1"', '"http://system.example/service?xsd=1"'))
    return folder


def test_a_file_is_completed_from_the_hosts_that_are_named_and_no_other(tmp_path: Path) -> None:
    folder = in_a_folder(tmp_path / "given")
    site = Site(SITE)
    nothing = complete(Source.at(folder / "a.wsdl"), site, hosts=())
    assert (site.asked, nothing.fetched) == ([], ())
    assert set(nothing.skipped) == {"http://system.example/service?xsd=1", "http://elsewhere.example/far.xsd"}
    found = complete(Source.at(folder), site, hosts={"system.example"})
    assert site.asked == ["http://system.example/service?xsd=1"]
    assert found.skipped == ("http://elsewhere.example/far.xsd",)
    assert found.description().operation("Ask").type_checked


def test_what_the_catalogue_has_is_not_fetched(tmp_path: Path) -> None:
    folder = in_a_folder(tmp_path / "given")
    (folder / "copy.xsd").write_text(SCHEMA)
    (folder / "catalog.json").write_text('{"urls": {"http://system.example/service?xsd=1": "copy.xsd"}}')
    site = Site(SITE)
    found = complete(Source.at(folder, "a.wsdl"), site, hosts={"system.example"})
    assert site.asked == []
    assert found.description().operation("Ask").type_checked


def test_a_folder_says_which_wsdl_or_has_to_be_told(tmp_path: Path) -> None:
    folder = in_a_folder(tmp_path / "given")
    (folder / "sub").mkdir()
    (folder / "sub" / "b.wsdl").write_text(WSDL_TEXT)
    with pytest.raises(CommandRefused, match=r"--entry.*a\.wsdl, sub/b\.wsdl"):
        Source.at(folder)
    assert Source.at(folder, "sub/b.wsdl").entry == "sub/b.wsdl"
    (folder / "catalog.json").write_text('{"entry": "sub/b.wsdl"}')
    assert Source.at(folder).entry == "sub/b.wsdl"
    # A file is read with the folder whose catalogue names it, so that `../` in it leads somewhere.
    assert Source.at(folder / "sub" / "b.wsdl").entry == "sub/b.wsdl"
    assert Source.at(folder / "a.wsdl").entry == "a.wsdl"


def test_a_document_that_is_not_there() -> None:
    with pytest.raises(DescriptionUnusable, match="404"):
        download_description(AT, Site({AT: WSDL_TEXT}))


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(PeerUnreachable):
        download_description("http://dead.example/?wsdl", Site({}))


def test_documents_that_import_each_other_come_once() -> None:
    circle = {
        AT: WSDL_TEXT,
        "http://system.example/service?xsd=1": SCHEMA.replace(
            '<xs:element name="Ask"', '<xs:include schemaLocation="?xsd=1"/><xs:element name="Ask"'
        ),
    }
    downloaded = download_description(AT, Site(circle))
    assert downloaded.fetched == tuple(circle)
    assert len(downloaded.description().documents) == 2


def test_more_than_a_description_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsdl_download, "MAX_DESCRIPTION_BYTES", 1000)
    with pytest.raises(DescriptionUnusable, match="larger"):
        download_description(AT, Site(SITE))
    monkeypatch.undo()
    monkeypatch.setattr(wsdl_download, "MAX_DOCUMENTS", 1)
    with pytest.raises(DescriptionUnusable, match="more than 1"):
        download_description(AT, Site(SITE))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1\\@system.example/far.xsd", "http://127.0.0.1\\.system.example/far.xsd"]
)
def test_the_host_that_is_allowed_is_the_one_that_would_be_asked(address: str) -> None:
    """A backslash ends the host for the one who asks, not for everyone who reads the address."""
    site = Site({**SITE, AT: WSDL_TEXT.replace("http://elsewhere.example/far.xsd", address)})
    assert download_description(AT, site).skipped == (address,)
    assert site.asked == list(SITE)
    assert host_of(address) == "127.0.0.1"

"""Every description of the corpus as the adapter publishes it, on a web server, and what foreign tools make of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

from adapter.contracts import read_contract
from adapter.envelope.description import ServiceDescription, load_description
from adapter.envelope.wsdl_publish import PublishedDescription, publish
from tests.conftest import ROOT

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"
NAMES = [path.parent.name for path in sorted(CORPUS.glob("*/catalog.json"))]
_CONTRACTS = ("client.xsd", "identifiers.xsd", "legal-basis.xsd", "fault.xsd", "xml-lang.xsd")

RPC_ENCODED = "Rpc/encoded wsdls are not supported with CXF"

REFUSED: Mapping[tuple[str, str], str] = {
    ("cxf", "atlassian-jira-rpc"): RPC_ENCODED,
    ("cxf", "ee-dvk-document-exchange"): RPC_ENCODED,
    ("cxf", "us-nws-ndfd"): RPC_ENCODED,
    # It imports a schema under another namespace than the schema's own.
    ("zeep", "ee-dvk-document-exchange"): "doesn't match the imported targetNamespace",
    # A schema without a target namespace that one with a namespace includes: zeep has no chameleon include.
    ("zeep", "ihe-pix-iti47"): "targetNamespace",
}
"""(tool, service) to what the tool says where it cannot read a description."""


def described(name: str) -> ServiceDescription:
    """A description of the corpus."""
    folder = CORPUS / name
    return load_description(folder, json.loads((folder / "catalog.json").read_bytes())["entry"])


@dataclass(frozen=True)
class Served:
    """The web server's address, and each description as it is published there."""

    base: str
    descriptions: Mapping[str, ServiceDescription]

    def address(self, name: str) -> str:
        """Where a tool finds the WSDL of a service."""
        return f"{self.base}/{name}?wsdl"


@contextmanager
def serving() -> Iterator[Served]:
    """Publish all of them for as long as it is needed."""
    documents: dict[str, PublishedDescription] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            try:
                octets = documents[asked.path.strip("/")].document(unquote(asked.query.partition("=")[2]))
            except Exception:  # noqa: BLE001  whatever it is, the tool is told that there is nothing
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_port}"
    contracts = {name: read_contract(f"xsd/{name}") for name in _CONTRACTS}
    descriptions = {name: described(name) for name in NAMES}
    for name, description in descriptions.items():
        documents[name] = publish(
            description,
            address=f"{base}/{name}?wsdl",
            contracts=contracts,
            context_schema="client.xsd",
            fault_schema="fault.xsd",
        )
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Served(base, descriptions)
    finally:
        server.shutdown()
        server.server_close()

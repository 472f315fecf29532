"""The example systems as the processes that they are, with the real clients in front of them."""

import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from lxml import etree

from adapter.backends.soap import SoapBackend, SoapBackendConfig
from adapter.contracts import read_contract
from adapter.envelope.description import load_description
from adapter.envelope.request_context import read_request_context
from adapter.envelope.schema import check_payload
from adapter.envelope.wsdl_publish import publish
from adapter.errors import ProviderSystemFault, ProviderSystemInvalid, ProviderSystemTimeout
from adapter.identifiers import SubjectId
from examples.federation.free_ports import free_ports
from examples.federation.processes import Processes, answers
from tests.conftest import ROOT
from tests.unit.backends.recorded import recorded

pytestmark = pytest.mark.sockets

PINFL = "32201842010304"
CADASTRE = "urn:example:cadastre:1"
ASK_CADASTRE = recorded(f'<GetParcels xmlns="{CADASTRE}"><OwnerPinfl>{PINFL}</OwnerPinfl></GetParcels>', "GetParcels")


@pytest.fixture(scope="module")
def cadastre(tmp_path_factory):
    """The running cadastre: its address, its mode file, and its description as an integrator saves it."""
    folder = tmp_path_factory.mktemp("cadastre")
    (port,) = free_ports(1)
    address, mode = f"http://127.0.0.1:{port}/", folder / "mode"
    command = [
        sys.executable,
        "-m",
        "examples.cadastre",
        "--port",
        str(port),
        "--mode-file",
        str(mode),
        "--slow-s",
        "5",
    ]
    with Processes(folder) as processes:
        processes.start("cadastre", command, cwd=ROOT)
        processes.wait_until("cadastre", lambda: answers(f"{address}?wsdl"))
        (folder / "cadastre.wsdl").write_bytes(urlopen(f"{address}?wsdl").read())
        yield address, mode, load_description(folder, "cadastre.wsdl")


async def ask_cadastre(cadastre, mode: str, timeout_s: float = 5) -> etree._Element:
    address, mode_file, description = cadastre
    mode_file.write_text(mode)
    backend = SoapBackend(SoapBackendConfig(address=address, timeout_s=timeout_s), description)
    try:
        return (await backend.answer(ASK_CADASTRE)).payload
    finally:
        await backend.close()


async def test_cadastre_answers_what_its_contract_says(cadastre):
    description = cadastre[2]
    payload = await ask_cadastre(cadastre, "ok")
    check_payload(description, payload, description.operation("GetParcels").output_element)
    assert payload.findtext(f".//{{{CADASTRE}}}OwnerPinfl") == PINFL
    assert len(payload.findall(f".//{{{CADASTRE}}}Parcel")) == 3


async def test_cadastre_misbehaves_as_told(cadastre):
    with pytest.raises(ProviderSystemFault) as caught:
        await ask_cadastre(cadastre, "fault")
    assert "reindexed" in caught.value.problems[0].text
    with pytest.raises(ProviderSystemInvalid):
        await ask_cadastre(cadastre, "nonsense")
    with pytest.raises(ProviderSystemTimeout):
        await ask_cadastre(cadastre, "slow", timeout_s=0.3)
    assert await ask_cadastre(cadastre, "ok") is not None


# --- the legacy clients, in front of something that looks like their adapter ------------------------------------------

REPLY = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>
  <GetParcelsResponse xmlns="urn:example:cadastre:1"><Parcels><OwnerPinfl>{pinfl}</OwnerPinfl><Parcel>
  <CadastreNumber>10:09:03:01:02</CadastreNumber><Kind>flat</Kind><AreaM2>55.5</AreaM2><Share>1/2</Share>
  <RegisteredOn>2020-02-29</RegisteredOn></Parcel></Parcels></GetParcelsResponse></e:Body></e:Envelope>"""
FAULT = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>
  <faultcode>e:Server</faultcode><faultstring>No access rule allows this request.</faultstring></e:Fault></e:Body>
  </e:Envelope>"""


@pytest.fixture
def look_alike(cadastre):
    """Serves the republished WSDL and answers one parcel; a PINFL beginning with 4 gets a fault."""
    schemas = ("client.xsd", "identifiers.xsd", "legal-basis.xsd", "fault.xsd", "xml-lang.xsd")
    contracts = {name: read_contract(f"xsd/{name}") for name in schemas}
    seen: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            name = (query.get("xsd") or query.get("wsdl") or [""])[0]
            published = publish(
                cadastre[2], address=address, contracts=contracts, context_schema="client.xsd", fault_schema="fault.xsd"
            )
            self._send(200, published.document(name))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((dict(self.headers), body))
            pinfl = etree.fromstring(body).findtext(f".//{{{CADASTRE}}}OwnerPinfl") or ""
            good = not pinfl.startswith("4")
            self._send(200 if good else 500, (REPLY.format(pinfl=pinfl) if good else FAULT).encode())

        def _send(self, status: int, octets: bytes):
            self.send_response(status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}/service/UZ/GOV/2/cadastre/GetParcels/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{address}?wsdl", seen
    server.shutdown()
    server.server_close()


def php() -> list[str]:
    if shutil.which("php") is None:
        pytest.skip("PHP is not installed")
    if b"soap" not in subprocess.run(["php", "-m"], capture_output=True, check=False).stdout.split():
        pytest.skip("PHP's soap extension is not installed")
    return ["php", "examples/clients/client.php"]


CLIENTS = {"zeep": lambda: [sys.executable, "-m", "examples.clients.zeep_client"], "php": php}
BOTH = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


def run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@BOTH
def test_client_knows_only_the_wsdl_address(client, look_alike, tmp_path):
    address, seen = look_alike
    (tmp_path / "token").write_text("made-up-token\n")
    options = ["--legal-basis", "Act & <order> №1", "--token-file", str(tmp_path / "token")]
    answer = run(client(), *options, address, PINFL)
    assert answer.returncode == 0, answer.stderr
    assert "CadastreNumber: 10:09:03:01:02" in answer.stdout
    headers, body = seen[0]
    assert headers["Authorization"] == "Bearer made-up-token"
    envelope = etree.fromstring(body)
    context = read_request_context(envelope[0][0])
    assert context.subjects == (SubjectId("pinfl", PINFL),)
    assert context.legal_basis is not None
    assert context.legal_basis.reference == "Act & <order> №1"
    assert envelope[1][0].tag == f"{{{CADASTRE}}}GetParcels"


@BOTH
def test_client_without_a_header(client, look_alike):
    address, seen = look_alike
    assert run(client(), "--no-context", address, PINFL).returncode == 0
    assert b"RequestContext" not in seen[0][1]


@BOTH
def test_client_shows_a_fault(client, look_alike):
    answer = run(client(), look_alike[0], "42201842010304")
    assert answer.returncode == 1
    assert "No access rule allows this request." in answer.stderr


@BOTH
def test_client_says_that_nobody_is_there(client):
    (port,) = free_ports(1)
    assert run(client(), f"http://127.0.0.1:{port}/x?wsdl", PINFL).returncode == 2

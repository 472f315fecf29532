"""X-Road messages with attachments (PR-MESS 2.4): a client and a system made for X-Road, two adapters between them."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from lxml import etree

from adapter.stages import Packaging
from examples.federation.federation import Federation
from examples.federation.plan import MemberPlan
from tests.adapters.document_service import asking_and_asked, document_service
from tests.adapters.document_system import NS, included, octets_of, parts_of, put, related, related_type
from tests.adapters.small_federation import running
from tests.adapters.xroad_system import XRoadSystem
from tests.xroad_messages import client, field, fields, message, service

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

CLIENT = ("UZ", "GOV", "200000001", "cases")
PROVIDER = ("UZ", "GOV", "200000002", "archive")
WAYS = (Packaging.SWA, Packaging.MTOM)
CONTEXT = 'purpose = "social-benefit"'
SENT = b"%PDF-1.7\r\n--b0undar" + bytes(range(256)) * 40
GIVEN = SENT[::-1]


@dataclass(frozen=True, kw_only=True)
class Ground:
    federation: Federation
    system: XRoadSystem

    def post(self, body: bytes, content_type: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.federation.homes['cases'].ports.clients}/xroad"
        return requests.post(url, data=body, headers={"Content-Type": content_type, "SOAPAction": '""'}, timeout=60)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("xroad-attachments")
    with XRoadSystem(answer("")) as system, running(folder / "federation", *plans(folder, system)) as federation:
        yield Ground(federation=federation, system=system)


def plans(folder: Path, system: XRoadSystem) -> tuple[MemberPlan, MemberPlan]:
    more = 'protocol = "xroad-4.0"'
    ways = [way.value for way in WAYS]
    services = [document_service(folder / "description", system.address, way=way, more=more) for way in ways]
    return asking_and_asked(services, versions=ways, asking=CLIENT[-1], context=CONTEXT, folders=("cases", "archive"))


def answer(content: str) -> str:
    """The Body's element of the system's answer."""
    fixed = f"<d:Size>{len(GIVEN)}</d:Size><d:Sha256>{hashlib.sha256(GIVEN).hexdigest()}</d:Sha256>"
    return f'<d:PutResponse xmlns:d="{NS}">{fixed}{content}</d:PutResponse>'


def asked(way: Packaging, content: str, **header: str) -> bytes:
    """A message to the service whose system takes attachments in this way."""
    known = {
        "client": client(*CLIENT),
        "service": service(*PROVIDER, "Put", way.value),
        "id": field("id", str(uuid.uuid4())),
    }
    return message(fields(**{**known, **header}), put(content)).encode()


def texts(envelope: etree._Element) -> list[tuple[str, str]]:
    """The header fields in their order, with their text."""
    return [
        (etree.QName(block).localname, "/".join(text for text in map(str, block.itertext()) if text.strip()))
        for block in envelope[0]
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_message_with_an_attachment_there_and_one_back(ground: Ground, way: Packaging) -> None:
    """Each side has the header fields in the first part, and the file beside it octet for octet."""
    xop = way is Packaging.MTOM

    def named(content_id: str) -> str:
        return included(content_id) if xop else f"<d:File>cid:{content_id}</d:File>"

    ground.system.body = answer(named("given@system"))
    ground.system.attachment, ground.system.xop = ("given@system", "application/pdf", GIVEN), xop
    root = asked(way, named("sent@client"), issue=field("issue", "2026/17"))
    body = related(root, ("sent@client", "image/png", SENT), xop=xop)
    reply = ground.post(body, related_type(xop=xop))
    assert reply.status_code == 200, reply.text

    (sent,) = ground.system.parts
    assert octets_of(sent) == SENT
    assert ground.system.header()["client"] == "/".join(CLIENT)
    assert ground.system.header()["service"] == "/".join((*PROVIDER, "Put", way.value))
    assert (ground.system.header()["userId"], ground.system.header()["issue"]) == ("UZ12345", "2026/17")

    first, given = parts_of(reply.headers["Content-Type"], reply.content)
    assert octets_of(given) == GIVEN
    assert first.get_content_type() == ("application/xop+xml" if xop else "text/xml")
    envelope = etree.fromstring(octets_of(first))
    assert texts(envelope)[:-1] == texts(etree.fromstring(root))
    digest = base64.b64encode(hashlib.sha512(root).digest()).decode()
    assert texts(envelope)[-1] == ("requestHash", digest)

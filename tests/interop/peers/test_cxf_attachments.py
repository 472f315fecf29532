"""Files between an adapter and Apache CXF with WSS4J in both roles, by the policy as the adapter publishes it.

SwA Profile 1.1: each attachment is signed by its content, encrypted as octets, and described in the block Attachments.
"""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from examples.demo.soap_calls import soap_envelope
from examples.federation.free_ports import free_ports
from tests.adapters.document_system import parts_of, related, related_type
from tests.interop.peers.federation import NAMESPACE, Pair
from tests.interop.peers.relay import Change, as_it_is, one_octet_of_the_attachment, relay

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

_ASK = f'<GetPerson xmlns="{NAMESPACE}"><Pinfl>%s</Pinfl></GetPerson>'
_TRANSFORM = "ContentSignatureTransform"
_CONTENT_ONLY = "property.ws-security.swa.encryption.attachment.transform.content"
_WRONG_TAG = "AEADBadTagException"
_NOT_AS_DEMANDED = "An attachment was not signed/encrypted"
_SENT, _RETURNED = (random.Random(name).randbytes(150_000) for name in ("sent", "returned"))


class _Log:
    """What the Java process writes from now on."""

    def __init__(self, pair: Pair) -> None:
        self._file = pair.peer.folder / "java.log"
        self._from = self._file.stat().st_size

    def text(self) -> str:
        return self._file.read_bytes()[self._from :].decode()


def _file(pair: Pair, octets: bytes) -> Path:
    path = pair.other.folder / "scan@example"
    path.write_bytes(octets)
    return path


# --- CXF provides -----------------------------------------------------------------------------------------------------


def _serve(pair: Pair, **changes: object) -> Path:
    """Let CXF serve. Where it puts the attachment of a request."""
    answer = pair.other.folder / "person.xml"
    if not answer.exists():
        said, person = pair.call(name="person")
        assert said == "ok"
        person.rename(answer)
    received = pair.serve(answer.read_text(encoding="utf-8"), **changes)
    attached = received.with_name(f"{received.name}.scan@example")
    attached.unlink(missing_ok=True)
    return attached


def _ask(pair: Pair) -> requests.Response:
    """What the adapter answers its client that sends a file to the service of CXF."""
    body = related(soap_envelope(_ASK % pair.pinfl), ("scan@example", "text/plain", _SENT))
    address = pair.home.service_url(pair.other_service)
    return requests.post(address, data=body, headers={"Content-Type": related_type()}, timeout=60)


def _on_the_way_to_cxf(
    pair: Pair, port: int, *, request: Change = as_it_is, reply: Change = as_it_is
) -> AbstractContextManager[None]:
    """Where the directory has CXF. port: where CXF is instead."""
    return relay(
        port=pair.other.ports.peers,
        target=f"https://127.0.0.1:{port}",
        server=pair.other.folder / "keys",
        client=pair.home.folder / "keys",
        request=request,
        reply=reply,
    )


def test_cxf_opens_what_an_adapter_attaches(pair: Pair) -> None:
    attached = _serve(pair)
    said = _ask(pair)
    assert said.status_code == 200, said.text
    assert pair.last_outcome() == ("reply-received", "answered")
    assert attached.read_bytes() == _SENT


def test_an_adapter_opens_what_cxf_attaches_to_its_reply(pair: Pair) -> None:
    _serve(pair, attached=_file(pair, _RETURNED))
    said = _ask(pair)
    assert said.status_code == 200, said.text
    assert pair.last_outcome() == ("reply-received", "answered")
    _, part = parts_of(said.headers["Content-Type"], said.content)
    assert part.get_payload(decode=True) == _RETURNED
    assert part.get_content_type() == "text/plain", "as the encrypted block says"


def test_cxf_refuses_a_signature_that_is_not_the_one_it_demands(pair: Pair) -> None:
    text = requests.get(pair.peer_wsdl(pair.other_service), timeout=30).text
    assert text.count(_TRANSFORM) == 2, "of requests and of replies"
    changed = pair.other.folder / "complete.wsdl"
    changed.write_text(text.replace(_TRANSFORM, "AttachmentCompleteSignatureTransform"), encoding="utf-8")
    attached = _serve(pair, wsdl=changed.as_uri())
    log = _Log(pair)
    said = _ask(pair)
    assert said.status_code == 500
    assert _NOT_AS_DEMANDED in log.text()
    assert not attached.exists()


def test_cxf_refuses_an_attachment_of_a_request_that_was_changed_on_the_way(pair: Pair) -> None:
    (port,) = free_ports(1)
    attached = _serve(pair, address=f"https://127.0.0.1:{port}/peer")
    with _on_the_way_to_cxf(pair, port):
        assert _ask(pair).status_code == 200, "unchanged it gets through"
    assert attached.read_bytes() == _SENT
    attached.unlink()
    log = _Log(pair)
    with _on_the_way_to_cxf(pair, port, request=one_octet_of_the_attachment):
        said = _ask(pair)
    assert said.status_code == 500
    assert _WRONG_TAG in log.text()
    assert not attached.exists()


def test_an_adapter_refuses_an_attachment_of_a_reply_that_was_changed_on_the_way(pair: Pair) -> None:
    (port,) = free_ports(1)
    _serve(pair, address=f"https://127.0.0.1:{port}/peer", attached=_file(pair, _RETURNED))
    with _on_the_way_to_cxf(pair, port):
        assert _ask(pair).status_code == 200, "unchanged it gets through"
    with _on_the_way_to_cxf(pair, port, reply=one_octet_of_the_attachment):
        said = _ask(pair)
    assert said.status_code == 500
    assert pair.last_outcome() == ("call-refused", "PeerAnswerInvalid")
    assert _RETURNED[:1000] not in said.content


# --- CXF asks ---------------------------------------------------------------------------------------------------------


def _on_the_way_to_the_adapter(
    pair: Pair, port: int, *, request: Change = as_it_is, reply: Change = as_it_is
) -> AbstractContextManager[None]:
    """port: where it listens."""
    return relay(
        port=port,
        target=pair.home.peer_address,
        server=pair.home.folder / "keys",
        client=pair.other.folder / "keys",
        request=request,
        reply=reply,
    )


@pytest.fixture
def pair_with_files(pair: Pair) -> Pair:
    """The adapter's own system answers with a file."""
    pair.system.packaging, pair.system.content = "swa", _RETURNED
    pair.system.asked.clear()
    return pair


def test_an_adapter_opens_what_cxf_attaches_and_cxf_what_the_reply_has(pair_with_files: Pair) -> None:
    pair = pair_with_files
    said, returned = pair.put(name="put", attached=_file(pair, _SENT))
    assert said == "ok"
    _, part = pair.system.last_parts
    assert part.get_payload(decode=True) == _SENT
    assert part.get_content_type() == "text/plain", "as the encrypted block says"
    assert returned.read_bytes() == _RETURNED
    assert pair.last_outcome() == ("reply-sent", "answered")


def test_an_adapter_refuses_an_attachment_of_a_request_that_was_changed_on_the_way(pair_with_files: Pair) -> None:
    pair, (port,) = pair_with_files, free_ports(1)
    with _on_the_way_to_the_adapter(pair, port, request=one_octet_of_the_attachment):
        said, _ = pair.put(name="changed", attached=_file(pair, _SENT), address=f"https://127.0.0.1:{port}/peer")
    assert said.startswith("failed | SOAPFaultException: "), said
    assert pair.last_outcome() == ("refused", "SecurityFailed")
    assert not pair.system.asked


def test_cxf_refuses_an_attachment_of_a_reply_that_was_changed_on_the_way(pair_with_files: Pair) -> None:
    pair, (port,) = pair_with_files, free_ports(1)
    with _on_the_way_to_the_adapter(pair, port, reply=one_octet_of_the_attachment):
        said, returned = pair.put(name="got", attached=_file(pair, _SENT), address=f"https://127.0.0.1:{port}/peer")
    assert said.startswith("failed | "), said
    assert _WRONG_TAG in said
    assert pair.last_outcome() == ("reply-sent", "answered"), "the adapter knows nothing of it"
    assert not returned.exists()


def test_what_cxf_encrypts_with_its_mime_headers_is_refused(pair_with_files: Pair) -> None:
    pair = pair_with_files
    said, _ = pair.put(name="complete", attached=_file(pair, _SENT), **{_CONTENT_ONLY: "false"})
    assert said.startswith("failed | SOAPFaultException: "), said
    assert pair.last_outcome() == ("refused", "EnvelopeRefused")
    assert not pair.system.asked

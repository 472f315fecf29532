"""Malformed parts at the peers' door: refused with a fault, recorded once with the same incident, nothing asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.stages import SoapVersion
from adapter.store.spool import Spool
from adapter.transport.intake import AttachmentIntake
from adapter.transport.peer_listener import PeerListener
from tests.adapters.test_listeners import BOUNDS, ask, listening, post, sides
from tests.attachment_messages import BOUNDS as ATTACHMENTS
from tests.attachment_messages import takes_attachments
from tests.fixtures_pki import federation
from tests.two_sides import TwoSides, sealed_request

__all__ = ["federation", "sides"]

HEAD = b"--b\r\nContent-Type: application/soap+xml\r\nContent-ID: <root>\r\n\r\n"
PART = b"\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-ID: <one>\r\n\r\n" + bytes(40)
END = b"\r\n--b--\r\n"
BROKEN = {
    "no part": (lambda _root: b"--b--\r\n", "MalformedMessage"),
    "it breaks off in the envelope": (lambda root: HEAD + root[:100], "MalformedMessage"),
    "it breaks off in a part": (lambda root: HEAD + root + PART, "MalformedMessage"),
    "a header that is none": (lambda root: b"--b\r\nnonsense\r\n\r\n" + root + END, "MalformedMessage"),
    "something before the first boundary": (lambda root: b"x\r\n" + HEAD + root + END, "MalformedMessage"),
    "something after the last boundary": (lambda root: HEAD + root + END + b"more", "MalformedMessage"),
    "a part without a name": (
        lambda root: HEAD + root + PART.replace(b"Content-ID: <one>\r\n", b"") + END,
        "MalformedMessage",
    ),
    "a part that is a multipart": (
        lambda root: HEAD + root + PART.replace(b"application/octet-stream", b"multipart/mixed") + END,
        "MalformedMessage",
    ),
    "base64 that is none": (
        lambda root: HEAD + root + PART.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + END,
        "MalformedMessage",
    ),
    "a part that is too short for an IV": (lambda root: HEAD + root + PART[:-30] + END, "EnvelopeRefused"),
    "a part that no EncryptedData names": (lambda root: HEAD + root + PART + END, "EnvelopeRefused"),
    "two parts of one name": (lambda root: HEAD + root + PART + PART + END, "EnvelopeRefused"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_each_is_refused_and_recorded(sides: TwoSides, tmp_path: Path, what: str) -> None:
    broken, code = BROKEN[what]
    takes_attachments(sides)
    spool = Spool(tmp_path, max_bytes=1 << 20)
    intake = AttachmentIntake(holding=spool.holding, bounds=ATTACHMENTS)
    listener = PeerListener(sides.provider, BOUNDS, intake=intake)
    body = broken(sealed_request(sides).octets)
    async with listening(listener, SoapVersion.SOAP12) as port:
        answer = await ask(port, post("/peer", body, "multipart/related; boundary=b"))
    assert answer.code == code
    (entry,) = [written.entry for written in sides.provider_record.log]
    assert (entry.kind, entry.outcome) == ("refused", code)
    incident = re.search(rb"Incident>([^<]+)<", answer.body)
    assert incident is not None
    assert entry.incident == incident[1].decode()
    assert entry.body["reason"]
    assert sides.register.asked == []
    assert spool.taken_bytes == 0

"""Messages at hand as a whole, in each of the ways in which they come."""

from __future__ import annotations

import hashlib

import pytest

from adapter.envelope.whole_message import read_whole
from adapter.errors import AttachmentsInvalid
from adapter.stages import Packaging
from tests.adapters.document_system import envelope, included, put, related, related_type

ROOT = envelope(put(included("one@x")))


@pytest.mark.parametrize(("xop", "packaging"), [(False, Packaging.SWA), (True, Packaging.MTOM)])
def test_the_envelope_and_its_parts(xop: bool, packaging: Packaging):  # noqa: FBT001
    octets = related(ROOT, ("one@x", "image/png; a=b", b"\r\n--b0undar"), ("two@x", "text/plain", b""), xop=xop)
    whole = read_whole(octets, related_type(xop=xop), AttachmentsInvalid)
    assert (whole.octets, whole.packaging) == (ROOT, packaging)
    assert whole.content_type.lower() == "text/xml; charset=utf-8"
    one, two = whole.said
    assert (one.content_id, one.media_type, one.size) == ("one@x", "image/png; a=b", 11)
    assert one.sha256 == hashlib.sha256(b"\r\n--b0undar").digest()
    assert (two.content_id, two.size) == ("two@x", 0)


def test_an_envelope_alone():
    whole = read_whole(ROOT, "text/xml; charset=utf-16", AttachmentsInvalid)
    assert (whole.octets, whole.content_type, whole.packaging) == (ROOT, "text/xml; charset=utf-16", Packaging.INLINE)


def test_parts_in_base64_are_decoded():
    octets = related(ROOT, ("one@x", "a/b", b"AAEC\r\n")).replace(b"binary", b"base64")
    assert read_whole(octets, related_type(), AttachmentsInvalid).parts[0].octets == b"\0\1\2"


PARTS = (("one@x", "a/b", b"1"), ("two@x", "a/b", b"2"))
BROKEN = {
    "it breaks off": related(ROOT, *PARTS)[:-8],
    "two of one name": related(ROOT, PARTS[0], PARTS[0]),
    "one without a name": related(ROOT, *PARTS).replace(b"Content-ID: <two@x>\r\n", b""),
    "another part is named as the root": related(ROOT, *PARTS).replace(b"<root>", b"<other>"),
    "base64 that is none": related(ROOT, *PARTS).replace(b"binary", b"base64"),
    "no part at all": b"--b0undary--\r\n",
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_an_adapter_would_refuse(what: str):
    with pytest.raises(AttachmentsInvalid):
        read_whole(BROKEN[what], related_type(), AttachmentsInvalid)

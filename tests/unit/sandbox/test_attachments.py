"""Requests with parts beside the XML, and answers with them, as the sandbox takes and gives them."""

import base64
import hashlib

import pytest
from lxml import etree

from adapter.envelope.whole_message import read_whole
from adapter.errors import AttachmentsInvalid
from adapter.sandbox.system import SandboxSystem, SystemAnswer, SystemRequest
from adapter.stages import Packaging
from tests.adapters.document_system import NS, WSDL, envelope, included, put, related, related_type
from tests.unit.envelope.descriptions import read

FILE = ("one@client", "image/png", b"\x89PNG\r\n--b0undar")
POLICY = (
    '<wsp:Policy xmlns:wsp="http://www.w3.org/ns/ws-policy">'
    '<mtom:MTOM xmlns:mtom="http://www.w3.org/2007/08/soap12-mtom-policy"/></wsp:Policy></definitions>'
)


def answer(root: bytes, *parts: tuple[str, str, bytes], xop: bool = False, wsdl: str = WSDL) -> SystemAnswer:
    octets = related(root, *parts, xop=xop) if parts else root
    content_type = related_type(xop=xop) if parts else "text/xml; charset=utf-8"
    return SandboxSystem(read({"a.wsdl": wsdl})).answer(SystemRequest(octets=octets, content_type=content_type))


@pytest.mark.parametrize("xop", [False, True], ids=["SwA", "MTOM"])
def test_parts_are_seen_with_name_type_size_and_digest(xop):
    content = included("one@client") if xop else "<d:File>cid:one@client</d:File>"
    found = answer(envelope(put(content)), FILE, xop=xop)
    assert (found.outcome, found.problems) == ("answered", ())
    assert found.came is not None
    (said,) = found.came.said
    assert (said.content_id, said.media_type, said.size) == ("one@client", "image/png", len(FILE[2]))
    assert said.sha256 == hashlib.sha256(FILE[2]).digest()


WRONG = {
    "names no part": (put(included("nowhere")), "SchemaInvalid"),
    "stands where no base64 belongs": (
        put("").replace("<d:Title>one</d:Title>", included("one@client", "Title")),
        "SchemaInvalid",
    ),
    "misses an element": (f'<d:Put xmlns:d="{NS}">{included("one@client")}</d:Put>', "cvc-complex-type.2.4"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_an_include_is_said(what):
    body, rule = WRONG[what]
    found = answer(envelope(body), FILE, xop=True)
    assert (found.outcome, found.problems[0].rule) == ("refused: SchemaInvalid", rule)


def test_a_multipart_message_that_breaks_off_is_said():
    octets = related(envelope(put("")), FILE)[:-6]
    request = SystemRequest(octets=octets, content_type=related_type())
    found = SandboxSystem(read({"a.wsdl": WSDL})).answer(request)
    assert found.outcome == "refused: AttachmentsInvalid"
    assert "broke off before its last boundary" in found.problems[0].text


def test_the_answer_to_mtom_is_mtom():
    found = answer(envelope(put(included("one@client"))), FILE, xop=True)
    whole = read_whole(found.octets, found.content_type, AttachmentsInvalid)
    assert whole.packaging is Packaging.MTOM
    content = etree.fromstring(whole.octets).find(f".//{{{NS}}}Content")
    assert content is not None
    assert [child.get("href") for child in content] == [f"cid:{whole.said[0].content_id}"]
    plain = etree.fromstring(answer(envelope(put(""))).octets).findtext(f".//{{{NS}}}Content")
    assert plain
    assert len(base64.b64decode(plain)) > 0
    assert whole.parts[0].octets


def test_the_answer_is_mtom_where_the_wsdl_asks_for_it():
    with_policy = WSDL.replace("</definitions>", POLICY)
    assert "application/xop+xml" in answer(envelope(put("")), wsdl=with_policy).content_type
    assert answer(envelope(put(""))).content_type == "text/xml; charset=utf-8"


def test_an_answer_without_base64_is_xml_alone():
    without = WSDL.replace('<xs:element name="Content" type="xs:base64Binary" minOccurs="0"/>', "")
    assert without != WSDL
    assert without.count("base64Binary") == 0
    found = answer(envelope(put("")), wsdl=without.replace("</definitions>", POLICY))
    assert (found.outcome, found.content_type) == ("answered", "text/xml; charset=utf-8")

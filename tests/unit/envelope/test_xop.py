"""xop:Include: where it may stand, and what stands in its place when somebody needs base64."""

from __future__ import annotations

import base64

import pytest
from lxml import etree

from adapter.attachments import Attachment
from adapter.envelope.xop import find_includes, split_at_includes, with_placeholders
from adapter.errors import SchemaInvalid

X = 'xmlns:xop="http://www.w3.org/2004/08/xop/include"'
ONE = Attachment(content_id="one@x", media_type="a/b", size=5, sha256=b"")
TWO = Attachment(content_id="http://two/", media_type="a/b", size=1 << 30, sha256=b"")


def payload(inner: str) -> etree._Element:
    return etree.fromstring(f'<p xmlns="urn:p" {X} xmlns:q="urn:q" type="q:T">{inner}</p>')


def include(href: str) -> str:
    return f'<xop:Include href="{href}"/>'


def test_every_include_is_found_in_document_order():
    element = payload(f"<a>{include('cid:http%3A%2F%2Ftwo%2F')}</a><b> {include('cid:one@x')}\n</b>")
    assert [found.content_id for found in find_includes(element, (ONE, TWO), SchemaInvalid)] == ["http://two/", "one@x"]


@pytest.mark.parametrize(
    "inner",
    [
        f"<a>{include('cid:nowhere')}</a>",
        f"<a>{include('http://example.org/x')}</a>",
        f"<a>{include('file:///etc/passwd')}</a>",
        f"<a>{include('cid:one@x')}</a><b>{include('cid:one@x')}</b>",
        f"<a>{include('cid:one@x')}{include('cid:http%3A%2F%2Ftwo%2F')}</a>",
        f"<a>AAAA{include('cid:one@x')}</a>",
        f"<a>{include('cid:one@x')}AAAA</a>",
        f"<a>{include('cid:one@x')}<c/></a>",
        '<a><xop:Include href="cid:one@x">x</xop:Include></a>',
        '<a><xop:Include href="cid:one@x"><c/></xop:Include></a>',
        '<a><xop:Include href="cid:one@x" other="1"/></a>',
        "<a><xop:Include/></a>",
    ],
)
def test_refused(inner: str):
    with pytest.raises(SchemaInvalid):
        find_includes(payload(inner), (ONE, TWO), SchemaInvalid)


def test_a_placeholder_has_the_length_of_the_part_and_goes_again():
    element = payload(f"<a>{include('cid:one@x')}</a><b>{include('cid:http%3A%2F%2Ftwo%2F')}</b>")
    before = etree.tostring(element)
    with with_placeholders(find_includes(element, (ONE, TWO), SchemaInvalid), (ONE, TWO)):
        assert len(base64.b64decode(element[0].text or "")) == 5
        assert 0 < len(base64.b64decode(element[1].text or "")) <= 64 * 1024
    assert etree.tostring(element) == before


def test_the_payload_is_whole_again_when_the_check_fails():
    element = payload(f"<a>{include('cid:one@x')}</a>")
    before = etree.tostring(element)
    with pytest.raises(ZeroDivisionError), with_placeholders(find_includes(element, (ONE,), SchemaInvalid), (ONE,)):
        raise ZeroDivisionError
    assert etree.tostring(element) == before


def test_cut_where_base64_has_to_stand():
    element = payload(f"<a>{include('cid:one@x')}</a><b>{include('cid:http%3A%2F%2Ftwo%2F')}</b>")
    pieces = split_at_includes(find_includes(element, (ONE, TWO), SchemaInvalid), lambda: etree.tostring(element))
    assert pieces[1::2] == ["one@x", "http://two/"]
    octets = [piece for piece in pieces if isinstance(piece, bytes)]
    assert octets[0].endswith(b"<a>")
    assert octets[1] == b"</a><b>"
    assert octets[2] == b"</b></p>"

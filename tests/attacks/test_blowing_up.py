"""Documents within every bound on octets, depth and elements that would still take minutes or all of the memory."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from lxml import etree

from adapter.crypto.canonical_body import canonical_body, resolved_values
from adapter.envelope.names import SOAP11, XSI
from adapter.envelope.soap import read_envelope
from adapter.errors import EnvelopeRefused, LimitExceeded
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits, canonical, parse

MEBIBYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """The work grows with the document, not with its square: a second of CPU is a hundred times what is needed."""
    started = time.thread_time()
    yield
    assert time.thread_time() - started < 5


# --- one long namespace name that canonical form would write again and again -----------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        '<r xmlns:a="{name}">{many}</r>',
        '<a:r xmlns:a="{name}"><b>{many}</b></a:r>',
        "<r xmlns:a='{name}'>{many}</r>",
        '<r xmlns:a = "{name}">{many}</r>',
    ],
)
@pytest.mark.parametrize("one", ["<a:x/>", '<x a:y=""/>'])
def test_long_namespace_name_in_many_places_is_refused(document: str, one: str) -> None:
    octets = document.format(name="urn:" + "x" * 10_000, many=one * 50_000).encode()
    with pytest.raises(LimitExceeded, match="canonical"):
        parse(octets)


def test_default_namespace_that_comes_and_goes_is_refused() -> None:
    octets = f'<r xmlns:a="urn:{"x" * 20_000}">{"<a:x><y/></a:x>" * 20_000}</r>'.encode()
    with pytest.raises(LimitExceeded, match="canonical"):
        parse(octets)


def test_long_names_and_large_documents_as_people_write_them_are_read() -> None:
    name = "http://www.example.uz/schemas/population/register/of/synthetic/persons/2026/version/1"
    rows = "".join(f'<p:row p:at="12:00:{at % 60:02d}">urn:a:b:c:{at}</p:row>' for at in range(100_000))
    root = parse(f'<p:rows xmlns:p="{name}">{rows}</p:rows>'.encode())
    assert len(root) == 100_000
    assert len(canonical(root)) < 8 * MEBIBYTE


# --- attributes ------------------------------------------------------------------------------------------------------


def test_a_million_attributes_are_refused_before_a_tree_is_built() -> None:
    octets = b"<r " + b" ".join(b'a%d="1"' % at for at in range(1_000_000)) + b"/>"
    started = time.thread_time()
    with pytest.raises(LimitExceeded, match="attributes"):
        parse(octets)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("equals", ["=", " =", "= ", "\n=\t"])
def test_attributes_are_counted_however_they_are_spelled(equals: str) -> None:
    limits = XmlLimits(max_attributes_in_all=10)
    good = "<r>" + f"<a b{equals}'1'/>" * 10 + "</r>"
    assert len(parse(good.encode(), limits)) == 10
    with pytest.raises(LimitExceeded, match="attributes"):
        parse(good.replace("</r>", '<a b="1"/></r>').encode(), limits)


def test_text_full_of_equals_signs_is_no_attribute() -> None:
    assert parse(b"<r>" + b"a=b " * 1000 + b"</r>", XmlLimits(max_attributes_in_all=10)).tag == "r"


# --- comments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["<!---->", "<?x?>"])
def test_text_cut_into_many_pieces_is_refused(between: str) -> None:
    body = f"a{between}" * 300_000
    octets = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{body}<x/></s:Body></s:Envelope>'.encode()
    with pytest.raises(LimitExceeded, match="comments"):
        read_envelope(octets, "text/xml", DEFAULT_LIMITS)


# --- names in values -------------------------------------------------------------------------------------------------


def test_many_names_in_values_under_many_prefixes() -> None:
    """Each xsi:type is resolved without building the map of all prefixes in scope."""
    declared = "".join(f' xmlns:n{at}="urn:{at}"' for at in range(9000))
    many = '<a xsi:type="n1:x"/>' * 20_000
    root = parse(f'<r xmlns:xsi="{XSI}"{declared}>{many}</r>'.encode())
    assert resolved_values(root) == [("urn:1", "x")] * 20_000


def test_names_in_values_are_resolved_where_they_stand() -> None:
    root = etree.fromstring(
        f'<w xmlns:p="urn:outer" xmlns="urn:default"><r xmlns:xsi="{XSI}" xsi:type="p:a">'
        '<x xmlns:p="urn:inner" xsi:type="p:b"/><x xsi:type=" p:c "/><x xsi:type="d"/>'
        '<x xmlns="" xsi:type="e"/><x xsi:type="q:f"/></r></w>'
    )
    assert resolved_values(root[0]) == [
        ("urn:outer", "a"),
        ("urn:inner", "b"),
        ("urn:outer", "c"),
        ("urn:default", "d"),
        ("", "e"),
        (None, "f"),
    ]


def test_name_that_changes_its_meaning_is_still_found_out() -> None:
    payload = etree.fromstring(f'<w xmlns="urn:outer"><r xmlns="" xmlns:xsi="{XSI}" xsi:type="a"/></w>')[0]
    assert canonical_body(payload).content
    payload = etree.fromstring(f'<w xmlns="urn:outer"><p:r xmlns:p="urn:u" xmlns:xsi="{XSI}" xsi:type="a"/></w>')[0]
    with pytest.raises(EnvelopeRefused, match="change its meaning"):
        canonical_body(payload)

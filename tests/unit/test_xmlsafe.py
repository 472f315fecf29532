"""The one parser: nothing with a DTD, nothing past a bound, one canonical form, one spelling of base64."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from adapter import xmlsafe
from adapter.errors import EnvelopeRefused, InternalError, LimitExceeded, MalformedMessage
from adapter.xmlsafe import (
    XmlLimits,
    canonical,
    decode_base64,
    decode_base64_digits,
    parse,
    refuse_comments,
    text_of,
    texts_at,
)

DOCTYPE = '<!DOCTYPE a [<!ENTITY e "x"><!ATTLIST a id ID #IMPLIED>]>'
PROLOGS = [
    "",
    " \t\r\n",
    "\ufeff",
    '<?xml version="1.0"?>',
    '<?xml version="1.0" encoding="utf-8"?>',
    '\ufeff<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n',
    "<?xml version='1.0' encoding='utf8'?>",
    "<!-- > - a comment > -->",
    "<!--->-->",
    "<?other <!-- ?>",
    "<!-- <?x --><?y --> ?>\n<!---->",
    "<?xml-stylesheet href='x'?>\r\n",
]


# --- document types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prolog", PROLOGS)
def test_prolog_without_a_doctype_is_read(prolog: str) -> None:
    assert parse(f"{prolog}<a/>".encode()).tag == "a"


@pytest.mark.parametrize("prolog", PROLOGS)
@pytest.mark.parametrize("doctype", [DOCTYPE, "<!DOCTYPE a>", '<!DOCTYPE a SYSTEM "file:///etc/hostname">'])
def test_doctype_is_refused_behind_every_prolog(prolog: str, doctype: str) -> None:
    with pytest.raises(MalformedMessage, match="document type"):
        parse(f"{prolog}{doctype}<a/>".encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "cp1251"])
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="{}"?>'])
def test_other_encodings_are_refused_and_hide_no_doctype(encoding: str, declared: str) -> None:
    octets = (declared.format(encoding) + f"{DOCTYPE}<a>ж</a>").encode(encoding, errors="xmlcharrefreplace")
    with pytest.raises(MalformedMessage):
        parse(octets)


@pytest.mark.parametrize("label", ["windows-1251", "iso-8859-1", "UTF-16", "utf-7", "x-unknown"])
def test_declared_encoding_other_than_utf8_is_refused(label: str) -> None:
    with pytest.raises(MalformedMessage, match="encoding"):
        parse(f'<?xml version="1.0" encoding="{label}"?><a/>'.encode())


@pytest.mark.parametrize("version", ["1.1", "2.0", "1.00", ""])
def test_only_xml_1_0(version: str) -> None:
    with pytest.raises(MalformedMessage, match=r"XML 1\.0"):
        parse(f'<?xml version="{version}"?><a/>'.encode())


def test_words_like_a_declaration_in_a_comment_do_no_harm() -> None:
    assert parse(b'<!-- <?xml version="1.1" encoding="utf-16"?> --><a/>').tag == "a"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" ",
        b"\xef\xbb\xbf",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b"<a>",
        b"<a/><b/>",
        b"<a/>x",
        b"x<a/>",
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<a>&e;</a>",
        b"<a>&#0;</a>",
        b"<a b='1' b='2'/>",
        b"<x:a/>",
        b"<!--",
        b"<?x",
        b"<!-- a -- b --><a/>",
        b"<!ELEMENT a ANY><a/>",
        b"<![CDATA[x]]>",
        b'<?xml encoding="utf-8"?><a/>',
        b" <?xml version='1.0'?><a/>",
    ],
)
def test_malformed(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(octets)


def test_caller_names_the_error_and_it_tells_only_a_position() -> None:
    with pytest.raises(EnvelopeRefused) as refusal:
        parse(b"<a>\n<secret-31234></b>", error=EnvelopeRefused)
    assert "secret" not in refusal.value.reason
    assert "line 2" in refusal.value.reason


@given(st.binary(max_size=200))
@example(b"<?xml version='1.0'?><!DOCTYPE a>")
@example(b"<a xmlns:b='b' b:c='1'/>")
def test_any_octets_give_an_element_or_one_of_two_errors(octets: bytes) -> None:
    try:
        root = parse(octets)
    except (MalformedMessage, LimitExceeded):
        return
    assert root.getroottree().docinfo.internalDTD is None


@given(st.text("<>/!?ab='\" -[]&;#x1CDATAOYPE\n", max_size=60))
def test_any_markup_gives_an_element_or_one_of_two_errors(text: str) -> None:
    try:
        root = parse(text.encode())
    except (MalformedMessage, LimitExceeded):
        return
    assert root.getroottree().docinfo.internalDTD is None


# --- bounds -----------------------------------------------------------------------------------------------------------

SMALL = XmlLimits(max_bytes=4096, max_depth=5, max_nodes=10, max_attributes=3, max_namespace_declarations=4)


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    ("within", "past"),
    [
        (b"<a>" + b"x" * 4089 + b"</a>", b"<a>" + b"x" * 4090 + b"</a>"),
        (nested(5), nested(6)),
        (b"<a>" + b"<b/>" * 9 + b"</a>", b"<a>" + b"<b/>" * 10 + b"</a>"),
        (b"<a>" + b"<b></b>" * 9 + b"</a>", b"<a>" + b"<b></b>" * 10 + b"</a>"),
        (b"<a b='' c='' d=''/>", b"<a b='' c='' d='' e=''/>"),
        (b"<a><b b='' c='' d=''/></a>", b"<a><b b='' c='' d='' e=''/></a>"),
        (
            b"<a " + b" ".join(b"xmlns:n%d='u'" % at for at in range(4)) + b"/>",
            b"<a " + b" ".join(b"xmlns:n%d='u'" % at for at in range(5)) + b"/>",
        ),
        (b"<!---->" * 9 + b"<a/>", b"<!---->" * 11 + b"<a/>"),
    ],
    ids=["octets", "depth", "empty elements", "elements", "attributes", "inner attributes", "namespaces", "prolog"],
)
def test_bound(within: bytes, past: bytes) -> None:
    parse(within, SMALL)
    with pytest.raises(LimitExceeded):
        parse(past, SMALL)


def test_wide_and_shallow_is_not_deep() -> None:
    assert len(parse(b"<a>" + b"<b/>" * 5000 + b"</a>")) == 5000


@pytest.mark.parametrize("hidden", [b"<![CDATA[</</</</</]]>", b"<!-- </</</</</ -->", b"<?p </</</</</ ?>"])
def test_what_looks_like_tags_that_close_hides_no_depth(hidden: bytes) -> None:
    with pytest.raises(LimitExceeded, match="deeper"):
        parse(b"<a>" * 6 + hidden + b"</a>" * 6, SMALL)


def test_depth_past_the_parsers_own_bound_is_a_limit_too() -> None:
    with pytest.raises(LimitExceeded):
        parse(nested(3000))


def test_depth_is_bounded_in_a_huge_document() -> None:
    padding = b"<p>" + b"x" * 10_000_000 + b"</p>"
    with pytest.raises(LimitExceeded, match="deeper"):
        parse(b"<a>" + padding + nested(100) + b"</a>")


def test_huge_text_is_read_whole() -> None:
    text = "x" * 12_000_000
    assert parse(f"<a>{text}</a>".encode()).text == text
    assert parse(f"<a b='{text}'/>".encode()).get("b") == text


def test_long_prolog_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(LimitExceeded, match="before the root"):
        parse(b"<!---->" * 1_000_000 + b"<a/>")


def test_prolog_of_white_space_is_no_item() -> None:
    assert parse(b" \n" * 1_000_000 + b"<a/>").tag == "a"


# --- comments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", ["<!---->", "x<!-- y -->z", "<b><!-- --></b>", "<?p?>", "<b><c/><?p q?></b>"])
def test_comments_and_instructions_are_refused(inner: str) -> None:
    with pytest.raises(MalformedMessage):
        refuse_comments(parse(f"<a>{inner}</a>".encode()))


def test_comment_outside_the_element_is_not_its_own() -> None:
    refuse_comments(parse(b"<r><!-- --><a>x</a></r>")[1])


def test_string_value_goes_on_behind_a_comment() -> None:
    """`.text` would stop: the person who is looked up would not be the one who was declared."""
    payload = parse(b"<a><id> 123<!-- -->456 </id><id b='7'/></a>")
    assert texts_at(payload, etree.XPath("id[1]")) == ("123456",)
    assert texts_at(payload, etree.XPath("id/@b")) == ("7",)
    assert texts_at(payload, etree.XPath("string(id)")) == ("123456",)
    assert texts_at(payload, etree.XPath("none")) == ()


def test_expression_that_cannot_be_evaluated() -> None:
    with pytest.raises(InternalError):
        texts_at(parse(b"<a/>"), etree.XPath("unknown()"))


def test_only_xml_white_space_is_trimmed() -> None:
    assert text_of(parse("<a> \t\n x\u00a0\r\n</a>".encode())) == "x\u00a0"
    assert text_of(parse(b"<a/>")) == ""


# --- canonical form ---------------------------------------------------------------------------------------------------


def test_exclusive_canonical_form() -> None:
    root = parse(b'<r xmlns:u="urn:u" xmlns:n="urn:n"><n:a  b="1"\n a="2"><!-- c --><c/></n:a></r>')
    assert canonical(root[0]) == b'<n:a xmlns:n="urn:n" a="2" b="1"><c></c></n:a>'
    assert (
        canonical(root[0], inclusive_prefixes=("u",))
        == b'<n:a xmlns:n="urn:n" xmlns:u="urn:u" a="2" b="1"><c></c></n:a>'
    )


def test_relative_namespace_has_no_canonical_form() -> None:
    with pytest.raises(EnvelopeRefused):
        canonical(parse(b'<a xmlns="relative"/>'), error=EnvelopeRefused)


# --- base64 -----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=100), st.lists(st.integers(0, 140), max_size=5))
def test_base64_with_white_space(octets: bytes, breaks: list[int]) -> None:
    text = base64.b64encode(octets).decode()
    for at in breaks:
        text = text[:at] + "\r\n \t"[at % 4] + text[at:]
    assert decode_base64(text, max_chars=1000) == octets


@pytest.mark.parametrize(
    "text",
    [
        "Q",
        "QQ",
        "QQ=",
        "QQ===",
        "QQ==QQ==",
        "QR==",
        "QUJ=",
        "=QQ=",
        "Q=Q=",
        "QQ==\u00a0",
        "QQ=\u00e9",
        "Q-_=",
        "QQ==x",
        "====",
    ],
)
def test_not_base64(text: str) -> None:
    with pytest.raises(MalformedMessage):
        decode_base64(text, max_chars=100)


@pytest.mark.parametrize("octets", [3, 31, 32, 33, 96, 97, 98])
def test_base64_that_is_taken_is_what_we_would_write(octets: int) -> None:
    """Every octet in every place: the decoder works by 4 to 64 at a time, by what the processor can do."""
    good = base64.b64encode(bytes(range(octets)))
    taken = 0
    for at in range(len(good)):
        for octet in range(256):
            digits = good[:at] + bytes((octet,)) + good[at + 1 :]
            try:
                decoded = decode_base64_digits(digits)
            except MalformedMessage:
                continue
            assert base64.b64encode(decoded) == digits
            taken += 1
    assert taken >= 64 * (len(good) - 4)


def test_base64_is_bounded() -> None:
    assert decode_base64("QUJD", max_chars=4) == b"ABC"
    with pytest.raises(LimitExceeded):
        decode_base64("QUJD ", max_chars=4)


@given(st.text("ABQRgw01+/= \n", max_size=12))
def test_what_is_accepted_has_one_spelling(text: str) -> None:
    try:
        octets = decode_base64(text, max_chars=100)
    except MalformedMessage:
        return
    assert base64.b64encode(octets).decode() == text.replace(" ", "").replace("\n", "")


# --- bounds of what the octets may become, and the doors behind the doors ---------------------------------------------

WIDE = XmlLimits(max_canonical_bytes=2_000)


def named(names: int) -> bytes:
    return b"<p:a xmlns:p='urn:" + b"x" * 96 + b"'>" + b"<p:b p:c=''/>" * names + b"</p:a>"


def test_namespace_names_that_canonicalisation_would_write_again_and_again() -> None:
    parse(named(8), WIDE)
    with pytest.raises(LimitExceeded, match="canonical form"):
        parse(named(12), WIDE)


def test_a_long_namespace_name_that_hardly_anything_uses_does_no_harm() -> None:
    octets = b"<a xmlns:p='urn:" + b"x" * 96 + b"'>" + b"<b/>" * 50 + b"</a>"
    assert len(parse(octets, WIDE)) == 50


def test_attributes_are_bounded_in_all() -> None:
    limits = XmlLimits(max_attributes_in_all=20)
    parse(b"<a>" + b"<b c=''/>" * 20 + b"</a>", limits)
    parse(b"<a>" + b"=" * 30 + b"</a>", limits)
    with pytest.raises(LimitExceeded, match="attributes"):
        parse(b"<a>" + b"<b c=''/>" * 21 + b"</a>", limits)


def test_comments_are_bounded_in_all() -> None:
    with pytest.raises(LimitExceeded, match="comments"):
        parse(b"<a>" + b"<!---->" * 10_001 + b"</a>")


@pytest.mark.parametrize("prolog", ["     <!-- x", "     <?x", "   <!-->", "<!-- --><?x >"])
def test_a_prolog_that_is_broken_is_the_parsers_to_refuse(prolog: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(f"{prolog}<a/>".encode())


def test_a_document_type_that_the_first_look_missed_is_refused_by_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlsafe, "_end_of_prolog", lambda _octets, _start: 0)
    parse(b" <a/>")
    with pytest.raises(MalformedMessage, match="document type"):
        parse(f" {DOCTYPE}<a/>".encode())


def test_whatever_the_parser_raises_is_malformed_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object) -> None:
        raise ValueError("of another kind")

    monkeypatch.setattr(etree, "fromstring", odd)
    with pytest.raises(EnvelopeRefused, match="not well-formed"):
        parse(b"<a/>", error=EnvelopeRefused)

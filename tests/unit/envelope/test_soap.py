"""Plain SOAP: what client systems send and get, what a provider's own system is asked and answers."""

from __future__ import annotations

import codecs
from dataclasses import replace

import pytest
from lxml import etree

from adapter.envelope.names import SOAP11, SOAP12
from adapter.envelope.soap import (
    ClientEnvelope,
    build_provider_request,
    content_type_of,
    find_context,
    find_declared,
    media_type_of_version,
    parse_provider_answer,
    read_envelope,
    render_answer,
    version_of,
)
from adapter.errors import (
    AdapterError,
    HeaderNotUnderstood,
    LimitExceeded,
    MalformedMessage,
    NotSoap,
    ProviderSystemFault,
    ProviderSystemInvalid,
)
from adapter.stages import SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits, canonical

CONTEXT = '<c:RequestContext xmlns:c="urn:interagency-adapter:client:1"><c:Official>o</c:Official></c:RequestContext>'


def envelope(body: str = "<a/>", header: str | None = None, namespace: str = SOAP11, attributes: str = "") -> str:
    head = "" if header is None else f"<s:Header>{header}</s:Header>"
    return f'<s:Envelope xmlns:s="{namespace}"{attributes}>{head}<s:Body>{body}</s:Body></s:Envelope>'


def parse(text: str | bytes, content_type: str = "text/xml; charset=utf-8") -> ClientEnvelope:
    octets = text.encode() if isinstance(text, str) else text
    return read_envelope(octets, content_type, DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("namespace", "content_type", "version"),
    [
        (SOAP11, "text/xml", SoapVersion.SOAP11),
        (SOAP11, "Text/XML; charset=UTF-8", SoapVersion.SOAP11),
        (SOAP12, "application/soap+xml", SoapVersion.SOAP12),
        (SOAP12, 'application/soap+xml; charset="utf-8"; action="urn:x"', SoapVersion.SOAP12),
        (SOAP11, "", SoapVersion.SOAP11),
        (SOAP12, "application/xml", SoapVersion.SOAP12),
    ],
)
def test_both_versions_are_read(namespace: str, content_type: str, version: SoapVersion) -> None:
    call = parse(envelope("<p:a xmlns:p='urn:p'>x</p:a>", CONTEXT, namespace), content_type)
    assert call.version is version
    assert call.payload.tag == "{urn:p}a"
    assert find_context(call) is not None


def test_a_header_is_not_needed() -> None:
    assert find_context(parse(envelope())) is None
    assert find_context(parse(envelope(header=""))) is None


TEXT = "Ўзбекистон, Абдулла"


@pytest.mark.parametrize(
    ("octets", "content_type"),
    [
        pytest.param(envelope(f"<a>{TEXT}</a>").encode(), "text/xml", id="UTF-8 undeclared"),
        pytest.param(codecs.BOM_UTF8 + envelope(f"<a>{TEXT}</a>").encode(), "text/xml", id="UTF-8 with BOM"),
        pytest.param(envelope(f"<a>{TEXT}</a>").encode("utf-16"), "text/xml", id="UTF-16 with BOM"),
        pytest.param(envelope(f"<a>{TEXT}</a>").encode("utf-16-le"), "text/xml; charset=utf-16-le", id="UTF-16LE"),
        pytest.param(
            f'<?xml version="1.0" encoding="utf-16"?>{envelope(f"<a>{TEXT}</a>")}'.encode("utf-16"),
            "text/xml; charset=utf-16",
            id="UTF-16 three times",
        ),
    ],
)
def test_encodings_of_old_systems(octets: bytes, content_type: str) -> None:
    assert parse(octets, content_type).payload.text == TEXT


@pytest.mark.parametrize(
    ("declared", "content_type"),
    [
        ('<?xml version="1.0" encoding="windows-1251"?>', "text/xml"),
        ("", "text/xml; charset=windows-1251"),
        ("", 'text/xml;charset="Windows-1251"'),
        ('<?xml version="1.0" encoding="utf-8"?>', "text/xml; charset=windows-1251"),
    ],
)
def test_windows_1251(declared: str, content_type: str) -> None:
    octets = f"{declared}{envelope('<a>Қамбар</a>'.replace('Қ', 'К'))}".encode("cp1251")
    assert parse(octets, content_type).payload.text == "Камбар"


@pytest.mark.parametrize(
    ("octets", "content_type"),
    [
        (envelope().encode("utf-32"), "text/xml"),
        (envelope().encode("utf-7"), "text/xml; charset=utf-7"),
        (envelope("<a>\xff</a>").encode("latin-1"), "text/xml; charset=utf-8"),
        (envelope().encode(), "text/xml; charset=ebcdic-cp-us"),
        (b'<?xml version="1.0" encoding="x-unknown"?>' + envelope().encode(), "text/xml"),
        (b"", "text/xml"),
        (b"\x00", "text/xml"),
        (b"<!DOCTYPE a>" + envelope().encode(), "text/xml"),
        (envelope("<a>&x;</a>").encode(), "text/xml"),
        (envelope("<p:a/>").encode(), "text/xml"),
    ],
)
def test_what_cannot_be_read_is_malformed(octets: bytes, content_type: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(octets, content_type)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<a/>", id="no envelope"),
        pytest.param("<Envelope><Body><a/></Body></Envelope>", id="no namespace"),
        pytest.param(envelope(namespace="urn:x"), id="another namespace"),
        pytest.param(envelope(""), id="empty Body"),
        pytest.param(envelope("text"), id="text in Body"),
        pytest.param(envelope("<a/><b/>"), id="two elements"),
        pytest.param(envelope("<a/>text"), id="text beside the element"),
        pytest.param(f'<s:Envelope xmlns:s="{SOAP11}"/>', id="no Body"),
        pytest.param(f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><a/></s:Body><s:Body/></s:Envelope>', id="two Bodies"),
        pytest.param(f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><a/></s:Body><s:Header/></s:Envelope>', id="order"),
        pytest.param(f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><a/></s:Body><x/></s:Envelope>', id="trailer"),
        pytest.param(
            f'<s:Envelope xmlns:s="{SOAP11}"><n:Body xmlns:n="{SOAP12}"><a/></n:Body></s:Envelope>', id="mixed versions"
        ),
        pytest.param(envelope(header=CONTEXT * 2), id="the context twice"),
        pytest.param(
            envelope(attributes=' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'), id="SOAP encoding"
        ),
    ],
)
def test_what_is_not_soap_is_refused(text: str) -> None:
    with pytest.raises(NotSoap):
        find_context(parse(text))


@pytest.mark.parametrize(
    ("namespace", "content_type"), [(SOAP12, "text/xml"), (SOAP11, "application/soap+xml; charset=utf-8")]
)
def test_a_content_type_of_the_other_version_is_refused(namespace: str, content_type: str) -> None:
    with pytest.raises(NotSoap, match="announces"):
        parse(envelope(namespace=namespace), content_type)


def test_limits_hold() -> None:
    with pytest.raises(LimitExceeded):
        read_envelope(envelope().encode(), "text/xml", XmlLimits(max_bytes=10))


@pytest.mark.parametrize(
    ("namespace", "header", "refused"),
    [
        (SOAP11, '<x s:mustUnderstand="1"/>', True),
        (SOAP11, '<x s:mustUnderstand="0"/>', False),
        (SOAP11, "<x/>", False),
        (SOAP11, '<x s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"/>', True),
        (SOAP11, '<x s:mustUnderstand="1" s:actor="urn:somebody-else"/>', False),
        (SOAP12, '<x s:mustUnderstand="true"/>', True),
        (SOAP12, '<x s:mustUnderstand="true" s:role="http://www.w3.org/2003/05/soap-envelope/role/none"/>', False),
        (
            SOAP12,
            '<x s:mustUnderstand="true" s:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"/>',
            True,
        ),
    ],
)
def test_a_header_for_us_that_must_be_understood(namespace: str, header: str, *, refused: bool) -> None:
    content_type = "text/xml" if namespace == SOAP11 else "application/soap+xml"
    if not refused:
        assert find_context(parse(envelope(header=header, namespace=namespace), content_type)) is None
        return
    with pytest.raises(HeaderNotUnderstood) as failure:
        find_context(parse(envelope(header=header, namespace=namespace), content_type))
    assert failure.value.problems[0].element == "x"


def test_comments_and_instructions_are_gone_before_anything_is_read() -> None:
    call = parse(envelope("<a>good<!-- -->.evil<?x y?><b><!-- 1 -->t</b></a>", f"<!-- -->{CONTEXT}"))
    assert canonical(call.payload) == b"<a>good.evil<b>t</b></a>"
    assert call.payload.text == "good.evil"


def test_cdata_becomes_text() -> None:
    assert canonical(parse(envelope("<a><![CDATA[<&>]]></a>")).payload) == b"<a>&lt;&amp;&gt;</a>"


def test_the_version_of_an_answer_before_anything_was_read() -> None:
    assert version_of("application/soap+xml; action=x") is SoapVersion.SOAP12
    assert version_of("text/xml") is version_of("") is version_of("nonsense") is SoapVersion.SOAP11
    assert content_type_of(SoapVersion.SOAP11) == "text/xml; charset=utf-8"
    assert content_type_of(SoapVersion.SOAP12) == "application/soap+xml; charset=utf-8"


@pytest.mark.parametrize("version", SoapVersion)
def test_an_answer_is_read_back(version: SoapVersion) -> None:
    octets = render_answer(version, '<a xmlns="urn:a">ў</a>'.encode())
    assert canonical(parse_provider_answer(octets, DEFAULT_LIMITS)) == '<a xmlns="urn:a">ў</a>'.encode()


@pytest.mark.parametrize("version", SoapVersion)
def test_a_provider_is_asked_with_every_prefix_in_scope(version: SoapVersion) -> None:
    payload = etree.fromstring('<x xmlns:t="urn:t"><a>t:name</a>tail</x>')[0]
    root = etree.fromstring(build_provider_request(payload, version))
    assert root[0][0].nsmap["t"] == "urn:t"
    assert canonical(root[0]).endswith(b"<a>t:name</a></soap:Body>")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html><body>Error</body></html>",
        b"Fatal error on line 7",
        envelope("").encode(),
        envelope("<a/><b/>").encode(),
        envelope(namespace="urn:x").encode(),
        envelope(header='<x s:mustUnderstand="1"/>').encode(),
        b"<!DOCTYPE a [<!ENTITY x 'y'>]>" + envelope("<a>&x;</a>").encode(),
        envelope("<a>" * 200 + "</a>" * 200).encode(),
    ],
)
def test_nonsense_of_a_provider_system(octets: bytes) -> None:
    with pytest.raises(ProviderSystemInvalid):
        parse_provider_answer(octets, DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("text", "rule", "shown"),
    [
        (
            envelope("<s:Fault><faultcode>s:Server.Db</faultcode><faultstring> no \n such </faultstring></s:Fault>"),
            "soap:Server.Db",
            "no such",
        ),
        (
            envelope(
                "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>"
                "<s:Reason><s:Text xml:lang='ru'>Нет</s:Text></s:Reason></s:Fault>",
                namespace=SOAP12,
            ),
            "soap:Sender",
            "Нет",
        ),
        (envelope("<s:Fault/>"), "soap:Fault", "No text."),
    ],
)
def test_a_fault_of_the_provider_system_is_passed_on_in_its_words(text: str, rule: str, shown: str) -> None:
    with pytest.raises(ProviderSystemFault) as failure:
        parse_provider_answer(text.encode(), DEFAULT_LIMITS)
    assert (failure.value.problems[0].rule, failure.value.problems[0].text) == (rule, shown)


def test_comments_of_the_provider_system_are_dropped() -> None:
    octets = envelope("<a>1<!-- secret -->2<?x y?></a>").encode()
    assert canonical(parse_provider_answer(octets, DEFAULT_LIMITS)) == b"<a>12</a>"


def test_no_error_repeats_what_was_sent() -> None:
    for text in ("<secret-payload/>", envelope("secret-payload"), envelope("<secret-payload>")):
        with pytest.raises(AdapterError) as failure:
            parse(text)
        assert "secret" not in failure.value.reason


def test_the_media_type_of_an_envelope_is_what_a_content_type_begins_with() -> None:
    for version in SoapVersion:
        assert content_type_of(version) == f"{media_type_of_version(version)}; charset=utf-8"
        assert version_of(media_type_of_version(version)) is version


def test_an_encoding_that_an_element_states_itself_is_kept() -> None:
    style = "http://schemas.xmlsoap.org/soap/encoding/"
    text = envelope(f'<a/><b s:encodingStyle="{style}other"/>', attributes=f' s:encodingStyle="{style}"')
    payload = parse_provider_answer(text.encode(), DEFAULT_LIMITS, may_be_encoded=True)
    (content,) = payload
    assert [element.get(f"{{{SOAP11}}}encodingStyle") for element in content] == [style, f"{style}other"]


def test_parts_of_an_answer_that_together_are_past_a_limit_are_the_systems_fault() -> None:
    many = DEFAULT_LIMITS.max_namespace_declarations // 2 + 10
    scope = "".join(f' xmlns:p{at}="urn:{at}"' for at in range(many))
    text = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body{scope}><a/><b/></s:Body></s:Envelope>'
    with pytest.raises(ProviderSystemInvalid, match="past a limit"):
        parse_provider_answer(text.encode(), DEFAULT_LIMITS, may_be_encoded=True)
    wide = replace(DEFAULT_LIMITS, max_attributes=64)
    with pytest.raises(ProviderSystemInvalid, match="one element"):
        parse_provider_answer(text.encode(), wide)


H = '<h:h xmlns:h="urn:h"{}>1</h:h>'


def test_declared_headers_are_found_without_what_holds_for_one_hop() -> None:
    call = parse(envelope(header=H.format(' s:mustUnderstand="1"') + "<other/>"))
    (found,) = find_declared(call, {"{urn:h}h"})
    assert (found.tag, len(found.attrib)) == ("{urn:h}h", 0)
    assert find_declared(call, ()) == ()
    assert find_declared(parse(envelope()), {"{urn:h}h"}) == ()


def test_a_declared_header_twice_is_refused() -> None:
    with pytest.raises(NotSoap, match="occurs twice"):
        find_declared(parse(envelope(header=H.format("") * 2)), {"{urn:h}h"})


def test_the_header_of_an_answer_is_judged_and_that_of_a_fault_is_not() -> None:
    judged: list[etree._Element | None] = []
    octets = envelope(header=H.format("")).encode()
    assert parse_provider_answer(octets, DEFAULT_LIMITS, check_header=judged.append).tag == "a"
    fault = envelope("<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault>").encode()
    with pytest.raises(ProviderSystemFault):
        parse_provider_answer(fault, DEFAULT_LIMITS, check_header=judged.append)
    assert len(judged) == 1

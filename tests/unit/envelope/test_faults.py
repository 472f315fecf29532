"""Faults: one maker, one reader, nothing inside that a stranger may not know."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.envelope.faults import (
    MAX_PROBLEMS,
    PublicFault,
    plain_fault_message,
    public_fault,
    read_fault,
    render_fault,
    reported_fault,
)
from adapter.envelope.names import FAULT, SOAP11, SOAP12, WSSE
from adapter.errors import (
    AccessDenied,
    AdapterError,
    Blame,
    HeaderNotUnderstood,
    PeerAnswerInvalid,
    Problem,
    ProviderSystemFault,
    Retry,
    SchemaInvalid,
    SecurityFailed,
    catalogue,
)
from adapter.stages import SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS, canonical

INCIDENT = "7KQ2M-XR4TB"
PROBLEM = Problem(line=2, column=9, element="Pinfl", rule="xsd:pattern", text="Wrong form.")


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_every_error_comes_back_as_it_went(error: type[AdapterError]) -> None:
    fault = public_fault(error("inner reason", problems=(PROBLEM,)), INCIDENT)
    octets = render_fault(fault, SoapVersion.SOAP12)
    assert b"inner reason" not in octets
    assert read_fault(etree.fromstring(octets)) == fault
    assert reported_fault(plain_fault_message(fault, SoapVersion.SOAP12), DEFAULT_LIMITS) == fault


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_every_error_speaks_three_languages(error: type[AdapterError]) -> None:
    texts = public_fault(error(), INCIDENT).texts
    assert set(texts) == {"en", "ru", "uz"}
    assert texts["en"] == error.text
    assert len(set(texts.values())) == 3


def test_all_cryptographic_failures_look_alike() -> None:
    one, other = (render_fault(public_fault(SecurityFailed(why), INCIDENT), SoapVersion.SOAP12) for why in ("a", "b"))
    assert one == other


@pytest.mark.parametrize(
    ("error", "soap11", "soap12"),
    [
        (SchemaInvalid(), "soap:Client", "soap:Sender"),
        (AccessDenied(), "soap:Server", "soap:Receiver"),
        (ProviderSystemFault(), "soap:Server", "soap:Receiver"),
        (HeaderNotUnderstood(), "soap:MustUnderstand", "soap:MustUnderstand"),
    ],
)
def test_the_soap_code_says_who_has_to_act(error: AdapterError, soap11: str, soap12: str) -> None:
    fault = public_fault(error, INCIDENT)
    old = etree.fromstring(render_fault(fault, SoapVersion.SOAP11))
    new = etree.fromstring(render_fault(fault, SoapVersion.SOAP12))
    assert (old.tag, new.tag) == (f"{{{SOAP11}}}Fault", f"{{{SOAP12}}}Fault")
    assert old.findtext("faultcode") == soap11
    assert old.findtext("faultstring") == error.text
    assert new.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Value") == soap12
    subcode = new.find(f"{{{SOAP12}}}Code/{{{SOAP12}}}Subcode/{{{SOAP12}}}Value")
    assert subcode is not None
    assert subcode.text == f"ia-fault:{error.code}"
    assert subcode.nsmap["ia-fault"] == FAULT
    assert old.find(f"detail/{{{FAULT}}}Fault") is not None


def test_a_rendered_fault_is_canonical() -> None:
    octets = render_fault(public_fault(SchemaInvalid(problems=(PROBLEM,)), INCIDENT), SoapVersion.SOAP12)
    assert canonical(etree.fromstring(octets), inclusive_prefixes=("ia-fault",)) == octets


def test_problems_are_bounded_escaped_and_cleaned() -> None:
    nasty = Problem(line=-1, column=0, element='a"<b>', rule="r&", text="\x00\x1b<script>&\ufffe" + "x" * 5000)
    fault = public_fault(SchemaInvalid(problems=(nasty,) * 500), INCIDENT)
    read = read_fault(etree.fromstring(render_fault(fault, SoapVersion.SOAP12)))
    assert len(read.problems) == MAX_PROBLEMS
    assert read.problems[0].line == 0
    assert read.problems[0].element == 'a"<b>'
    assert len(read.problems[0].text) == 1000
    assert read.problems[0].text.startswith("��<script>&�")


def test_a_peer_cannot_change_what_a_code_of_the_catalogue_means() -> None:
    fault = PublicFault(
        code="AccessDenied",
        blame=Blame.NETWORK,
        retry=Retry.LATER,
        incident=INCIDENT,
        texts={"en": "Call this number", "ru": "x", "uz": "x"},
    )
    read = read_fault(etree.fromstring(render_fault(fault, SoapVersion.SOAP12)))
    assert read == public_fault(AccessDenied(), INCIDENT)


def test_a_code_of_a_later_version_is_read_as_it_says() -> None:
    fault = PublicFault(
        code="FromTheFuture", blame=Blame.NETWORK, retry=Retry.LATER, incident=INCIDENT, texts={"en": "A", "ru": "B"}
    )
    read = read_fault(etree.fromstring(render_fault(fault, SoapVersion.SOAP12)))
    assert (read.code, read.blame, read.retry) == ("FromTheFuture", Blame.NETWORK, Retry.LATER)
    assert read.texts == {"en": "A", "ru": "B", "uz": "A"}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<a/>",
        b"not xml",
        f'<e:Envelope xmlns:e="{SOAP12}"/>'.encode(),
        f'<e:Envelope xmlns:e="{SOAP12}"><e:Body/></e:Envelope>'.encode(),
        f'<e:Envelope xmlns:e="{SOAP12}"><e:Body><a/></e:Body></e:Envelope>'.encode(),
        f'<e:Envelope xmlns:e="{SOAP12}"><e:Body><e:Fault/></e:Body></e:Envelope>'.encode(),
        f'<!DOCTYPE a><e:Envelope xmlns:e="{SOAP12}"><e:Body/></e:Envelope>'.encode(),
        plain_fault_message(public_fault(AccessDenied(), INCIDENT), SoapVersion.SOAP11),
        plain_fault_message(public_fault(AccessDenied(), INCIDENT), SoapVersion.SOAP12).replace(
            b"-fault:Code", b"-fault:C"
        ),
    ],
)
def test_what_is_no_fault_of_ours_is_no_report(octets: bytes) -> None:
    assert reported_fault(octets, DEFAULT_LIMITS) is None


PLAIN = plain_fault_message(public_fault(AccessDenied(), INCIDENT), SoapVersion.SOAP12)


def test_a_report_may_have_a_header() -> None:
    octets = PLAIN.replace(b"<env:Body>", b"<env:Header/><env:Body>", 1)
    assert octets != PLAIN
    assert reported_fault(octets, DEFAULT_LIMITS) is not None


@pytest.mark.parametrize(
    "before",
    [
        f'<env:Header><s:Security xmlns:s="{WSSE}"/></env:Header>',
        "<env:Header/><env:Header/>",
        "<env:Body/>",
        "<env:Header/><env:Body/>",
        "<other/>",
    ],
)
def test_what_claims_to_be_secured_or_has_more_than_a_body_is_no_report(before: str) -> None:
    octets = PLAIN.replace(b"<env:Body>", before.encode() + b"<env:Body>", 1)
    assert reported_fault(octets, DEFAULT_LIMITS) is None


def test_a_fault_without_what_a_reader_needs_is_refused() -> None:
    future = PublicFault(
        code="Future", blame=Blame.NETWORK, retry=Retry.NO, incident=INCIDENT, texts={"en": "A", "ru": "A", "uz": "A"}
    )
    octets = render_fault(future, SoapVersion.SOAP12)
    for old, new in ((b">network<", b">me<"), (b">no<", b">maybe<"), (b'"en"', b'"de"')):
        with pytest.raises(PeerAnswerInvalid):
            read_fault(etree.fromstring(octets.replace(old, new)))

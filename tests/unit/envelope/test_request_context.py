"""The client's small header: what is absent is absent, what is wrong is said with its line and element."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.envelope.headers import RequestContext, read_request_context
from adapter.errors import ContextInvalid, InvalidIdentifier
from adapter.identifiers import OfficialId, Purpose, SubjectId
from adapter.stages import LegalBasis, RepresentedParty
from tests.envelopes import PINFL

NS = "urn:interagency-adapter:client:1"


def read(content: str, attributes: str = "") -> RequestContext:
    return read_request_context(
        etree.fromstring(f'<RequestContext xmlns="{NS}"{attributes}>{content}</RequestContext>')
    )


def test_everything() -> None:
    content = (
        "<Official> inspector-7 </Official>\n<Purpose>benefit</Purpose><LegalBasis kind='law'>No\n 395</LegalBasis>"
        f"<Regulation>R</Regulation><Subject kind='pinfl'>{PINFL}</Subject><Subject kind='stir'>200000001</Subject>"
        "<Consent>c</Consent><Issue> case 7 </Issue><RepresentedParty class='COM'>302</RepresentedParty>"
        "<Emergency> a child is \n missing </Emergency>"
    )
    assert read(content) == RequestContext(
        official=OfficialId("inspector-7"),
        purpose=Purpose("benefit"),
        legal_basis=LegalBasis(kind="law", reference="No 395"),
        regulation="R",
        subjects=(SubjectId("pinfl", PINFL), SubjectId("stir", "200000001")),
        consent="c",
        issue="case 7",
        represented_party=RepresentedParty(party_class="COM", code="302"),
        emergency="a child is missing",
    )


def test_nothing() -> None:
    assert read("") == RequestContext()


def test_soap_attributes_do_not_matter() -> None:
    soap = ' xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:mustUnderstand="1"'
    assert read("<Purpose>p</Purpose>", soap).purpose == "p"


@pytest.mark.parametrize(
    ("content", "element"),
    [
        ("<Unknown/>", "Unknown"),
        ("<Purpose>p</Purpose><Official>o</Official>", "Official"),
        ("<Purpose>p</Purpose><Purpose>q</Purpose>", "Purpose"),
        ("<Purpose xmlns='urn:other'>p</Purpose>", "Purpose"),
        ("<Purpose>two words</Purpose>", "Purpose"),
        ("<Purpose x='y'>p</Purpose>", "Purpose"),
        ("<Purpose><b/></Purpose>", "Purpose"),
        ("<LegalBasis>x</LegalBasis>", "LegalBasis"),
        ("<LegalBasis kind='law'></LegalBasis>", "LegalBasis"),
        ("<Consent></Consent>", "Consent"),
        ("<Issue></Issue>", "Issue"),
        ("<RepresentedParty class='a b'>x</RepresentedParty>", "RepresentedParty"),
        ("<RepresentedParty>x</RepresentedParty><Issue>i</Issue>", "Issue"),
        ("<Emergency></Emergency>", "Emergency"),
        ("<Emergency x='y'>now</Emergency>", "Emergency"),
        ("<Emergency>now</Emergency><Emergency>now</Emergency>", "Emergency"),
        ("<Emergency>now</Emergency><RepresentedParty>x</RepresentedParty>", "RepresentedParty"),
        ("text", "RequestContext"),
        ("<Subject kind='stir'>200000001</Subject>" * 1001, "RequestContext"),
    ],
)
def test_a_wrong_structure_is_named(content: str, element: str) -> None:
    with pytest.raises(ContextInvalid) as failure:
        read(f"\n{content}")
    problem = failure.value.problems[0]
    assert problem.element == element
    assert problem.line == (1 if element == "RequestContext" else 2)


@pytest.mark.parametrize(
    "content",
    [
        f"<Subject kind='pinfl'>{PINFL[:-1]}{(int(PINFL[-1]) + 1) % 10}</Subject>",
        "<Subject kind='pinfl'>123</Subject>",
        "<Subject kind='Name'>A</Subject>",
        "<Official>Name Surname</Official>",
    ],
)
def test_a_wrong_identifier_is_named_without_its_value(content: str) -> None:
    with pytest.raises(InvalidIdentifier) as failure:
        read(content)
    problem = failure.value.problems[0]
    value = etree.fromstring(content).text or ""
    assert problem.element in content
    assert value not in problem.text
    assert value not in failure.value.reason


def test_another_element_is_not_a_context() -> None:
    with pytest.raises(ContextInvalid):
        read_request_context(etree.fromstring("<RequestContext/>"))

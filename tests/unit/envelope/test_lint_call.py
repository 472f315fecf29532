"""A client system's call examined offline: every rule is named, and every problem is found at once."""

from __future__ import annotations

import pytest

from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.description import ServiceDescription
from adapter.envelope.lint import DocumentKind, Examination, examine
from adapter.envelope.lint_words import mending_for
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.pki import NOW
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, read, schema, wsdl

SERVICE = read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER.replace('"Ask" type="xs:string"', '"Ask" type="xs:int"')))})
ASK = f'<t:Ask xmlns:t="{NS}">1</t:Ask>'
BODY, HEADER = f"<s:Body>{ASK}</s:Body>", "<s:Header>{}</s:Header>"
CONTEXT = f'<c:RequestContext xmlns:c="{names.CLIENT}"/>'


def call(inner: str, description: ServiceDescription | None = SERVICE) -> Examination:
    envelope = f'<s:Envelope xmlns:s="{names.SOAP11}">{inner}</s:Envelope>'
    return examine(envelope.encode(), DEFAULT_LIMITS, now=NOW, description=description)


def rules(inner: str, description: ServiceDescription | None = SERVICE) -> list[str]:
    return [problem.rule for problem in call(inner, description).problems]


def test_a_call_without_a_context_has_no_problem_but_a_remark():
    found = call(BODY)
    assert (found.kind, found.problems) == (DocumentKind.CLIENT_CALL, ())
    assert "no RequestContext header" in found.remarks[0]


def test_without_a_description_the_body_is_not_compared():
    found = call(BODY.replace("Ask", "Other"), None)
    assert found.problems == ()
    assert "was not compared" in found.remarks[1]


@pytest.mark.parametrize(
    ("inner", "rule"),
    [
        pytest.param(HEADER.format('<h s:mustUnderstand="1"/>') + BODY, words.MUST_UNDERSTAND, id="unknown header"),
        pytest.param(BODY + HEADER.format(""), words.SOAP, id="Header behind the Body"),
        pytest.param("", words.SOAP, id="no Body"),
        pytest.param(BODY + BODY, words.SOAP, id="two Bodies"),
        pytest.param("<x/>" + BODY, words.SOAP, id="something else"),
        pytest.param(f"<s:Body>{ASK}{ASK}</s:Body>", words.SOAP, id="two elements"),
        pytest.param("<s:Body/>", words.SOAP, id="no element"),
        pytest.param(BODY.replace("Ask", "Other"), words.OPERATION, id="no operation"),
        pytest.param(BODY.replace(">1<", ">one<"), "cvc-datatype-valid", id="against the schema"),
    ],
)
def test_one_thing_wrong_is_one_rule(inner: str, rule: str):
    assert rules(inner) == [rule]


def test_a_header_that_nobody_has_to_understand_is_no_problem():
    assert rules(HEADER.format('<h s:mustUnderstand="0"/><i/>') + BODY) == []


def test_a_second_context_is_named():
    assert words.CONTEXT in rules(HEADER.format(CONTEXT + CONTEXT) + BODY)


def test_a_subject_that_is_none_is_named_where_the_schema_has_nothing_to_say():
    subject = f'<c:RequestContext xmlns:c="{names.CLIENT}"><c:Subject>{{}}</c:Subject></c:RequestContext>'
    found = call(HEADER.format(subject.format("")) + BODY)
    assert any(problem.element.endswith("RequestContext") or "Subject" in problem.element for problem in found.problems)


def test_a_name_that_older_parsers_do_not_know_has_no_place():
    """XML 1.0 widened the letters of names in its fifth edition; libxml2 follows it, Expat does not."""
    (problem,) = call("<s:Body><\U00010000/></s:Body>").problems
    assert (problem.rule, problem.line, problem.column) == (words.OPERATION, 0, 0)


def test_what_is_no_soap_message():
    found = examine(b"<a/>", DEFAULT_LIMITS, now=NOW)
    assert (found.kind, [problem.rule for problem in found.problems]) == (DocumentKind.UNKNOWN, [words.SOAP])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (words.BODY, "Encrypt the Body's content"),
        ("cvc-minLength-valid", "Fill the value in."),
        ("cvc-any-other", "appendix C"),
    ],
)
def test_every_rule_says_how_to_mend_it(rule: str, says: str):
    assert says in mending_for(rule)

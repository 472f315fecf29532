"""What an integrator reads of a broken message, over the whole corpus: the line, the element, the rule, in words."""

import json

import pytest
from lxml import etree

from adapter.envelope.description import load_description
from adapter.envelope.schema import check_payload
from adapter.errors import DescriptionUnusable, Problem, SchemaInvalid
from adapter.samples.broken import BrokenSample, Mistake, break_sample
from adapter.samples.make import SampleMaker
from tests.conftest import ROOT

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"
NAMES = [path.parent.name for path in sorted(CORPUS.glob("*/catalog.json"))]
ELEMENTS = 8
# Where a head of a substitution group stands first, libxml2 lists that group only, even when it is there.
MISLED = {("ms-exchange-ews", "Constant")}

if not NAMES:
    pytest.skip("the corpus of service descriptions is not beside the repository", allow_module_level=True)


def problems_of(description, broken: BrokenSample, expected: str) -> tuple[Problem, ...]:
    """As for a message that came over the wire: with lines."""
    sent = etree.fromstring(etree.tostring(broken.element, pretty_print=True))
    with pytest.raises(SchemaInvalid) as refused:
        check_payload(description, sent, expected)
    return refused.value.problems


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_message_is_explained(name: str):
    description = load_description(CORPUS / name, json.loads((CORPUS / name / "catalog.json").read_bytes())["entry"])
    maker = SampleMaker(description)
    checked = [operation.input_element for operation in description.operations if operation.type_checked]
    for element in list(dict.fromkeys(checked))[:ELEMENTS]:
        try:
            sample = maker.sample(element)
        except DescriptionUnusable:
            continue  # no sample can be made of it; tests/unit/samples/test_corpus.py knows which
        for mistake in Mistake:
            broken = break_sample(description, sample, mistake)
            if broken is None:
                continue
            found = problems_of(description, broken, element)
            assert all(problem.line > 0 and problem.rule.startswith("cvc-") for problem in found)
            if mistake is Mistake.MISSING_ELEMENT and (name, broken.path[-1]) in MISLED:
                continue
            assert any(_names(problem, mistake, broken.path[-1]) for problem in found), (mistake, broken.path, found)


def _names(problem: Problem, mistake: Mistake, local: str) -> bool:
    """Whether the sentence says what is wrong, with the name of what it is about."""
    text = problem.text
    if mistake is Mistake.WRONG_TYPE:
        return text.startswith("The value ") and problem.element.split("/")[-1].partition("[")[0] == local
    if mistake is Mistake.EXTRA_ELEMENT:
        return "that the schema does not know" in text or "may hold no element" in text or "must be empty" in text
    if mistake is Mistake.MISSING_ELEMENT:
        # libxml2 lists the first ten that may stand here.
        return ("missing: " in text or "expected here: " in text) and (local in text or " or others" in text)
    # Where a wildcard takes whatever is of another namespace, the next element is the one that is too many.
    taken = "wildcard" in text or "no further element is allowed" in text
    return f"The element {local} is in the wrong namespace; it has to be in " in text or taken

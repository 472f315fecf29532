"""A broken sample is refused at the place where it was broken."""

import pytest

from adapter.samples.broken import Mistake, break_sample
from adapter.samples.make import SampleMaker
from tests.unit.envelope.descriptions import NS, of_types

ASK = f"{{{NS}}}Ask"
PERSON = """<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="person"><xs:complexType><xs:sequence>
  <xs:element name="born" type="xs:date"/><xs:element name="note" type="xs:string" minOccurs="0"/></xs:sequence>
  </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>"""


@pytest.mark.parametrize(
    ("mistake", "paths", "rules"),
    [
        (Mistake.MISSING_ELEMENT, {"Ask/person", "Ask/person/born"}, {"cvc-complex-type.2.4"}),
        (Mistake.WRONG_TYPE, {"Ask/person/born"}, {"cvc-datatype-valid"}),
        (Mistake.EXTRA_ELEMENT, {"Ask/UnexpectedElement", "Ask/person/UnexpectedElement"}, {"cvc-complex-type.2.4"}),
        (Mistake.WRONG_NAMESPACE, {"Ask/person", "Ask/person/born", "Ask/person/note"}, {"cvc-complex-type.2.4"}),
    ],
)
def test_each_mistake_is_made_everywhere_sooner_or_later(mistake, paths, rules):
    description = of_types(PERSON)
    sample = SampleMaker(description).sample(ASK)
    broken = [break_sample(description, sample, mistake, seed=seed) for seed in range(20)]
    assert {"/".join(found.path) for found in broken if found is not None} == paths
    assert {found.problems[0].rule for found in broken if found is not None} == rules


def test_what_takes_anything_cannot_be_broken():
    description = of_types('<xs:element name="Ask"/>')
    sample = SampleMaker(description).sample(ASK)
    assert [break_sample(description, sample, mistake) for mistake in Mistake] == [None] * 4

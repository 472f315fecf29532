"""The messages of the benchmark are what it says that they are."""

from __future__ import annotations

from collections import Counter

import pytest
from lxml import etree

from adapter.envelope.description import read_description
from adapter.envelope.schema import check_payload
from adapter.identifiers import check_pinfl
from adapter.xmlsafe import canonical
from bench.installation import DESCRIPTION
from bench.messages import MIX, NAMESPACE, PINFL, draw_sizes, make_call, make_payload

SIZES = [size for size in MIX if size <= 2_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_payload_is_canonical_valid_and_of_exactly_its_size(size):
    payload = make_payload(size, number=7)
    assert len(payload) == size
    element = etree.fromstring(payload)
    assert canonical(element) == payload
    documents = {path.name: path.read_bytes() for path in DESCRIPTION.iterdir()}
    description = read_description(documents.get, "records.wsdl")
    check_payload(description, element, f"{{{NAMESPACE}}}KeepRecords")


def test_every_number_gives_another_payload_of_the_same_size():
    assert make_payload(2_000, 1) != make_payload(2_000, 2)


def test_a_payload_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least"):
        make_payload(100)


def test_the_person_is_synthetic_but_well_formed():
    check_pinfl(PINFL)


def test_what_an_answer_must_hold_is_all_but_the_name_of_the_element():
    call = make_call(2_000, 3)
    assert call.expected in call.octets
    assert b"000000003" in call.expected
    assert b"KeepRecords" not in call.expected


def test_the_mix_is_that_of_the_issue():
    assert Counter(draw_sizes(MIX, 1000, seed=1)) == {
        2_000: 300,
        10_000: 600,
        100_000: 90,
        2_000_000: 9,
        10_000_000: 1,
    }


def test_a_draw_has_the_length_asked_for_and_depends_on_nothing_but_the_seed():
    for count in (1, 7, 100, 999):
        assert len(draw_sizes(MIX, count, seed=5)) == count
    assert draw_sizes(MIX, 500, seed=5) == draw_sizes(MIX, 500, seed=5)
    assert draw_sizes(MIX, 500, seed=5) != draw_sizes(MIX, 500, seed=6)

"""The provider's path under a rule that names fields: what leaves, and what the record says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.envelope.faults import read_fault
from adapter.errors import AdapterError, Problem, ProviderSystemFault, ProviderSystemInvalid
from adapter.released_fields import ReleasedFields, Replacement
from tests.get_person import PERSON
from tests.two_sides import TwoSides, sealed_request
from tests.unit.exchange.test_provide import code_of, opened

FIELDS = ReleasedFields(
    namespaces=(("p", PERSON),),
    released=("p:GetPersonResponse/p:Surname",),
    replaced=(("p:GetPersonResponse/p:Born", Replacement.YEAR),),
)


def limited(sides: TwoSides, fields: ReleasedFields = FIELDS) -> TwoSides:
    sides.rules = tuple(replace(rule, fields=fields) for rule in sides.rules)
    return sides


async def test_only_what_the_rule_names_leaves_and_the_record_lists_it(sides: TwoSides) -> None:
    sides.register.answer_with = str(sides.register.answer_with).replace("1990-01-01", "1990-11-21")
    reply = opened(limited(sides), await sides.wire.post(sealed_request(sides).octets))
    assert [child.text for child in reply.payload] == ["Каримов", "1990-01-01"]
    body = sides.provider_record.log[-1].entry.body
    assert body["fields"] == ["p:GetPersonResponse/p:Surname"]
    assert body["fields_replaced"] == [["p:GetPersonResponse/p:Born", "year"]]
    assert "Каримов" not in str(body)


async def test_a_client_system_gets_the_cut_answer(sides: TwoSides) -> None:
    answer = await limited(sides).call()
    assert answer.status == 200
    assert "Каримов" in answer.octets.decode()


async def test_without_fields_the_whole_answer_leaves_and_the_record_says_nothing_of_fields(sides: TwoSides) -> None:
    reply = opened(sides, await sides.wire.post(sealed_request(sides).octets))
    assert len(reply.payload) == 2
    assert "fields" not in sides.provider_record.log[-1].entry.body


async def test_an_answer_that_would_not_be_valid_is_withheld_and_recorded(sides: TwoSides) -> None:
    only_name = ReleasedFields(namespaces=(("p", PERSON),), released=("p:GetPersonResponse/p:Surname",))
    answer = await limited(sides, only_name).wire.post(sealed_request(sides).octets)
    assert code_of(sides, answer) == "AnswerNotReleasable"
    assert read_fault(opened(sides, answer).payload).problems == ()
    assert sides.provider_record.kinds == ["request-received", "refused"]


@pytest.mark.parametrize("kind", [ProviderSystemFault, ProviderSystemInvalid])
async def test_what_the_system_says_in_a_fault_is_no_field_that_was_named(
    sides: TwoSides, kind: type[AdapterError]
) -> None:
    said = Problem(line=1, column=0, element="faultstring", rule="fault", text="Каримов is wanted")
    sides.register.answer_with = kind("a fault", problems=(said,))
    open_answer = read_fault(opened(sides, await sides.wire.post(sealed_request(sides).octets)).payload)
    assert open_answer.problems
    cut = read_fault(opened(limited(sides), await sides.wire.post(sealed_request(sides).octets)).payload)
    assert (cut.code, cut.problems) == (kind.code, ())

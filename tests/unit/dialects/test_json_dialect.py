"""A JSON call through the whole path: answered from the same system, refused by the same rules, in the same record."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapter.dialects.json_dialect import JsonDialect
from adapter.dialects.json_fault import preferred_language, problem_answer, status_of
from adapter.dialects.model import ClientAnswer
from adapter.envelope.faults import PublicFault, public_fault
from adapter.envelope.texts import LANGUAGES
from adapter.errors import AdapterError, Blame, Problem, ProviderSystemDown, Retry, SchemaInvalid, catalogue
from adapter.exchange.consume import consume
from adapter.stages import RepresentedParty
from tests.get_person import OTHER_PINFL, PINFL
from tests.pki import Federation
from tests.two_sides import TwoSides, client_call, two_sides

WRONG_PINFL = PINFL[:13] + str((int(PINFL[13]) + 1) % 10)
CONTEXT = {
    "official": "inspector-7",
    "purpose": "benefit",
    "legalBasis": {"kind": "law", "reference": "ZRU-395"},
    "subjects": [{"kind": "pinfl", "value": PINFL}],
}


@pytest.fixture
def sides(federation: Federation) -> TwoSides:
    return two_sides(federation)


async def call(
    sides: TwoSides,
    document: Any,
    *,
    operation: str = "GetPerson",
    content_type: str = "application/json",
    language: str = "",
    **more: Any,
) -> ClientAnswer:
    text = document if isinstance(document, str) else json.dumps(document)
    dialect = JsonDialect(operation=operation, content_type=content_type, accept_language=language)
    return await consume(client_call(sides, text, content_type=content_type, **more), dialect, sides.consumer)


def good(**changed: Any) -> dict[str, Any]:
    return {"context": {**CONTEXT, **changed}, "body": {"Pinfl": PINFL}}


async def test_a_good_call_is_answered_and_recorded_like_any_other(sides: TwoSides) -> None:
    answer = await call(sides, good())
    assert json.loads(answer.octets) == {"body": {"Surname": "Каримов", "Born": "1990-01-01"}}
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert sides.consumer_record.kinds == ["request-sent", "reply-received"]
    assert answer.headers["Adapter-Record"] == "0 1"
    data = sides.register.asked[0].authorized.valid.fresh.message.verified.personal_data
    assert data is not None
    assert [subject.value for subject in data.subjects] == [PINFL]
    assert data.legal_basis is not None
    assert data.legal_basis.reference == "ZRU-395"


async def test_everything_that_a_header_could_say_can_be_said(sides: TwoSides) -> None:
    more = {"issue": "case 7", "consent": "K-12", "representedParty": {"class": "COM", "code": "70000012"}}
    more["emergency"] = "a child is missing"
    sides.rules = (replace(sides.rules[0], emergency_officials=frozenset({"inspector-7"})),)
    assert (await call(sides, good(**more))).status == 200
    data = sides.register.asked[0].authorized.valid.fresh.message.verified.personal_data
    assert data is not None
    assert (data.issue, data.consent, data.represented_party) == (
        "case 7",
        "K-12",
        RepresentedParty(party_class="COM", code="70000012"),
    )
    assert data.emergency == "a child is missing"


@pytest.mark.parametrize(
    ("document", "code", "status", "pointer"),
    [
        ("{", "MalformedJson", 400, None),
        ("[]", "MalformedJson", 400, None),
        ({"context": CONTEXT}, "MalformedJson", 400, None),
        ({"context": CONTEXT, "boby": {}}, "MalformedJson", 400, "/boby"),
        ({"context": CONTEXT, "body": {"Pinfll": PINFL}}, "SchemaInvalid", 422, "/body/Pinfll"),
        ({"context": CONTEXT, "body": {"Pinfl": "12"}}, "SchemaInvalid", 422, "/body/Pinfl"),
        ({"context": CONTEXT, "body": {}}, "SchemaInvalid", 422, "/body"),
        ({"body": {"Pinfl": PINFL}}, "ContextMissing", 400, None),
        (good(legalBasis=None), "NoLegalBasis", 400, None),
        (good(purpose="curiosity"), "UnknownPurpose", 400, None),
        (good(purpose="no purpose"), "ContextInvalid", 400, "/context/purpose"),
        (good(purpose=5), "ContextInvalid", 400, "/context/purpose"),
        (good(oficial="x"), "ContextInvalid", 400, "/context/oficial"),
        (good(legalBasis={"kind": "law"}), "ContextInvalid", 400, "/context/legalBasis/reference"),
        (good(subjects={"kind": "pinfl"}), "ContextInvalid", 400, "/context/subjects"),
        (good(subjects=[{"kind": "pinfl", "value": WRONG_PINFL}]), "InvalidIdentifier", 422, "/context/subjects/0"),
        (good(subjects=[{"kind": "pinfl", "value": OTHER_PINFL}]), "SubjectMismatch", 422, None),
    ],
)
async def test_a_wrong_call_gets_a_problem_document(
    sides: TwoSides, document: Any, code: str, status: int, pointer: str | None
) -> None:
    answer = await call(sides, document)
    problem = json.loads(answer.octets)
    assert (problem["code"], answer.status, problem["status"]) == (code, status, status)
    assert answer.content_type == "application/problem+json"
    assert problem["type"] == f"urn:interagency-adapter:fault:1:{code}"
    assert problem["blame"] == "client-system"
    assert problem["retry"] == "no"
    assert problem["incident"] == answer.headers["Adapter-Incident"]
    pointers = [found.get("pointer") for found in problem.get("problems", ())]
    assert pointer is None or pointers == [pointer]
    assert sides.consumer_record.outcomes[-1] == code


async def test_a_name_that_the_client_made_up_goes_back_to_it_and_not_into_the_record(sides: TwoSides) -> None:
    answer = await call(sides, {"context": CONTEXT, "body": {"made-up-name": 1}})
    assert "made-up-name" in answer.octets.decode()
    assert "made-up-name" not in json.dumps(sides.consumer_record.log[0].entry.body)


async def test_an_operation_is_named_by_the_path(sides: TwoSides) -> None:
    answer = await call(sides, good(), operation="GetPersn")
    problem = json.loads(answer.octets)
    assert (problem["code"], answer.status) == ("UnknownOperation", 404)
    assert 'the nearest is "GetPerson"' in problem["problems"][0]["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/xml", "application/json; charset=cp1251"])
async def test_only_what_says_that_it_is_json_is_read(sides: TwoSides, content_type: str) -> None:
    answer = await call(sides, good(), content_type=content_type)
    assert json.loads(answer.octets)["code"] == "MalformedJson"


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
async def test_a_charset_of_utf_8_is_no_harm(sides: TwoSides, content_type: str) -> None:
    assert (await call(sides, good(), content_type=content_type)).status == 200


async def test_a_stranger_is_told_so_in_json(sides: TwoSides) -> None:
    answer = await call(sides, good(), address="192.0.2.9")
    assert (json.loads(answer.octets)["code"], answer.status) == ("ClientNotIdentified", 401)


async def test_a_fault_of_the_other_side_is_a_problem_document(sides: TwoSides) -> None:
    sides.register.answer_with = ProviderSystemDown("refused connection")
    answer = await call(sides, good(), language="uz")
    problem = json.loads(answer.octets)
    assert (problem["code"], answer.status, problem["retry"]) == ("ProviderSystemDown", 503, "later")
    assert answer.headers["Content-Language"] == "uz"
    assert problem["title"] == public_fault(ProviderSystemDown(), "x").texts["uz"]


async def test_what_is_too_deep_ends(sides: TwoSides) -> None:
    answer = await call(sides, '{"body":' + "[" * 5000 + "]" * 5000 + "}")
    assert json.loads(answer.octets)["code"] in ("LimitExceeded", "SchemaInvalid")


# --- problem documents -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("uz-Cyrl, ru;q=0.5", "uz"),
        ("de, ru;q=0.3, uz;q=0.7", "uz"),
        ("ru;q=0", "en"),
        ("*", "en"),
        ("ru;q=nonsense", "en"),
        ("," * 1000, "en"),
    ],
)
def test_the_language_is_the_one_that_the_client_wants_most(accepted: str, language: str) -> None:
    assert preferred_language(accepted) == language


@pytest.mark.parametrize("error", [error for error in catalogue() if error.blame is not Blame.OPERATOR])
def test_every_fault_has_a_status_that_says_whose_turn_it_is(error: type[AdapterError]) -> None:
    status = status_of(error.code, error.blame)
    assert (400 <= status < 500) if error.blame is Blame.CLIENT_SYSTEM else (400 <= status < 600)
    assert status != 500 or error.code == "InternalError"
    answer = problem_answer(public_fault(error(), "3f9ab2c1"), "ru", {})
    assert json.loads(answer.octets)["title"] == public_fault(error(), "x").texts["ru"]


def test_a_fault_of_a_newer_adapter_is_passed_on() -> None:
    fault = PublicFault(
        code="Novel",
        blame=Blame.PROVIDER_SYSTEM,
        retry=Retry.LATER,
        incident="1",
        texts=dict.fromkeys(LANGUAGES, "New."),
    )
    assert json.loads(problem_answer(fault, "", {}).octets)["status"] == 502


def test_a_line_of_the_xml_that_was_made_becomes_a_place_in_the_json() -> None:
    problem = Problem(line=7, column=0, element="Born", rule="cvc", text="Wrong.")
    answer = problem_answer(public_fault(SchemaInvalid(problems=(problem,)), "1"), "", {7: "/body/Born"})
    assert json.loads(answer.octets)["problems"] == [
        {"detail": "Wrong.", "rule": "cvc", "pointer": "/body/Born", "element": "Born"}
    ]

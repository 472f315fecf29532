from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adapter.directory.content import BasisName, ConsentIssuer, EService, LegalBasisKind, Regulation
from adapter.directory.model import AdapterEntry, Directory, DirectoryService, Member
from adapter.errors import (
    AccessDenied,
    AdapterError,
    NoLegalBasis,
    Problem,
    UnknownMember,
    UnknownPurpose,
    UnknownRegulation,
)
from adapter.identifiers import MemberId, OfficialId, Purpose, ServiceId, SubjectId, SubsystemId, pinfl_check_digit
from adapter.policy.decision import AccessFacts, Decision, decide
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.stages import LegalBasis, PersonalData

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONSUMER = SubsystemId.parse("UZ/GOV/200000003/social")
PROVIDER = MemberId.parse("UZ/GOV/200000001")
SERVICE = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
OPEN_SERVICE = ServiceId.parse("UZ/GOV/200000001/population/Holidays/v1")
SUBJECT = SubjectId("pinfl", "3010190000001" + str(pinfl_check_digit("3010190000001")))


def member(name: MemberId, *subsystems: str) -> Member:
    return Member(
        id=name,
        names={"en": "Agency"},
        stir=name.code,
        suite="p256",
        adapter=AdapterEntry(address="https://127.0.0.1:1", tls_certificates=()),
        signing=(),
        agreement=(),
        subsystems=frozenset(subsystems),
    )


def e_service(regulation: str) -> EService:
    return EService(
        code=f"{regulation}-code",
        titles={"en": "Assigning a benefit"},
        agency=CONSUMER.member,
        working_days=5,
        regulation=Regulation(
            id=regulation,
            titles={"en": "Assigning a benefit"},
            approved=date(2025, 1, 1),
            documents={SERVICE: frozenset()},
        ),
    )


DIRECTORY = Directory(
    instance="UZ",
    version=1,
    issued=NOW,
    expires=NOW + timedelta(days=1),
    members={CONSUMER.member: member(CONSUMER.member, "social"), PROVIDER: member(PROVIDER, "population")},
    services={
        SERVICE: DirectoryService(
            service=SERVICE,
            titles={"en": "A person"},
            personal_data=True,
            description_sha256="00",
            regulations=frozenset({"ES-17", "ES-18"}),
        ),
        OPEN_SERVICE: DirectoryService(
            service=OPEN_SERVICE, titles={"en": "Days"}, personal_data=False, description_sha256="00"
        ),
    },
    signing_authorities=(),
    tls_authorities=(),
    purposes={"benefit": {"en": "Granting a benefit"}, "statistics": {"en": "Statistics"}},
    legal_basis_kinds={code: LegalBasisKind(code=code, titles={"en": code}) for code in ("law", "consent")},
    by_regulation={regulation: e_service(regulation) for regulation in ("ES-17", "ES-18", "ES-19")},
    groups={"ministries": frozenset({CONSUMER})},
)
FACTS = AccessFacts(
    consumer=CONSUMER,
    service=SERVICE,
    operation="GetPerson",
    regulation="ES-17",
    personal_data=PersonalData(
        purpose=Purpose("benefit"), subjects=(SUBJECT,), legal_basis=LegalBasis(kind="law", reference="ZRU-395")
    ),
    official=OfficialId("inspector-7"),
)
RULE = AccessRule(id="r1", consumer=str(CONSUMER), service=SERVICE)


def judged(facts: AccessFacts, *rules: AccessRule) -> Decision:
    return decide(facts, policy=PolicySnapshot.of(7, rules), directory=DIRECTORY, now=NOW)


def test_without_a_rule_everything_is_denied() -> None:
    decision = judged(FACTS)
    assert isinstance(decision.refusal, AccessDenied)
    assert decision.rule_id is None
    assert decision.policy_version == 7


@pytest.mark.parametrize("consumer", [str(CONSUMER), str(CONSUMER.member), "group:ministries"])
def test_a_rule_names_a_subsystem_a_member_or_a_group(consumer: str) -> None:
    decision = judged(FACTS, replace(RULE, consumer=consumer))
    assert (decision.rule_id, decision.refusal) == ("r1", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"consumer": "UZ/GOV/200000002"}, "is for UZ/GOV/200000002"),
        ({"consumer": "UZ/GOV/200000003/other"}, "is for UZ/GOV/200000003/other"),
        ({"consumer": "group:nobody"}, "is for group:nobody"),
        ({"operations": frozenset({"Other"})}, "does not name this operation"),
        ({"operations": frozenset()}, "does not name this operation"),
        ({"purposes": frozenset({"statistics"})}, "does not name this purpose"),
        ({"legal_basis_kinds": frozenset({"consent"})}, "does not name this kind of legal basis"),
        ({"regulations": frozenset({"ES-18"})}, "does not name this regulation"),
        ({"valid_from": NOW + timedelta(seconds=1)}, "is not valid yet"),
        ({"valid_until": NOW}, "is no longer valid"),
    ],
)
def test_each_unmet_condition_denies_and_is_named(change: dict[str, object], words: str) -> None:
    decision = judged(FACTS, replace(RULE, **change))  # type: ignore[arg-type]
    assert isinstance(decision.refusal, AccessDenied)
    assert decision.findings[0].unmet == (words,)


def test_met_conditions_allow() -> None:
    rule = replace(
        RULE,
        operations=frozenset({"GetPerson"}),
        purposes=frozenset({"benefit"}),
        legal_basis_kinds=frozenset({"law"}),
        regulations=frozenset({"ES-17"}),
        valid_from=NOW,
        valid_until=NOW + timedelta(seconds=1),
    )
    assert judged(FACTS, replace(RULE, id="r0", consumer="UZ/GOV/200000009"), rule).rule_id == "r1"


@pytest.mark.parametrize("regulation", [None, "", "ES-19"])
def test_a_regulation_that_the_register_does_not_list_is_refused(regulation: str | None) -> None:
    assert isinstance(judged(replace(FACTS, regulation=regulation), RULE).refusal, UnknownRegulation)


REGISTER: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "not in the register": ({}, {}, "not in the register"),
    "does not list the document": ({}, {"documents": {OPEN_SERVICE: frozenset()}}, f"does not list {SERVICE}"),
    "another agency": ({"agency": PROVIDER}, {}, f"{CONSUMER.member} has no part"),
}


@pytest.mark.parametrize("case", REGISTER)
def test_a_transfer_outside_the_register_is_refused(case: str) -> None:
    changes, regulation, reason = REGISTER[case]
    known = DIRECTORY.by_regulation["ES-17"]
    entry = replace(known, **changes, regulation=replace(known.regulation, **regulation))
    register = {} if case == "not in the register" else {"ES-17": entry}
    decision = decide(
        FACTS,
        policy=PolicySnapshot.of(1, [RULE]),
        directory=replace(DIRECTORY, by_regulation=register),
        now=NOW,
    )
    assert isinstance(decision.refusal, UnknownRegulation)
    assert reason in str(decision.refusal.reason)


def test_a_participant_asks_within_an_e_service_of_another_agency() -> None:
    known = DIRECTORY.by_regulation["ES-17"]
    entry = replace(
        known, agency=PROVIDER, regulation=replace(known.regulation, participants=frozenset({CONSUMER.member}))
    )
    directory = replace(DIRECTORY, by_regulation={"ES-17": entry})
    policy = PolicySnapshot.of(1, [RULE])
    assert decide(FACTS, policy=policy, directory=directory, now=NOW).refusal is None


def test_a_service_for_any_e_service_is_asked_within_each_that_lists_it() -> None:
    services = {**DIRECTORY.services, SERVICE: replace(DIRECTORY.services[SERVICE], regulations=frozenset())}
    directory, policy = replace(DIRECTORY, services=services), PolicySnapshot.of(1, [RULE])
    for regulation in (None, "ES-17", "ES-18"):
        facts = replace(FACTS, regulation=regulation)
        assert decide(facts, policy=policy, directory=directory, now=NOW).refusal is None


def test_a_regulation_of_a_service_that_has_none_is_refused() -> None:
    facts = replace(FACTS, service=OPEN_SERVICE, personal_data=PersonalData(purpose=Purpose("statistics")))
    assert isinstance(judged(facts, replace(RULE, service=OPEN_SERVICE)).refusal, UnknownRegulation)


@pytest.mark.parametrize(
    ("personal_data", "refusal"),
    [
        (PersonalData(purpose=Purpose("benefit"), subjects=(SUBJECT,)), NoLegalBasis),
        (PersonalData(purpose=Purpose("benefit"), legal_basis=FACTS.personal_data.legal_basis), NoLegalBasis),
        (replace(FACTS.personal_data, purpose=Purpose("curiosity")), UnknownPurpose),
        (replace(FACTS.personal_data, legal_basis=LegalBasis(kind="whim", reference="")), UnknownPurpose),
    ],
)
def test_no_rule_saves_a_request_that_is_not_lawful(personal_data: PersonalData, refusal: type) -> None:
    assert isinstance(judged(replace(FACTS, personal_data=personal_data), RULE).refusal, refusal)


def test_a_service_without_personal_data_needs_no_legal_basis() -> None:
    facts = replace(
        FACTS, service=OPEN_SERVICE, regulation=None, personal_data=PersonalData(purpose=Purpose("statistics"))
    )
    assert judged(facts, replace(RULE, service=OPEN_SERVICE)).rule_id == "r1"


def test_a_consumer_that_left_the_directory_is_refused() -> None:
    facts = replace(FACTS, consumer=SubsystemId.parse("UZ/GOV/200000003/left"))
    assert isinstance(judged(facts, replace(RULE, consumer="UZ/GOV/200000003")).refusal, UnknownMember)


def with_kind(*names: BasisName) -> Directory:
    kind = LegalBasisKind(code="law", titles={"en": "A law"}, must_name=frozenset(names))
    return replace(DIRECTORY, legal_basis_kinds={"law": kind})


def refusal_of(data: PersonalData, directory: Directory) -> AdapterError | None:
    facts = replace(FACTS, personal_data=data)
    return decide(facts, policy=PolicySnapshot.of(1, [RULE]), directory=directory, now=NOW).refusal


def test_a_legal_basis_names_what_its_kind_must_name() -> None:
    directory = with_kind(BasisName.COURT, BasisName.DATE)
    partly = replace(
        FACTS.personal_data, legal_basis=LegalBasis(kind="law", reference="x", names=(("court", "Tashkent"),))
    )
    refusal = refusal_of(partly, directory)
    assert isinstance(refusal, NoLegalBasis)
    text = "A legal basis of kind law must name: date."
    (problem,) = refusal.problems
    assert problem == Problem(line=0, column=0, element="LegalBasis", rule="directory.legal-basis", text=text)
    both = refusal_of(FACTS.personal_data, with_kind(BasisName.DATE, BasisName.ARTICLE))
    assert both is not None
    assert [one.text for one in both.problems] == ["A legal basis of kind law must name: article, date."]
    basis = LegalBasis(kind="law", reference="x", names=(("court", "Tashkent"), ("date", "2026-01-02")))
    assert refusal_of(replace(partly, legal_basis=basis), directory) is None


@pytest.mark.parametrize(("name", "field"), [(BasisName.CONSENT, "consent"), (BasisName.ISSUE, "issue")])
def test_consent_and_issue_have_their_own_elements(name: BasisName, field: str) -> None:
    directory = with_kind(name)
    issuer = ConsentIssuer(subsystem=CONSUMER, kinds=frozenset({"law"}), cache_limit=timedelta(minutes=5))
    if name is BasisName.CONSENT:
        directory = replace(directory, consent_issuers={CONSUMER: issuer})
    assert isinstance(refusal_of(FACTS.personal_data, directory), NoLegalBasis)
    said: dict[str, Any] = {field: f"{CONSUMER}/C-17"}
    assert refusal_of(replace(FACTS.personal_data, **said), directory) is None

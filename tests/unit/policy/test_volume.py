"""A rule under which more would go out than a regulation names does not allow a request for its e-service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.errors import AccessDenied
from adapter.policy.decision import Decision, decide
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.policy.volume import beyond_volume
from adapter.released_fields import ReleasedFields, Replacement
from tests.unit.policy.test_decision import DIRECTORY, FACTS, NOW, RULE, SERVICE

VOLUME = frozenset({"Person/Name", "Person/Born", "Number"})
ANSWER = "p:GetPersonResponse"


def fields(*released: str, **replaced: Replacement) -> ReleasedFields:
    return ReleasedFields(
        namespaces=(("p", "urn:person"), ("q", "urn:other")),
        released=tuple(f"{ANSWER}/{path}" for path in released),
        replaced=tuple((f"{ANSWER}/p:Person/p:{name}", way) for name, way in replaced.items()),
    )


@pytest.mark.parametrize(
    "let_out",
    [
        fields(),
        fields("p:Number"),
        fields("p:Person/p:Name", "p:Person/p:Born"),
        fields("p:Person/q:Name"),
        fields("p:Person/p:Name/p:First", "p:Person/p:Name/@lang", "p:Person/p:Born/**"),
        fields("p:Person/p:Name", Address=Replacement.MASK, Phone=Replacement.NIL),
        fields(Born=Replacement.YEAR),
    ],
)
def test_what_the_regulation_names_goes_out_with_all_below_it(let_out: ReleasedFields) -> None:
    assert beyond_volume(let_out, VOLUME) is None


@pytest.mark.parametrize(
    ("let_out", "path"),
    [
        (fields("p:Person/p:Name", "p:Person/p:Address"), "p:Person/p:Address"),
        (fields("p:Person"), "p:Person"),
        (fields("p:Person/**"), "p:Person/**"),
        (fields("**"), "**"),
        (fields("p:Name"), "p:Name"),
        (fields("p:Person/p:Names"), "p:Person/p:Names"),
        (fields("p:Other/p:Person/p:Name"), "p:Other/p:Person/p:Name"),
        (fields("p:Person/@Name"), "p:Person/@Name"),
        (fields("p:Person/p:Name", Phone=Replacement.INITIAL), "p:Person/p:Phone"),
    ],
)
def test_everything_else_is_beyond_it(let_out: ReleasedFields, path: str) -> None:
    assert beyond_volume(let_out, VOLUME) == f"{ANSWER}/{path}"


def test_all_is_beyond_any_volume_but_the_whole_document() -> None:
    assert beyond_volume(None, VOLUME) == "**"
    assert beyond_volume(None, frozenset()) is None
    assert beyond_volume(fields("p:Person/p:Address"), frozenset()) is None


# --- the decision ----------------------------------------------------------------------------------------------------

_KNOWN = DIRECTORY.by_regulation["ES-17"]
NARROW = replace(
    DIRECTORY,
    by_regulation={
        **DIRECTORY.by_regulation,
        "ES-17": replace(_KNOWN, regulation=replace(_KNOWN.regulation, documents={SERVICE: VOLUME})),
    },
)


def judged(*rules: AccessRule, regulation: str | None = "ES-17") -> Decision:
    facts = replace(FACTS, regulation=regulation)
    return decide(facts, policy=PolicySnapshot.of(7, rules), directory=NARROW, now=NOW)


def test_a_rule_that_lets_out_more_does_not_allow_it_and_says_what() -> None:
    decision = judged(RULE)
    assert isinstance(decision.refusal, AccessDenied)
    assert decision.findings[0].unmet == ("lets out **, which regulation ES-17 does not",)
    wide = replace(RULE, fields=fields("p:Person/p:Name", "p:Person/p:Address"))
    assert judged(wide).findings[0].unmet == (f"lets out {ANSWER}/p:Person/p:Address, which regulation ES-17 does not",)


def test_the_next_rule_that_stays_within_it_does() -> None:
    narrow = replace(RULE, id="narrow", fields=fields("p:Person/p:Name"))
    decision = judged(RULE, narrow)
    assert (decision.rule_id, decision.fields) == ("narrow", narrow.fields)
    assert decision.refusal is None


def test_another_regulation_and_none_have_their_own_volume() -> None:
    assert judged(RULE, regulation="ES-18").rule_id == "r1"
    free = replace(DIRECTORY.services[SERVICE], regulations=frozenset())
    directory = replace(NARROW, services={**NARROW.services, SERVICE: free})
    facts = replace(FACTS, regulation=None)
    assert decide(facts, policy=PolicySnapshot.of(7, [RULE]), directory=directory, now=NOW).rule_id == "r1"

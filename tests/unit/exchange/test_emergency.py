"""An emergency through both sides: let in by its own rule only, told aloud, recorded on both sides, never in clear."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from adapter.audit.document import document_of
from adapter.audit.reviews import OPENED_TAG
from adapter.logs import _only_known_keys
from adapter.policy.rules import AccessRule
from adapter.stages import PersonalData
from tests.get_person import GOOD_PERSONAL_DATA, PINFL, context, emergency_call
from tests.memory_parts import MemoryRecord
from tests.two_sides import TwoSides, fault_code, peer_outcome
from tests.unit.exchange.test_xroad import ask, fault_of
from tests.xroad_messages import MESSAGE_ID, PARTY, field, fields, message

REASON = "a child of Каримова is missing"
GOOD = "inspector-7"


def emergency_rule(sides: TwoSides, *officials: str) -> AccessRule:
    return replace(sides.rules[0], id="r-emergency", emergency_officials=frozenset(officials or (GOOD,)))


def opened(record: MemoryRecord) -> list[str]:
    return [write.entry.kind for write in record.log if OPENED_TAG in document_of(write.entry).subjects]


async def test_an_emergency_is_answered_and_opens_a_review_on_both_sides(sides: TwoSides) -> None:
    sides.rules = (*sides.rules, emergency_rule(sides))
    assert fault_code(await sides.call(emergency_call(REASON))) == "answered"
    assert (opened(sides.consumer_record), opened(sides.provider_record)) == (["request-sent"], ["request-received"])
    received = sides.provider_record.log[0].entry.body
    assert (received["rule"], received["official"]) == ("r-emergency", GOOD)
    sent = sides.consumer_record.log[0].entry.body
    assert sent["emergency"] == received["emergency"], "one key in these tests, so one tag"


async def test_the_reason_is_in_no_entry_and_no_log_and_the_log_warns(sides: TwoSides) -> None:
    sides.rules = (emergency_rule(sides),)
    with capture_logs() as lines:
        await sides.call(emergency_call(REASON))
    told = [line for line in lines if line["event"] == "emergency access"]
    assert [line.pop("log_level") for line in told] == ["warning", "warning"]
    about = {
        "member": str(sides.federation.social.id),
        "service": str(sides.federation.population.service),
        "record": 0,
    }
    assert [_only_known_keys(None, "", line) for line in told] == [
        {"event": "emergency access", "kind": "asked by us", **about},
        {"event": "emergency access", "kind": "asked of us", **about},
    ]
    written = [write.entry for record in (sides.consumer_record, sides.provider_record) for write in record.log]
    for text in (str(lines), *(document_of(entry).text for entry in written)):
        assert "missing" not in text
        assert PINFL not in text
    assert GOOD not in str(lines)


@pytest.mark.parametrize(
    "unfit",
    [REASON * 20, f"{REASON}\u202e", f"{REASON}<c:Note/>", f"<c:Note>{REASON}</c:Note>"],
    ids=["too long", "unreadable", "mixed", "an element"],
)
async def test_a_reason_that_cannot_be_taken_is_repeated_nowhere(sides: TwoSides, unfit: str) -> None:
    sides.rules = (emergency_rule(sides),)
    with capture_logs() as lines:
        answer = await sides.call(emergency_call(unfit))
    assert fault_code(answer) == "ContextInvalid"
    entries = [document_of(write.entry).text for write in sides.consumer_record.log]
    assert len(entries) == 1
    assert not sides.wire.sent
    for text in (str(answer), str(lines), *entries):
        assert "missing" not in text


@pytest.mark.parametrize("named", [None, ("inspector-8", "inspector-9")], ids=["no such rule", "others"])
async def test_an_emergency_that_no_rule_allows_is_refused_and_recorded_as_one(
    sides: TwoSides, named: tuple[str, ...] | None
) -> None:
    if named is not None:
        sides.rules = (*sides.rules, emergency_rule(sides, *named))
    with capture_logs() as lines:
        assert fault_code(await sides.call(emergency_call(REASON))) == "AccessDenied"
    assert not sides.register.asked
    refused = sides.provider_record.log[-1].entry
    assert (refused.kind, "emergency" in refused.body) == ("refused", True)
    assert opened(sides.provider_record) == []
    assert opened(sides.consumer_record) == ["request-sent"], (
        "whoever asks in an emergency is looked at, answered or not"
    )
    assert [line["kind"] for line in lines if line["event"] == "emergency access"] == ["asked by us"]


async def test_an_emergency_rule_allows_nothing_else(sides: TwoSides) -> None:
    sides.rules = (emergency_rule(sides),)
    with capture_logs() as lines:
        assert fault_code(await sides.call()) == "AccessDenied"
    assert not [line for line in lines if line["event"] == "emergency access"]
    assert (opened(sides.consumer_record), opened(sides.provider_record)) == ([], [])


async def test_without_a_legal_basis_both_sides_refuse_an_emergency(sides: TwoSides) -> None:
    sides.rules = (emergency_rule(sides),)
    start, end = emergency_call(REASON).split('<c:LegalBasis kind="law">ZRU-395</c:LegalBasis>')
    assert fault_code(await sides.call(start + end)) == "NoLegalBasis"
    lawless: PersonalData = replace(GOOD_PERSONAL_DATA, legal_basis=None, emergency=REASON)
    assert await peer_outcome(sides, lawless) == "NoLegalBasis"
    assert not sides.register.asked


async def test_the_same_message_again_gets_the_same_answer_and_no_second_review(sides: TwoSides) -> None:
    sides.rules = (emergency_rule(sides),)
    await sides.call(emergency_call(REASON))
    await sides.wire.post(sides.wire.sent[0])
    assert sides.provider_record.kinds[-1] == "retry-answered"
    assert opened(sides.provider_record) == ["request-received"]


async def test_the_reason_is_signed(sides: TwoSides) -> None:
    """What the wire carries opens to the very reason that was asked with, on the provider's side."""
    sides.rules = (emergency_rule(sides),)
    await sides.call(emergency_call(REASON))
    (request,) = sides.register.asked
    assert request.personal_data is not None
    assert request.personal_data.emergency == REASON
    assert REASON.encode() not in sides.wire.sent[0]


async def test_an_x_road_client_says_it_in_request_context_beside_its_header_fields(sides: TwoSides) -> None:
    said = context().replace("<c:Official>inspector-7</c:Official>", "")
    said = said.replace("</c:RequestContext>", f"<c:Emergency>{REASON}</c:Emergency></c:RequestContext>")
    asked = message(fields(issue=field("issue", "12345"), party=PARTY) + said)
    assert fault_of(await ask(sides, asked))[0]
    sides.rules = (emergency_rule(sides, "UZ12345"),)
    assert fault_of(await ask(sides, asked.replace(MESSAGE_ID, str(uuid4())))) == ("", "")
    data = sides.register.asked[0].personal_data
    assert data is not None
    assert (data.emergency, data.issue) == (REASON, "12345")

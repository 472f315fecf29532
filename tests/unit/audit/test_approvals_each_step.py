"""Approvals word by word: what is signed, what entries say, and that nothing of it is lost when they are read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit import approvals
from adapter.audit.approvals import (
    Act,
    ApprovalState,
    Request,
    Rule,
    Verdict,
    asked_details,
    check_verdict,
    new_request,
    read_requests,
    read_rule,
    signer_of,
    used_details,
    verdict_details,
)
from adapter.audit.canonical import MAX_TEXT_CHARS
from adapter.crypto.note import NoteSigner
from adapter.errors import CommandRefused, RecordBroken, SecurityFailed
from tests.unit.audit.officers import MEMBER, NOW, SIGNERS

ACT = Act(kind="key-revoke", what={"key": "aa"})


def rule(*names: str, lasts_h: int = 24) -> Rule:
    return Rule.of(("key-revoke",), [SIGNERS[name].vkey for name in names], lasts_h)


def request() -> Request:
    return new_request(ACT, id_="a-1", asked_by="officer", rule=rule("bek", "dilnoza"), now=NOW)


def signed(name: str, verdict: Verdict = Verdict.APPROVE) -> str:
    return SIGNERS[name].sign(request().statement(MEMBER, verdict))


def padded(note: str, chars: int) -> str:
    """The same note with a signature of somebody unknown behind it, so that it has this many characters."""
    quads, rest = divmod(chars - len(note) - len("— x \n"), 4)
    return f"{note}— x{'x' * rest} {'AAAA' * quads}\n"


# --- the rule and what is signed -------------------------------------------------------------------------------------


def test_a_rule_has_what_the_settings_say() -> None:
    made = rule("bek", "dilnoza")
    assert (made.acts, made.lasts_h) == (frozenset({"key-revoke"}), 24)
    assert made.officers == {name: SIGNERS[name].vkey for name in ("bek", "dilnoza")}
    assert set(rule("bek", "dilnoza", "olim").officers) == set(SIGNERS)


def test_two_keys_of_one_name_are_one_officer() -> None:
    again = NoteSigner("bek", Ed25519PrivateKey.generate()).vkey
    for vkeys in ((SIGNERS["bek"].vkey, again), (SIGNERS["bek"].vkey, SIGNERS["olim"].vkey, again)):
        with pytest.raises(CommandRefused, match="different names"):
            Rule.of(("key-revoke",), vkeys, 24)


@pytest.mark.parametrize("verdict", Verdict)
def test_an_officer_signs_whom_which_what_and_until_when(verdict: Verdict) -> None:
    assert request().statement(MEMBER, verdict) == (
        "interagency-adapter approval\n"
        "UZ/GOV/200000001\n"
        "a-1\n"
        f"{verdict.value}\n"
        "0c2e612ac35d590988fd834976c250e1df011e2b0f4a249087fb85ddabeba2b6\n"
        "2026-03-03T09:00:00.000Z\n"
        '{"act":"key-revoke","what":{"key":"aa"}}\n'
    )


def test_a_note_as_long_as_the_record_keeps_counts_and_no_longer_one() -> None:
    text = request().statement(MEMBER, Verdict.APPROVE)
    assert signer_of(padded(signed("bek"), MAX_TEXT_CHARS), text, rule("bek", "dilnoza")) == "bek"
    with pytest.raises(SecurityFailed, match="too long for the record"):
        signer_of(padded(signed("bek"), MAX_TEXT_CHARS + 1), text, rule("bek", "dilnoza"))


def test_a_third_officer_may_still_approve_or_object() -> None:
    both = replace(request(), approved_by=("bek", "dilnoza"))
    assert both.state(NOW) is ApprovalState.APPROVED
    for verdict in Verdict:
        note = signed("olim", verdict)
        three = rule("bek", "dilnoza", "olim")
        assert check_verdict(both, verdict, note, rule=three, member=MEMBER, now=NOW) == "olim"


# --- the table, and the words of the record --------------------------------------------------------------------------

FOLLOW = {
    None: "asked approved",
    "asked": "asked approved refused expired",
    "approved": "used refused expired",
    "refused": "",
    "used": "",
    "expired": "",
}


def test_what_may_follow_what() -> None:
    assert request().state(NOW).value == "asked"
    table = {
        None if state is None else state.value: {one.value for one in after}
        for state, after in approvals.TRANSITIONS.items()
    }
    assert table == {state: set(words.split()) for state, words in FOLLOW.items()}


def test_the_words_that_entries_and_signatures_were_made_with_stay() -> None:
    assert (
        *("approval-asked", "approval-given", "approval-refused", "approval-used"),
        "approvals-in-force",
    ) == approvals.ACTIONS
    said = (approvals.ASKED, approvals.GIVEN, approvals.DENIED, approvals.USED, approvals.RULE)
    assert said == approvals.ACTIONS
    assert approvals.CHANGE_RULE == "approvals-change"
    assert rule("bek", "olim").asks_for("approvals-change")
    assert [one.value for one in Verdict] == ["approve", "refuse"]


def test_without_settings_nothing_needs_two_officers() -> None:
    assert Rule() == Rule.of((), (), 72)


# --- entries ---------------------------------------------------------------------------------------------------------

SAID = {
    "id": "a-1",
    "act": "key-revoke",
    "what": {"key": "aa"},
    "digest": ACT.digest,
    "asked_by": "officer",
    "until": "2026-03-03T09:00:00.000Z",
}


def test_what_the_entries_say() -> None:
    assert asked_details(request(), None) == SAID
    assert asked_details(request(), "note") == {**SAID, "note": "note"}
    assert verdict_details(request(), "note") == {"id": "a-1", "digest": ACT.digest, "note": "note"}
    used = used_details(replace(request(), approved_by=("bek", "olim")))
    assert used == {"id": "a-1", "digest": ACT.digest, "officers": ["bek", "olim"]}


@pytest.mark.parametrize(("note", "approved_by"), [(None, ()), (signed("bek"), ("bek",)), (signed("olim"), ())])
def test_the_asking_officers_own_signature_counts(note: str | None, approved_by: tuple[str, ...]) -> None:
    rows = [(0, NOW, approvals.ASKED, asked_details(request(), note))]
    read = read_requests(rows, rule=rule("bek", "dilnoza"), member=MEMBER)
    assert read == {"a-1": replace(request(), approved_by=approved_by)}


def test_a_rule_is_read_back_whole() -> None:
    made = rule("bek", "olim", lasts_h=7)
    assert read_rule([(0, NOW, approvals.RULE, made.described())]) == made
    assert read_rule([]) is None


UNREADABLE_RULES: list[dict[str, Any]] = [
    {"acts": 1, "officers": {}, "lasts_h": 1},
    {"acts": [], "officers": {}, "lasts_h": "x"},
    {"acts": [], "officers": {}},
]


@pytest.mark.parametrize("said", UNREADABLE_RULES)
def test_an_unreadable_rule_is_not_passed_over(said: dict[str, Any]) -> None:
    with pytest.raises(RecordBroken, match="entry 4"):
        read_rule([(4, NOW, approvals.RULE, said)])


UNREADABLE: list[dict[str, Any]] = [{"what": 1}, {"until": "soon"}, {"what": {"note": "x" * 3000}}]


@pytest.mark.parametrize("changes", UNREADABLE)
def test_an_unreadable_request_is_not_passed_over(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordBroken, match="entry 4"):
        read_requests([(4, NOW, approvals.ASKED, {**SAID, **changes})], rule=rule("bek", "olim"), member=MEMBER)


def test_time_ends_a_request_at_its_hour() -> None:
    assert request().state(NOW + timedelta(hours=24) - timedelta.resolution) is ApprovalState.ASKED
    assert request().state(NOW + timedelta(hours=24)) is ApprovalState.EXPIRED

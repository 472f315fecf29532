"""What two officers sign, and that only that counts: the table, the text, and the entries read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit import approvals
from adapter.audit.approvals import (
    CHANGE_RULE,
    TRANSITIONS,
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
from adapter.crypto.note import NoteSigner
from adapter.errors import CommandRefused, KeyUnusable, RecordBroken, SecurityFailed
from tests.unit.audit.officers import MEMBER, NOW, SIGNERS

RULE = Rule.of(("key-revoke",), (SIGNERS["dilnoza"].vkey, SIGNERS["bek"].vkey), 72)
ACT = Act(kind="key-revoke", what={"key": "aa", "reason": "superseded"})


def request(asked_by: str = "officer") -> Request:
    return new_request(ACT, id_="a-1", asked_by=asked_by, rule=RULE, now=NOW)


def note(name: str, verdict: Verdict = Verdict.APPROVE, of: Request | None = None, member: str = MEMBER) -> str:
    return SIGNERS[name].sign((of or request()).statement(member, verdict))


def check(of: Request, verdict: Verdict, signed: str, now: datetime = NOW) -> str:
    return check_verdict(of, verdict, signed, rule=RULE, member=MEMBER, now=now)


def test_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == {None, *ApprovalState}
    for end in (ApprovalState.REFUSED, ApprovalState.USED, ApprovalState.EXPIRED):
        assert TRANSITIONS[end] == frozenset()
    assert ApprovalState.USED not in TRANSITIONS[ApprovalState.ASKED]


def test_two_officers_make_an_approval_and_time_ends_it() -> None:
    asked = request()
    assert asked.state(NOW) is ApprovalState.ASKED
    assert replace(asked, approved_by=("bek",)).state(NOW) is ApprovalState.ASKED
    both = replace(asked, approved_by=("bek", "dilnoza"))
    assert both.state(NOW) is ApprovalState.APPROVED
    assert both.state(NOW + timedelta(hours=72)) is ApprovalState.EXPIRED
    assert replace(both, refused_by="olim").state(NOW) is ApprovalState.REFUSED
    assert replace(both, is_used=True).state(NOW + timedelta(hours=72)) is ApprovalState.USED


@pytest.mark.parametrize(
    "other",
    [
        replace(request(), id="a-2"),
        replace(request(), act=replace(ACT, what={"key": "ab", "reason": "superseded"})),
        replace(request(), act=replace(ACT, kind="key-destroy")),
        replace(request(), until=NOW + timedelta(days=300)),
    ],
    ids=["another request", "another key", "another act", "a longer time"],
)
def test_a_signature_is_for_one_request_one_act_and_one_time(other: Request) -> None:
    assert check(request(), Verdict.APPROVE, note("bek")) == "bek"
    with pytest.raises(SecurityFailed):
        check(request(), Verdict.APPROVE, note("bek", of=other))


def test_a_signature_is_for_one_verdict_and_one_member() -> None:
    for wrong in (
        note("bek", Verdict.REFUSE),
        note("bek", member="UZ/GOV/200000002"),
        note("olim"),
        "no note",
        "—" * 3000,
    ):
        with pytest.raises(SecurityFailed):
            check(request(), Verdict.APPROVE, wrong)


def test_nobody_is_two_officers() -> None:
    for of in (request(asked_by="bek"), replace(request(), approved_by=("bek",))):
        with pytest.raises(CommandRefused, match="another officer"):
            check(of, Verdict.APPROVE, note("bek"))
        assert check(of, Verdict.REFUSE, note("bek", Verdict.REFUSE)) == "bek"


def test_what_is_over_takes_no_word_any_more() -> None:
    for of, now in (
        (replace(request(), is_used=True), NOW),
        (replace(request(), refused_by="olim"), NOW),
        (request(), NOW + timedelta(hours=72)),
    ):
        for verdict in Verdict:
            with pytest.raises(CommandRefused, match="ask for the act again"):
                check(of, verdict, note("bek", verdict), now)


def test_the_rule_names_two_different_officers_or_no_act() -> None:
    assert not Rule.of((), (), 72).asks_for("key-revoke")
    assert not Rule.of((), (), 72).asks_for(CHANGE_RULE)
    assert RULE.asks_for("key-revoke")
    assert RULE.asks_for(CHANGE_RULE)
    assert not RULE.asks_for("key-create")
    same = Ed25519PrivateKey.generate()
    for vkeys in ((RULE.officers["bek"],), tuple(NoteSigner(name, same).vkey for name in ("one", "two"))):
        with pytest.raises(CommandRefused, match="different keys"):
            Rule.of(("key-revoke",), vkeys, 72)
    with pytest.raises(KeyUnusable):
        Rule.of(("key-revoke",), ("bek", "dilnoza"), 72)


def test_what_the_record_would_cut_cannot_be_asked_for() -> None:
    with pytest.raises(CommandRefused, match="too long"):
        Act(kind="access-grant", what={"note": "x" * 3000})


def test_entries_are_read_back_and_each_signature_is_verified_again() -> None:
    asked = request()
    rows: list[tuple[int, datetime, str, dict[str, object]]] = [
        (0, NOW, approvals.RULE, RULE.described()),
        (1, NOW, approvals.ASKED, asked_details(asked, note("dilnoza"))),
        (2, NOW, approvals.GIVEN, verdict_details(asked, note("dilnoza"))),
        (3, NOW, approvals.GIVEN, verdict_details(asked, note("olim"))),
        (4, NOW, approvals.DENIED, verdict_details(asked, note("olim", Verdict.REFUSE))),
        (5, NOW, "access-granted", {}),
    ]
    assert read_rule(rows) == RULE
    read = read_requests(rows, rule=RULE, member=MEMBER)["a-1"]
    assert read == replace(asked, approved_by=("dilnoza",)), "a stranger's word is none, and one officer is one"
    rows.append((6, NOW, approvals.GIVEN, verdict_details(asked, note("bek"))))
    read = read_requests(rows, rule=RULE, member=MEMBER)["a-1"]
    assert read.state(NOW) is ApprovalState.APPROVED
    without_bek = replace(RULE, officers={"dilnoza": RULE.officers["dilnoza"]})
    assert read_requests(rows, rule=without_bek, member=MEMBER)["a-1"].approved_by == ("dilnoza",)
    used = [*rows, (7, NOW, approvals.USED, used_details(read))]
    assert read_requests(used, rule=RULE, member=MEMBER)["a-1"].is_used
    refused = [*rows, (7, NOW, approvals.DENIED, verdict_details(asked, note("bek", Verdict.REFUSE)))]
    assert read_requests(refused, rule=RULE, member=MEMBER)["a-1"].refused_by == "bek"


def test_an_entry_that_cannot_be_read_is_not_passed_over() -> None:
    said: dict[str, object] = {"id": "a-9"}
    with pytest.raises(RecordBroken, match="entry 4"):
        read_rule([(4, NOW, approvals.RULE, said)])
    for outcome in (approvals.ASKED, approvals.GIVEN):
        with pytest.raises(RecordBroken, match="entry 4"):
            read_requests([(4, NOW, outcome, said)], rule=RULE, member=MEMBER)


def test_the_signer_is_the_one_whose_key_it_is() -> None:
    assert signer_of(note("bek"), request().statement(MEMBER, Verdict.APPROVE), RULE) == "bek"

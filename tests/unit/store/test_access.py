"""Access rules on disk: every change is in the record, in the same transaction."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.errors import CommandRefused, StoreUnusable
from adapter.identifiers import ServiceId
from adapter.policy.rules import AccessRule
from adapter.released_fields import ReleasedFields, Replacement
from adapter.store.access import AccessRules
from tests.records import NOW, SERVICE

RULE = AccessRule(
    id="rule-1",
    consumer="UZ/GOV/200000003/social",
    service=ServiceId.parse(SERVICE),
    operations=frozenset({"GetPerson", "FindPerson"}),
    purposes=frozenset({"benefits"}),
    legal_basis_kinds=frozenset(),
    valid_from=NOW,
    valid_until=NOW + timedelta(days=365),
    granted_by="officer-7",
    note="on request № 12",
)
EMERGENCY_RULE = AccessRule(
    id="rule-3",
    consumer="UZ/GOV/200000003",
    service=ServiceId.parse(SERVICE),
    granted_by="officer-7",
    emergency_officials=frozenset({"duty-2", "duty-1"}),
)
OPEN_RULE = AccessRule(
    id="rule-2", consumer="group:ministries", service=ServiceId.parse(SERVICE), granted_by="officer-8"
)


@pytest.fixture
def rules(home):
    return AccessRules(home.database)


def test_at_first_nothing_is_allowed(rules):
    assert rules.version() == 0
    assert rules.snapshot().rules == ()


def test_a_granted_rule_comes_back_as_it_was(home, rules):
    rules.grant(RULE, log=home.log, now=NOW)
    rules.grant(OPEN_RULE, log=home.log, now=NOW)
    snapshot = rules.snapshot()
    assert snapshot.rules == (RULE, OPEN_RULE)
    assert snapshot.version == rules.version() == 2
    assert snapshot.rules_for(RULE.service) == (RULE, OPEN_RULE)


def test_every_change_is_an_entry_of_the_record(home, rules):
    assert rules.grant(RULE, log=home.log, now=NOW) == 0
    assert rules.revoke(RULE.id, officer="officer-9", log=home.log, now=NOW) == 1
    granted, revoked = home.reader.show(0).body, home.reader.show(1).body
    assert (granted["kind"], granted["outcome"], granted["officer"]) == ("admin", "access-granted", "officer-7")
    assert granted["details"] == {
        "policy": 1,
        "rule": {
            "id": "rule-1",
            "consumer": "UZ/GOV/200000003/social",
            "service": SERVICE,
            "operations": ["FindPerson", "GetPerson"],
            "purposes": ["benefits"],
            "legal_basis_kinds": [],
            "valid_from": "2026-03-02T09:00:00.000Z",
            "valid_until": "2027-03-02T09:00:00.000Z",
            "granted_by": "officer-7",
            "note": "on request № 12",
        },
    }
    assert (revoked["outcome"], revoked["officer"], revoked["details"]["policy"]) == ("access-revoked", "officer-9", 2)
    assert home.verify().entries == 2


def test_a_revoked_rule_is_gone_and_the_version_grows_on(home, rules):
    rules.grant(RULE, log=home.log, now=NOW)
    rules.revoke(RULE.id, officer="officer-9", log=home.log, now=NOW)
    assert rules.snapshot().rules == ()
    assert rules.version() == 2
    rules.grant(RULE, log=home.log, now=NOW)
    assert (rules.version(), rules.snapshot().rules) == (3, (RULE,))


def test_a_refused_change_changes_nothing(home, rules):
    rules.grant(RULE, log=home.log, now=NOW)
    with pytest.raises(CommandRefused, match="rule-1"):
        rules.grant(RULE, log=home.log, now=NOW)
    with pytest.raises(CommandRefused, match="rule-9"):
        rules.revoke("rule-9", officer="officer-9", log=home.log, now=NOW)
    assert rules.version() == 1
    assert home.verify().entries == 1


def test_a_rule_that_cannot_be_recorded_is_not_granted(home, rules):
    """The rule and its entry stand or fall together."""
    home.change("CREATE TRIGGER no_room BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreUnusable):
        rules.grant(RULE, log=home.log, now=NOW)
    assert rules.version() == 0
    assert rules.snapshot().rules == ()


def test_an_entry_of_a_rule_that_cannot_be_stored_is_not_written(home, rules):
    home.change("CREATE TRIGGER no_room BEFORE INSERT ON access_rules BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreUnusable):
        rules.grant(RULE, log=home.log, now=NOW)
    assert rules.version() == 0
    assert home.verify().entries == 0


@pytest.mark.parametrize(
    "change",
    ["consumer = 'anybody'", "service = 'x'", "purposes = '{'", "purposes = '7'", "valid_until_ms = 'never'"],
)
def test_a_rule_that_cannot_be_read_allows_nothing(home, rules, change):
    rules.grant(RULE, log=home.log, now=NOW)
    home.change(f"UPDATE access_rules SET {change}")
    with pytest.raises(StoreUnusable, match="granted in entry 0"):
        rules.snapshot()


@pytest.mark.parametrize(
    "change",
    [
        f"INSERT INTO access_rules VALUES (5, 'forged', 'UZ/GOV/9', '{SERVICE}', {'NULL, ' * 6} '', '', NULL, NULL)",
        "UPDATE access_rules SET consumer = 'UZ/GOV/200000009' WHERE id = 'rule-1'",
        "UPDATE access_rules SET purposes = NULL WHERE id = 'rule-1'",
        "UPDATE access_rules SET valid_until_ms = valid_until_ms + 1 WHERE id = 'rule-1'",
        "UPDATE access_rules SET granted_in = 7 WHERE id = 'rule-1'",
        "DELETE FROM access_rules WHERE id = 'rule-1'",
        "UPDATE policy SET version = 2",
        "UPDATE entries SET outcome = 'other' WHERE number = 0",
        "UPDATE entries SET document = '{}' WHERE number = 0",
        "UPDATE entries SET kind = 'other' WHERE number = 2",
    ],
)
def test_rules_that_the_record_did_not_grant_stop_all_access(home, rules, change):
    rules.grant(RULE, log=home.log, now=NOW)
    rules.grant(OPEN_RULE, log=home.log, now=NOW)
    rules.revoke(OPEN_RULE.id, officer="officer-9", log=home.log, now=NOW)
    assert rules.snapshot().rules == (RULE,)
    home.change(change)
    with pytest.raises(StoreUnusable, match="adapter log verify"):
        rules.snapshot()


def test_a_revoked_rule_does_not_come_back_by_another_way(home, rules):
    rules.grant(RULE, log=home.log, now=NOW)
    home.change("CREATE TABLE copy AS SELECT * FROM access_rules")
    rules.revoke(RULE.id, officer="officer-9", log=home.log, now=NOW)
    home.change("INSERT INTO access_rules SELECT * FROM copy")
    with pytest.raises(StoreUnusable, match="not those that the record granted"):
        rules.snapshot()


@pytest.mark.parametrize(
    "rule",
    [replace(RULE, note="x" * 2_001), replace(RULE, purposes=frozenset(f"purpose-{number}" for number in range(257)))],
    ids=["note", "list"],
)
def test_a_rule_that_its_entry_cannot_hold_whole_is_refused(home, rules, rule):
    with pytest.raises(CommandRefused, match="too long"):
        rules.grant(rule, log=home.log, now=NOW)
    assert rules.version() == 0


@pytest.mark.parametrize(
    "rule",
    [
        replace(RULE, all_fields=True),
        replace(
            RULE,
            fields=ReleasedFields(
                namespaces=(("p", "urn:person"),),
                released=("p:Answer/p:Имя", "p:Answer/p:Person/@id"),
                replaced=(("p:Answer/p:Born", Replacement.YEAR),),
            ),
        ),
    ],
    ids=["all", "some"],
)
def test_the_fields_of_a_rule_are_kept_and_held_against_the_record(home, rules, rule):
    rules.grant(rule, log=home.log, now=NOW)
    assert rules.snapshot().rules == (rule,)
    home.change("UPDATE access_rules SET fields = NULL")
    with pytest.raises(StoreUnusable, match="adapter log verify"):
        rules.snapshot()


def test_an_emergency_rule_and_its_officials_are_in_the_record_and_come_back(home, rules):
    rules.grant(EMERGENCY_RULE, log=home.log, now=NOW)
    assert rules.snapshot().rules == (EMERGENCY_RULE,)
    assert home.reader.show(0).body["details"]["rule"]["emergency_officials"] == ["duty-1", "duty-2"]


@pytest.mark.parametrize("put", [None, '["duty-1","duty-2","duty-3"]', '["duty-1"]', "[]", "{"])
def test_an_emergency_rule_that_was_changed_in_the_database_stops_all_access(home, rules, put):
    rules.grant(EMERGENCY_RULE, log=home.log, now=NOW)
    home.change("UPDATE access_rules SET emergency_officials = ?", put)
    with pytest.raises(StoreUnusable):
        rules.snapshot()

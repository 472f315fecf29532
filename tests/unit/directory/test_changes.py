"""What changed between two versions, in words: nothing is left out, nothing is said of what is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from adapter.directory.changes import Change, How, change_lines, changes_between, validity_words
from adapter.directory.consistency import index_directory
from adapter.directory.content import WitnessRule
from adapter.directory.draft import DirectoryDraft
from adapter.directory.facts import sections
from adapter.directory.model import DirectoryService, Member
from adapter.identifiers import MemberId
from tests.pki import Federation, make_ca
from tests.unit.directory.register import full_draft


def test_equal_content_has_no_changes_whatever_its_version(federation: Federation) -> None:
    draft = full_draft(federation)
    later = replace(draft, version=9, issued=draft.issued + timedelta(days=1), expires=draft.expires)
    assert changes_between(draft, later) == ()
    assert list(change_lines(())) == ["Nothing changed."]
    assert changes_between(index_directory(draft), draft) == ()


def changed_member(draft: DirectoryDraft, change: Callable[[Member], Member]) -> DirectoryDraft:
    known = draft.members[MemberId.parse("UZ/GOV/200000003")]
    return replace(draft, members={**draft.members, known.id: change(known)})


def changed_service(draft: DirectoryDraft, change: Callable[[DirectoryService], DirectoryService]) -> DirectoryDraft:
    known = next(iter(draft.services.values()))
    return replace(draft, services={**draft.services, known.service: change(known)})


def only(changes: tuple[Change, ...]) -> Change:
    assert len(changes) == 1
    return changes[0]


def test_a_member_that_comes_and_goes(federation: Federation) -> None:
    draft = full_draft(federation)
    without = replace(
        draft, members={one: member for one, member in draft.members.items() if one != federation.social.id}
    )
    assert only(changes_between(draft, without)) == Change(how=How.REMOVED, what="member", name="UZ/GOV/200000003")
    come = only(changes_between(without, draft))
    assert str(come) == "member UZ/GOV/200000003 added"
    assert "STIR: 200000003" in come.details
    assert any(one.startswith("signing certificate: CN=UZ/GOV/200000003 signing") for one in come.details)


def test_what_is_different_in_a_member(federation: Federation) -> None:
    draft = full_draft(federation)
    renamed = changed_member(
        draft,
        lambda member: replace(
            member,
            names={**member.names, "en": "Social Agency"},
            adapter=replace(member.adapter, address="https://new.example/peer"),
            signing=(*member.signing, draft.members[federation.cadastre.id].agreement[0]),
            subsystems=member.subsystems | {"pensions"},
        ),
    )
    change = only(changes_between(draft, renamed))
    assert (change.how, change.what, change.name) == (How.CHANGED, "member", "UZ/GOV/200000003")
    before = draft.members[federation.social.id]
    assert change.details[0] == f"name (en): {before.names['en']} -> Social Agency"
    assert change.details[1] == f"address: {before.adapter.address} -> https://new.example/peer"
    assert change.details[2].startswith("signing certificate added: ")
    assert change.details[3:] == ("subsystem added: pensions",)
    assert list(change_lines((change,)))[:2] == [
        "member UZ/GOV/200000003 changed:",
        f"    name (en): {before.names['en']} -> Social Agency",
    ]


def test_a_new_ca_is_told_first(federation: Federation) -> None:
    draft = full_draft(federation)
    ca = replace(draft.tls_authorities[0], certificate=make_ca("Another CA").certificate)
    changed = replace(draft, signing_authorities=(*draft.signing_authorities, ca), purposes={})
    changes = changes_between(draft, changed)
    assert str(changes[0]).startswith("signing CA CN=Another CA")
    assert [one.what for one in changes[1:]] == ["purpose", "purpose"]


CHANGES: dict[str, Callable[[DirectoryDraft], DirectoryDraft]] = {
    "signing_authorities": lambda d: replace(d, signing_authorities=d.signing_authorities[:1]),
    "tls_authorities": lambda d: replace(d, tls_authorities=d.signing_authorities),
    "members": lambda d: changed_member(d, lambda member: replace(member, record_vkey=None)),
    "services": lambda d: changed_service(d, lambda service: replace(service, personal_data=not service.personal_data)),
    "purposes": lambda d: replace(d, purposes={**d.purposes, "benefit": {"en": "Something else"}}),
    "legal_basis_kinds": lambda d: replace(
        d, legal_basis_kinds={one: replace(kind, must_name=frozenset()) for one, kind in d.legal_basis_kinds.items()}
    ),
    "grace": lambda d: replace(d, grace=timedelta(days=30)),
    "time_stamp_authorities": lambda d: replace(
        d, time_stamp_authorities=dict(reversed(list(d.time_stamp_authorities.items())))
    ),
    "time_stamp_limit": lambda d: replace(d, time_stamp_limit=None),
    "suite_ends": lambda d: replace(d, suite_ends={}),
    "identifier_types": lambda d: replace(d, identifier_types={}),
    "secrecy_kinds": lambda d: replace(
        d, secrecy_kinds={code: replace(one, maximum=timedelta(days=1)) for code, one in d.secrecy_kinds.items()}
    ),
    "consent_issuers": lambda d: replace(
        d,
        consent_issuers={
            key: replace(one, cache_limit=timedelta(days=1), certificates=()) for key, one in d.consent_issuers.items()
        },
    ),
    "witnesses": lambda d: replace(
        d, witnesses={name: replace(one, address="https://other.example") for name, one in d.witnesses.items()}
    ),
    "witness_rule": lambda d: replace(d, witness_rule=WitnessRule(threshold=1)),
    "e_services": lambda d: replace(
        d, e_services={code: replace(one, working_days=1) for code, one in d.e_services.items()}
    ),
    "groups": lambda d: replace(d, groups={code: frozenset() for code in d.groups}),
}


def test_no_kind_of_content_is_forgotten(federation: Federation) -> None:
    content = {one.name for one in fields(DirectoryDraft)} - {"instance", "version", "issued", "expires"}
    assert set(CHANGES) == content


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_each_kind_of_content_is_told(federation: Federation, name: str) -> None:
    draft = full_draft(federation)
    changes = changes_between(draft, CHANGES[name](draft))
    assert changes
    assert all(change.details for change in changes if change.how is How.CHANGED)


def test_every_field_of_every_entry_is_a_fact(federation: Federation) -> None:
    """An entry of each kind with no empty field: a field that no fact shows could be changed unseen."""
    told = {
        section.singular: {name: section.facts(name) for name in section.entries}
        for section in sections(full_draft(federation))
    }
    assert all(told.values())
    assert len(told["e-service"]["ES-1"]) == 9
    assert set(told["legal basis"]["secrecy"]) == {"title (en)", "must name", "withheld from the person"}
    assert set(told["kind of secrecy order"]["inquiry"]) == {"title (en)", "longest order"}
    assert set(told["service"][str(federation.population.service)]) == {
        "title (en)",
        "personal data",
        "description",
        "only within regulation",
    }


def test_version_and_times_in_words(federation: Federation) -> None:
    assert validity_words(federation.draft(version=3)) == (
        "UZ, version 3, from 2026-03-02T09:00:00Z until 2026-04-01T09:00:00Z"
    )

"""Single entries of a draft: whatever is put or removed, adapters accept what comes of it, or the officer is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.directory.content import IdentifierType, LegalBasisKind, WitnessRule
from adapter.directory.document import parse_directory, read_draft
from adapter.directory.editing import (
    KINDS,
    bind_service,
    put_ca,
    put_entry,
    put_subsystem,
    remove_entry,
    set_grace,
    set_purpose,
    set_time_stamp_limit,
    set_witness_rule,
)
from adapter.directory.identifier_pattern import IdentifierPattern
from adapter.directory.rendering import render_directory
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId, SubsystemId
from tests.pki import Federation
from tests.unit.directory.register import benefit, full_draft

NAMES = {
    "e-service": "ES-1",
    "purpose": "benefit",
    "legal-basis": "law",
    "secrecy-kind": "inquiry",
    "identifier-type": "passport",
    "time-stamp-authority": "first",
    "consent-issuer": "UZ/GOV/200000001/population",
    "witness": "w-1",
    "group": "social-bloc",
    "service": "UZ/GOV/200000002/cadastre/GetProperty/v1",
    "suite-end": "rsa",
    "member": "UZ/GOV/200000002",
    "subsystem": "UZ/GOV/200000003/benefits",
}
NEEDED = {"e-service", "member", "subsystem"}
"""A service is bound to the e-service, which needs the member; a member has at least one subsystem."""


@pytest.mark.parametrize("kind", NAMES)
def test_an_entry_is_removed_unless_something_needs_it(federation: Federation, kind: str) -> None:
    draft = full_draft(federation)
    if kind in NEEDED:
        with pytest.raises(CommandRefused, match="adapters would refuse"):
            remove_entry(draft, kind, NAMES[kind])
        return
    without = remove_entry(draft, kind, NAMES[kind])
    assert read_draft(render_directory(without)) == without
    with pytest.raises(CommandRefused):
        remove_entry(without, kind, NAMES[kind])


def test_every_kind_can_be_removed() -> None:
    assert set(KINDS) == {*NAMES, "ca"}


def test_a_ca_is_known_by_its_digest(federation: Federation) -> None:
    draft = full_draft(federation)
    root, issuing = draft.signing_authorities
    assert remove_entry(draft, "ca", issuing.sha256.hex().upper()).signing_authorities == (root,)
    with pytest.raises(CommandRefused, match="no CA"):
        remove_entry(draft, "ca", "00")
    with pytest.raises(CommandRefused, match="would refuse"):
        remove_entry(draft, "ca", draft.tls_authorities[0].sha256.hex())
    moved = replace(root, crl_addresses=("http://other.example/root.crl",))
    assert put_ca(draft, "signing", moved).signing_authorities == (issuing, moved)


def test_entries_are_put_in_place_of_those_of_their_name(federation: Federation) -> None:
    draft = full_draft(federation)
    for entry in (
        replace(benefit(federation), working_days=1),
        IdentifierType(code="passport", pattern=IdentifierPattern("[0-9]+"), titles={"en": "Other"}),
        LegalBasisKind(code="law", titles={"en": "Other"}),
        replace(draft.secrecy_kinds["inquiry"], maximum=timedelta(days=1)),
        replace(draft.witnesses["w-1"], address="https://other.example/"),
        replace(draft.time_stamp_authorities["first"], address="https://other.example/"),
        replace(draft.consent_issuers[federation.population.subsystem], cache_limit=timedelta(days=1)),
    ):
        changed = put_entry(draft, entry)
        assert changed != draft
        assert read_draft(render_directory(changed)) == changed


def test_what_does_not_fit_is_told_at_once(federation: Federation) -> None:
    draft = full_draft(federation)
    stranger = MemberId.parse("UZ/GOV/200000009")
    with pytest.raises(CommandRefused, match="200000009"):
        put_entry(draft, replace(benefit(federation), agency=stranger))
    with pytest.raises(CommandRefused, match="is not in the directory"):
        put_subsystem(draft, SubsystemId(stranger, "s"))
    with pytest.raises(CommandRefused, match="REG-9"):
        bind_service(draft, federation.population.service, frozenset({"REG-9"}))
    with pytest.raises(CommandRefused, match="would refuse"):
        set_purpose(draft, "not a code", {"en": "x"})
    with pytest.raises(CommandRefused, match="no time-stamp authority"):
        set_time_stamp_limit(federation.draft(), timedelta(hours=1))


def test_a_witness_has_a_key_of_its_own_that_cosigns(federation: Federation) -> None:
    draft = full_draft(federation)
    for vkey in (federation.social.record_signer.vkey, "w-4.example+00000000+BAAA"):
        with pytest.raises(CommandRefused, match="the key of witness w-4 cannot be used"):
            put_entry(draft, replace(draft.witnesses["w-1"], name="w-4", vkey=vkey))
    with pytest.raises(CommandRefused, match="witnesses w-1 and w-4 have the same key"):
        put_entry(draft, replace(draft.witnesses["w-1"], name="w-4"))


def test_no_more_cosignatures_are_wanted_than_there_are_witnesses(federation: Federation) -> None:
    draft = full_draft(federation)
    rule = WitnessRule(threshold=3, limit=timedelta(days=1))
    assert set_witness_rule(draft, rule).witness_rule == rule
    with pytest.raises(CommandRefused, match="4 cosignatures are wanted of 3 witnesses"):
        set_witness_rule(draft, WitnessRule(threshold=4))
    with pytest.raises(CommandRefused, match="3 cosignatures are wanted of 2 witnesses"):
        remove_entry(set_witness_rule(draft, rule), "witness", "w-2")
    with pytest.raises(CommandRefused, match="names no witness yet"):
        set_witness_rule(federation.draft(), rule)


def test_durations_bindings_and_subsystems_are_set(federation: Federation) -> None:
    draft = full_draft(federation)
    assert set_grace(draft, timedelta(days=9)).grace == timedelta(days=9)
    assert set_time_stamp_limit(draft, None).time_stamp_limit is None
    assert (
        not bind_service(draft, federation.population.service, frozenset())
        .services[federation.population.service]
        .regulations
    )
    archive = SubsystemId(federation.population.id, "archive")
    assert put_subsystem(draft, archive).members[archive.member].subsystems == {"population", "archive"}


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)
CODE = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._:/\-]{0,30}[A-Za-z0-9])?", fullmatch=True)
TITLES = st.dictionaries(st.sampled_from(["en", "ru", "uz", "uz-Cyrl"]), TEXT, min_size=1)


FIELD = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,9}(/[A-Za-z]{1,9}){0,3}", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(
    purposes=st.dictionaries(CODE, TITLES, max_size=3),
    titles=TITLES,
    days=st.integers(0, 3650),
    seconds=st.integers(1, 99_999_999),
    fields=st.frozensets(FIELD, max_size=5),
)
def test_whatever_is_entered_is_read_back(federation, purposes, titles, days, seconds, fields) -> None:
    draft = full_draft(federation)
    entry = benefit(federation)
    regulation = replace(entry.regulation, titles=titles, documents={federation.population.service: fields})
    changed = replace(
        draft,
        purposes=purposes,
        grace=timedelta(seconds=seconds),
        e_services={"ES-1": replace(entry, titles=titles, working_days=days, regulation=regulation)},
    )
    octets = render_directory(changed)
    assert read_draft(octets) == changed
    assert parse_directory(octets).by_regulation["REG-1"].titles == titles

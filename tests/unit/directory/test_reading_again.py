"""The next version is read with the help of the one before: less work, the same result, nothing believed for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.directory import document
from adapter.directory.consistency import index_directory
from adapter.directory.document import parse_directory, read_draft
from adapter.directory.rendering import render_directory
from adapter.directory.slicing import alone, slice_directory
from adapter.errors import DirectoryRefused
from tests.pki import Federation
from tests.unit.directory.register import full_draft


@pytest.fixture
def read_members(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The members that are really read, in order."""
    read: list[str] = []
    reader = document._read_member

    def reading(element):
        registration = reader(element)
        read.append(registration.member.id.code)
        return registration

    monkeypatch.setattr(document, "_read_member", reading)
    return read


def test_the_same_document_is_not_read_again(federation: Federation, read_members: list[str]) -> None:
    octets = render_directory(full_draft(federation))
    first = parse_directory(octets)
    read_members.clear()
    assert parse_directory(octets, first) is first
    assert read_members == []


def test_only_the_member_that_changed_is_read(federation: Federation, read_members: list[str]) -> None:
    draft = full_draft(federation)
    earlier = parse_directory(render_directory(draft))
    social = draft.members[federation.social.id]
    changed = replace(draft, version=2, members={**draft.members, social.id: replace(social, stir="200009999")})
    octets = render_directory(changed)
    read_members.clear()
    later = parse_directory(octets, earlier)
    assert read_members == ["200000003"]
    assert later == parse_directory(octets)
    assert later.members[federation.population.id] is earlier.members[federation.population.id]
    assert later.member(social.id).stir == "200009999"
    assert later.version == 2


def test_a_member_that_is_gone_is_not_remembered(federation: Federation) -> None:
    draft = federation.draft()
    earlier = parse_directory(render_directory(draft))
    members = {one: member for one, member in draft.members.items() if one != federation.social.id}
    later = parse_directory(render_directory(replace(draft, version=2, members=members, groups={})), earlier)
    assert federation.social.id not in later.members
    assert federation.social.tls_sha256 not in later.by_tls_certificate
    assert len(later.registrations) == len(members)


def test_what_was_good_before_is_refused_where_it_no_longer_fits(federation: Federation) -> None:
    draft = full_draft(federation)
    earlier = parse_directory(render_directory(draft))
    members = {one: member for one, member in draft.members.items() if one != federation.population.id}
    with pytest.raises(DirectoryRefused, match="not registered"):
        parse_directory(render_directory(replace(draft, members=members)), earlier)
    with pytest.raises(DirectoryRefused, match="not of instance"):
        parse_directory(render_directory(draft).replace(b'instance="UZ"', b'instance="KZ"'), earlier)


def twice(text: str) -> str:
    end = text.index("</Member>") + len("</Member>")
    start = text.index("<Member ")
    return text[:end] + text[start:end] + text[end:]


# What the cutting must not take for members, or must not lose: read whole, each of these is what it always was.
DISGUISES: dict[str, Callable[[str], str]] = {
    "as written": lambda text: text,
    "a member twice": twice,
    "a comment": lambda text: text.replace("<Members>", "<Members><!-- <Member x='1'></Member> -->"),
    "CDATA": lambda text: text.replace("</Members>", "<![CDATA[ ]]></Members>"),
    "text between members": lambda text: text.replace("</Member>", "</Member> and ", 1),
    "another element between members": lambda text: text.replace("</Member>", "</Member><Group code='g'/>", 1),
    "a prefix for the namespace": lambda text: text.replace(
        "<Directory ", '<Directory xmlns:d="urn:interagency-adapter:directory:1" '
    ),
    "members with a prefix": lambda text: text.replace(
        "<Members>", '<d:Members xmlns:d="urn:interagency-adapter:directory:1">'
    ).replace("</Members>", "</d:Members>"),
    "members in an extension": lambda text: text.replace(
        "</Directory>", "<Extension name='x' critical='false'><Members xmlns='urn:x'></Members></Extension></Directory>"
    ),
    "only members in an extension": lambda text: (
        text[: text.index("<Members>")]
        + '<d:Members xmlns:d="urn:interagency-adapter:directory:1"/><Extension name="x" critical="false">'
        + text[text.index("<Members>") : text.index("</Members>")].replace("<Members>", '<x xmlns="urn:x"><Members>')
        + "</Members></x></Extension></Directory>"
    ),
    "a member in an extension of a member": lambda text: text.replace(
        "</Member>", "<Extension name='x' critical='false'><Member xmlns='urn:x'></Member></Extension></Member>", 1
    ),
    "members' tag with space": lambda text: text.replace("<Members>", "<Members >"),
    "the word in a title": lambda text: text.replace("Assigning a social benefit", "Members of a family"),
    "a critical extension of a member": lambda text: text.replace(
        "</Member>", "<Extension name='x' critical='true'/></Member>", 1
    ),
    "not well-formed in a member": lambda text: text.replace("</Adapter>", "</Adaptor>", 1),
    "not well-formed between": lambda text: text.replace("</Member>", "</Member></Members><Members>", 1),
    "an unknown prefix in a member": lambda text: text.replace("<Adapter ", "<Adapter p:x='1' ", 1),
    "an entity": lambda text: text.replace("(synthetic)", "&amp; others", 1),
    "an unknown entity": lambda text: text.replace("(synthetic)", "&others;", 1),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_reading_in_pieces_and_whole_agree(federation: Federation, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    octets = DISGUISES[name](render_directory(full_draft(federation)).decode()).encode()

    def outcome() -> object:
        try:
            return parse_directory(octets)
        except DirectoryRefused:
            return DirectoryRefused

    cut = outcome()
    monkeypatch.setattr(document, "slice_directory", lambda _: None)
    assert outcome() == cut


CUT = {"as written", "a member twice", "the word in a title", "an entity"}


@pytest.mark.parametrize("name", DISGUISES)
def test_which_documents_are_cut(federation: Federation, name: str) -> None:
    octets = DISGUISES[name](render_directory(full_draft(federation)).decode()).encode()
    sliced = slice_directory(octets)
    if name in CUT:
        assert sliced is not None
        assert all(alone(one).startswith(b"<Registration xmlns=") for one in sliced.members)
        assert b"<Member " not in sliced.rest
    elif name in {"a comment", "CDATA", "text between members", "a prefix for the namespace", "members with a prefix"}:
        assert sliced is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_change_of_octets_makes_the_two_readings_differ(federation: Federation, data: st.DataObject) -> None:
    octets = render_directory(federation.draft())
    at = data.draw(st.integers(0, len(octets) - 1))
    piece = data.draw(
        st.sampled_from([b"<", b">", b"<Member ", b"</Member>", b"<Members>", b"</Members>", b'"', b" ", b""])
    )
    mutant = octets[:at] + piece + octets[at + data.draw(st.integers(0, 12)) :]
    earlier = parse_directory(octets)

    def outcome(*more: object) -> object:
        try:
            return read_draft(mutant) if not more else parse_directory(mutant, earlier)
        except DirectoryRefused:
            return DirectoryRefused

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "slice_directory", lambda _: None)
        whole = outcome()
        try:
            indexed: object = DirectoryRefused if whole is DirectoryRefused else index_directory(read_draft(mutant))
        except DirectoryRefused:
            indexed = DirectoryRefused
    assert outcome() == whole
    assert outcome(earlier) == indexed

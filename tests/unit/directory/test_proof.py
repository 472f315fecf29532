"""The anchor, and a directory with what proves it: at whatever time, by roots that follow from the anchor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.directory.anchor import MAX_ANCHOR_BYTES, read_anchor
from adapter.directory.document import DIRECTORY_LIMITS
from adapter.directory.proof import DirectoryProof, authenticate_directory, check_current, with_anchor
from adapter.directory.rendering import render_directory
from adapter.directory.repository import sealed
from adapter.errors import DirectoryExpired, DirectoryRefused, RefusedBecause, SettingsInvalid
from tests.pki import NOW, Federation
from tests.repository import Repository, new_signer


@pytest.fixture
def chain(federation: Federation) -> Repository:
    """Three roots; each has another third officer."""
    repository = federation.repository
    for version in (2, 3):
        following = replace(repository, officers=(*repository.officers[:2], new_signer("new")))
        root = sealed(following.new_root(version=version), *repository.officers[:2])
        repository = replace(following, roots=(*repository.roots, root))
    return repository


def because(proof: DirectoryProof, repository: Repository) -> RefusedBecause:
    with pytest.raises(DirectoryRefused) as refusal:
        authenticate_directory(proof, repository.anchor)
    return refusal.value.because


def test_the_anchor_is_a_root_that_its_officers_signed(federation: Federation) -> None:
    assert read_anchor(federation.repository.root).version == 1


@pytest.mark.parametrize(
    "octets", [b"", b"\xff", b"name+00000000+AAAA", b"{}", b"[" * 9000, b"x" * (MAX_ANCHOR_BYTES + 1)]
)
def test_an_anchor_that_is_no_root_is_refused(octets: bytes) -> None:
    with pytest.raises(SettingsInvalid):
        read_anchor(octets)


def test_an_anchor_that_one_officer_signed_is_refused(federation: Federation) -> None:
    repository = federation.repository
    with pytest.raises(SettingsInvalid):
        read_anchor(sealed(repository.new_root(), repository.officers[0]))


def test_roots_lead_from_any_anchor_before_to_the_directory(federation: Federation, chain: Repository) -> None:
    proof = chain.signed(render_directory(federation.draft()), by=chain.officers[1:])
    for at, root in enumerate(chain.roots):
        assert authenticate_directory(proof, read_anchor(root)).version == 1
        assert authenticate_directory(replace(proof, roots=chain.roots[at + 1 :]), read_anchor(root)).version == 1


def test_an_anchor_after_the_directory_is_told_from_a_forgery(federation: Federation, chain: Repository) -> None:
    proof = federation.signed()
    with pytest.raises(DirectoryRefused, match="take the older anchor"):
        authenticate_directory(proof, read_anchor(chain.roots[2]))


def test_a_gap_or_another_order_of_the_roots_is_refused(federation: Federation, chain: Repository) -> None:
    proof = chain.signed(render_directory(federation.draft()))
    one, two, three = chain.roots
    assert because(replace(proof, roots=(one, three)), chain) is RefusedBecause.MISMATCH
    assert because(replace(proof, roots=(one, three, two)), chain) is RefusedBecause.MISMATCH
    assert because(replace(proof, roots=(three,)), chain) is RefusedBecause.MISMATCH


def test_another_root_under_the_anchors_version_is_a_fork(federation: Federation) -> None:
    stranger = Repository.make(NOW)
    proof = stranger.signed(render_directory(federation.draft()))
    assert because(proof, federation.repository) is RefusedBecause.FORK
    assert because(replace(proof, roots=()), federation.repository) is RefusedBecause.SIGNATURE


def test_a_later_root_does_not_stand_behind_what_removed_officers_signed(
    federation: Federation, chain: Repository
) -> None:
    removed = federation.repository.officers[2]
    proof = chain.signed(render_directory(federation.draft()), by=(chain.officers[0], removed))
    assert because(proof, chain) is RefusedBecause.SIGNATURE
    assert authenticate_directory(replace(proof, roots=chain.roots[:1]), chain.anchor).version == 1


def test_what_was_issued_after_its_root_had_expired_is_refused(federation: Federation) -> None:
    repository = federation.repository
    short = replace(repository, roots=(sealed(repository.new_root(valid_for=timedelta(days=1)), *repository.officers),))
    late = replace(federation.draft(), issued=NOW + timedelta(days=1))
    assert because(short.signed(render_directory(late)), short) is RefusedBecause.ROOT_EXPIRED


def test_the_proof_begins_with_our_own_anchor(federation: Federation, chain: Repository) -> None:
    proof = chain.signed(render_directory(federation.draft()))
    assert with_anchor(replace(proof, roots=chain.roots[1:]), chain.anchor).roots == chain.roots
    assert with_anchor(proof, read_anchor(chain.roots[1])).roots == chain.roots[1:]


def test_what_is_oversized_is_refused_unread(federation: Federation) -> None:
    proof = replace(federation.signed(), document=b" " * (DIRECTORY_LIMITS.max_bytes + 1))
    assert because(proof, federation.repository) is RefusedBecause.OVERSIZED


def test_an_expired_directory_is_authentic_and_not_current(federation: Federation) -> None:
    draft = replace(federation.draft(valid_for=timedelta(days=2)), grace=timedelta(hours=6))
    directory = authenticate_directory(federation.signed(draft), federation.anchor)
    check_current(directory, NOW + timedelta(days=2, hours=6) - timedelta(seconds=1))
    with pytest.raises(DirectoryExpired):
        check_current(directory, NOW + timedelta(days=2, hours=6))

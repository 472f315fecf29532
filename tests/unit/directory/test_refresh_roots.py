"""Roots in one look at the repository: followed one after another from the anchor, and by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Root

from adapter.directory.metadata import (
    MAX_ROOTS,
)
from adapter.directory.refresh import Known, Refresh
from adapter.directory.repository import sealed
from adapter.errors import DirectoryRefused, RefusedBecause
from tests.pki import NOW, Federation
from tests.repository import Repository, look_at, new_signer
from tests.unit.directory.refreshing import believed, document, published, refused

HOUR = timedelta(hours=1)


# --- roots -----------------------------------------------------------------------------------------------------------


def rotated(repository: Repository, *, by: tuple[int, ...] = (0, 1), times: int = 1) -> Repository:
    """So many further roots; each replaces the third officer."""
    for _ in range(times):
        officers = (*repository.officers[:2], new_signer("new"))
        signers = [repository.officers[at] for at in by]
        following = replace(repository, officers=officers)
        root = following.new_root(version=len(repository.roots) + 1)
        repository = replace(following, roots=(*repository.roots, sealed(root, *signers)))
    return repository


def test_a_new_root_is_followed_and_its_new_officer_counts(federation: Federation, repository: Repository) -> None:
    new = rotated(repository)
    at = new.publish(new.signed(document(federation, 2), by=new.officers[1:]), published(federation))
    found = believed(federation, at, believed(federation, published(federation)).known)
    assert found.root_version == 2
    assert found.directory is not None


def test_several_roots_at_once_are_followed_one_after_another(federation: Federation, repository: Repository) -> None:
    new = rotated(repository, times=5)
    found = believed(federation, new.publish(new.signed(document(federation), by=new.officers[1:])))
    assert found.root_version == 6
    assert len(found.known.roots) == 5


def test_a_gap_in_the_roots_leads_nowhere(federation: Federation, repository: Repository) -> None:
    new = rotated(repository, times=3)
    at = new.publish(new.signed(document(federation), by=new.officers[1:])).but(root_3=None)
    assert refused(federation, at) is RefusedBecause.SIGNATURE


def test_a_root_signed_by_one_officer_until_now_is_refused(federation: Federation, repository: Repository) -> None:
    new = rotated(repository, by=(0,))
    assert refused(federation, new.publish(new.signed(document(federation)))) is RefusedBecause.SIGNATURE


def test_a_fork_of_the_roots_by_strangers_is_refused(federation: Federation, repository: Repository) -> None:
    """They sign their own root with their own threshold: it does not follow from ours."""
    strangers = Repository.make(NOW)
    forked = replace(strangers, roots=(repository.root, sealed(strangers.new_root(version=2), *strangers.officers)))
    at = forked.publish(forked.signed(document(federation, 9)))
    assert refused(federation, at, believed(federation, published(federation)).known) is RefusedBecause.SIGNATURE


def test_a_root_that_its_own_officers_did_not_sign_is_refused(federation: Federation, repository: Repository) -> None:
    """Old officers alone cannot hand the directory to keys whose owners do not know of it."""
    strangers = Repository.make(NOW)
    handed = replace(strangers, roots=(repository.root, sealed(strangers.new_root(version=2), *repository.officers)))
    assert refused(federation, handed.publish(handed.signed(document(federation)))) is RefusedBecause.SIGNATURE


def test_a_root_of_another_version_under_the_next_name_is_refused(
    federation: Federation, repository: Repository
) -> None:
    new = rotated(repository, times=2)
    at = new.publish(new.signed(document(federation))).but(root_2=new.roots[2])
    assert refused(federation, at) is RefusedBecause.MISMATCH


def test_the_removed_officer_counts_no_longer(federation: Federation, repository: Repository) -> None:
    new = rotated(repository)
    old = (repository.officers[0], repository.officers[2])
    at = new.publish(new.signed(document(federation), by=old))
    assert refused(federation, at) is RefusedBecause.SIGNATURE


def test_roots_without_end_are_read_to_a_bound(federation: Federation, repository: Repository) -> None:
    new = rotated(repository, times=MAX_ROOTS + 3)
    at = new.publish(new.signed(document(federation)))
    asked: list[str] = []
    at.look(federation.anchor, now=NOW, asked=lambda one: asked.append(one.path))
    assert sum("root" in path for path in asked) == MAX_ROOTS


def test_new_roots_are_known_although_the_rest_is_refused(federation: Federation, repository: Repository) -> None:
    new = rotated(repository)
    at = new.publish(new.signed(document(federation))).but(snapshot_1=b"{}")
    refresh = Refresh(federation.anchor, Known(), now=NOW)
    with pytest.raises(DirectoryRefused):
        look_at(refresh, at.files)
    assert refresh.new_roots == {2: new.roots[1]}


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root.keys.update(x=SSlibKey("x", "ecdsa", "ecdsa-sha2-nistp521", {"public": "x"})),
        lambda root: root.keys.update(x=replace_id(root, "x")),
        lambda root: setattr(root, "consistent_snapshot", False),
    ],
    ids=["another algorithm", "one key twice", "no consistent snapshots"],
)
def test_a_root_is_refused_whoever_signed_it(
    federation: Federation, repository: Repository, change: Callable[[Root], object]
) -> None:
    root = repository.new_root(version=2)
    change(root)
    new = replace(repository, roots=(repository.root, sealed(root, *repository.officers)))
    assert refused(federation, new.publish(new.signed(document(federation)))) is RefusedBecause.MALFORMED


def replace_id(root: Root, keyid: str) -> SSlibKey:
    key = next(iter(root.keys.values()))
    return SSlibKey(keyid, key.keytype, key.scheme, dict(key.keyval))


def test_replaced_online_keys_are_followed(federation: Federation, repository: Repository) -> None:
    """Time-stamps may begin at one again: what the old keys signed does not count any more."""
    known = believed(federation, repository.stamp(repository.stamp(published(federation)))).known
    fresh = replace(repository, snapshot=new_signer(), timestamp=new_signer())
    new = replace(fresh, roots=(*fresh.roots, sealed(fresh.new_root(version=2), *fresh.officers[:2])))
    found = believed(federation, new.publish(new.signed(document(federation))), known)
    assert found.directory is None
    old = repository.stamp(repository.publish(repository.signed(document(federation), by=repository.officers)))
    assert refused(federation, old.but(root_2=new.roots[1])) is RefusedBecause.SIGNATURE

"""One look at the repository: every known attack on it is refused and named, and what is good costs what it should."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from adapter.directory.metadata import (
    MAX_ROOT_BYTES,
    MAX_TARGETS_BYTES,
    MAX_TIMESTAMP_BYTES,
    TIMESTAMP_FILE,
    snapshot_file,
    targets_file,
)
from adapter.directory.model import Directory
from adapter.directory.refresh import CLOCK_SKEW, Wanted, fresh_until
from adapter.directory.repository import read_metadata, sealed
from adapter.errors import DirectoryExpired, DirectoryRefused, RefusedBecause
from tests.pki import NOW, Federation
from tests.repository import Published, Repository, new_signer
from tests.unit.directory.refreshing import believed, document, published, refused

HOUR = timedelta(hours=1)


# --- what is good ----------------------------------------------------------------------------------------------------


def test_what_two_of_three_officers_signed_is_believed(federation: Federation) -> None:
    found = believed(federation, published(federation, 3))
    assert found.directory is not None
    assert found.directory.version == 3
    assert found.known.version == 3


def test_a_refresh_that_changed_nothing_asks_for_the_timestamp_alone(federation: Federation) -> None:
    at = published(federation)
    known = believed(federation, at).known
    asked: list[str] = []
    assert at.look(federation.anchor, known, now=NOW + HOUR, asked=lambda one: asked.append(one.path)) is None
    assert asked == [TIMESTAMP_FILE]


def test_a_renewed_timestamp_costs_two_small_files_and_no_directory(
    federation: Federation, repository: Repository
) -> None:
    first = repository.stamp(published(federation), valid_for=HOUR)
    known = believed(federation, first).known
    asked: list[str] = []
    renewed = repository.stamp(first, valid_for=3 * HOUR)
    found = renewed.look(federation.anchor, known, now=NOW, asked=lambda one: asked.append(one.path))
    assert asked == [TIMESTAMP_FILE, "metadata/2.root.json"]
    assert found is not None
    assert found.directory is None
    assert found.fresh_until == NOW + 3 * HOUR


def test_every_file_is_asked_for_with_a_bound(federation: Federation) -> None:
    at, asked = published(federation), list[Wanted]()
    at.look(federation.anchor, now=NOW, asked=asked.append)
    assert [one.max_bytes for one in asked] == [
        MAX_TIMESTAMP_BYTES,
        MAX_ROOT_BYTES,
        16 * 1024,
        MAX_TARGETS_BYTES,
        len(document(federation)),
    ]


def test_a_document_that_is_lost_on_disk_is_asked_for_again(federation: Federation) -> None:
    at = published(federation)
    known = believed(federation, at).known
    found = at.look(federation.anchor, known, now=NOW, has_document=False)
    assert found is not None
    assert found.document == document(federation)


def test_it_is_fresh_until_the_first_of_its_parts_expires(federation: Federation, repository: Repository) -> None:
    stamped = repository.stamp(published(federation), valid_for=2 * HOUR)
    assert believed(federation, stamped).fresh_until == NOW + 2 * HOUR
    assert believed(federation, published(federation)).fresh_until == NOW + timedelta(days=30)


def test_the_freshness_of_the_copy_is_that_of_its_metadata(federation: Federation, repository: Repository) -> None:
    found = believed(federation, repository.stamp(published(federation), valid_for=2 * HOUR))
    directory: Directory = federation.directory()
    assert fresh_until(found.known, federation.anchor, directory) == NOW + 2 * HOUR
    forged = replace(found.known, timestamp=sealed(read_metadata(found.known.timestamp or b"", Timestamp).signed))
    assert fresh_until(forged, federation.anchor, directory) == directory.issued


# --- rollback of each role -------------------------------------------------------------------------------------------


def test_an_older_timestamp_is_refused(federation: Federation, repository: Repository) -> None:
    first = published(federation)
    known = believed(federation, repository.stamp(first)).known
    assert refused(federation, first, known) is RefusedBecause.ROLLBACK


def test_an_older_snapshot_is_refused(federation: Federation, repository: Repository) -> None:
    """With the online keys one can point a newer time-stamp to an older snapshot: adapters remember."""
    first = published(federation)
    second = published(federation, 2, first)
    known = believed(federation, second).known
    assert second.timestamp is not None
    forged = repository.stamp(replace(second, snapshot=first.snapshot))
    assert refused(federation, forged, known) is RefusedBecause.ROLLBACK


def test_older_targets_are_refused(federation: Federation, repository: Repository) -> None:
    """The online keys can sign a newer snapshot that names an older directory: refused, and it is a rollback."""
    second = published(federation, 2, published(federation))
    known = believed(federation, second).known
    back = repository.publish(repository.signed(document(federation, 1)), second)
    assert refused(federation, back, known) is RefusedBecause.ROLLBACK


def test_an_older_directory_is_refused_even_with_new_online_keys(
    federation: Federation, repository: Repository
) -> None:
    """A root with new online keys lets time-stamps begin anew (TUF 5.3.11); the directory's version does not."""
    second = published(federation, 2, published(federation))
    known = believed(federation, second).known
    fresh = replace(repository, snapshot=new_signer(), timestamp=new_signer())
    rotated = replace(fresh, roots=(*fresh.roots, sealed(fresh.new_root(version=2), *fresh.officers[:2])))
    back = rotated.publish(rotated.signed(document(federation, 1)))
    assert refused(federation, back, known) is RefusedBecause.ROLLBACK


def test_an_older_root_in_place_of_the_next_is_refused(federation: Federation, repository: Repository) -> None:
    at = published(federation).but(root_2=repository.root)
    assert refused(federation, at) is RefusedBecause.ROLLBACK


# --- freeze ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_known", [False, True])
def test_a_timestamp_past_its_time_is_a_freeze(
    federation: Federation, repository: Repository, *, is_known: bool
) -> None:
    at = repository.stamp(published(federation), valid_for=HOUR)
    known = believed(federation, at).known if is_known else None
    assert refused(federation, at, known, now=NOW + HOUR) is RefusedBecause.FREEZE


def test_a_snapshot_past_its_time_is_a_freeze(federation: Federation, repository: Repository) -> None:
    at = repository.publish(repository.signed(document(federation)), valid_for=HOUR)
    stamped = repository.stamp(at)
    assert refused(federation, stamped, now=NOW + HOUR) is RefusedBecause.FREEZE


def test_a_directory_past_its_expiry_is_said_to_be(federation: Federation) -> None:
    with pytest.raises(DirectoryExpired):
        published(federation).look(federation.anchor, now=NOW + timedelta(days=30))


def test_a_root_past_its_time_is_refused(federation: Federation, repository: Repository) -> None:
    short = replace(repository, roots=(sealed(repository.new_root(valid_for=HOUR), *repository.officers[:2]),))
    at = short.publish(short.signed(document(federation)))
    with pytest.raises(DirectoryRefused) as refusal:
        at.look(short.anchor, now=NOW + HOUR)
    assert refusal.value.because is RefusedBecause.ROOT_EXPIRED


def test_a_directory_from_the_future_is_refused(federation: Federation) -> None:
    believed(federation, published(federation), now=NOW - CLOCK_SKEW)
    early = NOW - CLOCK_SKEW - timedelta(seconds=1)
    assert refused(federation, published(federation), now=early) is RefusedBecause.CLOCK


# --- mix and match, forks --------------------------------------------------------------------------------------------


def mixed(federation: Federation, name: str, kind: Callable[[int], str]) -> Published:
    """Version 2 of everything, but one file in it is that of version 1."""
    first = published(federation)
    second = published(federation, 2, first)
    return second.but(**{f"{name}_2": first.files[kind(1)]})


@pytest.mark.parametrize(("name", "kind"), [("snapshot", snapshot_file), ("targets", targets_file)])
def test_files_of_different_versions_do_not_go_together(
    federation: Federation, name: str, kind: Callable[[int], str]
) -> None:
    assert refused(federation, mixed(federation, name, kind)) is RefusedBecause.MISMATCH


def test_another_document_than_the_signed_one_is_refused_unread(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = published(federation)
    path = next(path for path in at.files if path.endswith("directory.xml"))
    monkeypatch.setattr("adapter.directory.proof.parse_directory", lambda *_: pytest.fail("read too early"))
    changed = at.files[path].replace(b"Cadastre", b"Kadastre")
    assert refused(federation, replace(at, files={**at.files, path: changed})) is RefusedBecause.MISMATCH


@pytest.mark.parametrize("kind", ["snapshot", "targets", "timestamp"])
def test_a_missing_file_is_said(federation: Federation, kind: str) -> None:
    name = kind if kind == "timestamp" else f"{kind}_1"
    assert refused(federation, published(federation).but(**{name: None})) is RefusedBecause.MISMATCH


def test_another_directory_of_the_known_version_is_a_fork(federation: Federation, repository: Repository) -> None:
    first = published(federation)
    known = believed(federation, first).known
    other = repository.publish(repository.signed(document(federation, days=31)), first)
    assert refused(federation, other, known) is RefusedBecause.FORK


def test_another_timestamp_of_the_known_version_is_a_fork(federation: Federation, repository: Repository) -> None:
    at = published(federation)
    known = believed(federation, at).known
    other = repository.stamp(replace(at, timestamp=None), valid_for=HOUR)
    assert other.timestamp is not None
    assert at.timestamp is not None
    assert other.timestamp.version == at.timestamp.version
    assert refused(federation, other, known) is RefusedBecause.FORK


def test_a_document_that_says_another_version_than_its_signature_is_refused(
    federation: Federation, repository: Repository
) -> None:
    proof = repository.signed(document(federation, 2), version=1, expires=NOW + timedelta(days=30))
    assert refused(federation, repository.publish(proof)) is RefusedBecause.MISMATCH
    proof = repository.signed(document(federation, 1), version=1, expires=NOW + timedelta(days=99))
    assert refused(federation, repository.publish(proof)) is RefusedBecause.MISMATCH


# --- signatures ------------------------------------------------------------------------------------------------------


def test_one_officer_is_not_enough(federation: Federation, repository: Repository) -> None:
    at = repository.publish(repository.signed(document(federation), by=repository.officers[:1]))
    assert refused(federation, at) is RefusedBecause.SIGNATURE


def test_any_two_officers_are_enough(federation: Federation, repository: Repository) -> None:
    for left_out in range(3):
        two = [one for at, one in enumerate(repository.officers) if at != left_out]
        assert believed(federation, repository.publish(repository.signed(document(federation), by=two))).directory


def test_an_officer_and_a_stranger_are_not_enough(federation: Federation, repository: Repository) -> None:
    by = (repository.officers[0], new_signer("stranger"))
    at = repository.publish(repository.signed(document(federation), by=by))
    assert refused(federation, at) is RefusedBecause.SIGNATURE


def test_one_officer_who_signs_twice_counts_once(federation: Federation, repository: Repository) -> None:
    targets = json.loads(repository.signed(document(federation), by=repository.officers[:1]).targets)
    (signature,) = targets["signatures"]
    other = repository.officers[1].public_key.keyid
    targets["signatures"].append({**signature, "keyid": other})
    at = repository.publish(replace(repository.signed(document(federation)), targets=json.dumps(targets).encode()))
    assert refused(federation, at) is RefusedBecause.SIGNATURE


def test_stolen_online_keys_cannot_change_the_directory(federation: Federation, repository: Repository) -> None:
    """Whoever holds snapshot and time-stamp key signs the targets with them as well: it is worth nothing."""
    known = believed(federation, published(federation)).known
    for by in ((repository.snapshot, repository.timestamp), (repository.timestamp, repository.officers[0])):
        forged = repository.signed(document(federation, 2), by=by)
        assert refused(federation, repository.publish(forged, published(federation)), known) is RefusedBecause.SIGNATURE


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_a_wrong_online_key_is_refused(federation: Federation, repository: Repository, role: str) -> None:
    wrong = (
        replace(repository, timestamp=new_signer())
        if role == "timestamp"
        else replace(repository, snapshot=new_signer())
    )
    at = wrong.publish(wrong.signed(document(federation)))
    assert refused(federation, at) is RefusedBecause.SIGNATURE


def test_the_keys_of_snapshot_and_timestamp_do_not_stand_for_each_other(
    federation: Federation, repository: Repository
) -> None:
    swapped = replace(repository, snapshot=repository.timestamp, timestamp=repository.snapshot)
    at = swapped.publish(swapped.signed(document(federation)))
    assert refused(federation, at) is RefusedBecause.SIGNATURE


@pytest.mark.parametrize("kind", [Timestamp, Snapshot, Targets])
def test_metadata_without_a_signature_is_refused(
    federation: Federation, kind: type[Timestamp | Snapshot | Targets]
) -> None:
    at = published(federation)
    path = TIMESTAMP_FILE if kind is Timestamp else f"metadata/1.{kind.type}.json"
    bare = sealed(Metadata[kind].from_bytes(at.files[path]).signed)  # type: ignore[valid-type]
    files = {**at.files, path: bare}
    assert refused(federation, replace(at, files=files)) in {RefusedBecause.SIGNATURE, RefusedBecause.MISMATCH}


def test_metadata_of_another_role_is_refused(federation: Federation) -> None:
    at = published(federation)
    for octets in (at.files[snapshot_file(1)], at.files[targets_file(1)], at.files["metadata/1.root.json"]):
        assert refused(federation, at.but(timestamp=octets)) is not None

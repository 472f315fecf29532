"""The form and size of what a repository answers: garbage and too much of it is refused, and named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.directory.document import DIRECTORY_LIMITS
from adapter.directory.metadata import (
    MAX_ROOT_BYTES,
    TIMESTAMP_FILE,
    snapshot_file,
    targets_file,
)
from adapter.directory.repository import new_snapshot, new_targets, sealed
from adapter.errors import RefusedBecause
from tests.pki import NOW, Federation
from tests.repository import Repository
from tests.unit.directory.refreshing import document, published, refused

HOUR = timedelta(hours=1)


# --- form and size ---------------------------------------------------------------------------------------------------

GARBAGE = {
    "empty": b"",
    "not JSON": b"\xff\xfe",
    "a list": b"[]",
    "deep": b"[" * 15_000,
    "no fields": b"{}",
    "wrong types": b'{"signatures": 1, "signed": 2}',
    "wrong version": b'{"signatures": [], "signed": {"_type": "timestamp", "version": "1"}}',
    "numbers": b'{"signatures": [], "signed": {"_type": "timestamp", "version": 1e999}}',
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("place", ["timestamp", "root_2", "snapshot_1", "targets_1"])
def test_garbage_is_refused(federation: Federation, name: str, place: str) -> None:
    because = refused(federation, published(federation).but(**{place: GARBAGE[name]}))
    assert because in {RefusedBecause.MALFORMED, RefusedBecause.MISMATCH}


@pytest.mark.parametrize("place", ["timestamp", "root_2"])
def test_what_is_oversized_is_refused(federation: Federation, place: str) -> None:
    at = published(federation).but(**{place: b" " * (MAX_ROOT_BYTES + 1)})
    assert refused(federation, at) is RefusedBecause.OVERSIZED


def test_a_directory_that_is_larger_than_allowed_is_not_even_fetched(
    federation: Federation, repository: Repository
) -> None:
    targets = new_targets(1, NOW + timedelta(days=30), b"x", {})
    targets.targets["directory.xml"].length = DIRECTORY_LIMITS.max_bytes + 1
    octets = sealed(targets, *repository.officers)
    at = repository.publish(replace(repository.signed(document(federation)), targets=octets))
    assert refused(federation, at) is RefusedBecause.OVERSIZED


@pytest.mark.parametrize("digest", ["", "0", "G" * 64])
def test_targets_without_a_good_digest_are_refused(federation: Federation, repository: Repository, digest: str) -> None:
    targets = new_targets(1, NOW + timedelta(days=30), b"x", {})
    targets.targets["directory.xml"].hashes = {"sha256": digest} if digest else {"sha512": "0" * 128}
    at = repository.publish(
        replace(repository.signed(document(federation)), targets=sealed(targets, *repository.officers))
    )
    assert refused(federation, at) is RefusedBecause.MISMATCH


def test_a_signed_document_that_is_no_directory_is_refused(federation: Federation, repository: Repository) -> None:
    proof = repository.signed(b"<Directory/>", version=1, expires=NOW + timedelta(days=30))
    assert refused(federation, repository.publish(proof)) is RefusedBecause.MALFORMED


def test_every_changed_octet_of_the_metadata_is_refused(federation: Federation) -> None:
    at = published(federation)
    for path in (TIMESTAMP_FILE, snapshot_file(1), targets_file(1)):
        octets = at.files[path]
        for spot in range(0, len(octets), 7):
            changed = octets[:spot] + bytes([octets[spot] ^ 1]) + octets[spot + 1 :]
            if json_equal(changed, octets):
                continue
            assert refused(federation, replace(at, files={**at.files, path: changed})) is not None


def json_equal(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def test_a_snapshot_that_names_no_targets_is_refused(federation: Federation, repository: Repository) -> None:
    at = published(federation)
    snapshot = new_snapshot(at.files[targets_file(1)], None, targets_version=1, now=NOW)
    snapshot.meta = {}
    files = {**at.files, snapshot_file(1): sealed(snapshot, repository.snapshot)}
    stamped = repository.stamp(replace(at, files=files, snapshot=snapshot))
    assert refused(federation, stamped) is not None

"""The last good directory: whole or not at all, never older than before, with what proves it."""

import hashlib
import os
from dataclasses import replace

import pytest

from adapter.directory.refresh import Found, Known
from adapter.errors import DirectoryRefused, RefusedBecause, StoreUnusable
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import Database
from tests.pki import NOW


@pytest.fixture
def copy(home, tmp_path):
    return DirectoryCopy(tmp_path / "directory", home.database)


def found(version, document=None, *, timestamp=b"time-stamp", targets=b"targets", root_version=1):
    octets = document or f"<d{version}/>".encode()
    known = Known(
        timestamp=timestamp,
        snapshot=b"snapshot",
        targets=targets,
        version=version,
        sha256=hashlib.sha256(octets).digest(),
    )
    return Found(known=known, fresh_until=NOW, root_version=root_version, document=octets)


def keep(copy, *versions):
    for version in versions:
        assert copy.keep(found(version), since=copy.revision())


def test_at_first_there_is_none(copy):
    assert copy.known().known == Known()
    assert copy.revision() == 0
    assert copy.load() is None


def test_what_was_kept_is_loaded(copy):
    keep(copy, 7)
    assert copy.load().document == b"<d7/>"
    assert copy.known().known == found(7).known
    keep(copy, 8)
    assert copy.load().document == b"<d8/>"


def test_a_new_timestamp_leaves_the_directory(copy):
    keep(copy, 7)
    renewed = replace(found(7, timestamp=b"newer"), document=None)
    assert copy.keep(renewed, since=1)
    assert copy.known().known.timestamp == b"newer"
    assert copy.load().document == b"<d7/>"
    assert copy.revision() == 2


def test_a_worker_that_was_overtaken_keeps_nothing(home, copy, tmp_path):
    """Both looked since revision 1; the slower one, with the older find, is told to read what the faster one kept."""
    keep(copy, 7)
    neighbour = DirectoryCopy(tmp_path / "directory", home.database)
    assert neighbour.keep(found(9), since=1)
    assert not copy.keep(found(8), since=1)
    assert copy.load().document == b"<d9/>"
    assert copy.of_version(8) is None


def test_an_older_one_is_refused(copy):
    keep(copy, 7)
    with pytest.raises(DirectoryRefused) as refusal:
        copy.keep(found(6), since=1)
    assert refusal.value.because is RefusedBecause.ROLLBACK
    assert copy.load().document == b"<d7/>"


def test_files_put_back_do_not_bring_an_older_directory_back(copy, tmp_path):
    keep(copy, 7, 8)
    old = (tmp_path / "directory" / "directory-7.xml").read_bytes()
    (tmp_path / "directory" / "directory-8.xml").write_bytes(old)
    assert copy.load() is None
    assert copy.known().known.version == 8


def test_a_document_that_was_damaged_is_mended(copy, tmp_path):
    keep(copy, 7)
    (tmp_path / "directory" / "directory-7.xml").unlink()
    assert copy.load() is None
    keep(copy, 7)
    assert copy.load().document == b"<d7/>"


def test_a_crash_between_the_file_and_the_database_leaves_the_old_one(copy, monkeypatch):
    keep(copy, 7)

    class CrashError(Exception):
        pass

    def crash():
        raise CrashError

    monkeypatch.setattr(Database, "writing", lambda _self: crash())
    with pytest.raises(CrashError):
        copy.keep(found(8), since=1)
    monkeypatch.undo()
    assert copy.load().document == b"<d7/>"


def test_a_crash_while_a_file_is_written_leaves_the_old_one_and_no_rest(copy, tmp_path, monkeypatch):
    keep(copy, 7)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(StoreUnusable, match="full"):
        copy.keep(found(8), since=1)
    assert copy.load().document == b"<d7/>"
    assert [path.name for path in (tmp_path / "directory").iterdir()] == ["directory-7.xml"]


def test_every_version_that_was_believed_is_kept_with_what_proves_it(copy):
    copy.keep_roots({2: b"root 2"})
    for version, root in ((1, 1), (2, 2), (3, 3)):
        if root == 3:
            copy.keep_roots({3: b"root 3"})
        one = found(version, targets=b"targets %d" % version, root_version=root)
        assert copy.keep(one, since=copy.revision())
    proofs = [copy.of_version(version) for version in (1, 2, 3)]
    assert [(one.document, one.targets, one.roots) for one in proofs] == [
        (b"<d1/>", b"targets 1", ()),
        (b"<d2/>", b"targets 2", (b"root 2",)),
        (b"<d3/>", b"targets 3", (b"root 2", b"root 3")),
    ]
    assert copy.of_version(4) is None


def test_another_root_of_a_version_is_a_fork(copy):
    copy.keep_roots({2: b"root"})
    copy.keep_roots({2: b"root"})
    with pytest.raises(DirectoryRefused) as refusal:
        copy.keep_roots({2: b"another"})
    assert refusal.value.because is RefusedBecause.FORK
    assert copy.known().known.roots == (b"root",)


def test_a_description_is_kept_by_its_digest(copy):
    octets = b"a bundle"
    digest = hashlib.sha256(octets).hexdigest()
    assert copy.description(digest) is None
    copy.keep_description(digest, octets)
    assert copy.description(digest) == octets


def test_another_description_than_the_named_one_is_refused(copy):
    with pytest.raises(DirectoryRefused):
        copy.keep_description("0" * 64, b"a bundle")


def test_a_damaged_description_is_fetched_again(copy, tmp_path):
    octets = b"a bundle"
    digest = hashlib.sha256(octets).hexdigest()
    copy.keep_description(digest, octets)
    (tmp_path / "directory" / "descriptions" / f"{digest}.zip").write_bytes(b"damaged")
    assert copy.description(digest) is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 64 + "\n"])
def test_a_name_that_is_no_digest_never_becomes_a_path(copy, name):
    with pytest.raises(DirectoryRefused):
        copy.description(name)

"""The last good directory: whole or not at all, never older than before."""

import hashlib
import os

import pytest

from adapter.errors import DirectoryRefused, StoreUnusable
from adapter.store.directory_copy import DirectoryCopy, KnownDirectory, StoredDirectory
from adapter.store.engine import Database


@pytest.fixture
def copy(home, tmp_path):
    return DirectoryCopy(tmp_path / "directory", home.database)


def sha256(octets):
    return hashlib.sha256(octets).digest()


def test_at_first_there_is_none(copy):
    assert copy.known() == KnownDirectory(0, None)
    assert copy.load() is None


def test_what_was_kept_is_loaded(copy):
    copy.keep(b"<directory/>", b"note", 7)
    assert copy.load() == StoredDirectory(7, b"<directory/>", b"note")
    assert copy.known() == KnownDirectory(7, sha256(b"<directory/>"))
    copy.keep(b"<directory>8</directory>", b"note 8", 8)
    assert copy.load() == StoredDirectory(8, b"<directory>8</directory>", b"note 8")


def test_several_workers_may_keep_the_same_one(home, copy, tmp_path):
    copy.keep(b"<directory/>", b"note", 7)
    DirectoryCopy(tmp_path / "directory", home.database).keep(b"<directory/>", b"note", 7)
    assert copy.load() == StoredDirectory(7, b"<directory/>", b"note")


@pytest.mark.parametrize(("document", "version"), [(b"<directory/>", 6), (b"<another/>", 6), (b"<another/>", 7)])
def test_an_older_one_and_another_of_the_same_version_are_refused(copy, document, version):
    copy.keep(b"<directory/>", b"note", 7)
    with pytest.raises(DirectoryRefused):
        copy.keep(document, b"note", version)
    assert copy.load() == StoredDirectory(7, b"<directory/>", b"note")


def test_one_that_another_worker_overtook_is_refused(copy, monkeypatch):
    """The version is compared again in the transaction that stores it."""
    copy.keep(b"<directory/>", b"note", 7)
    monkeypatch.setattr(DirectoryCopy, "known", lambda _self: KnownDirectory(0, None))
    with pytest.raises(DirectoryRefused):
        copy.keep(b"<older/>", b"note", 6)
    monkeypatch.undo()
    assert copy.known().version == 7


def test_files_put_back_do_not_bring_an_older_directory_back(copy, tmp_path):
    copy.keep(b"<old/>", b"note", 7)
    old = (tmp_path / "directory" / "directory-7.xml").read_bytes()
    copy.keep(b"<new/>", b"note", 8)
    (tmp_path / "directory" / "directory-8.xml").write_bytes(old)
    assert copy.load() is None
    assert copy.known().version == 8


def test_missing_files_are_no_directory(copy, tmp_path):
    copy.keep(b"<directory/>", b"note", 7)
    (tmp_path / "directory" / "directory-7.note").unlink()
    assert copy.load() is None


def test_a_crash_between_the_files_and_the_database_leaves_the_old_one(copy, monkeypatch):
    copy.keep(b"<directory/>", b"note", 7)

    class CrashError(Exception):
        pass

    def crash():
        raise CrashError

    monkeypatch.setattr(Database, "writing", lambda _self: crash())
    with pytest.raises(CrashError):
        copy.keep(b"<directory>8</directory>", b"note 8", 8)
    monkeypatch.undo()
    assert copy.load() == StoredDirectory(7, b"<directory/>", b"note")


def test_a_crash_while_a_file_is_written_leaves_the_old_one_and_no_rest(copy, tmp_path, monkeypatch):
    copy.keep(b"<directory/>", b"note", 7)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(StoreUnusable, match="full"):
        copy.keep(b"<directory>8</directory>", b"note 8", 8)
    assert copy.load() == StoredDirectory(7, b"<directory/>", b"note")
    assert sorted(path.name for path in (tmp_path / "directory").iterdir()) == ["directory-7.note", "directory-7.xml"]


def test_every_version_that_was_believed_is_kept_for_evidence(copy):
    for version in range(1, 5):
        copy.keep(f"<d{version}/>".encode(), b"note", version)
    assert copy.of_version(2).document == b"<d2/>"
    assert copy.of_version(4) == copy.load()
    assert copy.of_version(5) is None


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

"""A database that is full, locked, damaged or gone: nothing acknowledged is lost, and somebody is told what to do."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from adapter.errors import RecordUnavailable, StoreUnusable
from adapter.identifiers import RecordNumber
from adapter.ports import ExchangeState, RecordWrite, Written
from adapter.store.engine import Database, database_path, open_database
from adapter.store.migrate import prepare
from adapter.store.schema import SCHEMA_REVISION
from tests.records import CONSUMER, a_claim, a_request, an_answer, an_entry
from tests.unit.store.filling import fill_up


def url_of(path):
    return f"sqlite:///{path}"


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_missing_database_is_named(tmp_path):
    with pytest.raises(StoreUnusable, match=r"no database at .*missing\.sqlite; run `adapter init`"):
        open_database(url_of(tmp_path / "missing.sqlite"))
    assert not (tmp_path / "missing.sqlite").exists()


@pytest.mark.parametrize(
    "url", ["postgresql://host/record", "sqlite://", "sqlite:///:memory:?x=1", "adapter.sqlite", "", "sqlite:/x\0"]
)
def test_an_address_that_is_no_file_is_refused(url):
    with pytest.raises(StoreUnusable, match=r"address|no database"):
        open_database(url)


def test_a_relative_address_is_a_relative_path():
    assert database_path("sqlite:///data/adapter.sqlite") == Path("data/adapter.sqlite")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"this is a text, and a rather long one " * 200)
    for opening in (open_database, prepare):
        with pytest.raises(StoreUnusable, match="not a database"):
            opening(url_of(tmp_path / "a.sqlite"))


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.sqlite")
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    for opening in (open_database, prepare):
        with pytest.raises(StoreUnusable, match="another program"):
            opening(url_of(tmp_path / "a.sqlite"))
    connection = sqlite3.connect(tmp_path / "a.sqlite")
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    connection.close()


def test_an_empty_file_has_no_version(tmp_path):
    (tmp_path / "a.sqlite").touch()
    with pytest.raises(StoreUnusable, match=f"version none and this program needs {SCHEMA_REVISION}"):
        open_database(url_of(tmp_path / "a.sqlite"))


def test_a_database_of_another_version_is_refused(home):
    home.change("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnusable, match="version 9999"):
        open_database(url_of(home.database.path))
    with pytest.raises(StoreUnusable, match="newer version"):
        prepare(url_of(home.database.path))


def test_a_damaged_database_is_found_when_it_is_opened(home):
    home.fill(20, 10)
    home.change("PRAGMA wal_checkpoint(TRUNCATE)")
    with home.database.path.open("r+b") as file:
        for page in range(4, 12):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    with pytest.raises(StoreUnusable, match=r"damaged.*restore the last backup"):
        open_database(url_of(home.database.path))


def test_a_database_that_may_not_be_read_is_named(home):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    home.database.path.chmod(0)
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        open_database(url_of(home.database.path))


def test_a_database_is_for_its_owner_only(home):
    home.fill(1, 1)
    connection = home.database.connect()
    connection.execute("BEGIN IMMEDIATE")
    files = list(home.database.path.parent.glob("adapter.sqlite*"))
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    connection.close()


def test_preparing_again_changes_nothing(home):
    home.fill(2, 2)
    prepare(url_of(home.database.path))
    assert home.verify().entries == 4


# --- while it runs ---------------------------------------------------------------------------------------------------


async def test_a_locked_database_fails_the_write_and_nothing_else(home):
    record = home.writer(database=open_database(url_of(home.database.path), lock_timeout_s=0.1))
    await record.start()
    await record.write(RecordWrite(entry=an_entry()))
    blocker = home.database.connect()
    blocker.execute("BEGIN IMMEDIATE")
    claim = a_claim()
    with pytest.raises(RecordUnavailable, match="locked by another process"):
        await record.write(a_request(claim))
    assert await record.find(CONSUMER, claim.message_id) is None
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await record.write(a_request(claim)) == Written(number=RecordNumber(1))
    await record.close()
    assert home.verify().entries == 2


class SmallDatabase(Database):
    """A real database on a disk with hardly any room: SQLite itself reports it full."""

    pages = 60

    def connect(self):
        connection = Database.connect(self)
        connection.execute(f"PRAGMA max_page_count = {self.pages}").fetchall()
        return connection


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path, root):
    """A real file system of one megabyte, in a mount namespace that ends with the process."""
    private = [shutil.which("unshare") or "unshare", "--mount", "--map-root-user"]
    try:
        subprocess.run([*private, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here without being root")
    command = [*private, sys.executable, str(Path(__file__).with_name("full_disk.py")), str(tmp_path)]
    ran = subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(root)})
    said = json.loads(ran.stdout.splitlines()[-1])
    assert "the disk (or its quota) is full; free space" in said["refusal"]
    assert said["acknowledged"] == list(range(said["entries"]))
    assert said["entries"] > 3


async def test_a_full_database_is_written_to_again_when_there_is_room(home):
    record = home.writer(database=SmallDatabase(home.database.path, home.database.engine))
    await record.start()
    acknowledged, refusal = await fill_up(record)
    assert "is full" in refusal.reason
    assert home.verify().entries == len(acknowledged) > 3
    SmallDatabase.pages = 100_000
    try:
        claim = a_claim()
        await record.write(a_request(claim))
        await record.write(an_answer(claim))
    finally:
        SmallDatabase.pages = 60
    assert (await record.find(CONSUMER, claim.message_id)).reply == b"<reply/>"
    await record.close()
    home.verify()


@pytest.mark.parametrize("replace", [False, True])
async def test_a_database_that_was_taken_away_is_not_written_to(home, record, replace):
    """A connection would go on writing into the deleted file, and all of it would be lost."""
    await record.write(RecordWrite(entry=an_entry()))
    copy = home.database.path.with_name("copy")
    shutil.copy(home.database.path, copy)
    home.database.path.unlink()
    if replace:
        copy.rename(home.database.path)
    with pytest.raises(RecordUnavailable):
        await record.write(RecordWrite(entry=an_entry()))
    with pytest.raises(RecordUnavailable):
        await record.write(RecordWrite(entry=an_entry()))


async def test_a_database_damaged_under_way_fails_the_write(home, record):
    await record.write(RecordWrite(entry=an_entry()))
    home.change("DROP TABLE checkpoints")
    with pytest.raises(RecordUnavailable, match="tables may be of another version"):
        await record.write(RecordWrite(entry=an_entry()))


# --- when nobody knows whether a commit landed -----------------------------------------------------------------------


class DoubtfulCursor(sqlite3.Cursor):
    """Its next commit ends in an error, after it landed or instead."""

    def execute(self, sql, *parameters):
        if sql == "COMMIT" and DoubtfulDatabase.next_commit is not None:
            landed, DoubtfulDatabase.next_commit = DoubtfulDatabase.next_commit, None
            super().execute("COMMIT" if landed else "ROLLBACK")
            raise sqlite3.OperationalError("the connection was lost")
        return super().execute(sql, *parameters)


class DoubtfulConnection:
    """Hands out cursors with doubtful commits."""

    def __init__(self, connection):
        self._connection = connection

    def cursor(self):
        return DoubtfulCursor(self._connection)

    def close(self):
        self._connection.close()


class DoubtfulDatabase(Database):
    next_commit: ClassVar[bool | None] = None
    reachable: ClassVar[bool] = True
    meanwhile: ClassVar[Callable[[], None] | None] = None
    """What somebody else does before the next connection."""

    def connect(self):
        if (happening := DoubtfulDatabase.meanwhile) is not None:
            DoubtfulDatabase.meanwhile = None
            happening()
        if not DoubtfulDatabase.reachable:
            raise sqlite3.OperationalError("unable to open database file")
        return DoubtfulConnection(Database.connect(self))


@pytest.fixture
def doubtful(home):
    yield DoubtfulDatabase(home.database.path, home.database.engine)
    DoubtfulDatabase.next_commit = None
    DoubtfulDatabase.reachable = True


async def test_a_commit_that_landed_is_acknowledged_though_it_seemed_to_fail(home, doubtful):
    record = home.writer(database=doubtful)
    await record.start()
    claim = a_claim()
    DoubtfulDatabase.next_commit = True
    first, second = await asyncio.gather(record.write(a_request(claim)), record.write(RecordWrite(entry=an_entry())))
    assert (first, second) == (Written(number=RecordNumber(0)), Written(number=RecordNumber(1)))
    await record.write(an_answer(claim))
    await record.close()
    assert home.verify().entries == 3


async def test_a_commit_that_did_not_land_is_not_acknowledged_and_may_be_tried_again(home, doubtful):
    record = home.writer(database=doubtful)
    await record.start()
    claim = a_claim()
    DoubtfulDatabase.next_commit = False
    with pytest.raises(RecordUnavailable):
        await record.write(a_request(claim))
    assert await record.find(CONSUMER, claim.message_id) is None
    assert await record.write(a_request(claim)) == Written(number=RecordNumber(0))
    assert await record.write(an_answer(claim, b"<sealed-under-the-new-key-of-the-day/>")) == Written(
        number=RecordNumber(1)
    )
    known = await record.find(CONSUMER, claim.message_id)
    assert (known.state, known.reply) == (ExchangeState.ANSWERED, b"<sealed-under-the-new-key-of-the-day/>")
    await record.close()
    home.verify()


async def test_a_commit_of_which_nothing_can_be_learnt_is_not_acknowledged(home, doubtful):
    record = home.writer(database=doubtful)
    await record.start()
    DoubtfulDatabase.next_commit = True
    DoubtfulDatabase.reachable = False
    with pytest.raises(RecordUnavailable):
        await record.write(RecordWrite(entry=an_entry()))
    DoubtfulDatabase.reachable = True
    assert await record.write(RecordWrite(entry=an_entry())) == Written(number=RecordNumber(1))
    await record.close()
    assert home.verify().entries == 2


async def test_another_writers_entries_at_the_same_numbers_are_not_taken_for_ours(home, doubtful):
    record = home.writer(database=doubtful)
    await record.start()
    DoubtfulDatabase.next_commit = False
    DoubtfulDatabase.meanwhile = lambda: home.fill(1, 3)
    with pytest.raises(RecordUnavailable):
        await record.write(RecordWrite(entry=an_entry()))
    await record.close()
    assert home.verify().entries == 3

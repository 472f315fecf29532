"""A search finds exactly what fits, page by page, and never reads the record through to find it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, event

from adapter.audit.document import document_of
from adapter.ports import Entry
from adapter.store import log_search
from adapter.store.appending import append_entries
from adapter.store.engine import unchecked_database
from adapter.store.log_reader import LogFilter, LogReader
from adapter.store.migrate import alembic_config, prepare
from adapter.store.schema import APPLICATION_ID
from adapter.store.usage_reader import UsageReader
from tests.records import NOW, RecordHome, an_entry

SIZE = 240
_KINDS = (
    ("request-received", "released"),
    ("request-sent", "sent"),
    ("reply-sent", "answered"),
    ("refused", "AccessDenied"),
    ("refused", "NoLegalBasis"),
    ("call-refused", "AccessDenied"),
    ("admin", "access-granted"),
)


def _entries() -> list[Entry]:
    """Of every kind, by several members, with a clock that is set back now and then."""
    source = random.Random(395)
    made = []
    for number in range(SIZE):
        kind, outcome = source.choice(_KINDS)
        entry = an_entry(f"urn:uuid:{number:04d}", kind=kind, subjects=(f"{source.randrange(5):064x}",))
        body = {
            **entry.body,
            "official": f"A-{source.randrange(4)}",
            "purpose": source.choice(("benefit", "pension", None)),
        }
        told = {name: value for name, value in body.items() if value is not None}
        made.append(
            replace(
                entry,
                body=told if kind != "admin" else {"kind": kind},
                at=NOW + timedelta(minutes=number - (40 if source.random() < 0.1 else 0)),
                consumer=source.choice(("UZ/GOV/200000003/benefits", "UZ/GOV/2000000031/benefits", None)),
                service=f"UZ/GOV/{200000001 + source.randrange(3)}/population/GetPerson/v1",
                outcome=outcome,
                incident=f"i-{number}" if kind == "refused" else None,
            )
        )
    return made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> RecordHome:
    home = RecordHome.make(tmp_path_factory.mktemp("searched"))
    append_entries(home.database, home.log, _entries())
    return home


def _fits(entry: Entry, which: LogFilter) -> bool:
    """The same, asked of each entry in turn."""
    indexed = document_of(entry).indexed
    said = all(
        getattr(indexed, name) == wanted
        for name in ("kind", "consumer", "service", "outcome", "incident", "message_id", "official", "purpose")
        if (wanted := getattr(which, name)) is not None
    )
    named = [name or "" for name in (entry.consumer, entry.service)]
    return (
        said
        and (which.with_acts or entry.kind != "admin")
        and (which.member is None or any(name.startswith(f"{which.member}/") for name in named))
        and (which.subject is None or which.subject in entry.body.get("subjects", ()))
        and (which.since is None or entry.at >= which.since)
        and (which.until is None or entry.at < which.until)
    )


def _expected(which: LogFilter) -> list[int]:
    made = _entries()
    fitting = [number for number, entry in enumerate(made) if _fits(entry, which)]
    return sorted(fitting, key=lambda number: (made[number].at if which.by_time else NOW, number), reverse=True)


_CHOICES: dict[str, tuple[Any, ...]] = {
    "kind": ("refused", "request-received", "admin", "never"),
    "member": ("UZ/GOV/200000003", "UZ/GOV/200000001", "UZ/GOV/20000000"),
    "consumer": ("UZ/GOV/200000003/benefits",),
    "service": ("UZ/GOV/200000001/population/GetPerson/v1",),
    "official": ("A-1", "A-9"),
    "purpose": ("pension", "benefit"),
    "outcome": ("AccessDenied", "released", "access-granted", "answered"),
    "incident": ("i-7",),
    "message_id": ("urn:uuid:0009",),
    "subject": (f"{2:064x}", "tag"),
    "since": (NOW + timedelta(minutes=30), NOW + timedelta(minutes=200)),
    "until": (NOW + timedelta(minutes=90), NOW + timedelta(minutes=500)),
    "with_acts": (False,),
}


def _filters() -> list[LogFilter]:
    """Each condition alone, and some of several; with_acts only beside others, as it finds nothing by itself."""
    source = random.Random(2015)
    alone = [LogFilter(**{name: value}) for name, values in _CHOICES.items() for value in values if name != "with_acts"]
    together = [
        LogFilter(
            **{name: source.choice(_CHOICES[name]) for name in source.sample(sorted(_CHOICES), source.choice((2, 3)))}
        )
        for _ in range(30)
    ]
    return [*alone, *together]


@pytest.mark.parametrize("counted", [log_search.COUNTED, 3])
def test_every_page_of_a_search_has_what_fits(
    filled: RecordHome, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when no way is short (3): then other ways are gone, and have to find the same."""
    monkeypatch.setattr(log_search, "COUNTED", counted)
    for which in _filters():
        found: list[int] = []
        while page := filled.reader.search(replace(which, limit=61, before=found[-1] if found else None)):
            found += [entry.number for entry in page]
        assert found == _expected(which), which


@contextmanager
def _plans(home: RecordHome) -> Iterator[list[str]]:
    """How the database says that it finds what it is asked for meanwhile."""
    steps: list[str] = []

    def explain(connection: Connection, _cursor: object, sql: str, parameters: Any, *_: object) -> None:
        if sql.startswith("SELECT"):
            cursor = connection.connection.cursor()
            steps.extend(f"{row[3]}  <- {sql}" for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))

    event.listen(home.database.engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(home.database.engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("counted", [log_search.COUNTED, 3])
def test_no_search_reads_the_record_through(filled: RecordHome, counted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "COUNTED", counted)
    for which in _filters():
        with _plans(filled) as steps:
            filled.reader.search(which)
        assert any("entries_" in step or "PRIMARY KEY" in step for step in steps)
        read_through = [step for step in steps if step.startswith(("SCAN entries", "SCAN subjects"))]
        assert read_through == [], which


@pytest.mark.parametrize(
    ("counted", "which", "index"),
    [
        (10_000, LogFilter(purpose="benefit", official="A-1"), "entries_official"),
        (10_000, LogFilter(official="A-1", purpose="never"), "entries_purpose"),
        (10_000, LogFilter(official="A-1", outcome="NoLegalBasis", kind="refused"), "entries_kind"),
        (10_000, LogFilter(consumer="UZ/GOV/200000003/benefits", since=NOW + timedelta(minutes=230)), "entries_at_ms"),
        (3, LogFilter(consumer="UZ/GOV/200000003/benefits", until=NOW + timedelta(minutes=90)), "entries_at_ms"),
    ],
)
def test_the_shortest_way_is_gone_and_what_is_found_is_not_sorted(
    filled: RecordHome, counted: int, which: LogFilter, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "COUNTED", counted)
    with _plans(filled) as steps:
        filled.reader.search(which)
    page = [step.partition("  <- ")[0] for step in steps if "ORDER BY" in step.partition("  <- ")[2]]
    assert page
    assert all(f"INDEX {index} " in step for step in page)


def test_what_comes_later_is_followed(filled: RecordHome, tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    append_entries(home.database, home.log, _entries()[:100])
    which = LogFilter(kind="refused")
    expected = sorted(number for number in _expected(which) if 40 <= number < 100)
    seen: list[int] = []
    at = 40
    while True:
        page, end = home.reader.following(at, which, 7)
        if end == at:
            break
        seen += [entry.number for entry in page]
        at = end
    assert (seen, at) == (expected, 100)
    append_entries(home.database, home.log, [an_entry(kind="refused")])
    page, end = home.reader.following(at, which, 7)
    assert ([entry.number for entry in page], end) == ([100], 101)


def test_a_record_of_before_is_found_by_official_and_purpose(tmp_path: Path) -> None:
    """The migration fills the columns of entries that were written without them, as entries are written now."""
    path = tmp_path / "old.sqlite"
    path.touch(mode=0o600)
    answer = replace(an_entry(kind="reply-sent"), body={**an_entry().body, "in_reply_to": "urn:uuid:1"})
    administrative = replace(an_entry(), kind="admin", body={"kind": "admin", "details": {"official": "x"}})
    written = [document_of(entry) for entry in (an_entry(), answer, administrative)]
    with unchecked_database(path).writing() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        command.upgrade(alembic_config(connection), "0006")
        for number, entry in enumerate(written):
            connection.exec_driver_sql(
                "INSERT INTO entries (number, leaf_hash, kind, at_ms, document) VALUES (?, ?, ?, ?, ?)",
                (number, entry.leaf_hash, entry.indexed.kind, entry.indexed.at_ms, entry.text),
            )
    reader = LogReader(prepare(f"sqlite:///{path}"))
    assert [entry.number for entry in reader.search(LogFilter(official="A-1234", purpose="benefits"))] == [0]
    stored = [(entry.indexed.official, entry.indexed.purpose) for entry in reader.entries(len(written))]
    assert stored == [(entry.indexed.official, entry.indexed.purpose) for entry in written]


def test_what_a_person_is_told_is_found_by_the_person_and_by_message_ids(filled: RecordHome) -> None:
    """Half of a record are answers: looked for by their kind, every question would read all of them."""
    with _plans(filled) as steps:
        told = list(UsageReader(filled.database).asked(f"{1:064x}"))
    assert told
    assert any("entries_message_id" in step for step in steps)
    assert not [step for step in steps if "entries_kind" in step or step.startswith("SCAN")]

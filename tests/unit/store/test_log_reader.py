"""Searching the record, and proving to an outsider what is in it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.audit.checkpoint import open_checkpoint
from adapter.audit.proofs import verify_consistency, verify_inclusion
from adapter.errors import CommandRefused, RecordBroken
from adapter.store.appending import append_entries
from adapter.store.log_reader import LogFilter, latest_opened
from tests.records import NOW, ORIGIN, an_entry


@pytest.fixture
def filled(home):
    """Twelve entries, a minute apart, of several kinds."""
    entries = [
        replace(
            an_entry(f"urn:uuid:message-number-{number:04d}", subjects=(f"tag-{number % 4}",)),
            at=NOW + timedelta(minutes=number),
            kind="refused" if number % 3 == 0 else "request-received",
            consumer=None if number == 5 else f"UZ/GOV/20000000{number % 2}/social",
            service=f"UZ/GOV/200000001/population/Service{number % 5}/v1",
            outcome="AccessDenied" if number % 3 == 0 else "released",
            incident=f"incident-{number}" if number % 3 == 0 else None,
        )
        for number in range(12)
    ]
    for at in range(0, 12, 5):
        append_entries(home.database, home.log, entries[at : at + 5])
    home.verify()
    return home


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        (LogFilter(), range(12)),
        (LogFilter(limit=3), [9, 10, 11]),
        (LogFilter(limit=3, before=9), [6, 7, 8]),
        (LogFilter(before=0), []),
        (LogFilter(kind="refused"), [0, 3, 6, 9]),
        (LogFilter(outcome="AccessDenied", consumer="UZ/GOV/200000001/social"), [3, 9]),
        (LogFilter(service="UZ/GOV/200000001/population/Service2/v1"), [2, 7]),
        (LogFilter(incident="incident-6"), [6]),
        (LogFilter(incident="incident-7"), []),
        (LogFilter(message_id="urn:uuid:message-number-0004"), [4]),
        (LogFilter(since=NOW + timedelta(minutes=10)), [10, 11]),
        (LogFilter(until=NOW + timedelta(minutes=2)), [0, 1]),
        (LogFilter(since=NOW + timedelta(minutes=2), until=NOW + timedelta(minutes=4)), [2, 3]),
        (LogFilter(subject="tag-1"), [1, 5, 9]),
        (LogFilter(subject="tag-1", kind="refused"), [9]),
        (LogFilter(subject="tag-9"), []),
        (LogFilter(kind="' OR 1=1 --"), []),
    ],
)
def test_a_search_finds_exactly_what_fits_newest_first(filled, which, numbers):
    assert [entry.number for entry in filled.reader.search(which)] == sorted(numbers, reverse=True)


def test_a_search_by_person_message_or_incident_reads_an_index(home):
    """With ten million entries, anything else would take minutes."""
    for which in ("tag = 't'", "message_id = 'm'", "incident = 'i'", "consumer = 'c'", "service = 's'", "at_ms > 5"):
        table = "subjects" if which.startswith("tag") else "entries"
        connection = home.database.connect()
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT number FROM {table} WHERE {which}").fetchall()
        connection.close()
        assert all("SEARCH" in step[3] for step in plan)


def test_an_entry_is_shown_as_it_was_hashed(filled):
    entry = filled.reader.show(7)
    assert entry.body["message_id"] == "urn:uuid:message-number-0007"
    assert "index" not in entry.body
    assert entry.indexed.kind == "request-received"


@pytest.mark.parametrize("number", [-1, 12, 1 << 62])
def test_an_entry_that_is_not_there_is_refused(filled, number):
    with pytest.raises(CommandRefused, match="no entry"):
        filled.reader.show(number)


def test_every_entry_is_proved_in_every_checkpoint_that_covers_it(filled):
    for number in range(12):
        for size in (None, 5, 10, 12):
            if size is not None and size <= number:
                with pytest.raises(CommandRefused):
                    filled.reader.prove_entry(number, size)
                continue
            proof = filled.reader.prove_entry(number, size)
            checkpoint = open_checkpoint(proof.checkpoint, filled.verifiers, origin=ORIGIN)
            assert checkpoint.size == proof.size == size or size is None
            verify_inclusion(
                leaf=proof.entry.leaf_hash, index=number, size=proof.size, proof=proof.path, root=checkpoint.root
            )


def test_a_proof_for_a_checkpoint_that_was_never_signed_is_refused(filled):
    with pytest.raises(CommandRefused, match="no checkpoint of size 7"):
        filled.reader.prove_entry(3, 7)


def test_the_first_checkpoint_that_covers_an_entry_is_found(filled):
    assert [filled.reader.checkpoint_of(number).size for number in (0, 4, 5, 9, 10, 11)] == [5, 5, 10, 10, 12, 12]
    with pytest.raises(CommandRefused):
        filled.reader.checkpoint_of(12)


def test_a_grown_record_is_proved_consistent(home):
    home.fill(40, 17)
    sizes = [stored.size for stored in home.reader.checkpoints(40 * 17)]
    opened = {
        stored.size: open_checkpoint(stored.note, home.verifiers, origin=ORIGIN)
        for stored in home.reader.checkpoints(40 * 17)
    }
    for old_size, new_size in zip(sizes[::7], sizes[5::7], strict=False):
        verify_consistency(
            old_size=old_size,
            old_root=opened[old_size].root,
            new_size=new_size,
            new_root=opened[new_size].root,
            proof=home.reader.prove_consistency(old_size, new_size),
        )


def test_a_proof_from_damaged_hashes_is_refused(home):
    home.fill(2, 300)
    home.change("DELETE FROM entries WHERE number = 2")
    with pytest.raises(RecordBroken, match="stored hash 2 of level 0"):
        home.reader.prove_entry(3)
    home.change("DELETE FROM tile_hashes WHERE position = 1")
    with pytest.raises(RecordBroken, match="stored hash 1 of level 1"):
        home.reader.prove_entry(3)


def test_the_newest_checkpoint_is_opened(home):
    assert latest_opened(home.reader, home.verifiers, origin=ORIGIN) is None
    assert home.reader.latest_checkpoint() is None
    home.fill(2, 3)
    assert latest_opened(home.reader, home.verifiers, origin=ORIGIN) == home.checkpoint()
    assert home.checkpoint().size == 6


def test_more_than_one_page_is_read_in_order(home, monkeypatch):
    monkeypatch.setattr("adapter.store.log_reader._PAGE_ROWS", 7)
    home.fill(3, 7)
    assert [entry.number for entry in home.reader.entries(21)] == list(range(21))
    assert [entry.number for entry in home.reader.entries(9)] == list(range(9))
    assert home.verify().entries == 21

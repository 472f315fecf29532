"""What is hashed for an entry covers what it is searched by."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from adapter.audit.document import IndexedValues, document_of, milliseconds, moment, read_document
from adapter.audit.merkle import leaf_hash
from adapter.envelope.instants import write_instant
from adapter.errors import InternalError, RecordBroken
from adapter.ports import Entry

AT = datetime(2026, 3, 2, 9, 0, 0, 123_999, tzinfo=UTC)
ENTRY = Entry(
    body={
        "kind": "reply-sent",
        "at": "2026-03-02T09:00:00.123Z",
        "message_id": "urn:uuid:reply",
        "subjects": ["t1"],
        "official": "A-17",
        "purpose": "benefit",
    },
    kind="reply-sent",
    at=AT,
    message_id="urn:uuid:request",
    consumer="UZ/GOV/200000003/social",
    outcome="answered",
)


def test_the_leaf_hash_is_of_the_text():
    document = document_of(ENTRY)
    assert document.leaf_hash == leaf_hash(document.text.encode())
    assert document.subjects == ("t1",)


def test_search_values_that_the_body_does_not_say_are_added_and_read_back():
    document = document_of(ENTRY)
    assert json.loads(document.text)["index"] == {
        "message_id": "urn:uuid:request",
        "consumer": "UZ/GOV/200000003/social",
        "outcome": "answered",
    }
    body, indexed = read_document(document.text)
    assert body == ENTRY.body
    assert indexed == document.indexed
    assert indexed == IndexedValues(
        "reply-sent",
        milliseconds(AT),
        "urn:uuid:request",
        "UZ/GOV/200000003/social",
        None,
        "answered",
        None,
        "A-17",
        "benefit",
    )


def test_who_asked_is_searched_in_requests_and_not_in_their_answers():
    answer = replace(ENTRY, body={**ENTRY.body, "in_reply_to": "urn:uuid:request"})
    assert document_of(answer).indexed[-2:] == (None, None)
    assert read_document(document_of(answer).text)[1] == document_of(answer).indexed


def test_a_body_that_says_everything_is_stored_as_it_is():
    entry = replace(ENTRY, message_id="urn:uuid:reply", consumer=None, outcome=None)
    assert json.loads(document_of(entry).text) == ENTRY.body


@pytest.mark.parametrize("name", ["kind", "message_id", "consumer", "service", "outcome", "incident"])
def test_another_search_value_is_another_leaf(name):
    other: dict[str, Any] = {name: "other"}
    assert document_of(replace(ENTRY, **other)).leaf_hash != document_of(ENTRY).leaf_hash


def test_another_time_is_another_leaf():
    assert document_of(replace(ENTRY, at=AT + timedelta(milliseconds=1))).leaf_hash != document_of(ENTRY).leaf_hash


def test_a_search_value_that_is_none_is_not_read_from_the_body():
    entry = replace(ENTRY, message_id=None)
    assert read_document(document_of(entry).text)[1].message_id is None


def test_a_person_named_twice_is_listed_once():
    assert document_of(replace(ENTRY, body={"subjects": ["t1", "t2", "t1"]})).subjects == ("t1", "t2")


def test_a_body_cannot_bring_search_values_of_its_own():
    with pytest.raises(InternalError):
        document_of(replace(ENTRY, body={"index": {"kind": "admin"}}))


def test_times_are_utc_and_cut_to_milliseconds():
    in_tashkent = AT.astimezone(timezone(timedelta(hours=5)))
    assert write_instant(in_tashkent) == "2026-03-02T09:00:00.123Z"
    assert moment(milliseconds(in_tashkent)) == AT.replace(microsecond=123_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '"x"',
        '{"kind":"a"}',
        '{"kind":"a","at":1}',
        '{"kind":"a","at":"2026-03-02T09:00:00"}',
        '{"kind":"a","at":"x"}',
        '{"kind":"a","at":"9999-12-31T23:59:59-23:59"}',
        '{"index":[],"kind":"a","at":"2026-03-02T09:00:00Z"}',
        "[" * 100_000,
    ],
)
def test_a_text_that_is_no_entry_is_refused(text):
    with pytest.raises(RecordBroken):
        read_document(text)

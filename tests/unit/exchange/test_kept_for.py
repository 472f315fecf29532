"""What decides how long messages are kept; and a retry of what was answered and is kept no longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from adapter.audit.document import document_of, read_document
from adapter.audit.kept import digest_of, keeping_said, must_be_kept
from adapter.ports import REPLY, REQUEST, Keeping, RecordWrite
from tests.get_person import good_call
from tests.memory_parts import MemoryRecord
from tests.two_sides import TwoSides, sealed_request


async def test_an_allowed_exchange_is_kept_by_its_service_and_purpose(sides: TwoSides) -> None:
    await sides.call()
    expected = Keeping(str(sides.federation.population.service), "benefit")
    for record in (sides.consumer_record, sides.provider_record):
        assert [write.keeping for write in record.log if write.kept] == [expected, expected]


async def test_what_a_refused_message_says_decides_nothing(sides: TwoSides) -> None:
    sides.rules = ()
    await sides.call(good_call())
    refused = [write for write in sides.provider_record.log if write.kept]
    assert [(write.entry.outcome, write.keeping) for write in refused] == [("AccessDenied", Keeping())]


async def test_a_fault_of_the_system_is_kept_with_its_exchange(sides: TwoSides) -> None:
    sides.register.answer_with = RuntimeError("down")
    await sides.call()
    kept = {write.keeping.purpose for write in sides.provider_record.log if write.kept}
    assert kept == {"benefit"}


async def test_a_retry_of_what_is_kept_no_longer_is_told_so_and_does_not_run_again(sides: TwoSides) -> None:
    sealed = sealed_request(sides)
    await sides.wire.post(sealed.octets)
    ((key, known),) = sides.provider_record.known.items()
    assert known.reply is not None
    sides.provider_record.known[key] = replace(known, reply=None)
    await sides.wire.post(sealed.octets)
    assert sides.provider_record.outcomes[-1] == "AnswerNotKept"
    assert len(sides.register.asked) == 1


# --- what entries tell of it, by which `log verify` misses what is gone ----------------------------------------------


async def test_entries_tell_which_messages_are_kept_with_them_and_under_whose_key(sides: TwoSides) -> None:
    await sides.call()
    assert [_directions(write) for write in sides.provider_record.log] == [(REQUEST,), (REPLY,)]
    assert [_directions(write) for write in sides.consumer_record.log] == [(REQUEST,), (REPLY,)]
    _check_said(sides.provider_record)
    _check_said(sides.consumer_record)


async def test_entries_of_refusals_do_too(sides: TwoSides) -> None:
    """Of a request that was released and failed, of one that was not allowed, and of one by a stranger."""
    sides.register.answer_with = RuntimeError("down")
    await sides.call()
    sides.rules = ()
    await sides.call(good_call())
    await sides.wire.post(b"<no-envelope/>")
    record = sides.provider_record
    assert [_directions(write) for write in record.log] == [(REQUEST,), (REPLY,), (REQUEST, REPLY), ()]
    _check_said(record)
    _check_said(sides.consumer_record)


def _directions(write: RecordWrite) -> tuple[str, ...]:
    return tuple(kept.direction for kept in write.kept)


def _check_said(record: MemoryRecord) -> None:
    """What is kept with each entry is what the entry's own text tells, and nothing that it tells is not kept."""
    bodies: list[Mapping[str, Any]] = [read_document(document_of(write.entry).text)[0] for write in record.log]
    for write, body in zip(record.log, bodies, strict=True):
        assert must_be_kept(body) == _directions(write), body["kind"]
        for kept in write.kept:
            assert digest_of(body, kept.direction) == sha256(kept.octets).hexdigest()
        if write.kept:
            request = bodies[body["request_entry"]] if "request_entry" in body else None
            assert keeping_said(body, request) == write.keeping

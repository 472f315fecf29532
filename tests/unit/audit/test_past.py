"""The question about a record and its answer: what is written is read back, all else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.audit.past import (
    MAX_ANSWER_OCTETS,
    MAX_HELD,
    MAX_QUESTION_OCTETS,
    Answer,
    read_answer,
    read_question,
    write_answer,
    write_question,
)
from adapter.audit.peer_checkpoints import MAX_SIZES, ClaimedPast
from adapter.errors import MalformedMessage, PeerAnswerInvalid

PAST = ClaimedPast(size=17, root=bytes(range(32)), proof=(bytes(32), b"\x01" * 32))
ANSWER = Answer(newest="a note", past=(PAST,), held=("another",))


def test_a_question_is_read_back() -> None:
    assert read_question(write_question([17, 40])) == (17, 40)
    assert read_question(write_question([1] * MAX_SIZES)) == (1,) * MAX_SIZES


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff",
        b"[" * 4_000,
        b"[17]",
        b"{}",
        b'{"sizes": [17], "more": 1}',
        b'{"sizes": 17}',
        b'{"sizes": [0]}',
        b'{"sizes": [-1]}',
        b'{"sizes": [true]}',
        b'{"sizes": ["17"]}',
        b'{"sizes": [17.0]}',
        b'{"sizes": [9223372036854775808]}',
        write_question([1] * (MAX_SIZES + 1)),
        write_question([17]) + b" " * MAX_QUESTION_OCTETS,
    ],
)
def test_anything_else_is_no_question(octets: bytes) -> None:
    with pytest.raises(MalformedMessage) as refusal:
        read_question(octets)
    assert refusal.value.reason == f"a question about the record is a list of at most {MAX_SIZES} sizes"


def test_an_answer_is_read_back() -> None:
    assert read_answer(write_answer(ANSWER)) == ANSWER


def refused(octets: bytes) -> str:
    with pytest.raises(PeerAnswerInvalid) as refusal:
        read_answer(octets)
    return refusal.value.reason


@pytest.mark.parametrize("more", [{"past": [{}] * (MAX_SIZES + 1)}, {"held": ["note"] * (MAX_HELD + 1)}])
def test_an_answer_says_no_more_than_was_asked(more: dict[str, Any]) -> None:
    said = json.loads(write_answer(ANSWER))
    assert refused(json.dumps({**said, **more}).encode()) == "the answer about a record says more than was asked"


def with_past(**changes: Any) -> dict[str, Any]:
    return {"past": [{"size": 17, "root": "00" * 32, "proof": [], **changes}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"newest": ""},
        {"newest": 1},
        {"newest": "n" * 1_025},
        {"held": [None]},
        {"past": 1},
        with_past(size=0),
        with_past(size="17"),
        with_past(root="00" * 31),
        with_past(root="zz" * 32),
        with_past(proof=["00" * 33]),
        with_past(proof=["00" * 32] * 127),
        with_past(proof=[1]),
    ],
)
def test_an_answer_of_another_form(changes: dict[str, Any]) -> None:
    said = json.loads(write_answer(ANSWER))
    reason = refused(json.dumps({**said, **changes}).encode())
    assert reason == "the answer about a record is not of the form that it has"


def test_an_answer_that_is_none_or_too_long() -> None:
    for octets in (b"", b"[]", b"{}", b"[" * 100_000, write_answer(ANSWER) + b" " * MAX_ANSWER_OCTETS):
        assert refused(octets) == "the answer about a record is not of the form that it has"

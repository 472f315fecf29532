"""The question between two adapters about a record: what was shown then has to be in what there is now.

    POST /peer/record    {"sizes": [17, 40]}
    200                  {"newest": "<signed note>", "held": ["<signed note>", …],
                          "past": [{"size": 17, "root": "<hex>", "proof": ["<hex>", …]}, …]}

`newest` is of the record of whoever answers, and each proof leads from the size to it (RFC 6962, 2.1.2). `held` is what
the answering side keeps of the record of whoever asks. Both are JSON in UTF-8, bounded, and untrusted as they come.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapter.audit.merkle import HASH_OCTETS, MAX_SIZE
from adapter.audit.peer_checkpoints import MAX_SIZES, ClaimedPast
from adapter.errors import MalformedMessage, PeerAnswerInvalid

MAX_QUESTION_OCTETS: Final = 4_096
MAX_ANSWER_OCTETS: Final = 512 * 1024
MAX_HELD: Final = 32
_MAX_NOTE_CHARS: Final = 1_024
_MAX_PROOF_HASHES: Final = 2 * 63


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a peer says of its record, and what it holds of ours. Of the right form; nothing in it is believed yet."""

    newest: str
    past: tuple[ClaimedPast, ...] = ()
    held: tuple[str, ...] = ()


def write_question(sizes: Sequence[int]) -> bytes:
    """The question for these sizes, at most MAX_SIZES."""
    return json.dumps({"sizes": list(sizes)}).encode()


def read_question(octets: bytes) -> tuple[int, ...]:
    """The sizes that are asked for. octets: untrusted. Raises MalformedMessage."""
    try:
        asked = json.loads(octets) if len(octets) <= MAX_QUESTION_OCTETS else None
        sizes = tuple(asked["sizes"]) if isinstance(asked, dict) and set(asked) == {"sizes"} else None
    except (ValueError, TypeError, RecursionError):
        sizes = None
    if sizes is None or len(sizes) > MAX_SIZES or not all(_is_size(size) for size in sizes):
        raise MalformedMessage(f"a question about the record is a list of at most {MAX_SIZES} sizes")
    return sizes


def write_answer(answer: Answer) -> bytes:
    """The answer's octets."""
    past = [
        {"size": one.size, "root": one.root.hex(), "proof": [octets.hex() for octets in one.proof]}
        for one in answer.past
    ]
    return json.dumps({"newest": answer.newest, "past": past, "held": list(answer.held)}).encode()


def read_answer(octets: bytes) -> Answer:
    """A peer's answer. octets: untrusted. Raises PeerAnswerInvalid."""
    try:
        said = json.loads(octets) if len(octets) <= MAX_ANSWER_OCTETS else {}
        if len(said["past"]) > MAX_SIZES or len(said["held"]) > MAX_HELD:
            raise PeerAnswerInvalid("the answer about a record says more than was asked")
        return Answer(
            newest=_note(said["newest"]),
            past=tuple(_past(one) for one in said["past"]),
            held=tuple(_note(one) for one in said["held"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PeerAnswerInvalid("the answer about a record is not of the form that it has") from None


def _past(said: Any) -> ClaimedPast:  # noqa: ANN401 - any JSON value
    proof = tuple(_hash(one) for one in said["proof"])
    if not _is_size(said["size"]) or len(proof) > _MAX_PROOF_HASHES:
        raise ValueError
    return ClaimedPast(size=said["size"], root=_hash(said["root"]), proof=proof)


def _hash(text: Any) -> bytes:  # noqa: ANN401 - any JSON value
    octets = bytes.fromhex(text)
    if len(octets) != HASH_OCTETS:
        raise ValueError
    return octets


def _note(text: Any) -> str:  # noqa: ANN401 - any JSON value
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_NOTE_CHARS:
        raise ValueError
    return text


def _is_size(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_SIZE

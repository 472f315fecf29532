"""The life of a private key, as a table, and what the record's entries say of each key.

The entries are the only memory: there is no second place that could say something else. A key that no entry is about
(made before there was a record, or put into the folder by hand) is judged by what is seen of it; see `inferred`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from adapter.errors import CommandRefused, RecordBroken


class LifeState(Enum):
    """Where a key stands. The value is the word in entries and tables."""

    MADE = "made"
    REQUESTED = "requested"
    CERTIFIED = "certified"
    REGISTERED = "registered"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    DESTROYED = "destroyed"
    REVOKED = "revoked"


TRANSITIONS: Final[Mapping[LifeState | None, frozenset[LifeState]]] = {
    # Nothing is known of the key: it is made here, comes with its certificate from elsewhere, or out of a backup.
    None: frozenset({LifeState.MADE, LifeState.CERTIFIED}),
    # A certificate may come without a request of ours: some authorities write the request themselves.
    LifeState.MADE: frozenset({LifeState.REQUESTED, LifeState.CERTIFIED, LifeState.REVOKED}),
    LifeState.REQUESTED: frozenset({LifeState.REQUESTED, LifeState.CERTIFIED, LifeState.REVOKED}),
    # Certified anew: the first certificate was not the right one, and nobody has been told of it yet.
    LifeState.CERTIFIED: frozenset({LifeState.CERTIFIED, LifeState.REGISTERED, LifeState.REVOKED}),
    LifeState.REGISTERED: frozenset({LifeState.ACTIVE, LifeState.REVOKED}),
    LifeState.ACTIVE: frozenset({LifeState.RETIRING, LifeState.REVOKED}),
    # Back to active: the key that followed it turned out to be bad, and peers still know this one.
    LifeState.RETIRING: frozenset({LifeState.ACTIVE, LifeState.RETIRED, LifeState.REVOKED}),
    LifeState.RETIRED: frozenset({LifeState.DESTROYED, LifeState.REVOKED}),
    LifeState.REVOKED: frozenset({LifeState.DESTROYED}),
    LifeState.DESTROYED: frozenset(),
}

LOADED: Final = frozenset(
    {LifeState.CERTIFIED, LifeState.REGISTERED, LifeState.ACTIVE, LifeState.RETIRING},
)
"""A running adapter holds a key in these states: one that the directory may name opens messages until it is retired."""

_BEYOND_FIRST: Final = frozenset(LifeState) - {
    LifeState.MADE,
    LifeState.REQUESTED,
    LifeState.CERTIFIED,
    LifeState.REGISTERED,
}
"""With a key in one of these states an adapter has had a first key of that purpose."""

LEFT_DIRECTORY: Final = "left-directory"
"""Not a state: the directory that we have names the certificate no longer."""

_PREFIX: Final = "key-"
ACTIONS: Final = tuple(f"{_PREFIX}{word}" for word in (*(state.value for state in LifeState), LEFT_DIRECTORY))
"""The outcomes of the administrative entries that are about one key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyFacts:
    """Which key.

    key_id: SHA-256 of its public key (SubjectPublicKeyInfo, DER), hexadecimal. name: as it lies in the
    folder or is labelled in the token, `signing-2027`. place: `file`, or the name of the token.
    """

    key_id: str
    purpose: str
    name: str
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyLife:
    """What the record says of one key. entry: the number of its last entry. in_directory_since: as we saw it.

    left_directory: when we saw that it was gone from there.
    """

    facts: KeyFacts
    state: LifeState
    since: datetime
    entry: int
    in_directory_since: datetime | None = None
    left_directory: datetime | None = None


Lives = Mapping[str, KeyLife]
"""By key_id."""


def action(word: LifeState | str) -> str:
    """The outcome of the entry that says so."""
    return f"{_PREFIX}{word.value if isinstance(word, LifeState) else word}"


def inferred(*, certified: bool, registered: bool) -> LifeState:
    """The state of a key that no entry is about: it is used as before there was this table."""
    if registered:
        return LifeState.ACTIVE
    return LifeState.CERTIFIED if certified else LifeState.MADE


def check_step(facts: KeyFacts, before: LifeState | None, after: LifeState) -> None:
    """Whether the table has this step. Raises CommandRefused with what would be possible."""
    possible = TRANSITIONS[before]
    if after not in possible:
        words = " or ".join(sorted(state.value for state in possible)) or "nothing any more"
        standing = "unknown" if before is None else before.value
        raise CommandRefused(f"{facts.name} is {standing}: it can become {words}, not {after.value}")


def details_of(facts: KeyFacts, before: LifeState | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry about a key says."""
    return {
        "key": facts.key_id,
        "purpose": facts.purpose,
        "name": facts.name,
        "place": facts.place,
        "before": None if before is None else before.value,
        **more,
    }


def read_lives(rows: Iterable[tuple[int, datetime, str, Mapping[str, Any]]]) -> dict[str, KeyLife]:
    """The lives that entries tell, oldest entry first: number, time, outcome, details. Raises RecordBroken."""
    lives: dict[str, KeyLife] = {}
    for number, at, outcome, details in rows:
        word = outcome.removeprefix(_PREFIX)
        try:
            facts = KeyFacts(
                key_id=details["key"], purpose=details["purpose"], name=details["name"], place=details["place"]
            )
            life = lives.get(facts.key_id)
            if word == LEFT_DIRECTORY:
                lives[facts.key_id] = replace(lives[facts.key_id], left_directory=at, entry=number)
                continue
            state = LifeState(word)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordBroken(f"entry {number} about a key is unreadable") from error
        fresh = life is None or state is LifeState.REGISTERED
        lives[facts.key_id] = KeyLife(
            facts=facts,
            state=state,
            since=at,
            entry=number,
            in_directory_since=at if state is LifeState.REGISTERED else (life.in_directory_since if life else None),
            left_directory=None if fresh or life is None else life.left_directory,
        )
    return lives


def is_loaded(key_id: str, lives: Lives) -> bool:
    """Whether a running adapter may hold this key. One that the record does not know is taken as it always was."""
    life = lives.get(key_id)
    return life is None or life.state in LOADED


def signing_rank(key_id: str, lives: Lives) -> tuple[int, int] | None:
    """In which order keys are tried for a signature or a connection, lowest first; None: not before it is activated.

    The one activated last, then those that the record does not know, then one that is retiring, newest first.
    """
    life = lives.get(key_id)
    if life is None:
        return (1, 0)
    match life.state:
        case LifeState.ACTIVE:
            return (0, -life.entry)
        case LifeState.RETIRING:
            return (2, -life.entry)
        case _:
            return None


def in_order_of_use(key_ids: Iterable[str], lives: Lives, purpose: str) -> list[str]:
    """The keys of one purpose that may sign, the one to use first.

    The first key that an adapter ever has needs no activation: while no key of the purpose was activated and none is
    from before, those with a certificate are used as soon as the directory names them, the one that it named first in
    front: the key that follows it waits for its activation.
    """
    loaded = [key_id for key_id in key_ids if is_loaded(key_id, lives)]
    ranked = [(rank, key_id) for key_id in loaded if (rank := signing_rank(key_id, lives)) is not None]
    if ranked or any(life.state in _BEYOND_FIRST and life.facts.purpose == purpose for life in lives.values()):
        return [key_id for _, key_id in sorted(ranked, key=lambda one: one[0])]
    return sorted(loaded, key=lambda key_id: (lives[key_id].state is not LifeState.REGISTERED, lives[key_id].entry))

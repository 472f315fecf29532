"""The reserved message ids of a provider: reserve, close, find, recover, purge (promise 3).

The functions work inside the transaction of the cursor that they are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.dialects.sqlite import insert

from adapter.audit.document import milliseconds
from adapter.audit.exchange_states import states_before
from adapter.errors import RecordUnavailable
from adapter.ports import Claim, ExchangeState
from adapter.store.schema import exchanges, forgotten
from adapter.store.statements import Cursor, sql

_KEY = (exchanges.c.consumer == bindparam("of_consumer"), exchanges.c.message_id == bindparam("of_message"))
_COLUMNS: Final = tuple(column.name for column in exchanges.columns)
# One statement, because it runs for every request under the write lock: nothing is added when the id is taken, nor when
# it may have been purged.
_RESERVE: Final = sql(
    insert(exchanges)
    .from_select(
        _COLUMNS,
        select(*(bindparam(f"new_{name}") for name in _COLUMNS)).where(
            ~exists(select(forgotten.c.expires_ms).where(forgotten.c.expires_ms >= bindparam("expires")))
        ),
    )
    .on_conflict_do_nothing(),
    *(f"new_{name}" for name in _COLUMNS),
    "expires",
)
_FIND: Final = sql(
    select(exchanges.c.state, exchanges.c.content_digest, exchanges.c.reply_number).where(*_KEY),
    "of_consumer",
    "of_message",
)
_CLOSE: Final = sql(
    update(exchanges)
    .where(
        *_KEY,
        exchanges.c.content_digest == bindparam("of_digest"),
        exchanges.c.state.in_([bindparam("state_0"), bindparam("state_1")]),
    )
    .values(state=bindparam("new_state"), reply_number=bindparam("reply")),
    "new_state",
    "reply",
    "of_consumer",
    "of_message",
    "of_digest",
    "state_0",
    "state_1",
)
_ANSWERABLE: Final = tuple(sorted(state.value for state in states_before(ExchangeState.ANSWERED)))


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """What is stored about a message id. reply_number: the entry whose kept reply answers a retry."""

    state: ExchangeState
    content_digest: bytes
    reply_number: int | None


def find(cursor: Cursor, consumer: str, message_id: str) -> ExchangeRow | None:
    """What is known of a message id."""
    cursor.execute(_FIND, (consumer, message_id))
    row = cursor.fetchone()
    return None if row is None else ExchangeRow(ExchangeState(row[0]), row[1], row[2])


def reserve(cursor: Cursor, claim: Claim, number: int, *, answered: bool, owner: str) -> ExchangeRow | None:
    """Reserve the id for entry `number`; gives what is known instead when it is taken, and changes nothing then.

    answered: the same entry is also the answer. An id that may have been purged is one whose outcome is not known.
    """
    state = ExchangeState.ANSWERED if answered else ExchangeState.RELEASED
    consumer, message_id, expires_ms = str(claim.consumer), str(claim.message_id), _expires_ms(claim)
    cursor.execute(
        _RESERVE,
        (
            consumer,
            message_id,
            state.value,
            claim.content_digest,
            number,
            number if answered else None,
            expires_ms,
            owner,
            expires_ms,
        ),
    )
    if cursor.rowcount == 1:
        return None
    # Ids that expired no sooner were purged: the clock was ahead then, and this may be a message of before.
    forgotten_row = ExchangeRow(ExchangeState.INTERRUPTED, claim.content_digest, None)
    return find(cursor, consumer, message_id) or forgotten_row


def _expires_ms(claim: Claim) -> int:
    return milliseconds(claim.expires) + 1


def close(cursor: Cursor, claim: Claim, number: int) -> None:
    """Entry `number` answers the exchange. Raises RecordUnavailable when there is no such open reservation."""
    consumer, message_id = str(claim.consumer), str(claim.message_id)
    cursor.execute(
        _CLOSE, (ExchangeState.ANSWERED.value, number, consumer, message_id, claim.content_digest, *_ANSWERABLE)
    )
    if cursor.rowcount != 1:
        raise RecordUnavailable("the exchange that this answers is not open")

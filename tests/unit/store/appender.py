"""A worker process that writes to the record as fast as it can and says what was acknowledged."""

import asyncio
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.identifiers import MessageId
from adapter.ports import Written
from adapter.store.engine import open_database
from tests.records import RecordHome, a_claim, a_request, an_answer


def home_of(path, key, archive_key):
    """The record in another process, from what can be handed over."""
    return RecordHome(
        database=open_database(f"sqlite:///{path}"),
        key=Ed25519PrivateKey.from_private_bytes(key),
        archive_key=archive_key,
    )


def append(path, key, archive_key, owner, message_ids, said):
    """Carry out an exchange for each message id, several at once; a line in the file for each acknowledgement."""
    tell = os.open(said, os.O_WRONLY | os.O_APPEND)
    asyncio.run(_append(home_of(path, key, archive_key), owner, iter(message_ids), tell))


async def _append(home, owner, message_ids, tell):
    record = home.writer(owner)
    await record.start()

    async def exchange():
        for message_id in message_ids:
            claim = a_claim(MessageId(message_id))
            written = await record.write(a_request(claim, os.urandom(2_000)))
            if not isinstance(written, Written):
                continue
            os.write(tell, f"released {written.number} {message_id}\n".encode())
            answered = await record.write(an_answer(claim, f"<reply to='{message_id}'/>".encode()))
            assert isinstance(answered, Written)
            os.write(tell, f"answered {answered.number} {message_id}\n".encode())

    await asyncio.gather(*(exchange() for _ in range(8)))
    await record.close()


def endless(prefix):
    """Message ids without end."""
    number = 0
    while True:
        yield f"urn:uuid:{prefix}-{number:09d}"
        number += 1


def append_until_killed(path, key, archive_key, owner, prefix, said):
    """Like `append`, without end."""
    append(path, key, archive_key, owner, endless(prefix), said)

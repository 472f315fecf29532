"""Several worker processes at once, and workers that are killed in the middle of it (promises 3 and 10)."""

import multiprocessing
import os
import random
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from adapter.audit.checkpoint import Checkpoint
from adapter.audit.document import read_document
from adapter.ports import ExchangeState, KnownExchange
from adapter.store import recovery
from adapter.store.archive import Archive
from adapter.store.recovery import recover_worker
from tests.records import CONSUMER, NOW, a_claim, a_request
from tests.unit.store import appender

WORKERS = 3
KILLS = int(os.environ.get("KILLS", "20"))
"""`make kills` asks for a thousand."""

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def processes():
    """Processes that begin with everything imported, and without the threads of this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.unit.store.appender"])
    return context


@dataclass
class Worker:
    """A process that appends, and the file in which it says what was acknowledged."""

    owner: str
    process: BaseProcess
    said: Path

    def lines(self) -> list[list[str]]:
        """Everything that it said: what was released or answered, the entry's number, the message id."""
        return [line.split() for line in self.said.read_text().splitlines()]


def start(processes, home, target, owner, message_ids):
    said = home.database.path.with_name(owner.replace("/", "-"))
    said.touch()
    secrets = (home.key.private_bytes_raw(), home.archive_key)
    process = processes.Process(target=target, args=(home.database.path, *secrets, owner, message_ids, said))
    process.start()
    return Worker(owner, process, said)


def message_ids_by_number(home):
    with closing(home.database.connect()) as connection:
        return dict(connection.execute("SELECT number, message_id FROM entries").fetchall())


def test_workers_that_append_at_once_make_one_log(processes, home):
    """Each message id is carried out by exactly one of the workers, though all of them try all of them."""
    message_ids = [f"urn:uuid:for-all-workers-{number:06d}" for number in range(120)]
    orders = [random.Random(seed).sample(message_ids, len(message_ids)) for seed in range(WORKERS)]
    workers = [
        start(processes, home, appender.append, f"run/{at}", message_ids) for at, message_ids in enumerate(orders)
    ]
    for worker in workers:
        worker.process.join()
        assert worker.process.exitcode == 0
    said = [line for worker in workers for line in worker.lines()]
    released = [message_id for what, _, message_id in said if what == "released"]
    assert sorted(released) == message_ids
    assert sorted(int(number) for _, number, _ in said) == list(range(2 * len(message_ids)))
    assert home.verify().entries == 2 * len(message_ids)
    stored = message_ids_by_number(home)
    assert all(stored[int(number)] == message_id for _, number, message_id in said)


def test_killed_workers_lose_nothing_that_was_acknowledged(processes, home):
    """Two workers write to one record; at random instants one is killed, and replaced."""
    chance = random.Random(20260302)
    said = []
    remembered: list[Checkpoint] = []
    workers = [start_endless(processes, home, f"first-{at}") for at in range(2)]
    for kill in range(KILLS):
        victim = workers.pop(0)
        while not victim.said.stat().st_size:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        victim.process.kill()
        said += finished(home, victim)
        remembered.append(home.checkpoint())
        workers.append(start_endless(processes, home, f"next-{kill}"))
    for worker in workers:
        worker.process.kill()
        said += finished(home, worker)
    home.verify(*remembered)
    stored = message_ids_by_number(home)
    assert all(stored[int(number)] == message_id for _, number, message_id in said)


def start_endless(processes, home, name):
    return start(processes, home, appender.append_until_killed, f"run/{name}", name)


def finished(home, worker):
    """What a killed worker had acknowledged; and that each of its exchanges is in a state that fits it."""
    worker.process.join()
    interrupted = {str(one.message_id) for one in recover_worker(home.database, worker.owner)}
    said = worker.lines()
    answered = {message_id: int(number) for what, number, message_id in said if what == "answered"}
    released = {message_id for what, _, message_id in said if what == "released"}
    states, replies = stored_states(home), stored_replies(home, answered)
    for message_id in released:
        if message_id in answered:
            assert states[message_id] == (ExchangeState.ANSWERED.value, answered[message_id])
            assert replies[message_id] == f"<reply to='{message_id}'/>".encode()
        else:  # the answer may have been committed without anybody hearing of it
            assert (message_id in interrupted) == (states[message_id][0] == ExchangeState.INTERRUPTED.value)
            assert states[message_id][0] != ExchangeState.RELEASED.value
    return said


def stored_states(home):
    with closing(home.database.connect()) as connection:
        return {row[0]: row[1:] for row in connection.execute("SELECT message_id, state, reply_number FROM exchanges")}


def stored_replies(home, answered):
    """Over one connection: the other workers append meanwhile, and what they say has to be looked at in less time."""
    with closing(home.database.connect()) as connection:
        archive, cursor = Archive(home.archive_key), connection.cursor()
        kept = {message_id: archive.read(cursor, number, "reply") for message_id, number in answered.items()}
    return {message_id: None if reply is None else reply.octets for message_id, reply in kept.items()}


async def test_an_exchange_that_was_cut_off_is_reported_as_interrupted(processes, home):
    """Whether it took effect is not known; it is never carried out again."""
    record = home.writer("dead/1")
    await record.start()
    claim = a_claim()
    await record.write(a_request(claim))
    await record.close()
    (interrupted,) = recovery.recover_run(home.database, "alive")
    assert (interrupted.consumer, interrupted.message_id, interrupted.request_number) == (CONSUMER, claim.message_id, 0)
    record = home.writer("alive/1")
    await record.start()
    known = await record.find(CONSUMER, claim.message_id)
    assert known.state is ExchangeState.INTERRUPTED
    again = await record.write(a_request(claim))
    assert isinstance(again, KnownExchange)
    assert again.state is ExchangeState.INTERRUPTED
    await record.close()
    assert read_document(home.reader.show(0).document)[1].at_ms == NOW.timestamp() * 1000

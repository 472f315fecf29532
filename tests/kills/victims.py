"""Which processes of an adapter are killed, and how it comes back."""

from __future__ import annotations

import os
import random
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from pathlib import Path

from examples.federation.federation import Federation
from examples.federation.home import Home

_WHOLE_AGAIN_S = 600.0
_ANSWERS_WITHIN_S = 30.0
_POLL_S = 0.1


class Victim(Enum):
    """Whom SIGKILL hits."""

    WHOLE = "the whole adapter"
    PARENT = "its parent process"
    WORKER = "one worker"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill. member: the folder of the adapter. asked: at the instant at which the information system was asked.

    after_s: from when the federation is whole again. which: of the workers, counted round.
    """

    member: str
    victim: Victim
    after_s: float
    asked: bool = False
    which: int = 0


def random_kills(seed: int, members: tuple[str, ...]) -> Iterator[Kill]:
    """Kills without end: whom, what of it, and when. A worker half of the time: it is back the soonest."""
    chance = random.Random(seed)
    victims = (Victim.WORKER, Victim.WORKER, Victim.WHOLE, Victim.PARENT)
    while True:
        yield Kill(
            member=chance.choice(members),
            victim=chance.choice(victims),
            after_s=chance.uniform(0.0, 0.8),
            asked=chance.random() < 0.25,
            which=chance.randrange(1_000),
        )


def strike(kill: Kill, federation: Federation) -> int:
    """Send SIGKILL; gives the process id that it was sent to (of the leader, when the whole adapter was meant)."""
    leader = federation.processes[kill.member].pid
    if kill.victim is Victim.WHOLE:
        _send(lambda: os.killpg(leader, signal.SIGKILL))
        return leader
    workers = workers_of(leader) if kill.victim is Victim.WORKER else []
    hit = workers[kill.which % len(workers)] if workers else leader
    _send(lambda: os.kill(hit, signal.SIGKILL))
    return hit


def bring_back(federation: Federation, home: Home, hit: int) -> bool:
    """Wait until whoever was hit is gone and the adapter works again; start it when it does not do so by itself.

    As a service manager would: at once, as soon as all of it has ended. Whether it was started.
    """
    name, started = home.plan.folder, False
    deadline = time.monotonic() + _WHOLE_AGAIN_S
    while not (_is_whole(federation, home, hit) and _answers(home.ready_url)):
        running = federation.processes[name]
        if time.monotonic() > deadline:
            there = f"leader {running.pid}, running {running.is_running}, workers {workers_of(running.pid)}, hit {hit}"
            raise AssertionError(f"{name} does not come back ({there}): {running.tail()}")
        if not running.is_running and not running.group_exists:
            federation.launch(home)
            started = True
        time.sleep(_POLL_S)
    return started


def _is_whole(federation: Federation, home: Home, hit: int) -> bool:
    leader = federation.processes[home.plan.folder].pid
    workers = workers_of(leader)
    return hit not in (leader, *workers) and len(workers) == home.plan.workers


def workers_of(parent: int) -> list[int]:
    """The process ids of its children, the oldest first (proc(5), children)."""
    try:
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _answers(url: str) -> bool:
    """Whether it is ready; it may take its time to say so."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWERS_WITHIN_S) as response:
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def _send(signal_it: Callable[[], None]) -> None:
    with suppress(ProcessLookupError):
        signal_it()

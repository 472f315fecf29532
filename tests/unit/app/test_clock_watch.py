"""A clock that is set back is noticed once, on an idle adapter and on a busy one; a slow machine is no such clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from adapter.app.clock_watch import ClockWatch
from adapter.store.appending import append_entries
from adapter.store.log_reader import LogFilter
from adapter.store.runs import Runs
from tests.memory_parts import Clock
from tests.records import NOW, RecordHome, an_entry

HOUR = timedelta(hours=1)


class Machine:
    """A record, a clock that can be set, and one that cannot."""

    def __init__(self, folder: Path) -> None:
        self.home = RecordHome.make(folder)
        self.clock = Clock(NOW)
        self.ran_s = 1_000.0
        self.watch = ClockWatch(
            runs=Runs(self.home.database, self.home.log),
            clock=self.clock,
            monotonic_s=lambda: self.ran_s,
            lock=folder / "lock",
        )

    def pass_time(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)
        self.ran_s += seconds

    def enter(self) -> None:
        entry = an_entry()
        append_entries(
            self.home.database, self.home.log, [type(entry)(body=entry.body, kind=entry.kind, at=self.clock.now)]
        )

    def noticed(self) -> list[int]:
        found = self.home.reader.search(LogFilter(outcome="clock-set-back"))
        return [entry.body["details"]["behind_ms"] for entry in reversed(found)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_time_that_passes_is_nothing(machine: Machine) -> None:
    for _ in range(3):
        machine.enter()
        await machine.watch.look()
        machine.pass_time(2)
    machine.clock.now += HOUR  # set forward
    await machine.watch.look()
    assert machine.noticed() == []


async def test_an_idle_adapter_sees_an_entry_of_a_later_time_once(machine: Machine) -> None:
    machine.enter()
    machine.clock.now -= HOUR
    for _ in range(3):
        await machine.watch.look()
        machine.pass_time(2)
    assert machine.noticed() == [3_600_000]


async def test_a_busy_adapter_sees_a_clock_that_lost_time_once(machine: Machine) -> None:
    machine.enter()
    await machine.watch.look()
    machine.pass_time(2)
    machine.clock.now -= HOUR
    machine.enter()  # the end of the record is not ahead of the clock
    for _ in range(3):
        await machine.watch.look()
        machine.pass_time(2)
        machine.enter()
    assert machine.noticed() == [3_600_000]
    assert machine.home.verify().entries == 6


async def test_a_second_is_let_pass(machine: Machine) -> None:
    await machine.watch.look()
    machine.clock.now -= timedelta(seconds=1)
    await machine.watch.look()
    assert machine.noticed() == []
    machine.clock.now -= timedelta(seconds=1.001)
    await machine.watch.look()
    assert machine.noticed() == [1_001]


async def test_a_pause_between_the_two_clocks_is_no_jump(tmp_path: Path) -> None:
    """The process may be stopped for seconds at any place: between reading one clock and the other, too."""
    machine = Machine(tmp_path)
    for at in range(6):
        pauses = iter([0.0, 3.0] if at % 2 else [3.0, 0.0])

        def monotonic_s() -> float:
            read = machine.ran_s
            machine.pass_time(next(pauses))  # noqa: B023
            return read

        machine.watch._monotonic_s = monotonic_s
        await machine.watch.look()
        machine.pass_time(2)
    assert machine.noticed() == []


async def test_one_of_several_workers_looks(machine: Machine, tmp_path: Path) -> None:
    machine.enter()
    await machine.watch.look()
    other = ClockWatch(
        runs=Runs(machine.home.database, machine.home.log),
        clock=Clock(NOW - HOUR),
        monotonic_s=lambda: 0.0,
        lock=tmp_path / "lock",
    )
    await other.look()
    assert machine.noticed() == []

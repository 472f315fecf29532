"""adapter.app.memory_keeper: a worker does not keep what it needed once."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from adapter.app.memory_keeper import MemoryKeeper
from adapter.hardening import may_lock_memory

MIB: Final = 1024 * 1024


class Machine:
    """How much is resident, and how much of it is freed and kept."""

    def __init__(self) -> None:
        self.resident = 100 * MIB
        self.freed = 0
        self.asked = 0

    def give_back(self) -> None:
        self.asked += 1
        self.resident -= self.freed
        self.freed = 0


async def test_it_is_given_back_when_it_has_grown_and_what_is_in_use_is_left_alone() -> None:
    machine = Machine()
    keeper = MemoryKeeper(lambda: machine.resident, machine.give_back)
    machine.resident += 63 * MIB
    await keeper.look()
    assert machine.asked == 0
    machine.resident, machine.freed = 300 * MIB, 150 * MIB
    await keeper.look()
    assert (machine.asked, machine.resident) == (1, 150 * MIB)
    await keeper.look()
    assert machine.asked == 1  # 150 MiB are in use: there is nothing to give
    machine.resident = 110 * MIB
    await keeper.look()
    machine.resident, machine.freed = 180 * MIB, 70 * MIB
    await keeper.look()
    assert (machine.asked, machine.resident) == (2, 110 * MIB)


async def test_what_was_in_use_then_is_given_back_when_all_is_at_rest() -> None:
    machine = Machine()
    keeper = MemoryKeeper(lambda: machine.resident, machine.give_back)
    machine.resident = 300 * MIB
    await keeper.look()
    machine.freed = 180 * MIB
    for _ in range(14):
        await keeper.look()
    assert machine.asked == 1
    await keeper.look()
    assert (machine.asked, machine.resident) == (2, 120 * MIB)
    for _ in range(40):
        await keeper.look()
    assert machine.asked == 2  # 20 MiB more than at the start are not worth the trouble


HELD: Final = """
from adapter import hardening
if {locked}:
    assert hardening.lock_memory()
hardening.map_large_buffers()
before = hardening.resident_bytes()
pieces = [bytes(65_536) for _ in range(4_096)]
last = bytes(65_536)
del pieces
held = hardening.resident_bytes() - before
hardening.give_back_memory()
kept = hardening.resident_bytes() - before
still_locked = hardening.protections()[1].found == "memory is locked"
print(held >> 20, kept >> 20, still_locked)
"""


AGAIN_AND_AGAIN: Final = """
import resource
from adapter import hardening
hardening.map_large_buffers()
hardening.give_back_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(1_000):
    bytes(262_144)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the allocator of glibc is asked")
def test_a_buffer_that_is_asked_for_again_and_again_does_not_cost_fresh_pages_each_time() -> None:
    """As the one is into which each record of TLS is read: a thousand of them would be 64,000 pages."""
    said = subprocess.run(
        [sys.executable, "-c", AGAIN_AND_AGAIN], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(said.stdout) < 1_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the allocator of glibc is asked")
@pytest.mark.parametrize("locked", [False, True])
def test_locked_memory_is_given_back_too_and_stays_locked(
    locked: bool,  # noqa: FBT001  a case of the test
) -> None:
    if locked and not may_lock_memory():
        pytest.skip("memory may not be locked here")
    said = subprocess.run(
        [sys.executable, "-c", HELD.format(locked=locked)], capture_output=True, text=True, check=True, timeout=60
    )
    held, kept, still_locked = said.stdout.split()
    assert int(held) > 100
    assert int(kept) < 32
    assert still_locked == str(locked)

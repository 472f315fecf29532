"""An attack ends at its time, and with whoever started it, whatever it is doing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from bench import endurance, hostile
from bench.calm import Watch
from bench.hostile import HostilePlan
from examples.federation.federation import CHECKOUT
from tests.adapters.waiting import LATEST_S, wait_until
from tests.fixtures_pki import federation
from tests.pki import Federation

__all__ = ["federation"]

# Starts an attack as the run does, and waits for it.
_PARENT = """
import asyncio, sys
from pathlib import Path
from bench.endurance import attack
from bench.hostile import HostilePlan
asyncio.run(attack(HostilePlan.read(Path(sys.argv[1])), "half-sent requests", 60, Path(sys.argv[2])))
"""


@pytest.fixture
def plan(federation: Federation, tmp_path: Path) -> HostilePlan:
    """Against nobody: no attack is answered."""
    federation.population.write(tmp_path / "keys")
    return HostilePlan(
        client_port=9,
        client_path="/",
        peer_port=9,
        certificate_file=str(tmp_path / "keys" / "tls.pem"),
        key_file=str(tmp_path / "keys" / "tls.key"),
    )


def attackers(folder: Path) -> list[int]:
    """The processes that attack from this folder."""
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if _is_attacker(path, str(folder / "answers.json"))
    ]


def _is_attacker(path: Path, told: str) -> bool:
    try:
        return told in path.read_text(errors="replace")
    except OSError:
        return False


async def started(folder: Path) -> int:
    async with asyncio.timeout(LATEST_S):
        while not (folder / "answers.json").exists():  # noqa: ASYNC110  another process makes it
            await asyncio.sleep(0.1)
    [pid] = attackers(folder)
    return pid


async def test_an_attack_tells_what_it_met(plan: HostilePlan, tmp_path: Path) -> None:
    told = tmp_path / "answers.json"
    await hostile.main(plan, "a flood of garbage", 1, told)
    answers = json.loads(told.read_text())
    assert set(answers) == {"clients", "peers"}
    assert answers["clients"]["not connected: ConnectionRefusedError"] > 0
    assert hostile.CONNECTED not in answers["clients"]


async def test_an_attack_that_hangs_ends_at_its_time(plan: HostilePlan, tmp_path: Path) -> None:
    attack = asyncio.create_task(endurance.attack(plan, "half-sent requests", 2, tmp_path))
    os.kill(await started(tmp_path), signal.SIGSTOP)  # it does nothing any more, not even end
    answers = await asyncio.wait_for(attack, 30)
    assert set(answers) == {"clients", "peers"}
    assert attackers(tmp_path) == []


async def test_an_interrupt_leaves_no_attacker(plan: HostilePlan, tmp_path: Path) -> None:
    attack = asyncio.create_task(endurance.attack(plan, "half-sent requests", 60, tmp_path))
    os.kill(await started(tmp_path), signal.SIGSTOP)
    attack.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attack
    assert attackers(tmp_path) == []


async def test_a_run_that_is_killed_leaves_no_attacker(plan: HostilePlan, tmp_path: Path) -> None:
    plan.write(tmp_path / "whom.json")
    command = [sys.executable, "-c", _PARENT, str(tmp_path / "whom.json"), str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT) as parent:  # noqa: ASYNC220  the test's own program
        await started(tmp_path)
        parent.kill()
    wait_until(lambda: attackers(tmp_path), wanted=[])


async def said(port: int, tls: ssl.SSLContext | None) -> bytes:
    """What the unrelated listener, which gives way to everybody, answers to a head in two pieces."""
    async with asyncio.timeout(100):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, ssl_handshake_timeout=100 if tls else None
        )
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n\r")
        await asyncio.sleep(0.1)
        writer.write(b"\nmore")
        line = await reader.readline()
        writer.close()
    return line.strip()


async def test_the_unrelated_listener_is_reached_and_leaves_nothing(plan: HostilePlan, tmp_path: Path) -> None:
    with endurance.unrelated_listener(plan, tmp_path) as elsewhere:
        assert await said(elsewhere.client_port, None) == b"HTTP/1.1 503 Service Unavailable"
        anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        assert await said(elsewhere.peer_port, anyone) == b"HTTP/1.1 503 Service Unavailable"
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", elsewhere.client_port)


async def test_the_cpu_time_of_who_ended_stays_counted() -> None:
    watch = Watch({})
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)  # noqa: ASYNC220
    try:
        watch.time_also("busy", busy.pid)
        looking = asyncio.create_task(watch.go_on())
        await asyncio.sleep(3)
    finally:
        busy.kill()
        busy.wait()
    used = watch.take_cpu_s()["busy"]
    looking.cancel()
    assert 0 < used <= 4
    assert watch.take_cpu_s() == {}

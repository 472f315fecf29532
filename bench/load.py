"""The load generator, a process of its own: so many calls at a time over kept connections, every answer checked.

    python -m bench.load PLAN.json

It warms the adapters up, prints `ready`, waits for a line on standard input, runs, and prints the outcome as one line
of JSON. What it costs is not counted.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
import uvloop

from bench.messages import SOAP_ACTION, Call, make_call

_TIMEOUT_S = 120
_MAX_ERRORS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """What to send where. warm_up, sizes: octets of the payloads, in order. ca_file …: for a listener with TLS."""

    url: str
    concurrency: int
    warm_up: list[int]
    sizes: list[int]
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    def write(self, path: Path) -> None:
        """Write it for the load generator."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> LoadPlan:
        """Read what `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(kw_only=True)
class Outcome:
    """What came out. latencies_s: for each exchange that came out right, by the payload's size."""

    seconds: float = 0.0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    latencies_s: dict[int, list[float]] = field(default_factory=dict)

    @classmethod
    def parse(cls, line: str) -> Outcome:
        """Read what the load generator printed."""
        read = json.loads(line)
        read["latencies_s"] = {int(size): times for size, times in read["latencies_s"].items()}
        return cls(**read)

    def fail(self, what: str) -> None:
        """Count a failure; the first few are told."""
        self.failed += 1
        if len(self.errors) < _MAX_ERRORS_SHOWN:
            self.errors.append(what)


async def run(plan: LoadPlan, sizes: Iterable[int], first_number: int) -> Outcome:
    """Send these and wait for all answers."""
    outcome = Outcome()
    waiting = deque(enumerate(sizes, start=first_number))
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=plan.concurrency, ssl=_tls(plan) or True)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        begin = time.perf_counter()
        await asyncio.gather(*(_caller(session, plan.url, waiting, outcome) for _ in range(plan.concurrency)))
        outcome.seconds = time.perf_counter() - begin
    return outcome


async def _caller(session: aiohttp.ClientSession, url: str, waiting: deque[tuple[int, int]], outcome: Outcome) -> None:
    while waiting:
        number, size = waiting.popleft()
        call = make_call(size, number)
        begin = time.perf_counter()
        try:
            problem = await _exchange(session, url, call)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = f"{type(error).__name__}: {error}"
        took_s = time.perf_counter() - begin
        if problem:
            outcome.fail(f"{size} octets: {problem}")
        else:
            outcome.latencies_s.setdefault(size, []).append(took_s)


async def _exchange(session: aiohttp.ClientSession, url: str, call: Call) -> str:
    """One exchange; what is wrong with its answer, or nothing."""
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{SOAP_ACTION}"'}
    async with session.post(url, data=call.octets, headers=headers) as response:
        octets = await response.read()
    if response.status != 200:
        return f"status {response.status}: {octets[-400:].decode(errors='replace')}"
    if call.expected not in octets or b"KeptRecords" not in octets:
        return "the answer does not hold the records that were sent"
    return ""


def _tls(plan: LoadPlan) -> ssl.SSLContext | None:
    if not plan.ca_file:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one is stricter from Python 3.13 on
    context.load_verify_locations(plan.ca_file)
    context.load_cert_chain(plan.certificate_file, plan.key_file)
    return context


async def main(path: Path) -> None:
    """Warm up, wait for the word, run, report."""
    plan = LoadPlan.read(path)
    warm = await run(plan, plan.warm_up, 1)
    print("ready", flush=True)
    if not await asyncio.to_thread(sys.stdin.readline):
        return
    outcome = await run(plan, plan.sizes, 1 + len(plan.warm_up))
    outcome.failed += warm.failed
    outcome.errors = warm.errors + outcome.errors
    print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))

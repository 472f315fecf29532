"""One target under atheris: coverage decides which inputs are kept. A process of its own, started by the driver.

A finding does not end the run: it is saved, one file for each place, and the search goes on. libFuzzer itself ends it
for what hangs for good and for what takes all memory.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import atheris  # type: ignore[import-untyped]  # it ships none

with atheris.instrument_imports(include=["adapter"]):
    import structlog

    from tests.fuzz.choices import Choices
    from tests.fuzz.model import Target, Verdict, judge, warm_up
    from tests.fuzz.targets.table import TARGETS

HANG_S = 300
"""Of wall-clock time, after which libFuzzer ends the run: for what never ends. What takes more than a second of CPU is
saved and tried alone. With 30 s, a busy machine ended a run at an input that takes less than a second alone.
"""

RSS_LIMIT_MB = 1024
_DECISIONS_BYTES = 64


def main(name: str, seconds: int, folder: Path) -> None:
    """folder: holds `corpus` and `findings` of this target."""
    target = TARGETS[name]
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    findings, corpus, seeds = folder / "findings", folder / "corpus", folder / "seeds"
    for each in (findings, corpus, seeds):
        each.mkdir(parents=True, exist_ok=True)
    for octets in target.seeds():
        (seeds / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)
    warm_up(target)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.max_bytes}",
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={RSS_LIMIT_MB}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    kept = [str(target.corpus[0].parent)] if target.corpus else []
    atheris.Setup(
        [sys.argv[0], *options, str(corpus), str(seeds), *kept],
        _Search(target, findings),
        custom_mutator=_mutator(target),
    )
    atheris.Fuzz()


class _Search:
    """What libFuzzer calls with each input."""

    def __init__(self, target: Target, findings: Path) -> None:
        self._target = target
        self._findings = findings
        self._seen: set[str] = set()

    def __call__(self, octets: bytes) -> None:
        verdict = judge(self._target, octets)
        if verdict.is_finding:
            self._save(octets, verdict)

    def _save(self, octets: bytes, verdict: Verdict) -> None:
        """The smallest that comes within the run is not looked for: the first of each place is enough to mend it."""
        known = verdict.where if verdict.kind == "crash" else f"{verdict.kind} {time.time() // 20}"
        if known in self._seen:
            return
        self._seen.add(known)
        name = f"{verdict.kind}-{hashlib.sha256(octets).hexdigest()[:16]}"
        (self._findings / name).write_bytes(octets)
        sys.stderr.write(f"\nFINDING {name} {verdict.where} {verdict.seconds:.2f} s\n")


def _mutator(target: Target):
    def mutate(octets: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if random.randrange(3) == 0:
            return bytes(atheris.Mutate(octets, max_size))
        for _ in range(random.choice((1, 1, 2, 3))):
            octets = target.mutate(Choices(random.randbytes(_DECISIONS_BYTES)), octets)
        return octets[:max_size]

    return mutate


def run(arguments: Sequence[str]) -> None:
    """name seconds folder."""
    name, seconds, folder = arguments
    main(name, int(seconds), Path(folder))


if __name__ == "__main__":
    run(sys.argv[1:])

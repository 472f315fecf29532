"""Inputs without a guide: changed ones out of the corpus, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from tests.fuzz.choices import Choices
from tests.fuzz.model import Target, Verdict, judge

_MAX_CHANGES = 4
_DECISIONS_BYTES = 64


def inputs_of(target: Target) -> list[bytes]:
    """The good ones, and those that the repository keeps."""
    return [*target.seeds(), *(path.read_bytes() for path in target.corpus)]


def changed(target: Target, octets: bytes, random: Random) -> bytes:
    """One to four changes."""
    for _ in range(random.randint(1, _MAX_CHANGES)):
        octets = target.mutate(Choices(random.randbytes(_DECISIONS_BYTES)), octets)
    return octets[: target.max_bytes]


def cases(target: Target, count: int, seed: int) -> Iterator[bytes]:
    """Every input of the target, and count changed ones."""
    known = inputs_of(target)
    yield from known
    random = Random(f"{target.name}/{seed}")
    for _ in range(count):
        yield changed(target, random.choice(known), random)


def run_unguided(target: Target, count: int, seed: int) -> tuple[Counter[str], list[tuple[bytes, Verdict]]]:
    """What came of each, by code, and the findings."""
    codes: Counter[str] = Counter()
    findings = []
    for octets in cases(target, count, seed):
        verdict = judge(target, octets)
        codes[verdict.code or verdict.kind] += 1
        if verdict.is_finding:
            findings.append((octets, verdict))
    return codes, findings

"""What the ten-minute run has to show, and whether it did. A value: no process, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.calm import Calls, Seen, quantile_ms

STATED_MIB: Final = 1024
"""Resident memory of one adapter with one worker and the settings' defaults (docs/limits.md)."""

_TIMES: Final = 2.0
_TIMES_OF_ONE: Final = 3.0
"""Of one attack there are so few calls that its p99 is the fourth of them: chance is allowed for, not more harm."""

_AS_BEFORE: Final = 1.5
_DESCRIPTORS_MORE: Final = 80
"""Connections to one peer's adapter, of which there are 64 at most, go in turns: a calm client's calls keep all of them
open that an attack made necessary. 16 more are for files and clients."""
_LEAST_CALLS: Final = 20
_NOT_ATTACKS: Final = frozenset(("before", "settling", "after"))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The same attack on a listener that has nothing to do with the adapters, on the same processors."""

    calls: Calls
    cpu_s: Mapping[str, float]
    answers: Mapping[str, Mapping[str, int]]

    @property
    def p99_ms(self) -> float:
        """Of the calm client."""
        return quantile_ms(self.calls.latencies_s, 0.99)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of the run. peak: by adapter. answers: what the attackers were told, by listener and code.

    cpu_s: seconds of CPU time, by adapter and of the attackers. compared: of an attack.
    """

    name: str
    calls: Calls
    peak: Mapping[str, Seen]
    answers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    compared: Compared | None = None

    @property
    def p99_ms(self) -> float:
        """Of the calm client."""
        return quantile_ms(self.calls.latencies_s, 0.99)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One figure that was stated, and what it was. decides: whether the run fails by it; else it is for comparison."""

    holds: bool
    text: str
    decides: bool = True


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The whole run. entries: of each adapter's record at the end."""

    phases: tuple[Phase, ...]
    findings: tuple[Finding, ...]
    entries: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether everything that decides is as stated."""
        return all(finding.holds for finding in self.findings if finding.decides)


def judge(phases: Sequence[Phase], *, entries: Mapping[str, int], planned: Sequence[str]) -> Verdict:
    """Compare what was seen with what is stated. planned: all phases; one that is missing is a failure."""
    missing = [name for name in planned if name not in {phase.name for phase in phases}]
    findings = [Finding(holds=not missing, text=f"phases that were run: {len(phases)} of {len(planned)}")]
    if phases:
        findings += [*_memory(phases), *_attacked(phases), *_latency(phases)]
    if phases and not missing:
        findings += _afterwards(phases)
    return Verdict(phases=tuple(phases), findings=tuple(findings), entries=entries)


def _named(phases: Sequence[Phase], name: str) -> Phase:
    return next(phase for phase in phases if phase.name == name)


def _attacks(phases: Sequence[Phase]) -> list[Phase]:
    return [phase for phase in phases if phase.name not in _NOT_ATTACKS]


def _attacked(phases: Sequence[Phase]) -> Iterator[Finding]:
    """An attack that attacked nobody shows nothing, and neither does a comparison with one."""
    for phase in _attacks(phases):
        compared = {} if phase.compared is None else phase.compared.answers
        if not compared or not all(sum(said.values()) for said in compared.values()):
            yield Finding(holds=False, text=f"{phase.name} did not reach the unrelated listener")
        idle = [listener for listener, said in phase.answers.items() if not sum(said.values())]
        if idle or not phase.answers:
            yield Finding(holds=False, text=f"{phase.name} did not reach: {', '.join(idle) or 'anybody'}")


def _memory(phases: Sequence[Phase]) -> Iterator[Finding]:
    for adapter in phases[0].peak:
        most = max(phases, key=lambda phase: phase.peak[adapter].resident_mib)
        mib = most.peak[adapter].resident_mib
        yield Finding(
            holds=0 < mib <= STATED_MIB,
            text=f"memory of the {adapter}: {mib:.0f} MiB at most ({most.name}), stated {STATED_MIB}",
        )


def _latency(phases: Sequence[Phase]) -> Iterator[Finding]:
    before, attacks = _named(phases, "before"), _attacks(phases)
    together_ms = _p99_ms(phase.calls for phase in attacks)
    elsewhere_ms = _p99_ms(phase.compared.calls for phase in attacks if phase.compared)
    enough = len(before.calls.latencies_s) >= _LEAST_CALLS
    yield Finding(
        holds=enough and 0 < together_ms <= _TIMES * max(elsewhere_ms, before.p99_ms),
        text=f"others' p99 over all attacks: {together_ms:.1f} ms, with the same attacks on an unrelated listener "
        f"{elsewhere_ms:.1f} ms ({_times(together_ms, elsewhere_ms)}, at most x{_TIMES:.0f})",
    )
    yield Finding(
        holds=enough and 0 < together_ms <= _TIMES * before.p99_ms,
        text=f"others' p99 over all attacks, all on the same processors: {together_ms:.1f} ms, before "
        f"{before.p99_ms:.1f} ms ({_times(together_ms, before.p99_ms)}; the unrelated listener "
        f"{_times(elsewhere_ms, before.p99_ms)})",
        decides=False,
    )
    for phase in attacks:
        own_ms = phase.compared.p99_ms if phase.compared else 0.0
        yield Finding(
            holds=len(phase.calls.latencies_s) >= _LEAST_CALLS
            and phase.p99_ms <= _TIMES_OF_ONE * max(own_ms, before.p99_ms),
            text=f"others' p99 during {phase.name}: {phase.p99_ms:.1f} ms ({_times(phase.p99_ms, own_ms)} of the "
            f"comparison's {own_ms:.1f} ms, {_times(phase.p99_ms, before.p99_ms)} of before)",
        )
    every = [phase.calls for phase in phases] + [phase.compared.calls for phase in phases if phase.compared]
    failed = sum(calls.failed for calls in every)
    errors = sorted({error for calls in every for error in calls.errors})
    yield Finding(holds=failed == 0, text=f"calls of others that failed: {failed} {', '.join(errors)}".rstrip())


def _p99_ms(calls: Iterable[Calls]) -> float:
    return quantile_ms([time for one in calls for time in one.latencies_s], 0.99)


def _times(is_ms: float, was_ms: float) -> str:
    return f"x{is_ms / max(was_ms, 0.001):.2f}"


def _afterwards(phases: Sequence[Phase]) -> Iterator[Finding]:
    before, after = _named(phases, "before"), _named(phases, "after")
    yield Finding(
        holds=0 < after.p99_ms <= _AS_BEFORE * before.p99_ms,
        text=f"others' p99 afterwards: {after.p99_ms:.1f} ms (x{after.p99_ms / max(before.p99_ms, 0.001):.2f}, "
        f"at most x{_AS_BEFORE})",
    )
    for adapter, then in before.peak.items():
        now = after.peak[adapter]
        yield Finding(
            holds=now.descriptors <= then.descriptors + _DESCRIPTORS_MORE,
            text=f"descriptors of the {adapter} afterwards: {now.descriptors}, before {then.descriptors}",
        )
        yield Finding(
            holds=now.resident_mib <= STATED_MIB / 2,
            text=f"memory of the {adapter} afterwards: {now.resident_mib:.0f} MiB, before {then.resident_mib:.0f}, "
            f"at most {STATED_MIB // 2}",
        )

"""Known weaknesses of what requirements.lock names, by pip-audit, and an honest word when its data cannot be had.

pip-audit leaves with success when it could ask about nothing at all: each package is then "skipped". That is not a
clean bill; here it is exit code 3, with the page that says why each package is trusted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

from scripts.lockfile import ROOT, locked_packages

CLEAN: Final = 0
WEAK: Final = 1
NOT_ASKED: Final = 3
_TIMEOUT_S: Final = 300
_INSTEAD: Final = "What each package is, and why it is trusted, is written down in docs/dependencies.md."


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the audit came to. exit_code: CLEAN, WEAK, or NOT_ASKED when some package could not be asked about."""

    exit_code: int
    lines: tuple[str, ...]


def judge(report: dict[str, Any] | None, wanted: frozenset[str]) -> Verdict:
    """Read pip-audit's report. None: there is none. wanted: the packages that it has to speak of."""
    if report is None or not wanted:  # a report about nothing is none
        return Verdict(exit_code=NOT_ASKED, lines=("The vulnerability data could not be reached.", _INSTEAD))
    answered = {one["name"].lower(): one["vulns"] for one in report["dependencies"] if "skip_reason" not in one}
    weak = [
        f"{name}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
        for name, weaknesses in sorted(answered.items())
        for weakness in weaknesses
    ]
    silent = sorted(wanted - answered.keys())
    if silent:
        about = f"all {len(silent)}" if len(silent) == len(wanted) else f"{len(silent)} of {len(wanted)}"
        weak.append(f"Nothing could be learned about {about} packages: {', '.join(silent[:5])} ...")
        weak.append(_INSTEAD)
        found_any = len(weak) > 2
        return Verdict(exit_code=WEAK if found_any else NOT_ASKED, lines=tuple(weak))
    if weak:
        return Verdict(exit_code=WEAK, lines=tuple(weak))
    return Verdict(exit_code=CLEAN, lines=(f"No known weakness in {len(wanted)} packages.",))


def _report() -> dict[str, Any] | None:
    command = [sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock"]
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603  a fixed command
            [*command, *options], cwd=ROOT, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report if isinstance(report, dict) and "dependencies" in report else None


def _wanted(report: dict[str, Any] | None) -> frozenset[str]:
    """The packages of the lock that are meant for this Python; pip-audit leaves out those for another one."""
    named = frozenset(locked_packages())
    if report is None:
        return named
    return named & {one["name"].lower() for one in report["dependencies"]}


def main() -> int:
    """Ask, say, and leave with the verdict's exit code."""
    report = _report()
    verdict = judge(report, _wanted(report))
    print("\n".join(verdict.lines))
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main())

"""The end of the demonstration: every adapter's record is whole, and one exchange's evidence convinces a stranger.

Done with the `adapter` command, as an auditor does it. What is exported is verified with nothing but the file and the
authority's verifier key.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from examples.demo.members import GET_PERSON
from examples.demo.stage import Stage
from examples.demo.steps import ANSWERED
from examples.federation.federation import ADAPTER, CHECKOUT
from examples.federation.home import Home

_TIMEOUT_S: Final = 60


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was checked."""

    text: str
    is_good: bool


def verify_record(home: Home) -> Finding:
    """`adapter log verify`: from the first entry to the last."""
    result, error = _adapter("log", "verify", "--home", str(home.folder))
    if result is None:
        return Finding(text=f"record of {home.plan.folder}: {error}", is_good=False)
    said = f"{result['entries']} entries, {result['checkpoints']} signed checkpoints"
    return Finding(text=f"record of {home.plan.folder} verified: {said}", is_good=True)


def prove_an_exchange(stage: Stage) -> tuple[Finding, ...]:
    """`adapter evidence export` at the consumer, `adapter evidence verify` with nothing but the anchor."""
    sent = stage.social.record.latest(kind="reply-received", service=str(GET_PERSON), outcome=ANSWERED)
    file = stage.federation.folder / "person.asice"
    exported, error = _adapter(
        "evidence", "export", sent.message_id or "", "--output", str(file), "--yes", "--home", str(stage.social.folder)
    )
    if exported is None:
        return (Finding(text=f"evidence not exported: {error}", is_good=False),)
    shown = Finding(text=f"evidence of exchange {sent.message_id} exported: {exported['bytes']} octets", is_good=True)
    return shown, _judged(file, stage.federation.anchor)


def _judged(file: Path, anchor: Path) -> Finding:
    judged, error = _adapter("evidence", "verify", str(file), "--anchor", str(anchor))
    if judged is None:
        return Finding(text=f"evidence refused: {error}", is_good=False)
    proved = f"{len(judged['statements'])} statements proved"
    return Finding(text=f"evidence verified offline, with the authority's anchor alone: {proved}", is_good=True)


def _adapter(*arguments: str) -> tuple[dict[str, Any] | None, str]:
    """Run the command with --json: its result, or None and the reason that it gave."""
    done = subprocess.run(  # noqa: S603  our own command
        [ADAPTER, *arguments, "--json"], cwd=CHECKOUT, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode:
        return None, done.stderr.strip()
    result: dict[str, Any] = json.loads(done.stdout)
    return result, ""

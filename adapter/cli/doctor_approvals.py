"""What `adapter doctor` says of acts that need two officers: who they are, and whether the settings are in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapter.audit.approvals import ApprovalState
from adapter.cli.approval_gate import approvals_of, rule_of
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.own_record import own_log
from adapter.cli.trust_faults import TrustFault
from adapter.errors import CommandRefused, KeyUnusable
from adapter.settings import Settings
from adapter.settings.officers import OFFICERS_NEEDED
from adapter.store.engine import open_database

_WHAT: Final = "approvals"


def look_at_approvals(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Nothing where no act needs two officers. Raises KeyUnusable, StoreUnusable."""
    try:
        said = rule_of(settings)
    except (CommandRefused, KeyUnusable) as refused:
        mend = (
            "adapter approvals officer-key makes one for each officer, on their own machine; name both in [approvals]."
        )
        yield fail(_WHAT, refused.reason, mend, TrustFault.OFFICERS_UNFIT)
        return
    approvals = approvals_of(settings, open_database(settings.database_url), own_log(settings))
    in_force = approvals.rule()
    if not in_force.acts and not said.acts:
        return
    if approvals.differs:
        found = f"in force are {_acts(in_force.acts)}; the settings say {_acts(said.acts)}, or other officers"
        mend = "adapter approvals adopt, signed by two officers; or put the settings back as they were."
        yield warn(_WHAT, found, mend, TrustFault.APPROVALS_DIFFER)
    waiting = [one for one in approvals.requests().values() if one.state(now) is ApprovalState.ASKED]
    officers = f"{OFFICERS_NEEDED} of {', '.join(sorted(in_force.officers))}"
    yield ok(_WHAT, f"{officers} for {_acts(in_force.acts)}; {len(waiting)} waiting")


def _acts(acts: frozenset[str]) -> str:
    return ", ".join(sorted(acts)) or "none"

"""`adapter doctor`: what is wrong with this adapter, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from adapter.cli.doctor_approvals import look_at_approvals
from adapter.cli.doctor_attachments import look_at_scanner, look_at_spool
from adapter.cli.doctor_checks import (
    Finding,
    Health,
    fail,
    follows,
    guarded,
    look_at_clients,
    look_at_clock,
    look_at_database,
    look_at_descriptors,
    look_at_disk,
    look_at_process,
    look_at_services,
    ok,
)
from adapter.cli.doctor_consents import look_at_consents
from adapter.cli.doctor_contexts import look_at_contexts
from adapter.cli.doctor_directory import fetch_current
from adapter.cli.doctor_ends import look_at_expiries
from adapter.cli.doctor_keys import look_at_keys, look_at_renewal
from adapter.cli.doctor_online import directory_server_time, guarded_online
from adapter.cli.doctor_peers import look_at_peers
from adapter.cli.doctor_records import look_at_records
from adapter.cli.doctor_registration import look_at_registration
from adapter.cli.doctor_rehearsal import try_exchange, try_signature
from adapter.cli.doctor_reviews import look_at_reviews
from adapter.cli.doctor_runs import look_at_runs
from adapter.cli.doctor_stamps import look_at_stamps
from adapter.cli.doctor_statuses import look_at_statuses
from adapter.cli.doctor_witnesses import look_at_witnesses
from adapter.cli.failures import console_language
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, member_reader, now_utc, settings_path
from adapter.cli.output import JsonValue, Output, bad, doubtful, good, table_of
from adapter.cli.trust_faults import TrustFault
from adapter.envelope.texts import ENGLISH, text_in
from adapter.errors import AdapterError
from adapter.identifiers import MemberId
from adapter.settings import Settings, load_settings

FOUND_FAILURE: Final = 1
_KEYS: Final = "adapter keys list"
_VERIFY: Final = "Every request is refused until they are: adapter log verify, and tell the auditor."
_REGISTER: Final = "adapter registration, and hand it to the authority"

app = typer.Typer()


@app.command(epilog="adapter doctor --online")
def doctor(
    *,
    online: Annotated[bool, typer.Option("--online", help="Also ask the running adapter at its listeners.")] = False,
    peer: Annotated[
        list[MemberId] | None,
        typer.Option(parser=member_reader, metavar="MEMBER", help="Also see who answers there; may be repeated."),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Look at settings, keys, clock, disk, database, directory and services, and try a signature and an exchange.

    With --online also the three listeners, and one exchange with itself over mutual TLS, which leaves a refusal in the
    record. What can be wrong with trust, and how it is named: docs/doctor.md. Exit code 0: nothing failed; 1: something
    did.
    """
    output = Output.of(as_json=as_json)
    findings = examine_adapter(settings_path(settings_file), online=online, peers=peer or ())
    failed = sum(finding.health is Health.FAIL for finding in findings)
    table = table_of(("", "What", "Found", "What to do"), [_row(finding) for finding in findings])
    verdict = bad(f"\n{failed} of {len(findings)} checks failed") if failed else good("\nNothing failed.")
    output.result(
        {
            "healthy": not failed,
            "checks": [_value(finding) for finding in findings],
        },
        table,
        verdict,
    )
    if failed:
        raise typer.Exit(FOUND_FAILURE)


def examine_adapter(settings_file: Path, *, online: bool, peers: Sequence[MemberId] = ()) -> list[Finding]:
    """All findings, in the order in which they should be mended."""
    try:
        settings = load_settings(settings_file)
    except AdapterError as error:
        return [fail("settings", error.reason, "Mend the lines named here first.", TrustFault.SETTINGS_REFUSED)]
    findings = [ok("settings", str(settings_file)), *_on_this_machine(settings)]
    return findings + _with_the_directory(settings, settings_file, findings, _Beyond(online=online, peers=peers))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Beyond:
    """What is looked at only when it is asked for: it is beyond this process."""

    online: bool
    peers: Sequence[MemberId]


def _on_this_machine(settings: Settings) -> list[Finding]:
    now = now_utc()
    return [
        *guarded("keys", _KEYS, lambda: look_at_keys(settings, now)),
        *look_at_renewal(settings),
        *look_at_process(),
        *guarded("disk", "Look at the disk.", lambda: look_at_disk(settings)),
        *guarded("spool", "Look at the disk.", lambda: look_at_spool(settings)),
        *guarded("scan", "Mend [scan].", lambda: look_at_scanner(settings, now)),
        *guarded("descriptors", "Look at the system's limits.", lambda: look_at_descriptors(settings)),
        *guarded(
            "database",
            "adapter init, or restore the last backup",
            lambda: chain(look_at_database(settings), look_at_runs(settings, now_utc)),
        ),
        *guarded("services", "adapter service list", lambda: look_at_services(settings)),
        *guarded("clients", "Mend [[client]] in the settings.", lambda: look_at_clients(settings)),
        *guarded("approvals", "adapter approvals list", lambda: look_at_approvals(settings, now)),
        *guarded("emergency access", "adapter access reviews", lambda: look_at_reviews(settings)),
    ]


def _with_the_directory(
    settings: Settings, settings_file: Path, before: Sequence[Finding], beyond: _Beyond
) -> list[Finding]:
    now = now_utc()
    directory, findings = fetch_current(settings, now)
    findings += guarded(
        "clock", "Set the clock.", lambda: look_at_clock(settings, directory_server_time(settings), now_utc())
    )
    if directory is not None:
        known = directory
        findings += guarded("time-stamps", "See docs/timestamps.md.", lambda: look_at_stamps(settings, known, now))
        findings += guarded("witnesses", "See docs/witness.md.", lambda: look_at_witnesses(settings, known, now))
        findings += guarded("records of others", "Restore the last backup.", lambda: look_at_records(settings))
        findings += guarded("registered", _REGISTER, lambda: look_at_registration(settings, known, now))
        findings += guarded("status", _KEYS, lambda: look_at_statuses(settings, known, now))
        findings += guarded(
            "clients", "Mend [client.context].", lambda: look_at_contexts(settings, settings_file, known)
        )
        findings += guarded("access rules", _VERIFY, lambda: look_at_consents(settings, known, now))
    findings += look_at_expiries(settings, directory, now)
    trial = guarded("signature", _KEYS, lambda: try_signature(settings, directory, now))
    trial += guarded("exchange", _KEYS, lambda: try_exchange(settings, directory, now))
    findings += follows([*before, *findings], trial)
    if directory is not None and beyond.peers:
        findings += guarded("peer", _KEYS, lambda: look_at_peers(settings, known, beyond.peers))
    if beyond.online:
        findings += guarded_online(settings, directory, now)
    return findings


def _row(finding: Finding) -> tuple[Text, str, str, str]:
    shown = {Health.OK: good, Health.WARN: doubtful, Health.FAIL: bad}[finding.health]
    found = finding.found
    if finding.fault is not None and not console_language().startswith(ENGLISH):
        found = f"{text_in(console_language(), finding.fault.sentence)} {found}"
    return shown(finding.health.value), finding.what, found, finding.mend


def _value(finding: Finding) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {"what": finding.what, "health": finding.health.value}
    if finding.fault is not None:
        sentence = text_in(console_language(), finding.fault.sentence)
        said |= {"fault": finding.fault.code, "text": sentence}
    return said | {"found": finding.found, "mend": finding.mend}

"""`adapter doctor`: what is wrong with this adapter, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from adapter.cli.doctor_attachments import look_at_scanner, look_at_spool
from adapter.cli.doctor_checks import (
    Finding,
    Health,
    fail,
    fetch_current,
    guarded,
    look_at_clients,
    look_at_clock,
    look_at_database,
    look_at_descriptors,
    look_at_disk,
    look_at_keys,
    look_at_process,
    look_at_registration,
    look_at_services,
    ok,
)
from adapter.cli.doctor_contexts import look_at_contexts
from adapter.cli.doctor_ends import look_at_expiries
from adapter.cli.doctor_online import directory_server_time, guarded_online
from adapter.cli.doctor_rehearsal import try_exchange, try_signature
from adapter.cli.doctor_stamps import look_at_stamps
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_path
from adapter.cli.output import Output, bad, doubtful, good, table_of
from adapter.errors import AdapterError
from adapter.settings import Settings, load_settings

FOUND_FAILURE: Final = 1
_KEYS: Final = "adapter keys list"
_REGISTER: Final = "adapter registration, and hand it to the authority"

app = typer.Typer()


@app.command(epilog="adapter doctor --online")
def doctor(
    *,
    online: Annotated[bool, typer.Option("--online", help="Also ask the running adapter at its listeners.")] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Look at settings, keys, clock, disk, database, directory and services, and try a signature and an exchange.

    With --online also the three listeners, and one exchange with itself over mutual TLS, which leaves a refusal in the
    record. Exit code 0: nothing failed; 1: something did.
    """
    output = Output.of(as_json=as_json)
    findings = examine_adapter(settings_path(settings_file), online=online)
    failed = sum(finding.health is Health.FAIL for finding in findings)
    table = table_of(("", "What", "Found", "What to do"), [_row(finding) for finding in findings])
    verdict = bad(f"\n{failed} of {len(findings)} checks failed") if failed else good("\nNothing failed.")
    output.result(
        {
            "healthy": not failed,
            "checks": [
                {"what": one.what, "health": one.health.value, "found": one.found, "mend": one.mend} for one in findings
            ],
        },
        table,
        verdict,
    )
    if failed:
        raise typer.Exit(FOUND_FAILURE)


def examine_adapter(settings_file: Path, *, online: bool) -> list[Finding]:
    """All findings, in the order in which they should be mended."""
    try:
        settings = load_settings(settings_file)
    except AdapterError as error:
        return [fail("settings", error.reason, "Mend the lines named here first.")]
    findings = [ok("settings", str(settings_file)), *_on_this_machine(settings)]
    return findings + _with_the_directory(settings, settings_file, online=online)


def _on_this_machine(settings: Settings) -> list[Finding]:
    now = now_utc()
    return [
        *guarded("keys", _KEYS, lambda: look_at_keys(settings, now)),
        *look_at_process(),
        *guarded("disk", "Look at the disk.", lambda: look_at_disk(settings)),
        *guarded("spool", "Look at the disk.", lambda: look_at_spool(settings)),
        *guarded("scan", "Mend [scan].", lambda: look_at_scanner(settings, now)),
        *guarded("descriptors", "Look at the system's limits.", lambda: look_at_descriptors(settings)),
        *guarded("database", "adapter init, or restore the last backup", lambda: look_at_database(settings)),
        *guarded("services", "adapter service list", lambda: look_at_services(settings)),
        *guarded("clients", "Mend [[client]] in the settings.", lambda: look_at_clients(settings)),
        *guarded("signature", _KEYS, lambda: try_signature(settings)),
    ]


def _with_the_directory(settings: Settings, settings_file: Path, *, online: bool) -> list[Finding]:
    now = now_utc()
    directory, findings = fetch_current(settings, now)
    findings += guarded(
        "clock", "Set the clock.", lambda: look_at_clock(settings, directory_server_time(settings), now_utc())
    )
    if directory is not None:
        known = directory
        findings += guarded("time-stamps", "See docs/timestamps.md.", lambda: look_at_stamps(settings, known, now))
        findings += guarded("registered", _REGISTER, lambda: look_at_registration(settings, known, now))
        findings += guarded(
            "clients", "Mend [client.context].", lambda: look_at_contexts(settings, settings_file, known)
        )
    findings += look_at_expiries(settings, directory, now)
    findings += guarded("exchange", _KEYS, lambda: try_exchange(settings, directory, now))
    if online:
        findings += guarded_online(settings, directory, now)
    return findings


def _row(finding: Finding) -> tuple[Text, str, str, str]:
    shown = {Health.OK: good, Health.WARN: doubtful, Health.FAIL: bad}[finding.health]
    return shown(finding.health.value), finding.what, finding.found, finding.mend

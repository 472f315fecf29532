"""What is broken by hand is found, and the report says what to do."""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapter.cli import doctor_checks
from adapter.cli.doctor_checks import Health, look_at_clock
from adapter.settings import load_settings
from tests.command_line import typed
from tests.pki import Federation


def report(place: Path) -> dict[str, Any]:
    """The findings by what they are about; of several the worst."""
    done = typed("doctor", "--settings", place / "register", "--json")
    checks = json.loads(done.out)["checks"]
    assert (done.code == 1) == any(check["health"] == "fail" for check in checks)
    order = [health.value for health in Health]
    found: dict[str, Any] = {}
    for check in sorted(checks, key=lambda check: order.index(check["health"])):
        found[check["what"]] = check
    return found


def write_old_directory(place: Path) -> None:
    Federation.build(now=datetime.now(UTC) - timedelta(days=60)).write(place / "fed")


def forge_directory(place: Path) -> None:
    for file in (place / "fed/targets").glob("*.directory.xml"):
        file.write_bytes(b"<a/>")


def spoil_database(place: Path) -> None:
    path = place / "register" / "data" / "adapter.sqlite"
    octets = bytearray(path.read_bytes())
    octets[100:4000] = bytes(3900)
    path.write_bytes(octets)


def use_another_program(place: Path) -> None:
    path = place / "register" / "data" / "adapter.sqlite"
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")


def swap_certificates(place: Path) -> None:
    keys = place / "register" / "keys"
    (keys / "signing.pem").write_bytes((place / "fed" / "members" / "200000002" / "signing.pem").read_bytes())


def spoil_service(place: Path) -> None:
    folder = place / "register" / "services" / "population.GetPerson.v1"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text('code = "GetPerson"\n')


BREAKAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "key missing": (lambda place: (place / "register/keys/tls.key").unlink(), "key tls", "keys create"),
    "key of others": (lambda place: (place / "register/keys/tls.key").chmod(0o644), "key tls", "600"),
    "archive key short": (
        lambda place: (place / "register/keys/archive.key").write_bytes(b"x"),
        "key archive",
        "backup",
    ),
    "certificate missing": (lambda place: (place / "register/keys/tls.pem").unlink(), "key tls", "keys csr"),
    "certificate of another": (swap_certificates, "key signing", "right file"),
    "database gone": (lambda place: (place / "register/data/adapter.sqlite").unlink(), "database", "init"),
    "database damaged": (spoil_database, "database", "backup"),
    "database of another": (use_another_program, "database", "backup"),
    "anchor missing": (lambda place: (place / "fed/anchor.json").unlink(), "directory", "anchor"),
    "directory forged": (forge_directory, "directory", "mirror"),
    "directory of others": (write_old_directory, "directory", "authority"),
    "service": (spoil_service, "service", "remove"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_found_with_what_to_do(name: str, place: Path) -> None:
    spoil, what, mend = BREAKAGES[name]
    assert report(place).get(what, {"health": "ok"})["health"] == "ok"
    spoil(place)
    finding = report(place)[what]
    assert finding["health"] == "fail"
    assert mend in finding["mend"] + finding["found"]


BY_ADDRESS = """
[[client]]
name = "old-system"
subsystem = "UZ/GOV/200000001/population"
identify_by = "address"
addresses = ["127.0.0.1"]
services = []
"""
IN_THE_OPEN = """
address = "0.0.0.0"
allow_plain_http_beyond_loopback = true
"""


@pytest.mark.parametrize(
    ("settings", "found", "mend"),
    [
        (lambda text: text + BY_ADDRESS, "old-system: known by address alone", "identify_by"),
        (lambda text: text.replace("[client_listener]", "[client_listener]" + IN_THE_OPEN), "plain HTTP", "mutual-tls"),
    ],
)
def test_what_is_allowed_and_dangerous_is_said(
    settings: Callable[[str], str], found: str, mend: str, place: Path
) -> None:
    file = place / "register" / "adapter.toml"
    assert "clients" not in report(place)
    file.write_text(settings(file.read_text()))
    finding = report(place)["clients"]
    assert finding["health"] == "warn"
    assert found in finding["found"]
    assert mend in finding["mend"]


def test_an_expired_directory_of_the_right_authority(place: Path, authority: Any) -> None:
    federation = Federation.build(now=datetime.now(UTC) - timedelta(days=60))
    federation.write(place / "fed")
    anchor = place / "fed" / "anchor.json"
    assert typed("directory", "show", "--directory", place / "fed", "--anchor", anchor).out.count("expired") == 1
    finding = report(place)["directory"]
    assert finding["health"] == "fail"
    assert "sign a new version" in finding["mend"]


def test_a_member_that_is_not_registered(place: Path) -> None:
    text = (place / "register" / "adapter.toml").read_text()
    (place / "register" / "adapter.toml").write_text(text.replace("UZ/GOV/200000001", "UZ/GOV/200000009"))
    finding = report(place)["registered"]
    assert finding["health"] == "fail"
    assert "adapter registration" in finding["mend"]


@pytest.mark.parametrize(("free_mb", "health"), [(50, Health.FAIL), (500, Health.WARN), (5000, Health.OK)])
def test_room_on_the_disk(free_mb: int, health: Health, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=free_mb * 1024 * 1024)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    [finding] = doctor_checks.look_at_disk(load_settings(prepared / "register" / "adapter.toml"))
    assert finding.health is health


@pytest.mark.parametrize(
    ("hard", "health"),
    [(1024, Health.WARN), (2175, Health.WARN), (2176, Health.OK), (resource.RLIM_INFINITY, Health.OK)],
)
def test_room_for_connections(hard: int, health: Health, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, hard))
    [finding] = doctor_checks.look_at_descriptors(load_settings(prepared / "register" / "adapter.toml"))
    assert finding.health is health


@pytest.mark.parametrize(("off_s", "health"), [(3, Health.OK), (-45, Health.WARN), (90, Health.FAIL)])
def test_the_clock_against_the_directorys_server(off_s: int, health: Health, place: Path) -> None:
    path = place / "register" / "adapter.toml"
    path.write_text(path.read_text().replace('url = "../fed"', 'url = "http://directory.example"'))
    now = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
    [finding] = look_at_clock(load_settings(path), now + timedelta(seconds=off_s), now)
    assert finding.health is health
    [silent] = look_at_clock(load_settings(path), None, now)
    assert silent.health is Health.WARN


def test_no_key_and_no_secret_is_in_the_report(place: Path) -> None:
    done = typed("doctor", "--settings", place / "register", "--json")
    keys = place / "register" / "keys"
    assert "PRIVATE" not in done.out + done.err
    assert (keys / "archive.key").read_bytes().hex() not in done.out

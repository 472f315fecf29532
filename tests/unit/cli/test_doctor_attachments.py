"""What a clamd says of itself, in doctor's words and as figures; over a socket, with each answer that may come."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from adapter.app.figures import ScannerFigures
from adapter.cli.doctor_attachments import look_at_scanner, look_at_spool
from adapter.cli.doctor_checks import Finding, Health
from adapter.errors import ScanUnavailable
from adapter.settings import Settings, load_settings
from adapter.transport.clamd import Clamd

pytestmark = pytest.mark.sockets

SAID = b"ClamAV 1.4.2/27512/Wed Nov  5 08:00:00 2025\0"
NOW = datetime(2025, 11, 6, tzinfo=UTC)


@contextmanager
def answering(reply: bytes, folder: Path) -> Iterator[str]:
    """A socket that answers zVERSION with these octets."""
    path = str(folder / "clamd")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zVERSION\0"
        writer.write(reply)
        writer.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_unix_server(answer, path), loop).result(10)
    try:
        yield path
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_the_version_and_its_signatures(tmp_path: Path) -> None:
    with answering(SAID, tmp_path) as address:
        version = asyncio.run(Clamd(address, timeout_s=5).version())
    assert (version.engine, version.signatures) == ("ClamAV 1.4.2", 27512)
    assert version.made_on == datetime(2025, 11, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"UNKNOWN COMMAND\0", b"ClamAV " + b"9" * 200])
def test_what_is_no_clamd(tmp_path: Path, reply: bytes) -> None:
    with answering(reply, tmp_path) as address, pytest.raises(ScanUnavailable):
        asyncio.run(Clamd(address, timeout_s=5).version())


def settings(place: Path, scan: str = "") -> Settings:
    file = place / "register" / "adapter.toml"
    text = file.read_text()
    assert text.count("[scan]\n") == 1
    file.write_text(text.replace("[scan]\n", f"[scan]\n{scan}"))
    return load_settings(file)


def found(place: Path, address: str, now: datetime = NOW, when_down: str = "refuse") -> Finding:
    scan = f'clamd = "{address}"\nwhen_down = "{when_down}"\n'
    (finding,) = look_at_scanner(settings(place, scan), now)
    return finding


def test_doctor_names_it_and_its_signatures(place: Path) -> None:
    with answering(SAID, place) as address:
        finding = found(place, address)
    assert finding.health is Health.OK
    assert finding.found == f"ClamAV 1.4.2 at {address}, signatures 27512 of 2025-11-05"


@pytest.mark.parametrize(
    ("reply", "now"), [(SAID, datetime(2025, 11, 20, tzinfo=UTC)), (b"ClamAV 1.4.2\0", NOW)], ids=["old", "none"]
)
def test_doctor_warns_of_signatures_that_do_not_help(place: Path, reply: bytes, now: datetime) -> None:
    with answering(reply, place) as address:
        finding = found(place, address, now)
    assert (finding.health, "freshclam" in finding.mend) == (Health.WARN, True)


@pytest.mark.parametrize(
    ("when_down", "health", "becomes"),
    [("refuse", Health.FAIL, "refused"), ("deliver", Health.WARN, "handed on unseen")],
)
def test_doctor_says_what_becomes_of_attachments_without_it(
    place: Path, when_down: str, health: Health, becomes: str
) -> None:
    finding = found(place, str(place / "nothing"), when_down=when_down)
    assert (finding.health, becomes in finding.found) == (health, True)


def test_doctor_is_silent_where_nobody_is_to_look(place: Path) -> None:
    assert list(look_at_scanner(settings(place), NOW)) == []


def test_doctor_compares_the_spool_with_its_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Disk(free=8 << 30))
    (finding,) = look_at_spool(settings(place))
    assert finding.health is Health.OK
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Disk(free=(8 << 30) - 1))
    (finding,) = look_at_spool(settings(place))
    assert (finding.health, "bound 8192 MB" in finding.found) == (Health.WARN, True)


class _Disk:
    def __init__(self, free: int) -> None:
        self.free = free


def figures(clamd: Clamd | None) -> str:
    scanner = ScannerFigures(clamd)
    asyncio.run(scanner.refresh())
    registry = CollectorRegistry()
    registry.register(scanner)
    return generate_latest(registry).decode()


def test_figures_of_a_clamd_that_answers(tmp_path: Path) -> None:
    with answering(SAID, tmp_path) as address:
        text = figures(Clamd(address, timeout_s=5))
    assert "adapter_scan_clamd_reachable 1.0" in text
    assert 'adapter_scan_clamd_info{engine="ClamAV 1.4.2",signatures="27512"} 1.0' in text
    assert "adapter_scan_clamd_signatures_timestamp_seconds 1.7623296e+09" in text


def test_figures_of_one_that_does_not(tmp_path: Path) -> None:
    text = figures(Clamd(str(tmp_path / "nothing"), timeout_s=5))
    assert "adapter_scan_clamd_reachable 0.0" in text
    assert "info" not in text
    assert figures(None).strip() == ""

"""The task that calls `adapter keys renew`: when a step is due, in one worker, again after a failure."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.app.figures import RenewalFigures
from adapter.app.renewal_failure import last_failure
from adapter.app.renewing import RenewalKeeper
from adapter.cli.serve import renew_command
from examples.federation.free_ports import free_ports
from tests.acme_server import AcmeServer, Fault, acme_server
from tests.renewals import NEW, RenewingHome

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> RenewingHome:
    return RenewingHome.make(tmp_path_factory.mktemp("renewing"))


@pytest.fixture(scope="module")
def server(home: RenewingHome) -> Iterator[AcmeServer]:
    with acme_server(home.federation.tls_ca, home.folder / "acme", challenge_port=free_ports(1)[0]) as server:
        yield server


class Clock:
    """That is moved by hand."""

    def __init__(self) -> None:
        self.off = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


async def test_a_running_adapter_renews_by_itself_and_again_after_a_failure(
    home: RenewingHome, server: AcmeServer
) -> None:
    home.set(server.url, server.ca_file, server.challenge_port, "renew_days = 3650")
    clock, server.fault = Clock(), Fault.INVALID
    command = renew_command(home.home / "adapter.toml")
    keeper, other = (RenewalKeeper(home.settings, command, clock) for _ in range(2))
    with capture_logs() as lines:
        await keeper.look()
    assert keeper.failures == {"CertificateNotIssued": 1}
    assert "the CA refuses: badCSR" in lines[-1]["because"]
    [counted] = [one for one in RenewalFigures(keeper).collect() if one.name == "adapter_tls_renewal_failures"]
    assert [(one.labels["reason"], one.value) for one in counted.samples] == [("CertificateNotIssued", 1)]
    kept = last_failure(home.settings)
    assert kept is not None, "after a restart too"
    assert (kept.code, "the CA refuses: badCSR" in kept.reason) == ("CertificateNotIssued", True)
    asked = len(server.asked)
    server.fault = None
    await other.look()
    await keeper.look()
    assert len(server.asked) == asked, "another worker does not, and this one waits a minute"
    clock.off = timedelta(minutes=1)
    await keeper.look()
    assert await asyncio.to_thread(home.states) == {"tls": "active", NEW: "certified"}
    assert last_failure(home.settings) is None
    asked = len(server.asked)
    await keeper.look()
    assert len(server.asked) == asked, "the authority's turn"
    assert (home.home / "data" / "renewal" / "registration.xml").exists()
    keeper.release()


async def test_a_command_that_hangs_goes_with_the_worker(home: RenewingHome, tmp_path: Path) -> None:
    home.set("https://localhost:1/", home.folder / "fed" / "tls-ca.pem", 1, "renew_days = 3650")
    told = tmp_path / "pid"
    program = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    keeper = RenewalKeeper(home.settings, (sys.executable, "-c", program), lambda: datetime(2090, 1, 1, tzinfo=UTC))
    await asyncio.to_thread(home.type, "keys", "revoke", NEW, "--reason", "superseded")
    task = asyncio.create_task(keeper.keep_renewed())
    until = time.monotonic() + 60
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


async def test_where_it_is_not_wanted_it_ends_at_once(home: RenewingHome) -> None:
    home.set("https://localhost:1/", home.folder / "fed" / "tls-ca.pem", 1, "automatic = false")
    await asyncio.wait_for(RenewalKeeper(home.settings, (), Clock()).keep_renewed(), 10)

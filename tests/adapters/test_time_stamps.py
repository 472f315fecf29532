"""Adapters as processes, one with two workers, and a real time-stamp authority that fails and comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.directory.content import TimeStampAuthority as Listed
from adapter.store.engine import open_database
from adapter.store.time_stamps import TimeStamps
from examples.federation.federation import Federation, build_federation
from examples.federation.home import Home
from examples.federation.plan import FederationPlan
from examples.federation.processes import Processes
from tests.adapters.publishing import publish_draft
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until
from tests.real_pki.making import RealPki
from tests.real_pki.serving import Fault
from tests.real_pki.tsa import TimeStampAuthority

pytestmark = pytest.mark.sockets
LIMIT = timedelta(seconds=15)
OFTEN = "\n[time_stamps]\nevery_s = 1\ntimeout_s = 10\n"


def name_authority(federation: Federation, tsa: TimeStampAuthority) -> None:
    """The next version of the directory, with one authority and a limit."""
    authority = federation.authority
    listed = {"clock": Listed(name="clock", address=tsa.address, certificates=(tsa.certificate,))}
    draft = replace(authority.draft(), time_stamp_authorities=listed, time_stamp_limit=LIMIT)
    publish_draft(federation, draft)


def stamps_of(home: Home) -> TimeStamps:
    return TimeStamps(open_database(home.settings.database_url))


def test_stamped_by_one_worker_refused_past_the_limit_and_again_after_it(tmp_path: Path) -> None:
    pki = RealPki.build(tmp_path)
    with pki.time_stamp("first") as tsa, StubSystem() as system, Processes(tmp_path / "logs") as processes:
        members = tuple(
            member_plan(number, folder, suite="p256", system=system, workers=workers, more_settings=OFTEN)
            for number, folder, workers in ((1, "one", 2), (2, "two", 1))
        )
        federation = build_federation(FederationPlan(members=members), tmp_path / "federation", processes)
        name_authority(federation, tsa)
        federation.start()
        one, two = federation.homes["one"], federation.homes["two"]
        assert ask(one, two, fresh_pinfl()).code == "answered"
        for home in (one, two):
            wait_until(lambda home=home: stamps_of(home).state().waiting_since is None)  # type: ignore[misc]
        tsa.play(Fault.DOWN)
        assert ask(one, two, fresh_pinfl()).code == "answered", "a failing authority stops nothing until the limit"
        wait_until(lambda: ask(one, two, fresh_pinfl()).code == "TimeStampOverdue")
        tsa.play(Fault.NONE)
        wait_until(lambda: ask(one, two, fresh_pinfl()).code == "answered")
        sizes = [stamp.size for stamp in stamps_of(one).all()]
        assert sizes == sorted(set(sizes))

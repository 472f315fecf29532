"""A neutral witness as a process, beside adapters that are processes and find it in the directory.

It cosigns what grows. A record that is put back to an older state, and one that goes on from there in another way, get
no further cosignature, whatever the witness itself went through.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from adapter.directory.content import Witness, WitnessRule
from adapter.evidence.contents import COSIGNED
from adapter.store.alarms import AHEAD, DISPUTED
from examples.federation.federation import ADAPTER, CHECKOUT, Federation, build_federation
from examples.federation.free_ports import free_ports
from examples.federation.home import Home
from examples.federation.plan import FederationPlan
from examples.federation.processes import Processes
from tests.adapters.publishing import publish_draft
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until
from tests.command_line import typed

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(300)]
OFTEN: Final = "\n[witnesses]\nevery_s = 1\ntimeout_s = 20\n"
NAME: Final = "neutral.example.uz"


def said(*words: object) -> Any:
    """What a command that must succeed answers to a script."""
    done = typed(*words, "--json")
    assert done.code == 0, done
    return json.loads(done.out)


@dataclass(frozen=True)
class WitnessProcess:
    """`adapter witness serve`, in a folder of its own, on a port that stays the same."""

    folder: Path
    port: int
    processes: Processes

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def vkey(self) -> str:
        return (self.folder / "witness.vkey").read_text().strip()

    def start(self) -> None:
        command = [ADAPTER, "witness", "serve", str(self.folder), "--port", str(self.port)]
        started = self.processes.start("witness", command, cwd=CHECKOUT)
        before = started.log.read_text().count(self.address)
        self.processes.wait_until("witness", lambda: started.log.read_text().count(self.address) > before)

    def held_of(self, home: Home) -> dict[str, Any]:
        """Size and root of the checkpoint of a record that it cosigned last."""
        held: dict[str, Any] = said("witness", "show", self.folder)["records"][str(home.plan.member)]
        return held


@dataclass(frozen=True)
class Ground:
    """Two adapters and a witness, all running; the directory names the witness and wants its cosignature."""

    federation: Federation
    witness: WitnessProcess

    @property
    def one(self) -> Home:
        return self.federation.homes["one"]

    @property
    def two(self) -> Home:
        return self.federation.homes["two"]

    def exchange(self) -> str:
        """The id of one answered message."""
        answer = ask(self.one, self.two, fresh_pinfl())
        assert answer.code == "answered", answer.text
        return answer.headers["Adapter-Message-Id"]

    def wait_witnessed(self, home: Home, size: int) -> None:
        wait_until(lambda: witnessed(home)["witnessed"] >= size)


def witnessed(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = said("log", "witnesses", "--settings", home.folder)
    return found


def alarms_of(home: Home) -> set[str]:
    return {one["alarm"] for one in said("log", "alarms", "--settings", home.folder) if one["about"] == "neutral"}


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    folder = tmp_path / "witness"
    with StubSystem() as system, Processes(tmp_path / "logs") as processes:
        members = tuple(
            member_plan(number, name, suite="p256", system=system, more_settings=OFTEN)
            for number, name in ((1, "one"), (2, "two"))
        )
        federation = build_federation(FederationPlan(members=members), tmp_path / "federation", processes)
        said("witness", "init", folder, "--name", NAME)
        published = federation.authority.path / "published"
        said("witness", "know", folder, "--directory", published, "--anchor", federation.anchor)
        witness = WitnessProcess(folder=folder, port=free_ports(1)[0], processes=processes)
        name_witness(federation, witness)
        witness.start()
        federation.start()
        yield Ground(federation=federation, witness=witness)


def name_witness(federation: Federation, witness: WitnessProcess) -> None:
    """The next version of the directory."""
    named = {"neutral": Witness(name="neutral", vkey=witness.vkey, address=witness.address)}
    rule = WitnessRule(threshold=1, limit=timedelta(hours=6))
    publish_draft(federation, replace(federation.authority.draft(), witnesses=named, witness_rule=rule))


def test_cosignatures_come_over_http_and_stand_in_verify_and_in_evidence(ground: Ground, tmp_path: Path) -> None:
    begun = datetime.now(UTC).replace(microsecond=0)
    message_id = ground.exchange()
    for home in (ground.one, ground.two):
        size = home.record.size()
        ground.wait_witnessed(home, size)
        seen = said("log", "verify", "--settings", home.folder)["witnesses"]["neutral"]
        assert seen["size"] >= size
        assert ground.witness.held_of(home)["size"] >= size
        file = tmp_path / f"{home.plan.folder}.asice"
        said("evidence", "export", message_id, "-o", file, "--settings", home.folder, "--yes")
        judged = said("evidence", "verify", file, "--anchor", ground.federation.anchor)
        (cosigned,) = [one for one in judged["statements"] if one["by"] == f"the witness “{NAME}”"]
        assert cosigned["file"] == COSIGNED
        assert begun <= datetime.fromisoformat(cosigned["at"].replace(" UTC", "+00:00")) <= datetime.now(UTC)
    assert alarms_of(ground.one) | alarms_of(ground.two) == set()


def test_a_record_that_is_put_back_or_goes_on_otherwise_is_not_cosigned(ground: Ground, tmp_path: Path) -> None:
    ground.exchange()
    ground.wait_witnessed(ground.one, ground.one.record.size())
    data, older = ground.one.settings.adapter.data_dir, tmp_path / "older"
    assert ground.federation.processes.stop("one") == 0
    shutil.copytree(data, older)
    ground.federation.restart(ground.one)
    for _ in range(6):  # so that a start and its alarms do not fill what is about to be missing
        ground.exchange()
    ground.wait_witnessed(ground.one, ground.one.record.size())
    assert ground.federation.processes.stop("one") == 0
    held = ground.witness.held_of(ground.one)

    shutil.rmtree(data)
    shutil.copytree(older, data)
    ground.witness.processes["witness"].kill()  # what it signed was on its disk before
    ground.witness.start()
    ground.federation.restart(ground.one)
    wait_until(lambda: AHEAD in alarms_of(ground.one))
    assert ground.one.record.size() < held["size"], "else this was a fork already"
    while ground.one.record.size() <= held["size"] + 2:
        ground.exchange()
    wait_until(lambda: DISPUTED in alarms_of(ground.one))
    assert ground.witness.held_of(ground.one) == held
    assert witnessed(ground.one)["witnessed"] < held["size"]
    ground.wait_witnessed(ground.two, ground.two.record.size())  # whose record is what it was
    assert alarms_of(ground.two) == set()

"""The federation that is measured: a consumer's adapter, a provider's adapter and its information system."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapter.identifiers import ServiceId, SubsystemId
from bench.client_tls import ClientTls, demand_client_tls
from bench.messages import NAMESPACE
from examples.federation.federation import ADAPTER, CHECKOUT, Federation, build_federation
from examples.federation.free_ports import free_ports
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes, answers

PROVIDER: Final = "provider"
CONSUMER: Final = "consumer"
ADAPTERS: Final = (CONSUMER, PROVIDER)
BACKEND: Final = "backend"
SERVICE: Final = ServiceId.parse("UZ/GOV/200000001/registry/KeepRecords/v1")
CALLER: Final = SubsystemId.parse("UZ/GOV/200000002/benefits")
DESCRIPTION: Final = Path(__file__).with_name("description")

_CONTEXT: Final = f"""\
official = "inspector-17"
purpose = "social-benefit"
legal_basis_kind = "law"
legal_basis_reference = "Law No. 395 of 2015, article 12"
subject_kind = "pinfl"
subject_xpath = "r:Pinfl"
namespaces = {{ r = "{NAMESPACE}" }}"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSize:
    """Entries of a record, and the commits (one fsync each) that made them durable."""

    entries: int
    commits: int

    def __sub__(self, earlier: RecordSize) -> RecordSize:
        return RecordSize(entries=self.entries - earlier.entries, commits=self.commits - earlier.commits)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Everything runs. groups: the process group of each adapter."""

    federation: Federation
    suite: str
    client_tls: ClientTls | None

    @property
    def groups(self) -> dict[str, int]:
        """Process group ids by the adapter's name."""
        return {name: self.federation.processes[name].pid for name in ADAPTERS}

    @property
    def url(self) -> str:
        """Where the consumer's system calls the service."""
        url = self.federation.homes[CONSUMER].service_url(SERVICE)
        return url.replace("http:", "https:", 1) if self.client_tls else url

    def records(self) -> dict[str, RecordSize]:
        """How much each adapter's record holds."""
        return {name: _record_size(self.federation.homes[name]) for name in ADAPTERS}


@contextmanager
def running_installation(
    suite: str,
    folder: Path,
    *,
    workers: int = 1,
    with_client_tls: bool = False,
    adapter_command: Sequence[str] = (ADAPTER,),
    others: tuple[MemberPlan, ...] = (),
) -> Iterator[Installation]:
    """Build and start everything below an empty folder; stop it at the end.

    with_client_tls: the consumer's system calls over mutual TLS instead of plain HTTP on loopback.
    adapter_command: what stands for the `adapter` command: a profiler, for example. others: further members.
    """
    with Processes(folder / "logs") as processes:
        (backend_port,) = free_ports(1)
        federation = build_federation(_plan(suite, backend_port, workers, others), folder, processes)
        start_backend(processes, backend_port)
        settings_file = federation.homes[CONSUMER].settings_file
        client_tls = demand_client_tls(settings_file, folder / "client-tls") if with_client_tls else None
        _start(federation, adapter_command)
        yield Installation(federation=federation, suite=suite, client_tls=client_tls)


def _record_size(home: Home) -> RecordSize:
    """The record's own tables; each commit leaves one signed checkpoint."""
    database = home.settings.adapter.data_dir / "adapter.sqlite"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
        (commits,) = connection.execute("SELECT count(*) FROM checkpoints").fetchone()
    return RecordSize(entries=entries, commits=commits)


def start_backend(processes: Processes, port: int) -> None:
    """Start the information system and wait until it answers."""
    processes.start(BACKEND, [sys.executable, "-m", "bench.backend", "--port", str(port)], cwd=CHECKOUT)
    processes.wait_until(BACKEND, lambda: answers(f"http://127.0.0.1:{port}/"))


def _start_directory(federation: Federation) -> None:
    port = str(federation.directory_port)
    command = [ADAPTER, "authority", "serve", str(federation.authority.path), "--port", port]
    federation.processes.start("directory", command, cwd=CHECKOUT)
    federation.processes.wait_until("directory", lambda: answers(f"http://127.0.0.1:{port}/metadata/timestamp.json"))


def _start(federation: Federation, adapter_command: Sequence[str]) -> None:
    _start_directory(federation)
    for home in federation.homes.values():
        federation.processes.start(home.plan.folder, [*adapter_command, *_serve(home)], cwd=CHECKOUT)
    for home in federation.homes.values():
        federation.wait_ready(home)


def _serve(home: Home) -> list[str]:
    return ["serve", "--settings", str(home.settings_file), "--workers", str(home.plan.workers)]


def _plan(suite: str, backend_port: int, workers: int, others: tuple[MemberPlan, ...]) -> FederationPlan:
    return FederationPlan(members=(_provider(suite, backend_port, workers), _consumer(suite, workers), *others))


def _provider(suite: str, backend_port: int, workers: int) -> MemberPlan:
    return MemberPlan(
        id=str(SERVICE.subsystem.member),
        folder=PROVIDER,
        names={"en": "Provider of the benchmark"},
        subsystems=(SERVICE.subsystem.code,),
        suite=suite,
        services=(ServicePlan(toml=_service_toml(backend_port), description=DESCRIPTION),),
        grants=(
            GrantPlan(
                consumer=str(CALLER),
                service=SERVICE,
                purposes=frozenset({"social-benefit"}),
                legal_basis_kinds=frozenset({"law"}),
            ),
        ),
        workers=workers,
    )


def _consumer(suite: str, workers: int) -> MemberPlan:
    return MemberPlan(
        id=str(CALLER.member),
        folder=CONSUMER,
        names={"en": "Consumer of the benchmark"},
        subsystems=(CALLER.code,),
        suite=suite,
        clients=(ClientPlan(name="load", subsystem=CALLER.code, context=_CONTEXT),),
        workers=workers,
    )


def _service_toml(backend_port: int) -> str:
    return f"""\
code = "{SERVICE.code}"
version = "{SERVICE.version}"
subsystem = "{SERVICE.subsystem.code}"
title = "Records sent back"
wsdl = "records.wsdl"
personal_data = true
backend = "soap"
subject_kind = "pinfl"
subject_xpath = "r:Pinfl"

[namespaces]
r = "{NAMESPACE}"

[soap]
address = "http://127.0.0.1:{backend_port}/"
timeout_s = 60
pool = 64
"""

"""Who is in the security officer's year: an authority, a CA, two agencies' adapters, each a process of its own."""

from __future__ import annotations

import re
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from adapter.store.engine import open_database
from adapter.store.time_stamps import TimeStamps
from examples.authority.ca import TOKEN_FILE, TOKEN_HEADER
from examples.authority.issuing import Authorities
from examples.federation.enrolment_client import AuthorityClient
from examples.federation.federation import Federation, start_certificate_authority
from examples.federation.free_ports import free_ports
from examples.federation.home import Home, build_home
from examples.federation.plan import FederationPlan, MemberPlan
from examples.federation.processes import Processes
from examples.federation.settings_text import Ports
from tests.adapters.officers_desk import Desk
from tests.adapters.small_federation import CONTEXT, ask, fresh_pinfl, member_plan
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until
from tests.real_pki.tsa import TimeStampAuthority

SPREAD_S, LIFETIME_S = 6, 6
PURPOSES = ("signing", "agreement", "tls")
IN_A_TEST = {
    "refresh_s = 60": "refresh_s = 1",
    "spread_s = 300": f"spread_s = {SPREAD_S}",
    "every_s = 60": "every_s = 1",
}
"""A year in a minute: what waits for minutes by default waits for seconds."""
MESSAGE_LIFETIME = {"message_lifetime_s = 300": f"message_lifetime_s = {LIFETIME_S}"}
CERTIFIED_AGO, CERTIFIED_FOR = timedelta(days=78), timedelta(days=90)
CLIENT = f"""
[[client]]
name = "pension-system"
subsystem = "UZ/GOV/200000004/pensions"
identify_by = "address"
addresses = ["127.0.0.1/32"]
services = ["UZ/*"]

[client.context]
{CONTEXT}
"""


@dataclass(frozen=True, kw_only=True)
class LongAgo(AuthorityClient):
    """The CA as it was when the register's keys were certified: 78 of their 90 days are over. folder: its own."""

    folder: Path

    def sign(self, profile: str, request: bytes) -> bytes:
        authorities = Authorities.load_or_make(self.folder, datetime.now(UTC))
        return authorities.issue(profile, request, now=datetime.now(UTC) - CERTIFIED_AGO, valid_for=CERTIFIED_FOR)


@dataclass(kw_only=True)
class Load:
    """What came of the exchanges that go on meanwhile."""

    answered: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Year:
    """The scene. What is typed is typed at the desk."""

    federation: Federation
    register: Home
    pension: Home
    desk: Desk

    @property
    def place(self) -> Path:
        return self.federation.folder

    # --- what the two adapters do -------------------------------------------------------------------------------------

    def ask(self) -> str:
        """The outcome of one call of the Pension Fund's system: `answered`, or the code of the fault."""
        return ask(self.pension, self.register, fresh_pinfl()).code

    def refusal(self) -> str:
        """Outcome and reason of the newest entry of the register's record."""
        record = self.register.record
        newest = record.since(record.size() - 1)[-1]
        return f"{newest.outcome}: {newest.reason}"

    @contextmanager
    def under_load(self, pause_s: float) -> Iterator[Load]:
        """The Pension Fund's system asks all the time."""
        load, stop = Load(), threading.Event()

        def go_on() -> None:
            while not stop.wait(pause_s):
                answer = ask(self.pension, self.register, fresh_pinfl())
                if answer.code == "answered":
                    load.answered += 1
                else:
                    load.refused.append(f"{datetime.now(UTC):%H:%M:%S} {answer.code} {answer.text} ({self._why()})")

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield load
        finally:
            stop.set()
            thread.join()

    def _why(self) -> str:
        """What the register's own record says of its newest refusal, which is not for the caller's eyes."""
        record = self.register.record
        newest = [entry for entry in record.since(max(0, record.size() - 8)) if entry.outcome and entry.reason]
        return f"{newest[-1].outcome}: {newest[-1].reason}" if newest else "nothing"

    def go_on_asking(self, load: Load, *, more: int) -> None:
        """Wait until so many more exchanges were answered."""
        wanted = load.answered + more
        wait_until(lambda: load.answered >= wanted)

    # --- what the authority does again and again ----------------------------------------------------------------------

    def signed_by(self, one: str, other: str) -> None:
        """The stick goes to two officers, and what they signed is published and read by both adapters."""
        names = {"karimova": one, "saidov": other}
        self.desk.follow("Two officers sign", instead=None if one == "karimova" and other == "saidov" else names)
        self.all_have_read()

    def round(self, one: str = "karimova", other: str = "saidov") -> None:
        """What is in the draft becomes the next version."""
        self.desk.follow("The authority proposes")
        self.signed_by(one, other)

    def all_have_read(self) -> None:
        """Wait until both adapters have the version that is published."""
        snapshot = self.federation.authority.snapshot()
        assert snapshot is not None
        version = snapshot.meta["targets.json"].version
        for home in (self.register, self.pension):
            if home.plan.folder in self.running:
                wait_until(lambda home=home: directory_version(home) >= version)  # type: ignore[misc]

    @property
    def running(self) -> set[str]:
        processes = self.federation.processes
        return {name for name in ("register", "pension") if name in processes.names}

    def both_follow(self, step: str) -> None:
        """A step of "Certificates end" once more, for both agencies and the year after, with the new CA."""
        following = {"--name 2027": "--name 2028", "-2027": "-2028", "ca/enrolment": "ca-2028/enrolment"}
        register = {f"destroy {one} ": f"destroy {one}-2027 " for one in PURPOSES}
        pension = {
            "destroy signing ": "destroy signing-2027 ",
            "Population register": "Pension Fund",
            "200000001": "200000004",
            "register/": "pension/",
            "stick/register": "stick/pension",
            "--home register": "--home pension",
            "register.example": "pension.example",
        }
        self.desk.follow(step, instead=following | register)
        self.desk.follow(step, instead=following | pension)

    def name_clock(self, name: str, clock: TimeStampAuthority, address: str) -> None:
        """A time-stamp authority comes to an address of the page, and hands its certificate over."""
        (self.place / "ca" / f"{name}.pem").write_bytes(clock.certificate.public_bytes(Encoding.PEM))
        self.desk.stands_for[address] = clock.address

    def new_ca(self, folder: str) -> None:
        """A CA with keys of its own takes the place of the one that certified until now."""
        processes = self.federation.processes
        processes.stop("certificates")
        client = start_certificate_authority(self.place / f"{folder}-machine", processes)
        hand_out(self.place / f"{folder}-machine" / "certificates", self.place / folder)
        self.desk.stands_for["https://ca.example"] = client.url


def stamped_by(home: Home) -> set[str]:
    """The time-stamp authorities whose stamps the record has, once every entry is stamped; else none."""
    stamps = TimeStamps(open_database(home.settings.database_url))
    return {stamp.authority for stamp in stamps.all()} if stamps.state().waiting_since is None else set()


def directory_version(home: Home) -> int:
    """Of the directory that a running adapter uses."""
    with urllib.request.urlopen(f"http://127.0.0.1:{home.ports.operators}/metrics", timeout=30) as response:
        found = re.search(rb"^adapter_directory_version ([0-9.]+)", response.read(), re.MULTILINE)
    return int(float(found[1])) if found else 0


def hand_out(machine: Path, folder: Path) -> None:
    """The CA's public certificates, and what it knows its members by, as a header for curl."""
    folder.mkdir()
    for file in machine.glob("*-ca.pem"):
        shutil.copy(file, folder)
    (folder / "enrolment").write_text(f"{TOKEN_HEADER}: {(machine / TOKEN_FILE).read_text().strip()}\n")


@contextmanager
def a_year(place: Path) -> Iterator[Year]:
    """A CA that is there, machines for all, and nothing else yet."""
    with StubSystem() as system, Processes(place / "logs") as processes:
        certificates = start_certificate_authority(place, processes)
        directory_port, *ports = free_ports(7)
        register, pension = plans(system)
        homes = {
            plan.folder: Home(plan=plan, folder=place / plan.folder, ports=Ports(peers=a, clients=b, operators=c))
            for plan, (a, b, c) in zip((register, pension), (ports[:3], ports[3:]), strict=True)
        }
        federation = Federation(
            folder=place,
            plan=FederationPlan(members=(register, pension)),
            homes=homes,
            directory_port=directory_port,
            certificates_url=certificates.url,
            processes=processes,
        )
        hand_out(place / "certificates", place / "ca")
        for officer in ("karimova", "saidov", "usmonov", "yusupova"):
            (place / officer).mkdir(mode=0o700)
            (place / officer / "passphrase").write_text(f"a passphrase of {officer}\n")
            (place / officer / "passphrase").chmod(0o600)
        (place / "stick").mkdir()
        desk = Desk(
            place=place,
            stands_for={
                "https://directory.example": federation.directory_url,
                "https://ca.example": certificates.url,
                "https://register.example:8443": homes["register"].peer_address,
                "https://pension.example:8443": homes["pension"].peer_address,
                "register.example": "127.0.0.1",
                "pension.example": "127.0.0.1",
            },
        )
        yield Year(federation=federation, register=homes["register"], pension=homes["pension"], desk=desk)


def plans(system: StubSystem) -> tuple[MemberPlan, MemberPlan]:
    """The register with its service; the Pension Fund, whose home the page makes."""
    settings = f"\n[keys]\nspread_s = {SPREAD_S}\n\n[timing]\nmessage_lifetime_s = {LIFETIME_S}\n"
    settings += "\n[time_stamps]\nevery_s = 1\n"
    register = member_plan(1, "register", suite="p256", system=system, more_settings=settings)
    pension = member_plan(4, "pension", suite="p256", system=system)
    return replace(register, grants=(), clients=()), replace(pension, grants=(), services=register.services)


def settle_register(year: Year) -> None:
    """The register took part before: its home, with certificates that end soon."""
    client = AuthorityClient.of(year.federation.certificates_url, year.place / "certificates")
    long_ago = LongAgo(url=client.url, token=client.token, folder=year.place / "certificates")
    home = year.register
    build_home(
        home.plan,
        home.folder,
        home.ports,
        directory_url=year.federation.directory_url,
        anchor=year.federation.anchor,
        authority=long_ago,
    )


def settle_pension(year: Year) -> None:
    """Into the settings that `adapter init` wrote: ports that are free here, a year in a minute, its one system."""
    ports = year.pension.ports
    changes = {
        **IN_A_TEST,
        **MESSAGE_LIFETIME,
        "port = 8443": f"port = {ports.peers}",
        "port = 8080": f"port = {ports.clients}",
        "port = 8081": f"port = {ports.operators}",
    }
    file = year.pension.settings_file
    text = file.read_text()
    for default, here in changes.items():
        assert f"\n# {default}\n" in text, default
        text = text.replace(f"\n# {default}\n", f"\n{here}\n")
    file.write_text(text + CLIENT)

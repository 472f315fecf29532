"""A working installation for tests of trust: the authority with all its keys, and the population register's adapter.

It is made once; each test gets a copy of the folder, and may publish, issue certificates and set settings as the real
authority, CA and officer would.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from adapter.audit.checkpoint import record_origin
from adapter.cli.own_record import record_signer
from adapter.cli.trust_faults import TrustFault
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Member
from adapter.settings import Settings, load_settings
from adapter.store.appending import Log, append_entries
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.store.keyfiles import KeyPurpose, load_private_key
from examples.federation.federation import CHECKOUT
from tests.adapter_home import write_register
from tests.pki import (
    AGREEMENT_USAGE,
    SIGNING_USAGE,
    TLS_USAGE,
    Authority,
    Federation,
    certificate_pem,
    issue,
    registered,
)
from tests.records import an_entry
from tests.repository import Published
from tests.unit.cli.dialogue import MASKS, Run, updating

USAGE = {"signing": SIGNING_USAGE, "agreement": AGREEMENT_USAGE["p256"], "tls": TLS_USAGE}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """A finding that is not good: what, health, code of its kind."""

    what: str
    health: str
    fault: str


@dataclass(kw_only=True)
class Scene:
    """The installation of one test. now: when it was made."""

    place: Path
    federation: Federation
    published: Published
    now: datetime
    run: Run
    version: int = 1
    more: list[str] = field(default_factory=list)
    """Arguments for doctor."""
    found: list[dict[str, Any]] = field(default_factory=list)
    """What doctor said last."""

    # --- the adapter ---

    @property
    def home(self) -> Path:
        return self.place / "register"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def settings(self) -> Settings:
        return load_settings(self.home / "adapter.toml")

    def put(self, table: str, line: str) -> None:
        """One line at the beginning of a table, which is added where it is not there."""
        path = self.home / "adapter.toml"
        text, head = path.read_text(), f"[{table}]\n"
        key = line.partition(" ")[0]
        if head in text:
            before, _, after = text.partition(head)
            inside, bracket, rest = after.partition("\n[")
            inside = "\n".join(one for one in inside.split("\n") if one.partition(" ")[0] != key)
            text = f"{before}{head}{line}\n{inside}{bracket}{rest}"
        else:
            text += f"\n{head}{line}\n"
        path.write_text(text)

    def fill(self) -> None:
        """Three entries in the record."""
        settings = self.settings
        log = Log(record_origin(settings.member), record_signer(settings))
        append_entries(open_database(settings.database_url), log, [an_entry() for _ in range(3)])

    def sql(self, statement: str) -> None:
        with open_database(self.settings.database_url).writing() as connection:
            connection.exec_driver_sql(statement)

    def doctor(self) -> tuple[int, set[Row]]:
        """The exit code, and every row that is not good."""
        done = self.run("doctor", "--settings", self.home, "--json", *self.more)
        self.found = json.loads(done.out)["checks"]
        assert json.loads(done.out)["healthy"] == (done.code == 0)
        return done.code, {
            Row(one["what"], one["health"], one.get("fault", "")) for one in self.found if one["health"] != "ok"
        }

    # --- the certification authority ---

    def certify(self, purpose: str, *, issuer: Authority | None = None, **more: Any) -> x509.Certificate:
        """A certificate for the key that is there, put beside it."""
        ca = issuer or (self.federation.tls_ca if purpose == "tls" else self.federation.issuing_ca)
        key = load_private_key(self.keys / f"{purpose}.key", KeyPurpose(purpose)).public_key()
        said = {"subject": f"UZ/GOV/200000001 {purpose}", "usage": USAGE[purpose], "now": self.now}
        made: x509.Certificate = issue(ca, public_key=key, **{**said, **more})
        (self.keys / f"{purpose}.pem").write_bytes(certificate_pem(made))
        return made

    # --- the authority ---

    @property
    def draft(self) -> DirectoryDraft:
        return self.federation.draft(version=self.version + 1)

    @property
    def member(self) -> Member:
        return self.draft.members[self.federation.population.id]

    def publish(
        self, draft: DirectoryDraft, *, by: int = 2, keep: bool = False, stamped: timedelta = 100 * DAY
    ) -> None:
        """The next version. by: how many officers sign. keep: the adapter read it. stamped: how long it is fresh."""
        repository = self.federation.repository
        proof = self.federation.signed(draft)
        if by != 2:
            proof = repository.signed(proof.document, by=repository.officers[:by])
        at = repository.publish(proof, self.published, valid_for=stamped)
        at.write(self.place / "fed")
        self.published, self.version = at, draft.version
        if keep:
            self.keep(at)

    def keep(self, at: Published, *, looked: datetime | None = None) -> None:
        """The adapter's own copy, as of a look at that time."""
        settings = self.settings
        found = at.look(self.federation.anchor, now=looked or self.now)
        assert found is not None
        copy = DirectoryCopy(settings.adapter.data_dir / "directory", open_database(settings.database_url))
        assert copy.keep(found, since=copy.known().revision)

    def publish_member(self, **changes: Any) -> None:
        """The next version, in which our member is entered like this."""
        draft = self.draft
        member = replace(draft.members[self.federation.population.id], **changes)
        self.publish(replace(draft, members={**draft.members, member.id: member}))

    def register(self, purpose: str, certificate: x509.Certificate) -> None:
        """The next version, with this certificate of ours instead of the one before."""
        one = (registered(certificate, "tls" if purpose == "tls" else "p256"),)
        if purpose == "tls":
            self.publish_member(adapter=replace(self.member.adapter, tls_certificates=one))
        else:
            self.publish_member(**{purpose: one})


def build(folder: Path) -> Scene:
    """fed/ and register/, with the directory that was read, below a folder."""
    now = datetime.now(UTC).replace(microsecond=0)
    federation = Federation.build(now=now)
    federation.write(folder / "fed")
    published = federation.repository.publish(federation.signed())
    published.write(folder / "fed")
    write_register(folder, federation)

    def nothing(*_: object) -> Any:
        raise NotImplementedError

    scene = Scene(place=folder, federation=federation, published=published, now=now, run=nothing)
    scene.keep(published)
    return scene


def copied(scene: Scene, place: Path, run: Run) -> Scene:
    """The same installation in another folder."""
    shutil.copytree(scene.place, place, dirs_exist_ok=True)
    return replace(scene, place=place, run=run, more=[], found=[])


# --- cases ---------------------------------------------------------------------------------------------------------

Act = Callable[[Scene], object]
WAITS = (Row("exchange", "warn", ""),)
"""What cannot be tried before the fault is mended."""
WAIT = (Row("signature", "warn", ""), *WAITS)


@dataclass(frozen=True)
class Case:
    """spoil: puts the fault in. rows: all that is not good afterwards. names: what the first row's texts say."""

    spoil: Act
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    prepare: Act | None = None


def fails(what: str, fault: str) -> Row:
    return Row(what, "fail", fault)


def warns(what: str, fault: str) -> Row:
    return Row(what, "warn", fault)


def judge(scene: Scene, case: Case, *, on_page: bool = False) -> None:
    """Doctor after the fault: exactly these rows, the sentence and what to do, the exit code.

    on_page: what the first row says stands in docs/doctor.md.
    """
    code, found = scene.doctor()
    assert found == set(case.rows), [one for one in scene.found if one["health"] != "ok"]
    assert code == any(row.health == "fail" for row in case.rows)
    first = case.rows[0]
    named = [one for one in scene.found if (one["what"], one.get("fault")) == (first.what, first.fault)]
    [one, *_] = [
        one for one in named if all(name in f"{one['found']} {one['mend']}" for name in case.names)
    ] or pytest.fail(str(named))
    kinds = {fault.code: fault.sentence for fault in TrustFault}
    assert all(one["text"] == kinds[one["fault"]] for one in scene.found if "fault" in one)
    if on_page:
        stands_on_page(page_row(one, scene.place))


# --- docs/doctor.md --------------------------------------------------------------------------------------------------

PAGE = CHECKOUT / "docs" / "doctor.md"
_MASKS = (
    *MASKS,
    (re.compile(r"\b[0-9a-f]{12}…"), "<digest>…"),
    (re.compile(r"(?<=127\.0\.0\.1:)[0-9]+"), "<port>"),
    (re.compile(r"\b[0-9a-f]{64}"), "<sha256>"),
    (re.compile(r"(?<=record key )[0-9a-f]{8}|(?<=record\.key is )[0-9a-f]{8}"), "<id>"),
    (re.compile(r"\b[0-9]+ s off"), "<number> s off"),
    (re.compile(r"(?<=toml, line )[0-9]+"), "<number>"),
    (re.compile(r"/[a-z0-9/_-]+/libsofthsm2\.so"), "<module>"),
)


def page_row(one: dict[str, Any], place: Path) -> str:
    """The row of the page's table for a finding; what differs from run to run is masked."""
    cells = [f"`{one['fault']}`", one["text"], one["what"], one["health"], one["found"], one["mend"]]
    text = " | ".join(cell.replace("\n", " ").replace("|", "or") for cell in cells).replace(str(place), "…")
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return f"| {text} |".replace("<", "‹").replace(">", "›")


def stands_on_page(row: str) -> None:
    """UPDATE_DIALOGUES=1 puts it there, in the order of the table in the code, to be read before it is committed."""
    if updating():
        head, rule, *rest = PAGE.read_text().partition("| --- | --- | --- | --- | --- | --- |\n")
        table, gap, tail = "".join(rest).partition("\n\n")
        rows = {line.split("|")[1].strip(): line for line in [*table.splitlines(), row] if line.startswith("|")}
        ordered = [rows[f"`{fault.code}`"] for fault in TrustFault if f"`{fault.code}`" in rows]
        PAGE.write_text(head + rule + "\n".join(ordered) + gap + tail)
    assert row in PAGE.read_text().splitlines()


# --- servers ---------------------------------------------------------------------------------------------------------


class DatedServer(HTTPServer):
    """A web server of a folder whose clock is off by `off`."""

    off = timedelta()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(SimpleHTTPRequestHandler):
    server: DatedServer

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or datetime.now(UTC).timestamp()) + self.server.off.total_seconds())

    def log_message(self, *_: object) -> None:
        return None


@contextlib.contextmanager
def serving(folder: Path, *, certificate: Path | None = None) -> Iterator[DatedServer]:
    """Files over HTTP, or over TLS with this certificate and the key beside it."""
    server = DatedServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)

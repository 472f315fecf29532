"""`adapter keys renew` against a CA that plays every fault: what is kept, entered, proposed, and refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.app.one_worker import WorkerLock
from adapter.cli import registration
from adapter.crypto.note import NoteSigner
from adapter.directory.document import read_registration
from adapter.store.keyfiles import KeyPurpose, load_private_key, save_private_key
from examples.federation.free_ports import free_ports
from tests.acme_server import AcmeServer, Fault, acme_server
from tests.renewals import NEW, UNTIL_RETIRING, RenewingHome
from tests.unit.cli.dialogue import Run

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RenewingHome:
    return RenewingHome.make(tmp_path_factory.mktemp("renewing"))


@pytest.fixture(scope="module")
def running(made: RenewingHome) -> Iterator[AcmeServer]:
    with acme_server(made.federation.tls_ca, made.folder / "acme", challenge_port=free_ports(1)[0]) as server:
        yield server


@pytest.fixture
def server(running: AcmeServer) -> AcmeServer:
    running.forget()
    return running


@pytest.fixture
def home(made: RenewingHome, server: AcmeServer, tmp_path: Path, run: Run) -> RenewingHome:
    """A copy of it, to be changed; its certificate has ten years left, so it renews when it is told to."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    home = RenewingHome(folder=tmp_path, federation=made.federation, draft=made.draft)
    home.set(server.url, server.ca_file, server.challenge_port, "timeout_s = 2\norder_timeout_s = 5")
    return home


def test_from_the_new_key_to_the_end_of_the_old_one(
    home: RenewingHome, server: AcmeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(registration, "sleep", slept.append)
    assert home.renew()["next"].startswith("nothing until ")
    assert server.asked == [], "there is time"
    said = home.renew("--now")
    assert said["next"] == f"the authority registers the certificate of {NEW}"
    assert home.states() == {"tls": "active", NEW: "certified"}
    new = load_private_key(home.home / "keys" / f"{NEW}.key", KeyPurpose.TLS)
    assert home.certificate(NEW).public_key() == new.public_key()
    assert sorted(server.hosts) == ["127.0.0.1", "localhost"], "as the certificate before it"
    assert home.renew()["done"] == [], "nothing is ordered twice"
    proposed = read_registration(Path(said["registration"]).read_bytes()).member
    known = home.draft.members[proposed.id]
    both = {home.certificate("tls"), home.certificate(NEW)}
    assert {one.certificate for one in proposed.adapter.tls_certificates} == both
    assert (proposed.names, proposed.stir, proposed.signing) == (known.names, known.stir, known.signing)

    home.register()
    assert slept == []
    assert home.renew()["done"] == [f"Activated {NEW}, record 5", "Retiring: tls"]
    assert home.used() == NEW
    assert len(slept) == 1, "a registration without the old one is written when workers show it no longer"
    home.register()
    while not home.renew()["done"]:
        pass  # until a message that is on its way can have arrived: a second here
    assert home.states() == {"tls": "retired", NEW: "active"}
    assert home.renew()["registration"] is None
    assert home.outcomes() == [
        *UNTIL_RETIRING,
        "key-left-directory",
        "key-retired",
    ]


FAULTS = {
    Fault.INVALID: (9, "the CA refuses: badCSR"),
    Fault.NOT_PEM: (2, "no certificate in PEM"),
    Fault.OTHER_KEY: (3, f"is for another key than {NEW}"),
    Fault.OTHER_NAME: (3, "is for other hosts than those that were ordered"),
    Fault.OTHER_MEMBER: (3, "begins with another member's id"),
    Fault.SERVER_ONLY: (3, "is not for servers and clients both"),
    Fault.OTHER_CA: (3, "no certificate of the authority issued this one"),
    Fault.WRONG_KEY: (3, "signature of a certificate is wrong"),
    Fault.EXPIRED: (3, "has expired"),
    Fault.CLOCK_AHEAD: (3, "not valid yet"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_kept_of_what_is_wrong_and_the_next_attempt_goes_on(
    home: RenewingHome, server: AcmeServer, fault: Fault
) -> None:
    server.fault = fault
    code, words = FAULTS[fault]
    assert words in home.renew("--now", code=code)["said"]
    assert not (home.home / "keys" / f"{NEW}.pem").exists()
    assert home.states() == {"tls": "active", NEW: "requested"}
    assert home.used() == "tls"
    server.fault = None
    home.renew()
    assert home.states() == {"tls": "active", NEW: "certified"}, "with the same key"
    assert home.outcomes().count("key-requested") == 1


def test_two_officers_where_the_settings_want_them(home: RenewingHome, server: AcmeServer) -> None:
    vkeys = []
    for name in ("dilnoza", "bek"):
        private = Ed25519PrivateKey.generate()
        save_private_key(home.folder / f"{name}.key", private, KeyPurpose.OFFICER)
        vkeys.append(f'"{NoteSigner(name, private).vkey}"')
    rule = f'[approvals]\nacts = ["key-create"]\nofficers = [{", ".join(vkeys)}]'
    home.set(server.url, server.ca_file, server.challenge_port, rule)
    said = home.renew("--now", code=8)["said"]
    (asked,) = {word.strip(":.`") for word in said.split() if word.startswith("a-")}
    assert home.states() == {"tls": "active"}
    assert asked in home.renew("--now", code=8)["said"], "asking again is the same request"
    for name in ("dilnoza", "bek"):
        home.type("approvals", "approve", asked, "--key", home.folder / f"{name}.key")
    home.renew("--now")
    assert home.states() == {"tls": "active", NEW: "certified"}


def test_one_renewal_at_a_time(home: RenewingHome) -> None:
    lock = WorkerLock(home.home / "data" / "renewal-command.lock")
    assert lock.acquire()
    assert "is being renewed at this moment" in home.renew(code=2)["said"]
    lock.release()


def test_without_the_table_there_is_no_renewal(home: RenewingHome) -> None:
    file = home.home / "adapter.toml"
    file.write_text(file.read_text().partition("\n[acme]")[0])
    assert "the settings have no table [acme]" in home.renew(code=2)["said"]


def test_the_key_of_the_account_is_kept_like_the_others(home: RenewingHome, server: AcmeServer) -> None:
    account = home.home / "keys" / "account.key"
    home.renew("--now")
    assert account.stat().st_mode & 0o777 == 0o600
    account.chmod(0o644)
    home.type("keys", "revoke", NEW, "--reason", "superseded")
    assert "account.key can be read by others" in home.renew("--now", code=3)["said"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('url = "http://ca.example/directory"', "url"),
        ('url = "https://ca.example@elsewhere.example/"', "url"),
        ('contact = ["nobody"]', "contact"),
        ("renew_days = 0", "renew_days"),
        ('account_keyfile = "x"', "account_key_file"),
    ],
)
def test_a_mistake_in_the_table_is_named(home: RenewingHome, line: str, words: str) -> None:
    file = home.home / "adapter.toml"
    text = file.read_text()
    if line.startswith("url"):
        text = "\n".join(one for one in text.splitlines() if not one.startswith('url = "https://localhost'))
    file.write_text(text.replace("[acme]\n", f"[acme]\n{line}\n"))
    said = home.renew(code=2)["said"]
    assert "[acme]" in said
    assert words in said


def test_a_process_that_answers_messages_does_not_load_the_library() -> None:
    program = "import sys, adapter.cli.main; sys.exit(bool({'acme', 'josepy', 'OpenSSL'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_revoked_certificate_is_not_renewed(home: RenewingHome, server: AcmeServer) -> None:
    """Which hosts to order for is said by the certificate in use; the way to the next one is by hand."""
    home.type("keys", "revoke", "tls", "--reason", "key-compromise")
    said = home.renew("--now", code=3)["said"]
    assert "every tls key was retired or revoked" in said
    assert server.asked == []
    assert home.states() == {"tls": "revoked"}

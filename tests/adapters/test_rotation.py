"""A year of keys in a minute: signing, agreement and TLS keys of a running adapter are rotated under load.

Two adapters of two workers each ask each other all the time. The officer types `adapter keys`, the certificate
authority and the directory's authority are real processes and files. Not one exchange may be refused.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from adapter.cli.authority_folder import registration_from
from adapter.directory.authoring import put_member
from adapter.store.engine import open_database
from adapter.store.key_lives import KeyLives
from examples.authority.ca import TOKEN_FILE
from examples.federation.enrolment_client import AuthorityClient
from examples.federation.federation import Federation
from examples.federation.home import Home
from tests.adapters.exchanges import verified_size
from tests.adapters.officers_scene import directory_version
from tests.adapters.publishing import publish_draft
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until
from tests.command_line import typed

SPREAD_S = 5
SETTINGS = f"\n[keys]\nspread_s = {SPREAD_S}\n\n[timing]\nmessage_lifetime_s = 5\n"
PURPOSES = ("signing", "agreement", "tls")


@dataclass
class Load:
    """What came of the exchanges that go on while keys are rotated."""

    answered: int = 0
    refused: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def go_on(self, consumer: Home, provider: Home) -> None:
        while not self.stop.is_set():
            answer = ask(consumer, provider, fresh_pinfl())
            if answer.code == "answered":
                self.answered += 1
            else:
                self.refused.append(f"{datetime.now(UTC):%H:%M:%S} {answer.code} {answer.text}")


@contextmanager
def under_load(one: Home, other: Home) -> Iterator[Load]:
    load = Load()
    threads = [threading.Thread(target=load.go_on, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            thread.join()


def officer(home: Home, *words: object) -> dict[str, object]:
    """One command of the officer, which must succeed."""
    done = typed("keys", *words, "--settings", home.folder, "--json")
    assert done.code == 0, done
    value: dict[str, object] = json.loads(done.out)
    return value


def register(federation: Federation, home: Home, folder: Path) -> None:
    """What `adapter registration` writes, entered by the directory's authority and published."""
    names = [f"--name={language}={name}" for language, name in home.plan.names.items()]
    words = (*names, "--stir", home.plan.member.code, "--address", home.peer_address, "-o", folder, "--yes")
    done = typed("registration", *words, "--settings", home.folder)
    assert done.code == 0, done
    registration = registration_from(folder / "registration.xml")
    publish_draft(federation, put_member(federation.authority.draft(), registration, now=datetime.now(UTC)))


def states(home: Home) -> dict[str, str]:
    lives = KeyLives(open_database(home.settings.database_url)).all()
    return {life.facts.name: life.state.value for life in lives.values()}


def wait_until_read(federation: Federation, home: Home) -> None:
    """Until the adapter has the version of the directory that is published."""
    snapshot = federation.authority.snapshot()
    assert snapshot is not None
    wait_until(lambda: directory_version(home) >= snapshot.meta["targets.json"].version)


def shown_to_peers(home: Home, other: Home) -> bytes:
    """SHA-256 of the certificate that the peer listener shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    keys = other.folder / "keys"
    context.load_cert_chain(keys / "tls.pem", keys / "tls.key")
    with (
        socket.create_connection(("127.0.0.1", home.ports.peers), timeout=10) as plain,
        context.wrap_socket(plain) as shaken,
    ):
        der = shaken.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256())


@pytest.mark.timeout(240)
def test_every_key_is_rotated_under_load_and_nothing_is_refused(tmp_path: Path) -> None:
    with StubSystem() as system:
        plans = [
            member_plan(number, folder, suite="p256", system=system, workers=2, more_settings=SETTINGS)
            for number, folder in ((1, "one"), (2, "two"))
        ]
        with running(tmp_path, *plans) as federation, under_load(*federation.homes.values()) as load:
            home, other = federation.homes["one"], federation.homes["two"]
            certificates = AuthorityClient.of(federation.certificates_url, tmp_path / "certificates")
            assert (tmp_path / "certificates" / TOKEN_FILE).exists()
            _rotate_all(federation, load, certificates, tmp_path / "handed-in")
            new = (home.folder / "keys" / "tls-2027.pem").read_bytes()
            new_shown = x509.load_pem_x509_certificate(new).fingerprint(hashes.SHA256())
            wait_until(lambda: {shown_to_peers(home, other) for _ in range(8)} == {new_shown})
            before = load.answered
            wait_until(lambda: load.answered >= before + 50)  # without the old keys
        assert load.refused == []
        assert load.answered > 200
        assert not list((home.folder / "keys").glob("signing.key"))
        assert states(home) == {
            **{f"{purpose}-2027": "active" for purpose in PURPOSES},
            **dict.fromkeys(PURPOSES, "destroyed"),
        }
        assert verified_size(home) > load.answered


def _rotate_all(federation: Federation, load: Load, certificates: AuthorityClient, handed_in: Path) -> None:
    home = federation.homes["one"]
    keys = home.folder / "keys"
    for purpose in PURPOSES:
        hosts = ("--host", "127.0.0.1") if purpose == "tls" else ()
        officer(home, "rotate", purpose, "--name", "2027", "--organisation", "Agency one", *hosts)
        certificate = keys.parent / f"{purpose}-2027.pem"
        certificate.write_bytes(certificates.sign(purpose, (keys / f"{purpose}-2027.csr").read_bytes()))
        officer(home, "import", certificate)
    register(federation, home, handed_in)
    # The running adapter itself enters that the directory names them.
    wait_until(lambda: {states(home)[f"{purpose}-2027"] for purpose in PURPOSES} == {"registered"})
    for purpose in PURPOSES:
        officer(home, "rotate", purpose, "--name", "2027", "--wait")
    assert {states(home)[f"{purpose}-2027"] for purpose in PURPOSES} == {"active"}
    assert {states(home)[purpose] for purpose in PURPOSES} == {"retiring"}
    still_named = typed("keys", "retire", "agreement", "--settings", home.folder)
    assert still_named.code == 2
    assert "still names agreement" in still_named.err
    register(federation, home, handed_in)  # at once: it is for the command to wait until the new keys are used
    wait_until_read(federation, home)
    for purpose in PURPOSES:
        officer(home, "rotate", purpose, "--name", "2027", "--wait")
        officer(home, "destroy", purpose, "--yes")

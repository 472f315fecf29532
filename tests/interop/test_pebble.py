"""`adapter keys renew` with pebble, an ACME server that others wrote: from the order to the key that peers see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import typed
from tests.interop.pebble_server import running_pebble
from tests.renewals import NEW, UNTIL_RETIRING, RenewingHome

pytestmark = [pytest.mark.interop, pytest.mark.timeout(500)]
_ATTEMPTS = 40


def folder(beside: Path, name: str) -> Path:
    made = beside / name
    made.mkdir()
    return made


def test_ordered_certified_registered_and_active(tmp_path: Path) -> None:
    with running_pebble(folder(tmp_path, "pebble")) as pebble:
        home = RenewingHome.make(folder(tmp_path, "home"), cas=pebble.cas)
        home.set(pebble.url, pebble.ca_file, pebble.challenge_port)
        home.renew("--now")
    assert home.states() == {"tls": "active", NEW: "certified"}
    home.certificate(NEW).verify_directly_issued_by(pebble.cas[1])
    home.register()
    assert home.renew()["done"] == [f"Activated {NEW}, record 5", "Retiring: tls"]
    assert home.used() == NEW
    assert home.outcomes() == [*UNTIL_RETIRING]


def test_as_it_is_published_its_certificates_are_for_servers_only_and_refused(tmp_path: Path) -> None:
    with running_pebble(folder(tmp_path, "pebble"), "pebble-servers") as pebble:
        home = RenewingHome.make(folder(tmp_path, "home"), cas=pebble.cas)
        home.set(pebble.url, pebble.ca_file, pebble.challenge_port)
        assert "is not for servers and clients both" in home.renew("--now", code=3)["said"]
    assert home.states() == {"tls": "active", NEW: "requested"}
    assert not (home.home / "keys" / f"{NEW}.pem").exists()


def test_rejected_nonces_are_said_and_a_later_attempt_goes_on(tmp_path: Path) -> None:
    with running_pebble(folder(tmp_path, "all"), nonces_rejected_percent=100) as pebble:
        home = RenewingHome.make(folder(tmp_path, "none"))
        home.set(pebble.url, pebble.ca_file, pebble.challenge_port)
        assert "the CA refuses: badNonce" in home.renew("--now", code=9)["said"]
        assert home.states() == {"tls": "active", NEW: "requested"}
    with running_pebble(folder(tmp_path, "some"), nonces_rejected_percent=20) as pebble:
        home = RenewingHome.make(folder(tmp_path, "home"), cas=pebble.cas)
        home.set(pebble.url, pebble.ca_file, pebble.challenge_port)
        for _ in range(_ATTEMPTS):
            done = typed("keys", "renew", "--now", "--settings", home.home)
            if done.code == 0:
                break
            assert (done.code, "the CA refuses: badNonce" in done.err) == (9, True), done
    assert home.states() == {"tls": "active", NEW: "certified"}
    assert home.outcomes().count("key-requested") == 1

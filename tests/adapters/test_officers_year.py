"""A security officer's whole year, told by docs/officer.md: a step types what the page shows and looks what came of it.

The adapters, the directory's server, the CA and the time-stamp authorities are processes or servers of their own. What
the page says is compared with what is printed (officers_desk.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.adapters.officers_desk import steps_of_the_page
from tests.adapters.officers_scene import (
    PURPOSES,
    Year,
    a_year,
    settle_pension,
    settle_register,
    stamped_by,
)
from tests.adapters.officers_thief import Thief, forge_time_stamp
from tests.adapters.waiting import wait_until
from tests.real_pki.making import RealPki
from tests.real_pki.serving import Fault

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(900)]


def test_a_security_officers_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("ADAPTER_SETTINGS", "ADAPTER_LANGUAGE", "LANG", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    with a_year(tmp_path) as year:
        the_authority_is_founded(year)
        an_agency_comes(year)
        certificates_end(year)
        a_key_is_lost(year)
        the_ca_is_replaced(year)
        an_officer_goes(year)
        the_online_keys_are_changed(year)
        the_time_stamp_authority_changes_its_certificate(year)
        assert year.desk.followed == steps_of_the_page()


def the_authority_is_founded(year: Year) -> None:
    """Three officers with keys of their own; two of them make the first root; one alone makes nothing."""
    year.desk.follow("Officers make their keys")
    year.desk.follow("The first root")
    year.desk.follow("Everybody gets the anchor")
    settle_register(year)
    year.desk.follow("Registered beside the old ones", instead={"--yes": ""})
    year.desk.follow("The authority proposes")
    year.desk.follow("One officer alone")
    year.desk.follow("Two officers sign")
    year.desk.follow("An officer refuses")
    year.desk.follow("The time-stamp is renewed")
    year.federation.start(without={"pension"})


def an_agency_comes(year: Year) -> None:
    """From nothing to the first exchange: home, keys, certificates, registration, a round, a grant."""
    year.desk.follow("Its adapter's home")
    settle_pension(year)
    year.desk.follow("Certificates")
    year.desk.follow("Registration")
    year.round()
    year.desk.follow("Access")
    year.federation.restart(year.pension)
    year.desk.follow("The first exchange")
    assert year.ask() == "answered"


def certificates_end(year: Year) -> None:
    """The register is warned, goes to new keys under load, and is warned no longer. Not one message is refused."""
    with year.under_load(0.05) as load:
        warned = year.desk.follow("The warning")
        assert all(f"key {purpose}" in warned for purpose in PURPOSES)
        assert warned.count("within 14 day(s)") >= len(PURPOSES)
        year.desk.follow("New keys")
        year.desk.follow("Registered beside the old ones")
        year.round()
        year.desk.follow("Used")
        year.desk.follow("Registered beside the old ones")
        year.round()
        assert "day(s)" not in year.desk.follow("The old ones end")
        year.go_on_asking(load, more=20)  # without the old keys
    assert load.refused == []
    assert load.answered > 100


def a_key_is_lost(year: Year) -> None:
    """What the thief has is believed until the directory changes, and by nobody from then on; the new key works."""
    thief = Thief(key=year.pension.keyring.signing[0], consumer=year.pension, provider=year.register)
    year.desk.follow("It is used no longer")
    wait_until(lambda: year.ask() != "answered")
    assert thief.asks() == "answered"  # the register cannot know yet
    year.desk.follow("Nobody believes it any more")
    year.signed_by("karimova", "saidov")
    assert thief.asks() == "SecurityFailed"
    year.desk.follow("A new one")
    year.round()
    year.desk.follow("Used at once")
    wait_until(lambda: year.ask() == "answered")
    assert thief.asks() == "SecurityFailed"


def the_ca_is_replaced(year: Year) -> None:
    """Both agencies go to keys of the new CA, the old one is struck off, and not one message is refused."""
    year.new_ca("ca-2028")
    with year.under_load(0.2) as load:
        year.desk.follow("The new one beside the old one")
        year.round()
        year.desk.follow("Too early")
        for step in ("New keys", "Registered beside the old ones"):
            year.both_follow(step)
        year.round()
        for step in ("Used", "Registered beside the old ones"):
            year.both_follow(step)
        year.round()
        year.both_follow("The old ones end")
        year.desk.follow("The old one is struck off")
        year.round()
        year.go_on_asking(load, more=20)
    assert load.refused == []


def an_officer_goes(year: Year) -> None:
    """The two who remain sign the next root; adapters believe the new officer, and the old key signs nothing."""
    year.desk.follow("The next root")
    year.signed_by("karimova", "usmonov")
    now = year.desk.follow("Who signs now")
    assert "yusupova" in now
    assert "saidov" not in now
    year.desk.follow("The old key is worthless")
    year.signed_by("yusupova", "usmonov")  # both adapters read it: they followed the roots
    assert year.ask() == "answered"


def the_online_keys_are_changed(year: Year) -> None:
    """Who stole the old ones makes nobody believe anything; adapters go on with the new ones."""
    shutil.copytree(year.place / "authority/online", year.place / "stolen-keys")
    year.desk.follow("New online keys")
    year.signed_by("karimova", "usmonov")
    forge_time_stamp(year.federation.authority.published, year.place / "stolen-keys", year.place / "stolen/published")
    year.desk.follow("What the thief has")
    year.round("karimova", "yusupova")
    assert year.ask() == "answered"


def the_time_stamp_authority_changes_its_certificate(year: Year) -> None:
    """Records are stamped by the old one, then by the new one, and what the old one stamped stays good."""
    pki = RealPki.build(year.place / "pki")
    with pki.time_stamp("first") as old, pki.time_stamp("second") as new:
        year.name_clock("clock", old, "http://tsa.example/")
        year.name_clock("clock-2028", new, "http://tsa-2028.example/")
        year.desk.follow("It is entered")
        year.round("karimova", "yusupova")
        assert year.ask() == "answered"
        wait_until(lambda: stamped_by(year.pension) == {"clock"})
        year.desk.follow("Stamps")
        year.desk.follow("The next one beside it")
        year.round("karimova", "yusupova")
        old.play(Fault.DOWN)
        assert year.ask() == "answered"
        wait_until(lambda: stamped_by(year.pension) == {"clock", "clock-2028"})
        year.desk.follow("The old clock is struck off")
        year.round("karimova", "yusupova")
        year.desk.follow("Old stamps stay good")

"""From an adapter's first key, which the record knows as registered and never activated, to the one that follows it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.app.keyring import own_lives, own_tls_key
from adapter.audit.key_life import LifeState
from adapter.cli.approval_gate import Asking
from adapter.cli.key_office import KeyOffice
from adapter.cli.registration import registration_with_tls
from tests.pki import TLS_USAGE, issue
from tests.renewals import RenewingHome

ROTATE = ("keys", "rotate", "tls", "--name", "2027", "--organisation", "Register", "--host", "localhost")


@pytest.fixture
def home(tmp_path: Path) -> RenewingHome:
    """tls: the first key, its life in the record. tls-2027: certified, and the directory names both."""
    home = RenewingHome.make(tmp_path)
    home.set("https://localhost:1/", home.folder / "fed" / "tls-ca.pem", 1)
    office = KeyOffice.of(home.home / "adapter.toml", Asking(officer=None, key=None))
    office.enter(office.step(office.find("tls"), LifeState.CERTIFIED), mandate=office.plain_mandate())
    home.type(*ROTATE)
    request = x509.load_pem_x509_csr((home.home / "keys" / "tls-2027.csr").read_bytes())
    certificate = issue(
        home.federation.tls_ca,
        public_key=request.public_key(),
        subject=f"{home.settings.member} adapter",
        usage=TLS_USAGE,
        extended_usage=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        hosts=("localhost",),
        now=datetime.now(UTC),
    )
    (tmp_path / "issued.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    home.type("keys", "import", tmp_path / "issued.pem", "--yes")
    assert own_tls_key(home.settings, own_lives(home.settings)).key_file.stem == "tls", "no peer knows the other"
    proposal = registration_with_tls(home.settings, office.directory())
    assert proposal is not None
    (home.home / "data" / "renewal").mkdir()
    (home.home / "data" / "renewal" / "registration.xml").write_bytes(proposal)
    home.register()
    return home


def test_rotating_enters_that_it_was_in_use_and_that_it_retires(home: RenewingHome) -> None:
    assert "Retiring: tls\n" in home.type(*ROTATE).out
    assert home.states() == {"tls": "retiring", "tls-2027": "active"}
    assert own_tls_key(home.settings, own_lives(home.settings)).key_file.stem == "tls-2027"
    assert home.outcomes()[-3:] == ["key-active", "key-active", "key-retiring"]


def test_activating_the_first_key_itself_leaves_the_next_one_alone(home: RenewingHome) -> None:
    home.type("keys", "activate", "tls")
    assert home.states() == {"tls": "active", "tls-2027": "registered"}
    home.type(*ROTATE)
    assert home.states() == {"tls": "retiring", "tls-2027": "active"}

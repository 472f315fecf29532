"""A key of an adapter that is made in a token (SoftHSM2), by the commands alone: from create to active."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.app.keyring import load_keyring
from adapter.crypto.certificates import ski
from adapter.settings import load_settings
from adapter.store.keyfiles import load_certificate
from adapter.store.token_keys import TokenDecryptionKey, TokenSigningKey
from tests.command_line import shown, typed
from tests.pki import AGREEMENT_USAGE, SIGNING_USAGE, Federation, issue
from tests.softhsm import LABEL, SoftToken, needs_softhsm, soft_token
from tests.unit.cli.dialogue import Run

pytestmark = needs_softhsm
CAS = ("--instance", "UZ", "--signing-ca", "fed/signing-ca.pem", "--tls-ca", "fed/tls-ca.pem")
WORDS = ("--name", "en=Population register", "--stir", "200000001", "--subsystem", "p", "-o", "reg", "--yes")
HERE = ("--settings", "register")


@dataclass
class Office:
    """An authority, a CA and an adapter with an empty token beside its key files."""

    place: Path
    federation: Federation

    def register(self) -> None:
        """What an agency and the authority do when a certificate is new."""
        shown("registration", *HERE, *WORDS, "--address", "https://127.0.0.1:8443")
        shown("authority", "add-member", "authority", "reg/registration.xml")
        shown("authority", "release", "authority", "--officers-here")

    def certify(self, purpose: str, suite: str) -> Path:
        """The CA's certificate for the request of this purpose."""
        asked = x509.load_pem_x509_csr((self.place / f"{purpose}.csr").read_bytes())
        assert asked.is_signature_valid
        made = issue(
            self.federation.issuing_ca,
            public_key=asked.public_key(),
            subject=asked.subject,
            usage=SIGNING_USAGE if purpose == "signing" else AGREEMENT_USAGE[suite],
            now=datetime.now(UTC),
        )
        path = self.place / f"{purpose}-issued.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM))
        return path

    def states(self) -> dict[str, str]:
        listed: list[dict[str, Any]] = json.loads(typed("keys", "list", *HERE, "--json").out)
        return {key["key"]: key["state"] for key in listed}


@pytest.fixture(params=["p256", "rsa"])
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def soft(place: Path) -> Iterator[SoftToken]:
    with soft_token(place / "token") as made:
        yield made


@pytest.fixture
def office(run: Run, place: Path, suite: str, soft: SoftToken) -> Office:
    assert callable(run)
    federation = Federation.build(suites=(suite,), now=datetime.now(UTC).replace(microsecond=0))
    federation.write(place / "fed")
    federation.population.write(place / "register" / "keys")
    file = place / "register" / "adapter.toml"
    text = file.read_text().replace("../fed/anchor.json", "../authority/anchor.json")
    text = text.replace('"../fed"', '"../authority/published"').replace("[keys]\n", "[keys]\nspread_s = 0\n")
    token = f'\n[token]\nmodule = "{soft.place.module}"\nlabel = "{LABEL}"\npin_file = "../token/token.pin"\n'
    file.write_text(text + token)
    made = Office(place, federation)
    shown("authority", "init", "authority", *CAS, "--make-officers", "3")
    made.register()
    return made


def test_a_key_in_the_token_goes_from_create_to_active_by_commands(office: Office, suite: str) -> None:
    purposes = ("signing", "agreement") if suite == "p256" else ("signing",)
    for purpose in purposes:
        new = ("--purpose", purpose, "--suite", suite, "--name", "2027", "--organisation", "Register")
        shown("keys", "create", "--pkcs11", *new, *HERE)
        named = (purpose, "--name", "2027", "--organisation", "Register")
        shown("keys", "csr", *named, "-o", f"{purpose}.csr", *HERE)
        assert office.states()[f"{purpose}-2027"] == "requested"
        shown("keys", "import", office.certify(purpose, suite), *HERE)
        assert office.states()[f"{purpose}-2027"] == "certified"
        assert "does not name the certificate" in shown("keys", "activate", f"{purpose}-2027", *HERE, code=2)
        office.register()
        shown("keys", "activate", f"{purpose}-2027", *HERE)
        assert (office.states()[f"{purpose}-2027"], office.states()[purpose]) == ("active", "retiring")
    keyring = load_keyring(load_settings(office.place / "register" / "adapter.toml"))
    assert [type(key) for key in keyring.signing][:1] == [TokenSigningKey]
    if suite == "p256":
        certificate = load_certificate(office.place / "register" / "keys" / "agreement-2027.pem")
        assert isinstance(keyring.decryption.find(ski(certificate)), TokenDecryptionKey)
    checks = {check["what"]: check for check in json.loads(typed("doctor", *HERE, "--json").out)["checks"]}
    assert checks["signature"]["health"] == "ok", checks["signature"]
    assert not list((office.place / "register" / "keys").glob("*-2027.key"))

"""A small real federation for foreign software: one provider, and three agencies whose systems call in different ways.

`register` provides GetPerson from a database, and the same service again with an information system that is down.
`office` listens in plain HTTP on loopback, `bureau` in TLS, `vault` in TLS with client certificates.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.identifiers import ServiceId, pinfl_check_digit
from examples.federation.federation import CHECKOUT, Federation, build_federation
from examples.federation.free_ports import free_ports
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes
from examples.population.generate import generate, sample
from tests.pki import Authority, certificate_pem, issue, make_ca, private_pem

GET_PERSON = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
GET_PERSON_DOWN = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v2")
"""The same service; the information system behind it does not answer."""

TOKEN = "token-of-the-foreign-clients"
USER, PASSWORD = "case-system", "password-of-the-foreign-clients"
CONTEXT = """\
official = "inspector-17"
purpose = "social-benefit"
legal_basis_kind = "law"
legal_basis_reference = "Law No. 395 of 2015, article 12"
subject_kind = "pinfl"
subject_xpath = "p:Pinfl"
namespaces = { p = "urn:example:population-register:1" }"""

_POPULATION = CHECKOUT / "examples" / "population"
_DOWN_TOML = """\
code = "GetPerson"
version = "v2"
subsystem = "population"
title = "A register that is down"
wsdl = "population.wsdl"
personal_data = true
backend = "soap"

[soap]
address = "{address}"
timeout_s = 2
"""


@dataclass(frozen=True, kw_only=True)
class Person:
    """What the register knows of somebody made up."""

    pinfl: str
    surname: str
    born: str


@dataclass(frozen=True, kw_only=True)
class ClientTls:
    """What a client system needs for TLS: the CA to trust, and a certificate of its own with its key, all PEM."""

    ca_file: Path
    certificate_file: Path
    key_file: Path = field(repr=False)
    certificate_sha256: str


@dataclass(frozen=True, kw_only=True)
class Agencies:
    """The running federation."""

    federation: Federation
    person: Person
    tls: ClientTls
    unknown_pinfl: str

    @property
    def register(self) -> Home:
        """Provides."""
        return self.federation.homes["register"]

    @property
    def office(self) -> Home:
        """Knows its system by its address, and expects the header RequestContext."""
        return self.federation.homes["office"]

    @property
    def bureau(self) -> Home:
        """Knows one system by its token and one by its password, over TLS."""
        return self.federation.homes["bureau"]

    @property
    def vault(self) -> Home:
        """Knows its system by its certificate."""
        return self.federation.homes["vault"]


@contextmanager
def running_agencies(folder: Path) -> Iterator[Agencies]:
    """Build, start, and stop whatever happens. folder: to be made."""
    folder.mkdir()
    tls = _client_tls(folder / "tls")
    database = folder / "population.sqlite"
    generate(database, people=200)
    with Processes(folder / "logs") as processes:
        federation = build_federation(_plan(database, tls), folder / "federation", processes)
        federation.start()
        person = sample_person(database)
        yield Agencies(federation=federation, person=person, tls=tls, unknown_pinfl=_stranger(person.pinfl))


def _plan(database: Path, tls: ClientTls) -> FederationPlan:
    own = tls.ca_file.parent
    listener = f'mode = "tls"\ncertificate_file = "{own}/server.pem"\nkey_file = "{own}/server.key"\n'
    mutual = listener.replace('"tls"', '"mutual-tls"') + f'client_ca_file = "{tls.ca_file}"\n'
    by_token = ClientPlan(name="by-token", subsystem="cases", token=TOKEN, context=CONTEXT)
    by_password = ClientPlan(name="by-password", subsystem="cases", user=USER, password=PASSWORD, context=CONTEXT)
    by_certificate = ClientPlan(
        name="by-certificate", subsystem="cases", certificate_sha256=tls.certificate_sha256, context=CONTEXT
    )
    return FederationPlan(
        members=(
            _register(database),
            _consumer(2, "office", ClientPlan(name="by-address", subsystem="cases")),
            _consumer(3, "bureau", by_token, by_password, client_listener=listener),
            _consumer(4, "vault", by_certificate, client_listener=mutual),
        )
    )


def _register(database: Path) -> MemberPlan:
    toml = (_POPULATION / "service.toml").read_text(encoding="utf-8")
    (nobody,) = free_ports(1)
    description = _POPULATION / "description"
    return MemberPlan(
        id=str(GET_PERSON.subsystem.member),
        folder="register",
        names={"en": "Population Register (synthetic)"},
        subsystems=("population",),
        services=(
            ServicePlan(toml=toml.replace('"population.sqlite"', f'"{database}"'), description=description),
            ServicePlan(toml=_DOWN_TOML.format(address=f"http://127.0.0.1:{nobody}/"), description=description),
        ),
        grants=tuple(
            GrantPlan(consumer=f"UZ/GOV/20000000{number}/cases", service=service)
            for number in (2, 3, 4)
            for service in (GET_PERSON, GET_PERSON_DOWN)
        ),
    )


def _consumer(number: int, folder: str, *clients: ClientPlan, client_listener: str = "") -> MemberPlan:
    return MemberPlan(
        id=f"UZ/GOV/20000000{number}",
        folder=folder,
        names={"en": f"{folder.title()} (synthetic)"},
        subsystems=("cases",),
        clients=clients,
        client_listener=client_listener,
        has_client_tls=bool(client_listener),
    )


def sample_person(database: Path) -> Person:
    """Somebody whom the register knows."""
    (pinfl,) = sample(database)
    with sqlite3.connect(database) as known:
        query = "SELECT surname_cyrillic, birth_date FROM person WHERE pinfl = ?"
        surname, born = known.execute(query, (pinfl,)).fetchone()
    return Person(pinfl=pinfl, surname=surname, born=born)


def _stranger(known_pinfl: str) -> str:
    """A PINFL with a right check digit that the register does not have: nobody of the example is born in 2099."""
    first = known_pinfl[:1] + "310199" + "999999"
    return first + str(pinfl_check_digit(first))


# --- TLS between systems and their own adapter ------------------------------------------------------------------------


def _client_tls(folder: Path) -> ClientTls:
    folder.mkdir(mode=0o700)
    now = datetime.now(UTC)
    authority = make_ca("Agency's own CA", now=now)
    (folder / "ca.pem").write_bytes(certificate_pem(authority.certificate))
    _issue(folder, "server", authority, now)
    digest = _issue(folder, "client", authority, now)
    return ClientTls(
        ca_file=folder / "ca.pem",
        certificate_file=folder / "client.pem",
        key_file=folder / "client.key",
        certificate_sha256=digest,
    )


def _issue(folder: Path, name: str, authority: Authority, now: datetime) -> str:
    """A key (RSA, which every old stack can use) and its certificate. Its SHA-256 in hexadecimal."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = issue(
        authority,
        public_key=key.public_key(),
        subject=f"case-system {name}",
        usage=("digital_signature", "key_encipherment"),
        now=now,
        hosts=("127.0.0.1", "localhost"),
        extended_usage=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    )
    (folder / f"{name}.key").touch(mode=0o600)
    (folder / f"{name}.key").write_bytes(private_pem(key))
    (folder / f"{name}.pem").write_bytes(certificate_pem(certificate))
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()

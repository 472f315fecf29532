"""For each suite one member with an adapter and one with Apache CXF in its place; both ask and are asked.

The authority entered all six in the directory. Those without an adapter have the same keys and certificates as any
member; CXF reads them from key stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from lxml import etree

from adapter.identifiers import ServiceId
from examples.federation.enrolment_client import AuthorityClient
from examples.federation.federation import CHECKOUT, Federation, build_federation
from examples.federation.home import Home
from examples.federation.plan import ClientPlan, FederationPlan, GrantPlan, MemberPlan, ServicePlan
from examples.federation.processes import Processes
from examples.population.generate import generate
from tests.adapters.document_service import document_service
from tests.adapters.document_system import DocumentSystem, put
from tests.interop.agencies import CONTEXT, Person, sample_person
from tests.interop.peers.stack import PASSWORD, JavaPeer, running
from tests.pki import certificate_pem

SUITES = ("rsa", "p256", "ed25519")
NAMESPACE = "urn:example:population-register:1"
_POPULATION = CHECKOUT / "examples" / "population"
_SUBSYSTEM = "population"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two members of one suite: `home` runs an adapter, `other` is played by CXF."""

    suite: str
    home: Home
    other: Home
    peer: JavaPeer
    person: Person
    system: DocumentSystem

    @property
    def pinfl(self) -> str:
        """Of the person asked about."""
        return self.person.pinfl

    @property
    def service(self) -> ServiceId:
        """What the adapter provides."""
        return _service(self.home)

    @property
    def documents(self) -> ServiceId:
        """What the adapter provides that takes and gives files: its `system` speaks SOAP with Attachments."""
        return self.home.plan.service(_SUBSYSTEM, "Documents")

    @property
    def other_service(self) -> ServiceId:
        """What CXF provides."""
        return _service(self.other)

    def peer_wsdl(self, service: ServiceId) -> str:
        """Where the adapter gives out the description for other stacks."""
        return f"{self.home.service_url(service)}?peer-wsdl"

    def settings(self, service: ServiceId, wsdl: str | None = None) -> dict[str, object]:
        """What CXF needs in either role."""
        place = self.other.folder
        root = etree.fromstring(requests.get(self.peer_wsdl(service), timeout=30).content)
        port, namespace = root.find(".//{*}port"), root.get("targetNamespace")
        assert port is not None
        holder = port.getparent()
        assert holder is not None
        return {
            "suite": self.suite,
            "wsdl": wsdl or self.peer_wsdl(service),
            "wsdl.service": f"{{{namespace}}}{holder.get('name')}",
            "wsdl.port": f"{{{namespace}}}{port.get('name')}",
            "keystore": place / "keystore.p12",
            "tls.keystore": place / "tls.p12",
            "password": PASSWORD,
        }

    def call(self, *, name: str = "call", **changes: object) -> tuple[str, Path]:
        """CXF asks the adapter. What it says, and where the payload of the reply is."""
        folder = self.other.folder
        payload, reply = folder / f"{name}-payload.xml", folder / f"{name}-reply.xml"
        payload.write_text(f'<GetPerson xmlns="{NAMESPACE}"><Pinfl>{self.pinfl}</Pinfl></GetPerson>', encoding="utf-8")
        reply.unlink(missing_ok=True)
        settings = {
            **self.settings(self.service),
            "address": f"{self.home.peer_address}/peer",
            "consumer": self.other.plan.subsystem(_SUBSYSTEM),
            "service": self.service,
            "operation": "GetPerson",
            "official": "inspector-17",
            "purpose": "social-benefit",
            "basis": "Law No. 395 of 2015, article 12",
            "pinfl": self.pinfl,
            "payload": payload,
            "reply": reply,
            **changes,
        }
        return self.peer.command("call", f"{self.suite}-{name}", settings), reply

    def put(self, *, name: str, attached: Path, **changes: object) -> tuple[str, Path]:
        """CXF sends a file to the adapter's service `documents`. What it says, and where the file of the reply is."""
        payload = self.other.folder / f"{name}-put.xml"
        payload.write_text(put(f"<d:File>cid:{attached.name}</d:File>"), encoding="utf-8")
        returned = self.other.folder / f"{name}-reply.xml.answer@x"
        returned.unlink(missing_ok=True)
        settings = {
            **self.settings(self.documents),
            "service": self.documents,
            "operation": "Put",
            "payload": payload,
            "attached": attached,
            **changes,
        }
        return self.call(name=name, **settings)[0], returned

    def serve(self, answer: str, **changes: object) -> Path:
        """CXF serves at the address that the directory names. Where it puts the payload of the last request."""
        payload, received = self.other.folder / "answer.xml", self.other.folder / "received.xml"
        payload.write_text(answer, encoding="utf-8")
        settings = {
            **self.settings(self.other_service),
            "address": f"{self.other.peer_address}/peer",
            "payload": payload,
            "received": received,
            **changes,
        }
        said = self.peer.command("serve", f"{self.suite}-serve", settings)
        assert said == "ok", said
        return received

    def authorities(self, profile: str) -> Path:
        """The CAs of the directory in one PEM file. profile: `signing` or `tls`."""
        return self.other.folder / f"{profile}-authorities.pem"

    def last_outcome(self) -> tuple[str, str | None]:
        """Of the last entry in the adapter's record: its kind and outcome."""
        entry = list(self.home.record.since(0))[-1]
        return entry.kind, entry.outcome


def _service(home: Home) -> ServiceId:
    return home.plan.service(_SUBSYSTEM, "GetPerson")


@contextmanager
def running_pairs(folder: Path) -> Iterator[Mapping[str, Pair]]:
    """Build all, start the adapters and one Java process, stop whatever happens. folder: to be made."""
    folder.mkdir()
    database = folder / "population.sqlite"
    generate(database, people=50)
    person = sample_person(database)
    (folder / "java").mkdir()
    with (
        DocumentSystem() as system,
        Processes(folder / "logs") as processes,
        running(folder / "java") as peer,
    ):
        documents = document_service(
            folder / "documents", system.address, way="swa", version="v1", subsystem=_SUBSYSTEM
        )
        plan = FederationPlan(members=tuple(_member(number, database, documents) for number in range(2 * len(SUITES))))
        federation = build_federation(plan, folder / "federation", processes)
        federation.start(without=[home.plan.folder for home in federation.homes.values() if not home.plan.clients])
        yield {suite: _pair(federation, suite, peer, person, system) for suite in SUITES}


def _member(number: int, database: Path, documents: ServicePlan) -> MemberPlan:
    """Even numbers run an adapter, odd ones do not. The two of a suite may ask each other."""
    suite, has_adapter = SUITES[number // 2], number % 2 == 0
    partner = f"UZ/GOV/30000000{number + (1 if has_adapter else -1)}/{_SUBSYSTEM}"
    toml = (_POPULATION / "service.toml").read_text(encoding="utf-8").replace('"population.sqlite"', f'"{database}"')
    plan = MemberPlan(
        id=f"UZ/GOV/30000000{number}",
        folder=f"{suite}-{'adapter' if has_adapter else 'stack'}",
        names={"en": f"Agency {number} (synthetic)"},
        subsystems=(_SUBSYSTEM,),
        suite=suite,
        services=(
            ServicePlan(toml=toml, description=_POPULATION / "description"),
            *((documents,) if has_adapter else ()),
        ),
        clients=(ClientPlan(name="case-system", subsystem=_SUBSYSTEM, context=CONTEXT),) if has_adapter else (),
    )
    codes = ("GetPerson", "Documents") if has_adapter else ("GetPerson",)
    grants = tuple(GrantPlan(consumer=partner, service=plan.service(_SUBSYSTEM, code)) for code in codes)
    return MemberPlan(**{**vars(plan), "grants": grants})


def _pair(federation: Federation, suite: str, peer: JavaPeer, person: Person, system: DocumentSystem) -> Pair:
    home, other = federation.homes[f"{suite}-adapter"], federation.homes[f"{suite}-stack"]
    _make_stores(federation, home, other, peer)
    return Pair(suite=suite, home=home, other=other, peer=peer, person=person, system=system)


def _authorities(federation: Federation, folder: Path, profile: str) -> Mapping[str, Path]:
    """The CAs of the directory as files, each with an alias for a key store."""
    found = {}
    authority = AuthorityClient.of(federation.certificates_url, federation.folder / "certificates")
    certificates = authority.authorities(profile)
    (folder / f"{profile}-authorities.pem").write_bytes(certificate_pem(*certificates))
    for at, certificate in enumerate(certificates):
        path = folder / f"{profile}-{at}.pem"
        path.write_bytes(certificate_pem(certificate))
        found[f"certificate.ca{at}"] = path
    return found


def _make_stores(federation: Federation, home: Home, other: Home, peer: JavaPeer) -> None:
    """What an integrator does with keytool: own keys, the partner's agreement certificate, the directory's CAs."""
    keys, folder = other.folder / "keys", other.folder
    settings: dict[str, object] = {
        "store": folder / "keystore.p12",
        "password": PASSWORD,
        **_authorities(federation, folder, "signing"),
    }
    for alias in ("signing", "agreement"):
        settings |= {f"key.{alias}": keys / f"{alias}.key", f"certificate.{alias}": keys / f"{alias}.pem"}
    settings["certificate.recipient"] = home.folder / "keys" / "agreement.pem"
    said = peer.command("store", f"{other.plan.folder}-keys", settings)
    assert said == "ok", said
    tls = {
        "store": folder / "tls.p12",
        "password": PASSWORD,
        "key.tls": keys / "tls.key",
        "certificate.tls": keys / "tls.pem",
        **_authorities(federation, folder, "tls"),
    }
    assert peer.command("store", f"{other.plan.folder}-tls", tls) == "ok"

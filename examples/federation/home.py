"""One member's adapter at home: its folder with settings, keys, certificates, database, services and access rules.

Made through the library, in one process, because starting the command line costs half a second for each command. What
comes out is what `adapter init`, `keys`, `service add` and `access grant` make.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from adapter.app.keyring import Keyring, load_keyring
from adapter.app.provided import SETTINGS_FILE, load_service, service_folders
from adapter.contracts import read_contract
from adapter.crypto.keys import generate_agreement_key, generate_signing_key
from adapter.crypto.requests import RequestProfile, build_request
from adapter.directory.model import AdapterEntry, DirectoryService, Member, RegisteredCertificate, Registration
from adapter.envelope.description import make_bundle
from adapter.policy.rules import AccessRule
from adapter.settings import Settings, load_service_settings, load_settings
from adapter.store.access import AccessRules
from adapter.store.appending import Log
from adapter.store.keyfiles import KeyPurpose, save_archive_key, save_private_key
from adapter.store.migrate import prepare
from examples.federation.enrolment_client import AuthorityClient
from examples.federation.plan import MemberPlan, ServicePlan
from examples.federation.record_view import RecordView
from examples.federation.settings_text import Ports, adapter_toml, secret_digest, secret_file

_HOST: Final = "127.0.0.1"
_OFFICER: Final = "demonstration"


@dataclass(frozen=True, kw_only=True)
class Home:
    """A member's adapter that was built: where it lies and where it listens."""

    plan: MemberPlan
    folder: Path
    ports: Ports

    @property
    def settings_file(self) -> Path:
        """Its adapter.toml."""
        return self.folder / "adapter.toml"

    @property
    def settings(self) -> Settings:
        """Its settings, read again."""
        return load_settings(self.settings_file)

    @cached_property
    def keyring(self) -> Keyring:
        """All its secrets: for the demonstration of what somebody does who stole them."""
        return load_keyring(self.settings)

    @cached_property
    def record(self) -> RecordView:
        """Its record, seen from outside."""
        return RecordView(self.settings)

    @property
    def peer_address(self) -> str:
        """Where other adapters call it."""
        return f"https://{_HOST}:{self.ports.peers}"

    @property
    def ready_url(self) -> str:
        """Answers 200 when the adapter can work."""
        return f"http://{_HOST}:{self.ports.operators}/health/ready"

    def service_url(self, service: object) -> str:
        """Where this member's own systems call a service, of whatever member."""
        scheme = "https" if self.plan.has_client_tls else "http"
        return f"{scheme}://{_HOST}:{self.ports.clients}/service/{service}"


def build_home(
    plan: MemberPlan, folder: Path, ports: Ports, *, directory_url: str, anchor: Path, authority: AuthorityClient
) -> Home:
    """Everything below the folder, ready to serve."""
    home = Home(plan=plan, folder=folder, ports=ports)
    folder.mkdir(parents=True)
    home.settings_file.write_text(
        adapter_toml(plan, ports, directory_url=directory_url, anchor=str(anchor)), encoding="utf-8"
    )
    _write_secrets(home)
    _make_keys(home, authority)
    for service in plan.services:
        _install(service, folder / "services")
    _grant(home)
    return home


def _write_secrets(home: Home) -> None:
    for client in home.plan.clients:
        secret = client.token or client.password
        if secret is not None:
            path = home.folder / secret_file(client)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_text(secret_digest(secret))
            path.chmod(0o600)


def _make_keys(home: Home, authority: AuthorityClient) -> None:
    """Four private keys, the archive key, and the certificates that the authority issues for three of them."""
    plan, keys = home.plan, home.folder / "keys"
    keys.mkdir(mode=0o700)
    signing = generate_signing_key(plan.suite)
    for purpose, key in (
        (KeyPurpose.SIGNING, signing),
        (KeyPurpose.AGREEMENT, generate_agreement_key(plan.suite)),
        (KeyPurpose.TLS, ec.generate_private_key(ec.SECP256R1())),
    ):
        save_private_key(keys / f"{purpose.value}.key", key, purpose)
        request = build_request(
            RequestProfile.parse(read_contract(f"keys/{purpose.value}.toml").decode()),
            private_key=key,
            member=plan.member,
            organisation=plan.names["en"],
            hosts=(_HOST, "localhost") if purpose is KeyPurpose.TLS else (),
            vouching_key=signing if isinstance(signing, ed25519.Ed25519PrivateKey) else None,
        )
        (keys / f"{purpose.value}.pem").write_bytes(authority.sign(purpose.value, request))
    save_private_key(keys / "record.key", ed25519.Ed25519PrivateKey.generate(), KeyPurpose.RECORD)
    save_archive_key(keys / "archive.key")


def _install(service: ServicePlan, services: Path) -> None:
    """As `adapter service add` does: the folder is named after what its service.toml says."""
    beside = services / "new"
    (beside / "description").mkdir(parents=True)
    (beside / SETTINGS_FILE).write_text(service.toml, encoding="utf-8")
    for document in (path for path in service.description.rglob("*") if path.is_file()):
        copied = beside / "description" / document.relative_to(service.description)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(document.read_bytes())
    said = load_service_settings(beside / SETTINGS_FILE)
    beside.rename(services / f"{said.subsystem}.{said.code}.{said.version}")


def _grant(home: Home) -> None:
    """The database, and the access rules of the plan as the first entries of the record."""
    database = prepare(home.settings.database_url)
    rules, signer = AccessRules(database), home.keyring.record
    log = Log(str(home.plan.member), signer)
    for at, grant in enumerate(home.plan.grants, start=1):
        rule = AccessRule(
            id=f"rule-{at}",
            consumer=grant.consumer,
            service=grant.service,
            purposes=grant.purposes,
            legal_basis_kinds=grant.legal_basis_kinds,
            granted_by=_OFFICER,
        )
        rules.grant(rule, log=log, now=datetime.now(UTC))


# --- what the member hands to the authority --------------------------------------------------------------------------


def registration_of(home: Home) -> tuple[Registration, dict[str, bytes]]:
    """The member's entry for the directory, and the bundles of its services' descriptions by their SHA-256."""
    plan, settings = home.plan, home.settings
    bundles: dict[str, bytes] = {}
    services = []
    for folder in service_folders(settings.adapter.services_dir):
        said, description = load_service(folder)
        bundle = make_bundle(description)
        digest = hashlib.sha256(bundle).hexdigest()
        bundles[digest] = bundle
        services.append(
            DirectoryService(
                service=said.service_id(plan.member),
                titles={"en": said.title},
                personal_data=said.personal_data,
                description_sha256=digest,
            )
        )
    member = Member(
        id=plan.member,
        names=plan.names,
        stir=plan.member.code,
        suite=plan.suite,
        adapter=AdapterEntry(address=home.peer_address, tls_certificates=(_registered(home, "tls", "tls"),)),
        signing=(_registered(home, "signing", plan.suite),),
        agreement=(_registered(home, "agreement", plan.suite),),
        subsystems=frozenset(plan.subsystems),
        record_vkey=home.keyring.record.vkey,
    )
    return Registration(member=member, services=tuple(services)), bundles


def _registered(home: Home, name: str, suite: str) -> RegisteredCertificate:
    certificate = x509.load_pem_x509_certificate((home.folder / "keys" / f"{name}.pem").read_bytes())
    return RegisteredCertificate.of(certificate, suite)

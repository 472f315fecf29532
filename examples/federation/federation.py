"""Build a federation from its plan and run it: the authority, its directory, and an adapter for each member.

<folder>/authority/             anchor.json, officers' and online keys, and published/ (the directory's repository)
<folder>/<member's folder>/     the home of that member's adapter
<folder>/logs/                  what each process said
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adapter.cli import authority_publishing
from adapter.cli.authority import make_officers_here, signers_here
from adapter.cli.authority_folder import AuthorityFolder
from adapter.directory.authoring import new_directory, put_member
from adapter.directory.draft import DirectoryDraft
from adapter.directory.editing import put_entry
from examples.authority.ca import TOKEN_FILE
from examples.federation.enrolment_client import AuthorityClient
from examples.federation.free_ports import free_ports
from examples.federation.home import Home, build_home, registration_of
from examples.federation.plan import FederationPlan
from examples.federation.processes import Processes, Running, answers
from examples.federation.settings_text import Ports

CHECKOUT: Final = Path(__file__).resolve().parents[2]
ADAPTER: Final = str(Path(sys.executable).with_name("adapter"))
_DIRECTORY_VALID: Final = timedelta(days=30)
_CERTIFICATES: Final = "certificates"
_DIRECTORY: Final = "authority"
_OFFICERS: Final = 3
_THRESHOLD: Final = 2


@dataclass(frozen=True, kw_only=True)
class Federation:
    """A federation that was built. homes: by the members' folders. Its processes run as long as `processes` does."""

    folder: Path
    plan: FederationPlan
    homes: Mapping[str, Home]
    directory_port: int
    certificates_url: str
    processes: Processes

    @property
    def directory_url(self) -> str:
        """Where the authority publishes."""
        return f"http://127.0.0.1:{self.directory_port}"

    @property
    def authority(self) -> AuthorityFolder:
        """The directory's authority, as the command line knows it."""
        return AuthorityFolder(path=self.folder / _DIRECTORY)

    @property
    def anchor(self) -> Path:
        """The authority's first root, as every member got it on a safe way."""
        return self.authority.anchor_file

    def start(self, *, without: Collection[str] = ()) -> None:
        """Start the directory and all registered members' adapters; return when every one is ready.

        without: folders of members in whose place something else runs.
        """
        self.processes.start(
            _DIRECTORY,
            [ADAPTER, "authority", "serve", str(self.authority.path), "--port", str(self.directory_port)],
            cwd=CHECKOUT,
        )
        self.processes.wait_until(_DIRECTORY, lambda: answers(f"{self.directory_url}/metadata/timestamp.json"))
        registered = [home for name, home in self.homes.items() if home.plan.is_registered and name not in without]
        for home in registered:
            self.launch(home)
        for home in registered:
            self.wait_ready(home)

    def launch(self, home: Home) -> Running:
        """Start one adapter, without waiting for it."""
        command = [ADAPTER, "serve", "--home", str(home.folder), "--workers", str(home.plan.workers)]
        return self.processes.start(home.plan.folder, command, cwd=CHECKOUT)

    def wait_ready(self, home: Home) -> None:
        """Wait until one adapter can work. Raises NotStarted."""
        self.processes.wait_until(home.plan.folder, lambda: answers(home.ready_url))

    def restart(self, home: Home) -> None:
        """Start an adapter that was stopped or killed, and wait until it can work."""
        self.launch(home)
        self.wait_ready(home)


def start_certificate_authority(folder: Path, processes: Processes) -> AuthorityClient:
    """Run the certificate authority of a new federation; it makes its keys itself."""
    place, (port,) = folder / _CERTIFICATES, free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "examples.authority.ca", "--dir", str(place), "--port", str(port)]
    processes.start(_CERTIFICATES, command, cwd=CHECKOUT)
    processes.wait_until(_CERTIFICATES, lambda: (place / TOKEN_FILE).exists() and answers(f"{url}/ca.pem"))
    return AuthorityClient.of(url, place)


def build_federation(
    plan: FederationPlan, folder: Path, processes: Processes, *, certificates: AuthorityClient | None = None
) -> Federation:
    """Build everything below the folder, which must not hold a federation yet.

    Starts the certificate authority unless one is given. Nothing else is started: that is `Federation.start`, when
    the information systems are there.
    """
    certificates = certificates or start_certificate_authority(folder, processes)
    directory_port, *ports = free_ports(1 + 3 * len(plan.members))
    authority = AuthorityFolder(path=folder / _DIRECTORY)
    _found(authority)
    homes = {}
    for at, member in enumerate(plan.members):
        peers, clients, operators = ports[3 * at : 3 * at + 3]
        homes[member.folder] = build_home(
            member,
            folder / member.folder,
            Ports(peers=peers, clients=clients, operators=operators),
            directory_url=f"http://127.0.0.1:{directory_port}",
            anchor=authority.anchor_file,
            authority=certificates,
        )
    federation = Federation(
        folder=folder,
        plan=plan,
        homes=homes,
        directory_port=directory_port,
        certificates_url=certificates.url,
        processes=processes,
    )
    _publish(federation, certificates)
    return federation


def _found(authority: AuthorityFolder) -> None:
    """Three officers, of whom two sign, and the first root: the anchor of every member's trust."""
    now = datetime.now(UTC)
    authority.path.mkdir(mode=0o700)
    authority_publishing.found(authority, make_officers_here(authority, _OFFICERS), _THRESHOLD, now=now)
    authority_publishing.sign_here(authority, signers_here(authority)[:_THRESHOLD])
    authority_publishing.publish(authority, now=now)


def _publish(federation: Federation, certificates: AuthorityClient) -> None:
    """Version 1 of the directory and the descriptions of all services, as static files."""
    now, authority = datetime.now(UTC), federation.authority
    draft = new_directory(
        federation.plan.instance,
        signing_cas=certificates.authorities("signing"),
        tls_cas=certificates.authorities("tls"),
        now=now,
        purposes=federation.plan.purposes,
        legal_basis_kinds=federation.plan.legal_basis_kinds,
    )
    draft = _enter_members(draft, federation, now)
    for e_service in federation.plan.e_services:
        draft = put_entry(draft, e_service)
    authority.keep_draft(replace(draft, version=1))
    authority_publishing.propose(authority, now=now, valid_for=_DIRECTORY_VALID)
    authority_publishing.sign_here(authority, signers_here(authority)[-_THRESHOLD:])
    authority_publishing.publish(authority, now=now)


def _enter_members(draft: DirectoryDraft, federation: Federation, now: datetime) -> DirectoryDraft:
    for home in federation.homes.values():
        if home.plan.is_registered:
            registration, bundles = registration_of(home)
            draft = put_member(draft, registration, now=now)
            for bundle in bundles.values():
                federation.authority.put_bundle(bundle)
    return draft

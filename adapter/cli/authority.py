"""The authority's folder: its key, its anchor, the draft that is edited, and what is published from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography import x509

from adapter.cli.files import read_octets, write_octets
from adapter.cli.own_record import note_signer
from adapter.crypto.certificates import UNREADABLE
from adapter.crypto.note import NoteSigner
from adapter.directory.authoring import Publication
from adapter.directory.document import DIRECTORY_LIMITS, REGISTRATION_LIMITS, read_draft, read_registration
from adapter.directory.draft import DirectoryDraft, Registration
from adapter.directory.rendering import render_directory
from adapter.errors import CommandRefused, DirectoryRefused
from adapter.store.keyfiles import KeyPurpose
from adapter.transport.directory_client import DESCRIPTIONS, DIRECTORY_FILE, NOTE_FILE

KEY_FILE: Final = "authority.key"
ANCHOR_FILE: Final = "authority.vkey"
DRAFT_FILE: Final = "draft.xml"
PUBLISHED: Final = "published"
_MAX_CERTIFICATE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorityFolder:
    """Where an authority keeps its directory. The draft's version is that of the next publication."""

    path: Path

    @property
    def key_file(self) -> Path:
        """The private key that signs the directory: the authority's own secret."""
        return self.path / KEY_FILE

    @property
    def anchor_file(self) -> Path:
        """The verifier key that every adapter gets on a safe way."""
        return self.path / ANCHOR_FILE

    @property
    def draft_file(self) -> Path:
        """What the next version will contain."""
        return self.path / DRAFT_FILE

    @property
    def published(self) -> Path:
        """The folder that is published as it is."""
        return self.path / PUBLISHED

    def signer(self, passphrase_file: Path | None) -> NoteSigner:
        """The signer, named as in the anchor file. Raises KeyUnusable, CommandRefused."""
        anchor = read_octets(self.anchor_file, what="anchor", max_bytes=4096).decode("ascii", "replace").strip()
        signer = note_signer(anchor.partition("+")[0], self.key_file, KeyPurpose.AUTHORITY, passphrase_file)
        if signer.vkey != anchor:
            raise CommandRefused(f"{self.key_file} and {self.anchor_file} do not belong together")
        return signer

    def draft(self) -> DirectoryDraft:
        """The draft. Raises CommandRefused."""
        octets = read_octets(self.draft_file, what="draft", max_bytes=DIRECTORY_LIMITS.max_bytes)
        try:
            return read_draft(octets)
        except DirectoryRefused as cause:
            raise CommandRefused(f"{self.draft_file} cannot be used: {cause.reason}") from None

    def keep_draft(self, draft: DirectoryDraft) -> None:
        """Write the draft. Raises CommandRefused."""
        write_octets(self.draft_file, render_directory(draft))

    def put_bundles(self, folder: Path, registration: Registration) -> list[str]:
        """Copy the bundles that lie beside a registration; gives the services whose bundle is missing or wrong."""
        missing = []
        for service in registration.services:
            digest = service.description_sha256
            source = folder / DESCRIPTIONS / f"{digest}.zip"
            octets = read_octets(source, what="bundle") if source.is_file() else b""
            if hashlib.sha256(octets).hexdigest() != digest:
                missing.append(str(service.service))
                continue
            write_octets(self.published / DESCRIPTIONS / source.name, octets)
        return missing

    def missing_bundles(self, draft: DirectoryDraft) -> list[str]:
        """Services whose description is not in the published folder."""
        return [
            str(service.service)
            for service in draft.services.values()
            if not (self.published / DESCRIPTIONS / f"{service.description_sha256}.zip").is_file()
        ]

    def publish(self, publication: Publication, draft: DirectoryDraft) -> None:
        """Put the two files where they are fetched, the document first, and go on to the next version's draft."""
        write_octets(self.published / DIRECTORY_FILE, publication.xml)
        write_octets(self.published / NOTE_FILE, publication.note)
        self.keep_draft(replace(draft, version=publication.version + 1))


def registration_from(file: Path) -> Registration:
    """Read what an agency handed in (untrusted). Raises CommandRefused."""
    octets = read_octets(file, what="registration", max_bytes=REGISTRATION_LIMITS.max_bytes)
    try:
        return read_registration(octets)
    except DirectoryRefused as cause:
        raise CommandRefused(f"{file} is no registration: {cause.reason}") from None


def certificates_from(files: list[Path]) -> tuple[x509.Certificate, ...]:
    """Every certificate of these PEM files. Raises CommandRefused."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += x509.load_pem_x509_certificates(
                read_octets(file, what="certificate", max_bytes=_MAX_CERTIFICATE_BYTES)
            )
        except UNREADABLE:
            raise CommandRefused(f"{file} holds no certificate in PEM") from None
    return tuple(found)

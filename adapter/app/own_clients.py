"""The client systems of the settings as the policy knows them; their secrets are read from files once, at start."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from adapter.errors import SettingsInvalid
from adapter.policy.clients import Client, ContextRule, IdentifyBy
from adapter.secret_files import is_credential
from adapter.settings import ClientSettings, ContextSettings, Settings
from adapter.settings.types import compile_xpath
from adapter.stages import Packaging

_DIGEST_CHARS = 64


def load_clients(settings: Settings) -> tuple[Client, ...]:
    """Every [[client]]. Raises SettingsInvalid when a secret's file cannot be read or holds no digest."""
    return tuple(_client(client) for client in settings.client)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposure:
    """Something dangerous that the settings allow. names: the clients that it is about, or the listener's address."""

    what: str
    names: tuple[str, ...]
    mend: str


def exposures(settings: Settings) -> tuple[Exposure, ...]:
    """What is to be said loudly: at start, in the log and by `adapter doctor`. Empty when all is as it should be."""
    found = []
    by_address = tuple(client.name for client in settings.client if client.identify_by == "address")
    if by_address:
        found.append(
            Exposure(
                what="known by address alone: whoever sends from there is taken for the system",
                names=by_address,
                mend="Give it a token, a password or a certificate as soon as it can send one: identify_by.",
            )
        )
    listener = settings.client_listener
    if listener.is_readable_on_the_way:
        found.append(
            Exposure(
                what="plain HTTP beyond this machine: personal data can be read and changed on the way",
                names=(f"{listener.address}:{listener.port}",),
                mend="Choose client_listener.mode tls or mutual-tls.",
            )
        )
    open_files = tuple(
        str(path) for path in _of_the_owner_alone(settings) if _has_mode(path, stat.S_IRGRP | stat.S_IROTH)
    )
    if open_files:
        found.append(
            Exposure(
                what="files that others on this machine can read: who asked about whom, digests of passwords",
                names=open_files,
                mend=f"chmod 600 {' '.join(open_files)}",
            )
        )
    return tuple(found)


def _of_the_owner_alone(settings: Settings) -> list[Path]:
    """The database, and the files with digests of passwords, which can be guessed at; tokens are too long for that."""
    named = (client.password_file for client in settings.client)
    files = [file for file in named if file is not None and not is_credential(file)]
    if settings.store.url is None:
        files.append(settings.adapter.data_dir / "adapter.sqlite")
    return files


def _has_mode(path: Path, bits: int) -> bool:
    try:
        return bool(path.stat().st_mode & bits)
    except OSError:  # said by whoever reads it
        return False


def _client(settings: ClientSettings) -> Client:
    secret_file = settings.token_file or settings.password_file
    return Client(
        name=settings.name,
        subsystem=settings.subsystem,
        identify_by=IdentifyBy(settings.identify_by),
        certificate_sha256=bytes.fromhex(settings.certificate_sha256 or ""),
        secret_sha256=b"" if secret_file is None else _digest(secret_file),
        user=settings.user or "",
        addresses=settings.addresses,
        services=settings.services,
        context=_context(settings.context),
        xroad_ids_repeat=settings.xroad_ids == "may-repeat",
        packaging=None if settings.attachments == "as-sent" else Packaging(settings.attachments),
    )


def _context(settings: ContextSettings) -> ContextRule:
    return ContextRule(
        purpose=settings.purpose,
        legal_basis_kind=settings.legal_basis_kind,
        legal_basis_reference=settings.legal_basis_reference,
        legal_basis_names=tuple(sorted(settings.legal_basis_names.items())),
        official=settings.official,
        official_xpath=_compiled(settings.official_xpath, settings.namespaces),
        regulation=settings.regulation,
        subject_kind=settings.subject_kind,
        subject_xpath=_compiled(settings.subject_xpath, settings.namespaces),
        consent_xpath=_compiled(settings.consent_xpath, settings.namespaces),
        issue_xpath=_compiled(settings.issue_xpath, settings.namespaces),
    )


def _compiled(expression: str | None, namespaces: Mapping[str, str]) -> etree.XPath | None:
    return None if expression is None else compile_xpath(expression, namespaces)


def _digest(path: Path) -> bytes:
    if _has_mode(path, stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsInvalid(f"{path} can be written by others, who could let themselves in; run: chmod 600 {path}")
    try:
        text = path.read_text(encoding="ascii").strip()
        if len(text) == _DIGEST_CHARS:
            return bytes.fromhex(text)
    except (OSError, ValueError) as cause:
        raise SettingsInvalid(f"{path} cannot be read as a SHA-256 in hexadecimal: {type(cause).__name__}") from None
    raise SettingsInvalid(f"{path} has to hold one SHA-256 in hexadecimal (64 digits), not the secret itself")

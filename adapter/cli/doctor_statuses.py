"""What `adapter doctor` asks the CAs' responders: whether this adapter's own certificates are good, now and by whom."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapter.app.kept_statuses import kept_status, status_copies
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.doctor_registration import registered_certificates
from adapter.cli.doctor_stamps import destinations_of
from adapter.cli.key_files import KeyFile, use_of
from adapter.cli.options import now_utc
from adapter.cli.token_keys import survey_all
from adapter.cli.trust_faults import TrustFault
from adapter.crypto.status import NONCE_OCTETS, CertificateStatus, encode_ocsp_request
from adapter.directory.model import Directory
from adapter.directory.status import StatusQuestion
from adapter.directory.trust import ChainCache, question_about
from adapter.errors import SecurityFailed, StatusOutdated, StatusUnavailable
from adapter.settings import Settings
from adapter.transport.status_client import StatusClient

_REVOKED: Final = "adapter keys revoke, then rotate to a new key: peers refuse what this one signs or shows."
_ASK: Final = "Ask the CA, or the authority that names the address; the last good answer serves until its time is over."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What came of asking. fault: of the last address that was asked, when none gave a status."""

    status: CertificateStatus | None
    fault: TrustFault | None = None
    why: str = ""


def look_at_statuses(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Asks as the running adapter does, and writes nothing. Certificates whose CA has no addresses have no row."""
    member = directory.members.get(settings.member)
    if member is None:
        return
    registered = registered_certificates(member)
    client = StatusClient(
        timeout_s=settings.directory.status_timeout_s,
        max_list_bytes=settings.directory.max_list_bytes,
        destinations=destinations_of(settings, directory),
    )
    copies = status_copies(settings)
    for key in survey_all(settings, now):
        if key.certificate is None or key.is_over or key.fingerprint not in registered.get(key.purpose, ()):
            continue
        try:
            question = question_about(key.certificate, directory, now, ChainCache(), use_of(key, member))
        except SecurityFailed:  # `path` has said so
            continue
        if question is not None:
            yield _finding(key, asyncio.run(_ask(client, question)), kept_status(copies, question, now))


def _finding(key: KeyFile, answer: _Answer, kept: CertificateStatus | None) -> Finding:
    what, file = f"status {key.purpose}", key.path.with_suffix(".pem").name
    status = answer.status or kept
    if status is not None and status.revoked_at is not None:
        found = f"{file}: its CA revoked it on {status.revoked_at:%Y-%m-%d %H:%M} UTC"
        return fail(what, found, _REVOKED, TrustFault.CERTIFICATE_REVOKED)
    if answer.status is not None:
        return ok(what, f"{file} is good, for peers until {answer.status.usable_until:%Y-%m-%d %H:%M} UTC")
    if kept is not None:
        found = f"{file}: {answer.why}; peers take the last one until {kept.usable_until:%Y-%m-%d %H:%M} UTC"
        return warn(what, found, _ASK, answer.fault)
    found = f"{file}: {answer.why}; none is kept that is fresh, so peers refuse what it signs or ask in vain too"
    return fail(what, found, _ASK, answer.fault)


async def _ask(client: StatusClient, question: StatusQuestion) -> _Answer:
    """Responders first, then lists, as app.status_keeper does."""
    last = _Answer(status=None, fault=TrustFault.STATUS_UNAVAILABLE, why="the directory names nobody to ask")
    authority = question.authority
    for address in (*authority.ocsp_addresses, *authority.crl_addresses):
        is_list = address not in authority.ocsp_addresses
        try:
            status = await (_list if is_list else _response)(client, address, question)
        except (StatusOutdated, SecurityFailed) as failure:
            last = _Answer(status=None, fault=TrustFault.STATUS_REFUSED, why=f"{address}: {failure.reason}")
        except StatusUnavailable as failure:
            last = _Answer(status=None, fault=TrustFault.STATUS_UNAVAILABLE, why=failure.reason)
        else:
            return _Answer(status=status)
    return last


async def _response(client: StatusClient, address: str, question: StatusQuestion) -> CertificateStatus:
    nonce = os.urandom(NONCE_OCTETS)
    encoded = encode_ocsp_request(question.certificate, question.authority.certificate, nonce)
    return question.read_response(await client.ask(address, encoded), now_utc(), nonce)


async def _list(client: StatusClient, address: str, question: StatusQuestion) -> CertificateStatus:
    return question.read_list(await client.list(address), now_utc())

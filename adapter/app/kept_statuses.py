"""What a running adapter keeps on disk of the statuses of certificates, for whoever looks beside it: judged again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cryptography import x509

from adapter.crypto.certificates import Purpose
from adapter.crypto.status import CertificateStatus
from adapter.directory.model import Directory
from adapter.directory.status import StatusQuestion
from adapter.directory.trust import ChainCache, question_about
from adapter.errors import AdapterError, SecurityFailed
from adapter.settings import Settings
from adapter.store.status_copies import StatusCopies

_FOLDER: Final = "statuses"


def status_copies(settings: Settings) -> StatusCopies:
    """The newest OCSP responses of this adapter, below data_dir."""
    return StatusCopies(settings.adapter.data_dir / _FOLDER)


def kept_status(copies: StatusCopies, question: StatusQuestion, now: datetime) -> CertificateStatus | None:
    """The copy that a running adapter keeps, judged again; None without one that is good still or says revoked."""
    octets = copies.load(question.sha256)
    if octets is None:
        return None
    try:
        return question.read_response(octets, now)
    except AdapterError:
        return None


def kept_revocation(
    settings: Settings, certificate: x509.Certificate, purpose: Purpose, directory: Directory, now: datetime
) -> datetime | None:
    """Since when a registered certificate of ours is revoked, by the copy that is kept; None: nothing says so.

    A path that the directory does not know says nothing of a revocation either.
    """
    try:
        question = question_about(certificate, directory, now, ChainCache(), purpose)
    except SecurityFailed:
        return None
    status = None if question is None else kept_status(status_copies(settings), question, now)
    return None if status is None else status.revoked_at

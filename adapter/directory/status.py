"""What is known of the statuses of registered certificates: a look-up for each message, filled ahead of it.

Which certificates need one is said by the directory alone: those whose CA has an address for statuses there.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from adapter.crypto.certificates import sha256
from adapter.crypto.status import CertificateStatus, read_ocsp_response, read_revocation_list
from adapter.directory.content import CertificationAuthority
from adapter.directory.model import Directory
from adapter.errors import SecurityFailed, StatusOutdated, StatusUnavailable
from adapter.identifiers import MemberId

MAX_KNOWN: Final = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusQuestion:
    """A certificate whose status is wanted, and the CA of the directory that issued it and says where to ask."""

    certificate: x509.Certificate
    authority: CertificationAuthority

    @property
    def sha256(self) -> bytes:
        """Of the certificate."""
        return sha256(self.certificate)

    def read_response(self, octets: bytes, now: datetime, nonce: bytes | None = None) -> CertificateStatus:
        """See crypto.status.read_ocsp_response."""
        window = self.authority.status_window
        if window is None:
            raise SecurityFailed("the directory wants no status of this authority's certificates")
        return read_ocsp_response(
            octets,
            certificate=self.certificate,
            issuer=self.authority.certificate,
            window=window,
            now=now,
            nonce=nonce,
        )

    def read_list(self, octets: bytes, now: datetime) -> CertificateStatus:
        """See crypto.status.read_revocation_list."""
        window = self.authority.status_window
        if window is None:
            raise SecurityFailed("the directory wants no status of this authority's certificates")
        return read_revocation_list(
            octets, certificate=self.certificate, issuer=self.authority.certificate, window=window, now=now
        )


def status_question(
    certificate: x509.Certificate, issuer: x509.Certificate, directory: Directory
) -> StatusQuestion | None:
    """The question that the directory wants to be asked about a certificate; None when it wants none."""
    authority = directory.by_ca_certificate.get(sha256(issuer))
    if authority is None or authority.status_window is None:
        return None
    return StatusQuestion(certificate=certificate, authority=authority)


class StatusBook:
    """The newest status of each certificate. Bounded; of what was revoked nothing is forgotten before what is good.

    May be shared between threads: a large message is judged in a thread of its own.
    wanted, partners: which certificates were asked about, and with which members messages are exchanged; whoever keeps
    the book fresh asks for these.
    """

    def __init__(self, max_known: int = MAX_KNOWN) -> None:
        self._max_known = max_known
        self._known: dict[bytes, CertificateStatus] = {}
        self._judged: dict[bytes, bytes] = {}
        self._lock = threading.Lock()
        self.wanted: dict[bytes, StatusQuestion] = {}
        self.partners: set[MemberId] = set()

    def known(self, certificate_sha256: bytes) -> CertificateStatus | None:
        """The newest that was learnt, however old it is."""
        return self._known.get(certificate_sha256)

    def is_revoked(self, certificate_sha256: bytes) -> bool:
        """Known to be revoked. False says nothing."""
        status = self._known.get(certificate_sha256)
        return status is not None and status.revoked_at is not None

    def learn(self, status: CertificateStatus) -> None:
        """Keep it, unless what is known is newer; at the same instant, that it is revoked counts.

        So an older good status, however often it is sent again, does not undo a newer one.
        """
        with self._lock:
            known = self._known.get(status.certificate_sha256)
            if known is not None and (known.this_update, known.revoked_at is not None) > (
                status.this_update,
                status.revoked_at is not None,
            ):
                return
            if known is None and len(self._known) >= self._max_known:
                self._forget_one()
            self._known[status.certificate_sha256] = status

    def check(self, question: StatusQuestion, now: datetime, stapled: bytes | None = None) -> CertificateStatus:
        """The good status by which a certificate can be relied on now.

        stapled: an OCSP response that the signer sent along, untrusted. Raises SecurityFailed when the certificate is
        revoked or what was stapled is no status of it; StatusUnavailable when nothing fresh is known.
        """
        if len(self.wanted) < self._max_known:
            self.wanted.setdefault(question.sha256, question)
        if stapled is not None and self._judged.get(question.sha256) != stapled:
            with suppress(StatusOutdated):  # what is known, or can be fetched, may be newer
                self.learn(question.read_response(stapled, now))
                # A signer sends the same one along for hours, also when a newer one was fetched meanwhile.
                self._judged[question.sha256] = stapled
        known = self._known.get(question.sha256)
        if known is None:
            raise StatusUnavailable("no status of the certificate is known")
        if known.revoked_at is not None:
            raise SecurityFailed(f"the certificate was revoked at {known.revoked_at:%Y-%m-%d %H:%M:%SZ}")
        if known.usable_until <= now:
            raise StatusUnavailable(f"the newest status was good until {known.usable_until:%Y-%m-%d %H:%M:%SZ} only")
        return known

    def _forget_one(self) -> None:
        good = (key for key, status in self._known.items() if status.revoked_at is None)
        key = next(good, next(iter(self._known)))
        del self._known[key]
        self._judged.pop(key, None)

"""What ends, and how long ahead somebody should know: one table for `adapter doctor`, the metrics and the log. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from adapter.directory.model import Directory
from adapter.identifiers import MemberId

THRESHOLD_DAYS: Final = (1, 7, 14, 30, 60)
"""Days ahead, the nearest first."""
ENDED: Final = 0
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expiry:
    """One thing that ends. what: its kind; name: which one of them; begins: None where nobody knows.

    mend: what to do about it.
    """

    what: str
    name: str
    ends: datetime
    begins: datetime | None
    mend: str

    def threshold(self, now: datetime) -> int | None:
        """The nearest of THRESHOLD_DAYS that has come, ENDED when it is over, None when there is time.

        What lives shortly is not warned of from its first day: a threshold counts in the second half of a life only.
        """
        left = self.ends - now
        if left <= timedelta():
            return ENDED
        for days in THRESHOLD_DAYS:
            if left <= days * _DAY:
                whole = None if self.begins is None else self.ends - self.begins
                return days if whole is None or days * _DAY <= whole / 2 else None
        return None


def of_certificate(what: str, name: str, certificate: x509.Certificate, mend: str) -> Expiry:
    """A certificate ends with its period."""
    return Expiry(
        what=what,
        name=name,
        ends=certificate.not_valid_after_utc,
        begins=certificate.not_valid_before_utc,
        mend=mend,
    )


def of_directory(directory: Directory, own: MemberId) -> Iterator[Expiry]:
    """All that ends in a directory and that this member depends on: the directory, CAs, time-stamps, its own suite."""
    ask = "Ask the authority for the next one."
    yield Expiry(
        what="directory",
        name=f"version {directory.version}",
        ends=directory.expires,
        begins=directory.issued,
        mend="Ask the authority when it signs the next version.",
    )
    for what, certificates in (("signing CA", directory.signing_cas), ("TLS CA", directory.tls_cas)):
        for certificate in certificates:
            yield of_certificate(what, _subject(certificate), certificate, ask)
    for authority in directory.time_stamp_authorities.values():
        for certificate in authority.certificates:
            yield of_certificate("time-stamp authority", f"{authority.name}: {_subject(certificate)}", certificate, ask)
    member = directory.members.get(own)
    for suite, ends in directory.suite_ends.items():
        if member is not None and member.suite == suite:
            yield Expiry(what="suite", name=suite, ends=ends, begins=None, mend="Make keys of another suite in time.")


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()

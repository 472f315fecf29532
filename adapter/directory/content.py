"""What the authority states besides the members: CAs, time-stamps, codes of lists, and the register of e-services.

Values of the signed directory, frozen. A text for people is a `Titles`: language tag (`en`, `ru`, `uz`, `uz-Cyrl`) to
text. Addresses are http or https URLs, durations whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from adapter.directory.identifier_pattern import IdentifierPattern
from adapter.identifiers import MemberId, ServiceId, SubsystemId

Titles: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificationAuthority:
    """A CA, root or intermediate, and where the status of the certificates that it issued is asked for.

    status_window: how old a status (OCSP answer or CRL) of its certificates may be; None when it offers no status.
    """

    certificate: x509.Certificate
    ocsp_addresses: tuple[str, ...] = ()
    crl_addresses: tuple[str, ...] = ()
    status_window: timedelta | None = None

    @property
    def sha256(self) -> bytes:
        """Digest of the certificate, by which it is found."""
        return self.certificate.fingerprint(hashes.SHA256())


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeStampAuthority:
    """A time-stamp authority (RFC 3161). certificates: of its time-stamping units, or of CAs that issue those."""

    name: str
    address: str
    certificates: tuple[x509.Certificate, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentifierType:
    """A type of identifier for those whom data is about, beside the four that every adapter knows."""

    code: str
    pattern: IdentifierPattern
    titles: Titles


class BasisName(Enum):
    """What a legal basis can have to name, so that an inspector finds it. `consent` and `issue` have own elements."""

    DOCUMENT = "document"
    ARTICLE = "article"
    NUMBER = "number"
    DATE = "date"
    COURT = "court"
    UNTIL = "until"
    CONSENT = "consent"
    ISSUE = "issue"


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalBasisKind:
    """A kind of legal basis, and what a request on such a basis must name.

    withheld: a secrecy order; a person who asks who saw their data is not told of it before the date `until`.
    """

    code: str
    titles: Titles
    must_name: frozenset[BasisName] = frozenset()
    withheld: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SecrecyKind:
    """A kind of secrecy order, which a member's officers place on entries of their own record (audit.secrecy).

    maximum: how long after the day on which it is placed an order may last, in whole days.
    """

    code: str
    titles: Titles
    maximum: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentIssuer:
    """A subsystem whose signed statements of consent count.

    certificates: those that it signs statements with; where there are none, its member's signing certificates.
    kinds: codes of the kinds of legal basis that its statements are for. cache_limit: how long a provider may hold a
    statement to be valid without asking again.
    """

    subsystem: SubsystemId
    kinds: frozenset[str]
    cache_limit: timedelta
    certificates: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """A neutral witness of records (C2SP tlog-witness).

    vkey: its verifier key (tlog-cosignature). address: its submission prefix.
    """

    name: str
    vkey: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WitnessRule:
    """When a checkpoint counts as witnessed.

    threshold: by how many witnesses. limit: how old an entry may become before they have seen it; then the adapter's
    administrator is warned. None: nobody is.
    """

    threshold: int = 1
    limit: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Regulation:
    """The regulation of an e-service (law on electronic government, articles 19, 20, 27): what may be asked, by whom.

    documents: the services that supply what the e-service needs, each with its volume of data: paths of fields in the
    service's XSD; an empty set is the whole document. participants: members that take part beside the agency.
    """

    id: str
    titles: Titles
    approved: date
    documents: Mapping[ServiceId, frozenset[str]] = field(default_factory=dict)
    participants: frozenset[MemberId] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class EService:
    """An entry of the register of e-services. agency: who is responsible. working_days: the deadline for the person."""

    code: str
    titles: Titles
    agency: MemberId
    working_days: int
    regulation: Regulation

    def lets(self, member: MemberId) -> bool:
        """Whether this member takes part: the responsible agency, or one that the regulation names."""
        return member == self.agency or member in self.regulation.participants

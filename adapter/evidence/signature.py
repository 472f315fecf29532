"""Who signed a container, when, and how much of that is shown by others: the levels B, T and LT (EN 319 132-1, 6).

B: the exporter signed, and says when. T: a time-stamp authority of the directory says before when. LT: the container
has the certificates and their statuses as well, so that it can be verified by itself when nobody can be asked any more.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.crypto.certificates import UNREADABLE, Purpose, check_chain, sha256
from adapter.crypto.status import CLOCK_SKEW, CertificateStatus, claimed_time
from adapter.crypto.time_stamps import TimeStamp, verify_stamp
from adapter.directory.model import Directory
from adapter.directory.status import StatusQuestion, status_question
from adapter.errors import SecurityFailed, StatusOutdated
from adapter.evidence.asic import SignedFiles
from adapter.evidence.xades import XadesSignature
from adapter.identifiers import MemberId


class Level(Enum):
    """How long a signature can be verified by itself."""

    B = "XAdES-BASELINE-B"
    T = "XAdES-BASELINE-T"
    LT = "XAdES-BASELINE-LT"


def claimed_level(signature: XadesSignature) -> Level:
    """The level that a signature has the properties of; whether they hold is another question (`judge_signature`)."""
    if signature.stamp is None:
        return Level.B
    return Level.LT if signature.certificates or signature.lists or signature.responses else Level.T


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorityStamp:
    """A good time-stamp and the authority of the directory that made it.

    issuer: who certified its unit; None: the directory lists the unit itself.
    """

    stamp: TimeStamp
    authority: str
    issuer: x509.Certificate | None

    @property
    def before(self) -> datetime:
        """The latest time that the token allows for, by its own accuracy."""
        return self.stamp.time + self.stamp.accuracy


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What level LT needs beside the signature. certificates: DER. questions: whose statuses, in this order.

    unasked: subjects of certificates whose status the directory says nowhere to ask for; one is enough to make LT
    impossible.
    """

    certificates: tuple[bytes, ...]
    questions: tuple[StatusQuestion, ...]
    unasked: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusThen:
    """What the CA that issued a certificate said of it."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    status: CertificateStatus

    def check_good(self, at: datetime) -> None:
        """Not revoked by then; a revocation after it takes nothing away. Raises SecurityFailed."""
        revoked_at = self.status.revoked_at
        if revoked_at is not None and revoked_at <= at:
            raise SecurityFailed(f"the certificate was revoked at {revoked_at:%Y-%m-%d %H:%M:%SZ}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedSignature:
    """A container's signature that is the exporter's. signed_at: by the exporter's clock. statuses: none below LT.

    expired: the directory that names the exporter's certificate had expired when it was signed.
    """

    level: Level
    signer: x509.Certificate
    signed_at: datetime
    stamp: AuthorityStamp | None
    statuses: tuple[StatusThen, ...]
    expired: bool


def judge_signature(container: SignedFiles, exporter: MemberId, directory: Directory) -> ProvedSignature:
    """Whether the signature of a container is the exporter's, by a directory that is authentic.

    container: its signature is good; nothing else of it is believed. Raises SecurityFailed, UnknownMember.

    1. The directory registers exactly this certificate as a signing certificate of the exporter, in this suite.
    2. A time-stamp, if there is one, is over this signature, by an authority of the directory, and not older than what
       the exporter says.
    3. A chain leads from the certificate to a CA of the directory, at the time of the stamp; else at the time that the
       exporter names.
    4. The values for level LT are all there, each one is needed, and no certificate was taken back by then; or none is.
    """
    signature = container.signature
    _check_registered(container, exporter, directory)
    signed_at = signature.signed.signed_at
    stamp = None if signature.stamp is None else judge_stamp(signature.stamp, signature.stamped, directory)
    if stamp is not None and signed_at > stamp.before + CLOCK_SKEW:
        raise SecurityFailed("the signature says that it was made after it was time-stamped")
    at = signed_at if stamp is None else stamp.stamp.time
    chain = check_chain(container.signer, directory.signing_cas, at, Purpose.SIGNING)
    statuses = () if stamp is None else _judge_material(container, chain, stamp, directory)
    return ProvedSignature(
        level=Level.B if stamp is None else Level.LT if statuses else Level.T,
        signer=container.signer,
        signed_at=signed_at,
        stamp=stamp,
        statuses=statuses,
        expired=at >= directory.expires + directory.grace,
    )


def judge_stamp(token: bytes, octets: bytes, directory: Directory) -> AuthorityStamp:
    """A token (untrusted) over these octets, by an authority of the directory. Raises SecurityFailed."""
    failure = SecurityFailed("the directory names no time-stamp authority")
    for authority in directory.time_stamp_authorities.values():
        try:
            stamp = verify_stamp(token, octets, trusted=authority.certificates)
        except SecurityFailed as cause:
            failure = cause
        else:
            issuer = _issuer_of(stamp.signer, authority.certificates)
            return AuthorityStamp(stamp=stamp, authority=authority.name, issuer=issuer)
    raise failure


def material_for(chain: Sequence[x509.Certificate], stamp: AuthorityStamp, directory: Directory) -> Material:
    """What a signature with this chain (leaf first, a root last) and this stamp needs to be of level LT."""
    issued = list(pairwise(chain))
    others = [*chain[1:], stamp.stamp.signer]
    if stamp.issuer is not None:
        issued.append((stamp.stamp.signer, stamp.issuer))
        others.append(stamp.issuer)
    asked = [(certificate, status_question(certificate, issuer, directory)) for certificate, issuer in issued]
    return Material(
        certificates=tuple(dict.fromkeys(one.public_bytes(Encoding.DER) for one in others)),
        questions=tuple(question for _, question in asked if question is not None),
        unasked=tuple(one.subject.rfc4514_string() for one, question in asked if question is None),
    )


def status_then(question: StatusQuestion, octets: bytes, at: datetime, *, is_list: bool = False) -> StatusThen:
    """What a response or a list (untrusted octets) says of a certificate at a time in the past.

    Whether it was recent is judged at that time, or when it was made if that was later: a later word that a certificate
    is good says the same of the time before. Raises StatusOutdated; SecurityFailed: no status of this certificate.
    """
    judged_at = max(at, claimed_time(octets, is_list=is_list))
    status = (question.read_list if is_list else question.read_response)(octets, judged_at)
    return StatusThen(certificate=question.certificate, issuer=question.authority.certificate, status=status)


def _check_registered(container: SignedFiles, exporter: MemberId, directory: Directory) -> None:
    """Step 1."""
    digest = sha256(container.signer)
    for registered in directory.member(exporter).signing:
        if hmac.compare_digest(registered.sha256, digest):
            if registered.suite != container.suite:
                raise SecurityFailed(f"signed in suite {container.suite} with a certificate of {registered.suite}")
            return
    raise SecurityFailed(f"signed with a certificate that is not registered for {exporter}")


def _issuer_of(unit: x509.Certificate, trusted: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """Which listed CA certified the unit, of those by which the token was verified."""
    if unit in trusted:
        return None
    return next((one for one in trusted if _is_issued(unit, one)), None)


def _is_issued(unit: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        unit.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _judge_material(
    container: SignedFiles, chain: Sequence[x509.Certificate], stamp: AuthorityStamp, directory: Directory
) -> tuple[StatusThen, ...]:
    """Step 4: the statuses, in the order of the questions; none at level T."""
    signature = container.signature
    if claimed_level(signature) is not Level.LT:
        return ()
    material = material_for(chain, stamp, directory)
    if signature.certificates != material.certificates:
        raise SecurityFailed("the certificates of the signature are not exactly those that lead to the directory's CAs")
    if material.unasked:
        raise SecurityFailed(f"statuses of certificates, but none that counts of {material.unasked[0]}")
    statuses = tuple(
        _find_status(question, signature.responses, signature.lists, stamp.stamp.time)
        for question in material.questions
    )
    used = (
        dict.fromkeys(one.status.octets for one in statuses if one.status.is_list is wanted) for wanted in (False, True)
    )
    if [tuple(one) for one in used] != [signature.responses, signature.lists]:
        raise SecurityFailed("the signature has statuses that nobody needs, or in another order")
    return statuses


def _find_status(
    question: StatusQuestion, responses: Sequence[bytes], lists: Sequence[bytes], at: datetime
) -> StatusThen:
    failures: list[SecurityFailed | StatusOutdated] = []
    for octets, is_list in (*((one, False) for one in responses), *((one, True) for one in lists)):
        try:
            said = status_then(question, octets, at, is_list=is_list)
        except (SecurityFailed, StatusOutdated) as cause:
            failures.append(cause)
        else:
            said.check_good(at)
            return said
    # One that is about this certificate, and out of date, says more than one that is about another.
    failures.sort(key=lambda failure: not isinstance(failure, StatusOutdated))
    reason = failures[0].reason if failures else "its status is missing"
    raise SecurityFailed(f"{question.certificate.subject.rfc4514_string()}: {reason}")

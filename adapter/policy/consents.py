"""Whether a person's consent is good for exactly this request: the numbered checklist, and what it lets out.

A statement is believed because the issuer that the directory names signed it, and used only for whom, by whom, for what
and until when it says. Pure: statement, status, directory and the time in; a VerifiedConsent or a refusal out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from adapter.crypto import suites
from adapter.crypto.certificates import sha256
from adapter.crypto.consent import SignedConsent, open_consent
from adapter.directory.content import BasisName, ConsentIssuer
from adapter.directory.model import Directory
from adapter.envelope.consent import Consent, ConsentReference
from adapter.errors import (
    CommandRefused,
    ConsentExpired,
    ConsentForAnotherConsumer,
    ConsentForAnotherPurpose,
    ConsentForOtherData,
    ConsentInvalid,
    ConsentIssuerUnknown,
    ConsentNotYetValid,
    ConsentOfAnotherSubject,
    ConsentRevoked,
    ConsentUnavailable,
    ConsentUnknown,
    InvalidIdentifier,
    SecurityFailed,
)
from adapter.identifiers import ServiceId, SubsystemId
from adapter.released_fields import EVERYTHING, SAYS_NOTHING, ReleasedFields, Replacement
from adapter.stages import PersonalData, UsedConsent

_SKEW: Final = timedelta(minutes=1)


class ConsentStatus(Enum):
    """What the issuer says of a consent."""

    ACTIVE = "active"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """The issuer has no consent with this id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedConsent:
    """What the issuer answered in a signed exchange: the statement's octets (untrusted) and the status at a time.

    as_of: before it was asked. statement is empty when the status is UNKNOWN.
    """

    statement: bytes
    status: ConsentStatus
    as_of: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a request wants to do under the consent: taken from a verified request, or asked by an officer."""

    reference: ConsentReference
    basis_kind: str
    consumer: SubsystemId
    service: ServiceId
    personal_data: PersonalData


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedConsent:
    """Good for exactly this wish, at the time it was asked. Made by verify_consent.

    fields: of the service's answer, what the person agreed to; None for all of it.
    """

    wish: Wish
    fields: ReleasedFields | None
    used: UsedConsent


def consent_named(data: PersonalData, directory: Directory) -> ConsentReference | None:
    """The consent that a request relies on; None when its legal basis is another. Both adapters ask this.

    Raises ConsentIssuerUnknown when it is not ISSUER/ID, or the directory names no such issuer for this kind.
    """
    basis = data.legal_basis
    if basis is None or not relies_on_consent(basis.kind, directory):
        return None
    try:
        reference = ConsentReference.parse(data.consent or "")
    except InvalidIdentifier as cause:
        raise ConsentIssuerUnknown(cause.reason) from None
    issuer_for(reference, basis.kind, directory)
    return reference


def issuer_for(reference: ConsentReference, kind: str, directory: Directory) -> ConsentIssuer:
    """The issuer, which the directory names for this kind of legal basis. Raises ConsentIssuerUnknown."""
    issuer = directory.consent_issuers.get(reference.issuer)
    if issuer is None or kind not in issuer.kinds:
        raise ConsentIssuerUnknown(f"{reference.issuer} is no issuer of consents for {kind}")
    return issuer


def relies_on_consent(kind: str, directory: Directory) -> bool:
    """Whether a legal basis of this kind is a consent: it has to name one, or an issuer is named for it."""
    known = directory.legal_basis_kinds.get(kind)
    wants_one = known is not None and BasisName.CONSENT in known.must_name
    return wants_one or any(kind in issuer.kinds for issuer in directory.consent_issuers.values())


def verify_consent(issued: IssuedConsent, wish: Wish, *, directory: Directory, now: datetime) -> VerifiedConsent:
    """The numbered checks on every transfer under a consent. The only maker of `VerifiedConsent`.

    Raises ConsentIssuerUnknown, ConsentUnavailable, ConsentUnknown, ConsentInvalid (one public text for all of 4 to 6),
    ConsentRevoked, ConsentNotYetValid, ConsentExpired, ConsentOfAnotherSubject, ConsentForAnotherConsumer,
    ConsentForAnotherPurpose, ConsentForOtherData.
    """
    # 1. The directory names the issuer for this kind of legal basis.
    issuer = issuer_for(wish.reference, wish.basis_kind, directory)
    # 2. What it said of the status is no older than the directory allows, and not from the future.
    if not issued.as_of <= now < issued.as_of + issuer.cache_limit:
        raise ConsentUnavailable("the status of the consent is older than the directory allows")
    # 3. It knows the consent.
    if issued.status is ConsentStatus.UNKNOWN:
        raise ConsentUnknown(f"{wish.reference.issuer} knows no such consent")
    signed = _opened(issued, wish, issuer, directory, now)
    # 7. It was not taken back.
    if issued.status is not ConsentStatus.ACTIVE:
        raise ConsentRevoked(f"{wish.reference} was revoked")
    _check_use(signed.consent, wish, directory, now)
    fields = _fields_of(signed.consent, wish)
    used = UsedConsent(reference=str(wish.reference), statement_sha256=signed.sha256, status_at=issued.as_of)
    return VerifiedConsent(wish=wish, fields=fields, used=used)


def _opened(
    issued: IssuedConsent, wish: Wish, issuer: ConsentIssuer, directory: Directory, now: datetime
) -> SignedConsent:
    try:
        # 4. The statement is signed, and says nothing but what is signed.
        signed = open_consent(issued.statement)
        # 5. The directory names the signer's certificate for this issuer; it was valid when the statement was made.
        check_signer(signed, issuer, directory, now)
    except SecurityFailed as cause:
        raise ConsentInvalid(cause.reason) from None
    # 6. It is the consent that the request names, of this issuer.
    if signed.consent.reference != wish.reference:
        raise ConsentInvalid("the issuer sent another consent than the one that was named")
    return signed


def check_signer(signed: SignedConsent, issuer: ConsentIssuer, directory: Directory, now: datetime) -> None:
    """Step 5. Raises SecurityFailed."""
    named = {sha256(certificate) for certificate in issuer.certificates}
    if not named:
        named = {one.sha256 for one in directory.member(issuer.subsystem.member).signing}
    if sha256(signed.signer) not in named:
        raise SecurityFailed(f"the statement is not signed with a certificate of {issuer.subsystem}")
    issued = signed.consent.issued
    if issued > now + _SKEW:
        raise SecurityFailed("the statement was issued in the future")
    if not signed.signer.not_valid_before_utc <= issued <= signed.signer.not_valid_after_utc:
        raise SecurityFailed("the certificate was not valid when the statement was issued")
    suites.suite(signed.suite).check_in_force(now)
    end = directory.suite_ends.get(signed.suite)
    if end is not None and now >= end:
        raise SecurityFailed(f"suite {signed.suite} has ended")


def _check_use(consent: Consent, wish: Wish, directory: Directory, now: datetime) -> None:
    data = wish.personal_data
    # 8. Its term has begun and is not over.
    if now < consent.valid_from:
        raise ConsentNotYetValid("the term of the consent has not begun")
    if now >= consent.valid_until:
        raise ConsentExpired("the term of the consent is over")
    # 9. It is of the one person whom the request is about.
    if data.subjects != (consent.subject,):
        raise ConsentOfAnotherSubject("the consent is not of exactly the person whom the request is about")
    # 10. It is for this consumer, and for whomever the consumer hands the data on to; in this country, or abroad too.
    if directory.member(wish.consumer.member).stir != consent.operator.stir:
        raise ConsentForAnotherConsumer("the operator of the consent is not the consumer")
    party = data.represented_party
    if party is not None and party.code not in {one.stir for one in consent.third_parties}:
        raise ConsentForAnotherConsumer("the represented party is no third party of the consent")
    if wish.consumer.member.instance != wish.service.subsystem.member.instance and not consent.cross_border:
        raise ConsentForAnotherConsumer("the consent does not let the data go abroad")
    # 11. It is for this purpose.
    if data.purpose not in consent.purposes:
        raise ConsentForAnotherPurpose("the consent is not for the purpose of the request")


def _fields_of(consent: Consent, wish: Wish) -> ReleasedFields | None:
    # 12. It is for data of this service.
    for service, fields in consent.data:
        if service == wish.service:
            return fields
    raise ConsentForOtherData(f"the consent is not for {wish.service}")


def within_consent(rule: ReleasedFields | None, consented: ReleasedFields | None) -> ReleasedFields | None:
    """Of what a rule lets out, what the person agreed to. None: all. Raises ConsentForOtherData when nothing is left.

    A field outside is taken out, and what then is not valid is refused (minimisation). A replacement that says
    nothing of the value stays: the schema may need it.
    """
    if consented is None:
        return rule
    if rule is None:
        return consented
    agreed = [consented.expanded(path) for path in consented.released]
    released = [path for path in rule.released if any(_covers(one, rule.expanded(path)) for one in agreed)]
    replaced = [
        (path, way)
        for path, way in rule.replaced
        if way in SAYS_NOTHING or any(_covers(one, rule.expanded(path)) for one in agreed)
    ]
    # What the person agreed to below a path of the rule that means whatever stands there, and not within a field that
    # the rule replaces: nothing of that goes out as it is.
    wide = [rule.expanded(path) for path in rule.released if path.endswith(f"/{EVERYTHING}")]
    closed = [(*rule.expanded(path), EVERYTHING) for path, _ in rule.replaced]
    below = [
        path
        for path, steps in ((path, consented.expanded(path)) for path in consented.released)
        if not any(_covers(steps, rule.expanded(kept)) for kept in released)
        and any(_covers(one, steps) for one in wide)
        and not any(_covers(one, steps) for one in closed)
    ]
    if not released and not below:
        raise ConsentForOtherData("the person agreed to no field that the rule lets out")
    try:
        return _joined(rule, consented, released, below, replaced)
    except CommandRefused as cause:
        raise ConsentForOtherData(f"the rule and the consent name fields that do not fit: {cause.reason}") from None


def _covers(wide: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether one path of a field names all that another does."""
    if wide[-1] == EVERYTHING:
        return len(path) >= len(wide) and path[: len(wide) - 1] == wide[:-1]
    return wide == path


def _joined(
    rule: ReleasedFields,
    consented: ReleasedFields,
    released: list[str],
    below: list[str],
    replaced: list[tuple[str, Replacement]],
) -> ReleasedFields:
    if not below:
        return ReleasedFields(namespaces=rule.namespaces, released=tuple(released), replaced=tuple(replaced))
    # The prefixes of the consent are the issuer's: they are given names that the rule does not use.
    renamed = {prefix: f"consent-{at}" for at, (prefix, _) in enumerate(consented.namespaces)}
    spelled = ["/".join(_respelled(step, renamed) for step in path.split("/")) for path in below]
    namespaces = (*rule.namespaces, *((renamed[prefix], uri) for prefix, uri in consented.namespaces))
    return ReleasedFields(namespaces=namespaces, released=(*released, *spelled), replaced=tuple(replaced))


def _respelled(step: str, renamed: dict[str, str]) -> str:
    mark = "@" if step.startswith("@") else ""
    prefix, colon, local = step.removeprefix("@").rpartition(":")
    return f"{mark}{renamed.get(prefix, prefix)}{colon}{local}"

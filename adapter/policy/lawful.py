"""What makes a transfer lawful at all, before any rule of access: checked alike by both adapters."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from adapter.directory.content import BasisName, LegalBasisKind
from adapter.directory.model import Directory, DirectoryService
from adapter.errors import InvalidIdentifier, NoLegalBasis, Problem, UnknownPurpose, UnknownRegulation
from adapter.identifiers import IDENTIFIER_KINDS, MemberId, SubjectId
from adapter.policy.consents import consent_named
from adapter.stages import LegalBasis, PersonalData

_ZONES: Final = timedelta(hours=14)
"""How far local time is from UTC, at most: a day is over when it is over everywhere."""
_DAYS: Final = frozenset((BasisName.UNTIL.value, BasisName.DATE.value))


def check_lawful(
    personal_data: PersonalData,
    regulation: str | None,
    service: DirectoryService,
    directory: Directory,
    *,
    consumer: MemberId,
    now: datetime,
) -> None:
    """What both adapters check alike: a known purpose, and a known kind of legal basis.

    A regulation that is named must stand in the register of e-services, which lists this service as one of its
    documents and this consumer as its agency or a participant; a service that is for some e-services only wants one of
    them named (law on electronic government, articles 19, 20 and 27). A service that transfers personal data needs a
    legal basis and a subject; a legal basis names what its kind must name, and is none past the last day that it names.
    A consent that is the legal basis is named as one of an issuer of the directory. A subject of a kind that not every
    adapter knows is of a type of the directory, and has its form.
    Raises UnknownPurpose, UnknownRegulation, InvalidIdentifier, NoLegalBasis, ConsentIssuerUnknown.
    """
    if personal_data.purpose not in directory.purposes:
        raise UnknownPurpose("the purpose is not in the directory")
    basis = personal_data.legal_basis
    if basis is not None and basis.kind not in directory.legal_basis_kinds:
        raise UnknownPurpose("the kind of legal basis is not in the directory")
    _check_regulation(regulation, service, directory, consumer)
    for subject in personal_data.subjects:
        if subject.kind not in IDENTIFIER_KINDS:
            _check_of_directory(subject, directory)
    if basis is not None:
        _check_named(basis, personal_data, directory.legal_basis_kinds[basis.kind])
        _check_days(basis, now)
        consent_named(personal_data, directory)
    if not service.personal_data:
        return
    if basis is None:
        raise NoLegalBasis("no legal basis for a service that transfers personal data")
    if not personal_data.subjects:
        raise NoLegalBasis("no subject for a service that transfers personal data")


def _check_of_directory(subject: SubjectId, directory: Directory) -> None:
    """The value is repeated nowhere: it is personal data."""
    known = directory.identifier_types.get(subject.kind)
    if known is None:
        text = f"The directory has no type of identifier {subject.kind}."
        reason = f"a subject's kind is {subject.kind}, which the directory does not define"
    elif not known.pattern.matches(subject.value):
        text = f"The value has not the form of {subject.kind}: {known.pattern.text}"
        reason = f"a subject's value has not the form that the directory gives to {subject.kind}"
    else:
        return
    problem = Problem(line=0, column=0, element="Subject", rule="directory.identifier-type", text=text)
    raise InvalidIdentifier(reason, problems=(problem,))


def _check_named(basis: LegalBasis, personal_data: PersonalData, kind: LegalBasisKind) -> None:
    """A kind of legal basis that must name something names it: an inspector has to find what it refers to."""
    named = {name for name, _ in basis.names}
    if personal_data.consent is not None:
        named.add(BasisName.CONSENT.value)
    if personal_data.issue is not None:
        named.add(BasisName.ISSUE.value)
    missing = ", ".join(sorted({one.value for one in kind.must_name} - named))
    if missing:
        problem = _problem(f"A legal basis of kind {kind.code} must name: {missing}.")
        raise NoLegalBasis(f"a legal basis of kind {kind.code} does not name {missing}", problems=(problem,))


def _problem(text: str) -> Problem:
    return Problem(line=0, column=0, element="LegalBasis", rule="directory.legal-basis", text=text)


def _check_days(basis: LegalBasis, now: datetime) -> None:
    """A legal basis of a day to come, or past its last day, allows nothing. Days begin and end somewhere on Earth."""
    named = {name: date.fromisoformat(value) for name, value in basis.names if name in _DAYS}
    if named.get(BasisName.UNTIL.value, date.max) < (now - _ZONES).date():
        raise NoLegalBasis(
            "the legal basis is over", problems=(_problem("The day until which the legal basis holds is over."),)
        )
    if named.get(BasisName.DATE.value, date.min) > (now + _ZONES).date():
        raise NoLegalBasis(
            "the legal basis is of a day to come", problems=(_problem("The day of the legal basis is still to come."),)
        )


def _check_regulation(
    regulation: str | None, service: DirectoryService, directory: Directory, consumer: MemberId
) -> None:
    if regulation is None:
        if service.regulations:
            raise UnknownRegulation("the service is for certain e-services only, and no regulation is named")
        return
    e_service = directory.by_regulation.get(regulation)
    if e_service is None:
        raise UnknownRegulation("the regulation is not in the register of e-services")
    if service.service not in e_service.regulation.documents:
        raise UnknownRegulation(f"the regulation of e-service {e_service.code} does not list {service.service}")
    if service.regulations and regulation not in service.regulations:
        raise UnknownRegulation(f"{service.service} is not for e-service {e_service.code}")
    if not e_service.lets(consumer):
        raise UnknownRegulation(f"{consumer} has no part in e-service {e_service.code}")

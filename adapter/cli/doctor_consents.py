"""What `adapter doctor` says of consents: whether a request that a rule lets pass on one can ever be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.directory.model import Directory
from adapter.envelope.consent_service import service_of_issuer
from adapter.errors import AdapterError, CommandRefused
from adapter.identifiers import Purpose, SubsystemId
from adapter.policy.consents import relies_on_consent
from adapter.policy.lawful import check_lawful
from adapter.policy.rules import AccessRule
from adapter.settings import ConsentsSettings, Settings
from adapter.stages import LegalBasis, PersonalData
from adapter.store.access import AccessRules
from adapter.store.engine import open_database

_WHAT: Final = "consents"
_SWITCH_ON: Final = "Add the table to the settings (docs/consent.md) and restart the adapter."


def look_at_consents(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Nothing where no rule lets a request pass that relies on a consent. Raises StoreUnusable."""
    rules = [
        rule
        for rule in AccessRules(open_database(settings.database_url)).snapshot().rules
        if rule.valid_until is None or now < rule.valid_until
    ]
    issued = frozenset(kind for issuer in directory.consent_issuers.values() for kind in issuer.kinds)
    yield from _without_issuer(rules, issued, directory)
    naming = [rule.id for rule in rules if rule.legal_basis_kinds is not None and rule.legal_basis_kinds & issued]
    silent = [rule.id for rule in rules if rule.legal_basis_kinds is None and issued]
    if not naming and not silent:
        return
    if settings.consents is not None:
        yield from _asking(settings.consents, directory, now)
        return
    missing = "which end with ConsentUnavailable: the settings have no table [consents], and nobody is asked"
    if naming:
        yield fail(_WHAT, f"{', '.join(naming)} let requests on a consent pass, {missing}", _SWITCH_ON)
    else:
        yield warn(_WHAT, f"{', '.join(silent)} let requests on any basis pass, a consent too, {missing}", _SWITCH_ON)


def _without_issuer(rules: Sequence[AccessRule], issued: frozenset[str], directory: Directory) -> Iterator[Finding]:
    """A kind that has to name a consent, of which no issuer of the directory is believed."""
    for rule in rules:
        for kind in sorted((rule.legal_basis_kinds or frozenset()) - issued):
            if relies_on_consent(kind, directory):
                yield warn(
                    _WHAT,
                    f"{rule.id} names {kind}, for which the directory has no issuer: ConsentIssuerUnknown",
                    "Ask the authority to enter one (adapter authority set-consent-issuer), or change the rule.",
                )


def _asking(said: ConsentsSettings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Whether each issuer can be asked in the way that the settings say."""
    refused = 0
    for issuer in sorted(directory.consent_issuers, key=str):
        try:
            _check_asking(said, issuer, directory, now)
        except AdapterError as cause:
            refused += 1
            mend = "Mend [consents] of the settings, or ask the authority for what the directory lacks."
            yield fail(_WHAT, f"{issuer} cannot be asked: {cause.reason}", mend)
    if not refused:
        yield ok(_WHAT, f"{', '.join(sorted(map(str, directory.consent_issuers)))} can be asked as {said.subsystem}")


def _check_asking(said: ConsentsSettings, issuer: SubsystemId, directory: Directory, now: datetime) -> None:
    """The same that the path of the asking refuses before anything is sent. Raises AdapterError."""
    service = directory.service(service_of_issuer(issuer))
    directory.check_subsystem(said.subsystem)
    if relies_on_consent(said.legal_basis_kind, directory):
        raise CommandRefused(f"legal_basis_kind {said.legal_basis_kind} is a consent itself")
    basis = LegalBasis(
        kind=said.legal_basis_kind,
        reference=said.legal_basis_reference,
        names=tuple(sorted(said.legal_basis_names.items())),
    )
    about = PersonalData(purpose=Purpose(said.purpose), legal_basis=basis)
    # Whom a request is about is not known before there is one; all the rest is.
    nobody = replace(service, personal_data=False)
    check_lawful(about, said.regulation, nobody, directory, consumer=said.subsystem.member, now=now)

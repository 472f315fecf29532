"""The access decision: default deny, one pure function for the provider's path and for `adapter access explain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.directory.model import Directory
from adapter.errors import AccessDenied, AdapterError, ConsentUnavailable
from adapter.identifiers import OfficialId, ServiceId, SubsystemId
from adapter.policy.consents import VerifiedConsent, Wish, consent_named, within_consent
from adapter.policy.lawful import check_lawful
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.policy.volume import beyond_volume
from adapter.released_fields import ReleasedFields
from adapter.stages import AuthorizedRequest, PersonalData, ValidRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessFacts:
    """All that the decision looks at, taken from a verified request (or asked hypothetically by an officer).

    official: who asks; None meets no emergency rule.
    """

    consumer: SubsystemId
    service: ServiceId
    operation: str
    regulation: str | None
    personal_data: PersonalData
    official: OfficialId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Why one rule does not allow the request: each of its conditions that is not met, in words."""

    rule_id: str
    unmet: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The outcome. rule_id, fields: the rule that allowed it, what it lets out. refusal: what is said otherwise."""

    policy_version: int
    rule_id: str | None = None
    fields: ReleasedFields | None = None
    refusal: AdapterError | None = None
    findings: tuple[Finding, ...] = ()


def decide(facts: AccessFacts, *, policy: PolicySnapshot, directory: Directory, now: datetime) -> Decision:
    """Judge the facts: lawful first, then the first rule whose every condition holds. Never raises a refusal."""
    try:
        check_lawful(
            facts.personal_data,
            facts.regulation,
            directory.service(facts.service),
            directory,
            consumer=facts.consumer.member,
            now=now,
        )
        directory.check_subsystem(facts.consumer)
    except AdapterError as unlawful:
        return Decision(policy_version=policy.version, refusal=unlawful)
    findings: list[Finding] = []
    for rule in policy.rules_for(facts.service):
        unmet = tuple(_unmet(rule, facts, directory, now))
        if not unmet:
            return Decision(
                policy_version=policy.version, rule_id=rule.id, fields=rule.fields, findings=tuple(findings)
            )
        findings.append(Finding(rule_id=rule.id, unmet=unmet))
    refusal = AccessDenied(_why(findings, facts))
    return Decision(policy_version=policy.version, refusal=refusal, findings=tuple(findings))


def authorize(
    valid: ValidRequest,
    *,
    policy: PolicySnapshot,
    directory: Directory,
    now: datetime,
    consent: VerifiedConsent | None = None,
) -> AuthorizedRequest:
    """Let a valid request pass only with a rule and, where its legal basis is a consent, with that consent verified.

    Raises AccessDenied, NoLegalBasis, UnknownPurpose, ConsentIssuerUnknown, ConsentForOtherData, ConsentUnavailable.
    """
    facts = facts_of(valid)
    decision = decide(facts, policy=policy, directory=directory, now=now)
    if decision.refusal is not None:
        raise decision.refusal
    if decision.rule_id is None:
        raise AccessDenied("no rule")
    fields, used = decision.fields, None
    if (wish := wish_of(facts, directory)) is not None:
        if consent is None or consent.wish != wish:
            raise ConsentUnavailable("the consent was not verified")
        fields, used = within_consent(fields, consent.fields), consent.used
    return AuthorizedRequest(
        valid=valid,
        rule_id=decision.rule_id,
        policy_version=decision.policy_version,
        fields=fields,
        consent=used,
    )


def wish_of(facts: AccessFacts, directory: Directory) -> Wish | None:
    """What a request wants to do under a consent; None when its legal basis is another. Raises ConsentIssuerUnknown."""
    reference, basis = consent_named(facts.personal_data, directory), facts.personal_data.legal_basis
    if reference is None or basis is None:
        return None
    return Wish(
        reference=reference,
        basis_kind=basis.kind,
        consumer=facts.consumer,
        service=facts.service,
        personal_data=facts.personal_data,
    )


def facts_of(valid: ValidRequest) -> AccessFacts:
    """The facts of a valid request. Raises AccessDenied when it carries no PersonalData header."""
    verified = valid.fresh.message.verified
    if verified.personal_data is None:
        raise AccessDenied("the request has no PersonalData header")
    return AccessFacts(
        consumer=valid.fresh.consumer,
        service=verified.header.service,
        operation=valid.operation,
        regulation=verified.header.regulation,
        personal_data=verified.personal_data,
        official=verified.header.official,
    )


def _unmet(rule: AccessRule, facts: AccessFacts, directory: Directory, now: datetime) -> list[str]:
    """The conditions of one rule that the facts do not meet, in the order in which an officer would read them."""
    basis = facts.personal_data.legal_basis
    beyond = _beyond_regulation(rule, facts, directory)
    conditions = (
        (rule.service == facts.service, f"is about {rule.service}"),
        (names_consumer(rule.consumer, facts.consumer, directory), f"is for {rule.consumer}"),
        (_holds(rule.operations, facts.operation), "does not name this operation"),
        (_holds(rule.purposes, facts.personal_data.purpose), "does not name this purpose"),
        (_holds(rule.legal_basis_kinds, basis.kind if basis else None), "does not name this kind of legal basis"),
        (_holds(rule.regulations, facts.regulation), "does not name this regulation"),
        (rule.valid_from is None or rule.valid_from <= now, "is not valid yet"),
        (rule.valid_until is None or now < rule.valid_until, "is no longer valid"),
        (beyond is None, f"lets out {beyond}, which regulation {facts.regulation} does not"),
        *_emergency_conditions(rule.emergency_officials, facts),
    )
    return [words for met, words in conditions if not met]


def _beyond_regulation(rule: AccessRule, facts: AccessFacts, directory: Directory) -> str | None:
    """What the rule lets out beyond the volume of data of the regulation that is named; lawfulness was checked before.

    The register decides what an e-service may have of a document, whatever the provider's officer granted.
    """
    if facts.regulation is None:
        return None
    return beyond_volume(rule.fields, directory.by_regulation[facts.regulation].regulation.documents[facts.service])


def _emergency_conditions(officials: frozenset[str] | None, facts: AccessFacts) -> tuple[tuple[bool, str], ...]:
    """An emergency meets emergency rules only, of officials who are named; everything else meets all other rules."""
    is_emergency = facts.personal_data.emergency is not None
    if officials is None:
        return ((not is_emergency, "is not for emergencies"),)
    official = None if facts.official is None else str(facts.official)
    return ((is_emergency, "is for emergencies only"), (_holds(officials, official), "does not name this official"))


def _holds(allowed: frozenset[str] | None, value: str | None) -> bool:
    """None in a rule means "any"; otherwise the value must be there and be listed."""
    return allowed is None or (value is not None and value in allowed)


def names_consumer(pattern: str, consumer: SubsystemId, directory: Directory) -> bool:
    """Whether a rule's consumer (a subsystem, a whole member, or `group:NAME` of the directory) means this one."""
    if pattern.startswith("group:"):
        return consumer in directory.groups.get(pattern.removeprefix("group:"), frozenset())
    return pattern in (str(consumer), str(consumer.member))


def _why(findings: Sequence[Finding], facts: AccessFacts) -> str:
    if not findings:
        return f"no rule names {facts.service}"
    return "; ".join(f"rule {finding.rule_id} {', '.join(finding.unmet)}" for finding in findings[:8])

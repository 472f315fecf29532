"""The consumer's own check before anything leaves: who asks, why, about whom, on which legal basis."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from lxml import etree

from adapter.directory.model import Directory
from adapter.envelope.carried import body_of
from adapter.envelope.request_context import RequestContext, read_request_context
from adapter.errors import ContextMissing, Problem
from adapter.identifiers import MessageId, OfficialId, Purpose, SubjectId
from adapter.policy.clients import Client, ContextRule
from adapter.policy.lawful import check_lawful
from adapter.stages import AuthorizedCall, ExchangeHeader, LegalBasis, PersonalData, ValidCall
from adapter.xmlsafe import texts_at

_T = TypeVar("_T")


def authorize_call(
    call: ValidCall,
    *,
    client: Client,
    directory: Directory,
    message_id: MessageId,
    now: datetime,
    reply_within_s: float,
) -> AuthorizedCall:
    """Complete the call with what the envelope needs and refuse what the provider would have to refuse.

    What the client sent in its RequestContext header comes first, what the settings fix for it second. Both are the
    agency's own statements; the provider's adapter judges them again. An emergency is said by the client, who then says
    too which official asks: neither comes out of the settings. Raises ContextMissing, UnknownPurpose,
    UnknownRegulation, NoLegalBasis, InvalidIdentifier, UnknownService, UnknownMember.
    """
    identified = call.parsed.identified
    service = directory.service(identified.received.service)
    directory.check_subsystem(identified.subsystem)
    context = _complete(call, client.context)
    if context.official is None or context.purpose is None:
        raise ContextMissing("no official or no purpose", problems=_missing(context))
    personal_data = PersonalData(
        purpose=context.purpose,
        subjects=context.subjects,
        legal_basis=context.legal_basis,
        consent=context.consent,
        issue=context.issue,
        represented_party=context.represented_party,
        emergency=context.emergency,
    )
    check_lawful(personal_data, context.regulation, service, directory, consumer=identified.subsystem.member, now=now)
    header = ExchangeHeader(
        message_id=message_id,
        claimed_consumer=identified.subsystem,
        service=service.service,
        operation=call.operation,
        official=context.official,
        sent=now,
        reply_by=now + timedelta(seconds=reply_within_s),
        regulation=context.regulation,
    )
    return AuthorizedCall(valid=call, header=header, personal_data=personal_data)


def _complete(call: ValidCall, rule: ContextRule) -> RequestContext:
    sent = None if call.parsed.context is None else read_request_context(call.parsed.context)
    ruled = _from_rule(body_of(call.parsed.payload), rule)
    if sent is None:
        return ruled
    if sent.emergency is not None:
        _check_emergency(sent, rule)
    return RequestContext(
        official=_first(sent.official, ruled.official),
        purpose=_first(sent.purpose, ruled.purpose),
        legal_basis=_first(sent.legal_basis, ruled.legal_basis),
        regulation=_first(sent.regulation, ruled.regulation),
        subjects=sent.subjects or ruled.subjects,
        consent=_first(sent.consent, ruled.consent),
        issue=_first(sent.issue, ruled.issue),
        represented_party=sent.represented_party,
        emergency=sent.emergency,
    )


def _check_emergency(sent: RequestContext, rule: ContextRule) -> None:
    """Who asks in an emergency is a person of this moment, not whom the settings name for a whole system."""
    if sent.official is None and rule.official_xpath is None:
        text = "A request in an emergency names the official itself, in the header or in its Body."
        problem = Problem(line=0, column=0, element="Official", rule="client.emergency", text=text)
        raise ContextMissing("an emergency without an official of its own", problems=(problem,))


def _missing(context: RequestContext) -> tuple[Problem, ...]:
    said = {"Official": context.official, "Purpose": context.purpose}
    text = "Neither the request nor the client's context in the settings says it."
    return tuple(
        Problem(line=0, column=0, element=name, rule="client.context", text=text)
        for name, value in said.items()
        if value is None
    )


def _first(sent: _T | None, ruled: _T | None) -> _T | None:
    return ruled if sent is None else sent


def _from_rule(payload: etree._Element, rule: ContextRule) -> RequestContext:
    official = rule.official if rule.official_xpath is None else _found(payload, rule.official_xpath)
    subjects: tuple[SubjectId, ...] = ()
    if rule.subject_xpath is not None and rule.subject_kind is not None:
        subjects = tuple(SubjectId(rule.subject_kind, text) for text in texts_at(payload, rule.subject_xpath))
    basis = None
    if rule.legal_basis_kind is not None:
        basis = LegalBasis(
            kind=rule.legal_basis_kind, reference=rule.legal_basis_reference or "", names=rule.legal_basis_names
        )
    return RequestContext(
        official=None if official is None else OfficialId(official),
        purpose=None if rule.purpose is None else Purpose(rule.purpose),
        legal_basis=basis,
        regulation=rule.regulation,
        subjects=subjects,
        consent=_found(payload, rule.consent_xpath),
        issue=_found(payload, rule.issue_xpath),
    )


def _found(payload: etree._Element, xpath: etree.XPath | None) -> str | None:
    return None if xpath is None else next(iter(texts_at(payload, xpath)), None)

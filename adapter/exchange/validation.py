"""The Body against the service's own contract, in both directions and on both sides."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.names import SOAP12_FAULT
from adapter.envelope.schema import check_payload
from adapter.errors import PeerAnswerInvalid, ProviderSystemInvalid, SchemaInvalid, SubjectMismatch, UnknownOperation
from adapter.identifiers import SubjectId
from adapter.stages import (
    BackendAnswer,
    CorrelatedReply,
    FreshRequest,
    ParsedCall,
    ValidAnswer,
    ValidCall,
    ValidReply,
    ValidRequest,
)
from adapter.xmlsafe import texts_at


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectRule:
    """Where a service's payload names the person asked about; checked against the declared subjects."""

    kind: str
    xpath: etree.XPath


def validate_call(call: ParsedCall, description: ServiceDescription) -> ValidCall:
    """A client system's Body against the provider's contract. Raises UnknownOperation, SchemaInvalid."""
    operation = description.operation_for(etree.QName(call.payload).text)
    check_payload(description, call.payload, operation.input_element)
    return ValidCall(parsed=call, operation=operation.name)


def validate_request(
    fresh: FreshRequest, description: ServiceDescription, subject_rule: SubjectRule | None
) -> ValidRequest:
    """A verified Body against our own contract and against what the header says of it.

    The operation that the signed header names decides; the Body must be that operation's element, and the person in
    the Body one of the declared subjects. Raises UnknownOperation, SchemaInvalid, SubjectMismatch.
    """
    verified = fresh.message.verified
    operation = description.operation(verified.header.operation)
    if etree.QName(verified.payload).text != operation.input_element:
        raise UnknownOperation("the Body is not the element of the operation that the Exchange header names")
    check_payload(description, verified.payload, operation.input_element)
    if subject_rule is not None:
        declared = verified.personal_data.subjects if verified.personal_data else ()
        _check_subjects(verified.payload, subject_rule, declared)
    return ValidRequest(fresh=fresh, operation=operation.name)


def _check_subjects(payload: etree._Element, rule: SubjectRule, declared: tuple[SubjectId, ...]) -> None:
    asked = texts_at(payload, rule.xpath)
    allowed = {subject.value for subject in declared if subject.kind == rule.kind}
    if not asked or not allowed.issuperset(asked):
        raise SubjectMismatch("the Body asks about someone whom the PersonalData header does not name")


def validate_answer(answer: BackendAnswer, description: ServiceDescription, operation: Operation) -> ValidAnswer:
    """What the information system said against its own contract. Raises ProviderSystemInvalid with the problems."""
    try:
        _check_output(answer.payload, description, operation)
    except SchemaInvalid as invalid:
        raise ProviderSystemInvalid(invalid.reason, problems=invalid.problems) from None
    return ValidAnswer(payload=answer.payload)


def validate_reply(correlated: CorrelatedReply, description: ServiceDescription, operation: str) -> ValidReply:
    """A provider's verified reply: a fault, or valid against the contract. Raises PeerAnswerInvalid."""
    payload = correlated.message.verified.payload
    if payload.tag == SOAP12_FAULT:
        return ValidReply(correlated=correlated, is_fault=True)
    try:
        _check_output(payload, description, description.operation(operation))
    except SchemaInvalid as invalid:
        raise PeerAnswerInvalid(invalid.reason, problems=invalid.problems) from None
    return ValidReply(correlated=correlated, is_fault=False)


def _check_output(payload: etree._Element, description: ServiceDescription, operation: Operation) -> None:
    if operation.output_element is None:
        raise SchemaInvalid("a one-way operation has no reply")
    if etree.QName(payload).text != operation.output_element:
        raise SchemaInvalid("the reply is not the element that the contract names")
    check_payload(description, payload, operation.output_element)

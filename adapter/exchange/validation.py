"""The Body against the service's own contract, in both directions and on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from lxml import etree

from adapter.envelope.carried import unwrap
from adapter.envelope.description import ServiceDescription
from adapter.envelope.names import SOAP12_FAULT
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.errors import (
    EnvelopeRefused,
    PeerAnswerInvalid,
    Problem,
    ProviderSystemInvalid,
    SchemaInvalid,
    SubjectMismatch,
)
from adapter.stages import (
    BackendAnswer,
    CorrelatedReply,
    FreshRequest,
    ParsedCall,
    PersonalData,
    ValidAnswer,
    ValidCall,
    ValidReply,
    ValidRequest,
)
from adapter.xmlsafe import texts_at


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectRule:
    """Where a service's payload names the person asked about; checked against the declared subjects.

    kind: of the identifier that xpath finds, or where the payload names that. is_alone: the request may be about
    nobody else, and nobody else may be who gets the answer.
    """

    kind: str | etree.XPath
    xpath: etree.XPath
    is_alone: bool = False


def validate_call(call: ParsedCall, description: ServiceDescription) -> ValidCall:
    """A client system's Body against the provider's contract. Raises UnknownOperation, SchemaInvalid."""
    content = unwrap(call.payload)
    element = etree.QName(content.body).text
    operation = (
        description.operation_for(element) if call.operation is None else description.operation(call.operation, element)
    )
    received = call.identified.received
    attachments = () if received.attachments is None else received.attachments.said
    check_with_attachments(description, call.payload, content, operation, attachments, in_output=False)
    return ValidCall(
        parsed=call,
        operation=operation.name,
        input_element=element,
        type_checked=operation.type_checked,
        names_in_values=description.names_in_values,
    )


def validate_request(
    fresh: FreshRequest, description: ServiceDescription, subject_rule: SubjectRule | None
) -> ValidRequest:
    """A verified Body against our own contract and against what the header says of it.

    The operation that the signed header names decides; the Body must be that operation's element, and the person in
    the Body one of the declared subjects. Raises UnknownOperation, SchemaInvalid, EnvelopeRefused, SubjectMismatch.
    """
    verified = fresh.message.verified
    content = unwrap(verified.payload)
    element = etree.QName(content.body).text
    operation = description.operation(verified.header.operation, element)
    check_with_attachments(description, verified.payload, content, operation, verified.attachments, in_output=False)
    if subject_rule is not None:
        if operation.is_encoded:
            check_references(content.body)
        _check_subjects(content.body, subject_rule, verified.personal_data)
    return ValidRequest(
        fresh=fresh, operation=operation.name, input_element=element, type_checked=operation.type_checked
    )


def check_references(body: etree._Element) -> None:
    """A reference of SOAP encoding stands for its value and has none of its own (SOAP 1.1, 5.4.1).

    No schema judges an encoded Body: else the subject rule would read the one value, and the system take the other.
    Raises SubjectMismatch.
    """
    for element in body.iter(etree.Element):
        is_reference = any(name in element.attrib for name in _REFERENCES)
        if is_reference and (len(element) or (element.text or "").strip()):
            raise SubjectMismatch("a value of the Body is a reference and has a content besides")


_REFERENCES: Final = ("href", "ref", "{http://www.w3.org/2003/05/soap-encoding}ref")


def _check_subjects(payload: etree._Element, rule: SubjectRule, personal_data: PersonalData | None) -> None:
    declared = () if personal_data is None else personal_data.subjects
    values = texts_at(payload, rule.xpath)
    kinds = [rule.kind] * len(values) if isinstance(rule.kind, str) else texts_at(payload, rule.kind)
    asked = set(zip(kinds, values, strict=False))
    if not values or len(kinds) != len(values) or not asked <= {(one.kind, one.value) for one in declared}:
        raise SubjectMismatch("the Body asks about someone whom the PersonalData header does not name")
    if rule.is_alone and personal_data is not None:
        _check_alone(personal_data)


def _check_alone(personal_data: PersonalData) -> None:
    if len(personal_data.subjects) != 1:
        _refuse_others("the request is about more than one person", "A request to this service is about one person.")
    party = personal_data.represented_party
    if party is not None and party.code != personal_data.subjects[0].value:
        _refuse_others("somebody else is represented", "The answer of this service is for the subject of the request.")


def _refuse_others(reason: str, text: str) -> NoReturn:
    problem = Problem(line=0, column=0, element="PersonalData", rule="adapter.one-subject", text=text)
    raise SubjectMismatch(reason, problems=(problem,))


def validate_answer(answer: BackendAnswer, description: ServiceDescription, request: ValidRequest) -> ValidAnswer:
    """What the information system said against its own contract. Raises ProviderSystemInvalid with the problems."""
    operation = description.operation(request.operation, request.input_element)
    try:
        attachments = () if answer.attachments is None else answer.attachments.said
        check_with_attachments(
            description, answer.payload, unwrap(answer.payload), operation, attachments, in_output=True
        )
    except SchemaInvalid as invalid:
        raise ProviderSystemInvalid(invalid.reason, problems=invalid.problems) from None
    return ValidAnswer(
        payload=answer.payload, names_in_values=description.names_in_values, attachments=answer.attachments
    )


def validate_reply(correlated: CorrelatedReply, description: ServiceDescription, call: ValidCall) -> ValidReply:
    """A provider's verified reply: a fault, or valid against the contract. Raises PeerAnswerInvalid."""
    verified = correlated.message.verified
    payload = verified.payload
    if payload.tag == SOAP12_FAULT:
        return ValidReply(correlated=correlated, is_fault=True)
    operation = description.operation(call.operation, call.input_element)
    try:
        check_with_attachments(description, payload, unwrap(payload), operation, verified.attachments, in_output=True)
    except (SchemaInvalid, EnvelopeRefused) as invalid:
        raise PeerAnswerInvalid(invalid.reason, problems=invalid.problems) from None
    return ValidReply(correlated=correlated, is_fault=False)

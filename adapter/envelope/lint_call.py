"""A client system's call: its RequestContext header, its other headers, and its Body against the service's schema."""

from __future__ import annotations

import functools
from typing import Final

from lxml import etree

from adapter.attachments import Attachment
from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.carried import Content, without_hop_attributes
from adapter.envelope.description import HeaderPart, ServiceDescription
from adapter.envelope.lint_desk import Desk, envelope_parts, fits_contract, local_name, local_of, note_schema_problems
from adapter.envelope.request_context import read_request_context
from adapter.envelope.schema import check_header
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.envelope.statements import read_subject
from adapter.errors import SchemaInvalid

_MUST_UNDERSTAND: Final = (names.SOAP11_MUST_UNDERSTAND, names.SOAP12_MUST_UNDERSTAND)


def examine_call(desk: Desk, description: ServiceDescription | None, attachments: tuple[Attachment, ...] = ()) -> None:
    """Note every problem. description: of the service that is called, if it is known. attachments: parts beside it."""
    etree.strip_tags(desk.root, etree.Comment, etree.ProcessingInstruction)  # as envelope.soap does
    header, body = envelope_parts(desk)
    blocks = [] if header is None else list(header.iterchildren(etree.Element))
    contexts = [block for block in blocks if block.tag == names.REQUEST_CONTEXT]
    declared = _declared_headers(body, description)
    for block in blocks:
        if description is not None and block.tag in declared:
            _examine_declared(desk, block, description, declared[str(block.tag)])
        elif block not in contexts and any(block.get(name, "").strip() in ("1", "true") for name in _MUST_UNDERSTAND):
            desk.note(
                block, words.MUST_UNDERSTAND, f"The header {local_name(block)} is marked mustUnderstand and unknown"
            )
    for extra in contexts[1:]:
        desk.note(extra, words.CONTEXT, "RequestContext occurs more than once")
    if contexts:
        _examine_context(desk, contexts[0])
    else:
        desk.remarks.append(
            "There is no RequestContext header: the adapter's settings have to say who asks, and why, for this client."
        )
    if body is not None:
        _examine_payload(desk, body, description, attachments)


def _declared_headers(body: etree._Element | None, description: ServiceDescription | None) -> dict[str, HeaderPart]:
    """The headers that go along with this request, because its operation declares them, by `{namespace}local`."""
    payload = None if body is None else next(body.iterchildren(etree.Element), None)
    if payload is None or description is None:
        return {}
    operations = description.by_input.get(str(payload.tag), ())
    return {tag: part for each in operations for tag, part in each.carried_headers(in_output=False).items()}


def _examine_declared(desk: Desk, block: etree._Element, description: ServiceDescription, part: HeaderPart) -> None:
    """A header of the service's own, against the service's schema."""
    try:
        check_header(description, without_hop_attributes(block), part)
    except SchemaInvalid as invalid:
        note_schema_problems(desk, block, invalid.problems)


def _examine_context(desk: Desk, context: etree._Element) -> None:
    if fits_contract(desk, context, "xsd/client.xsd"):
        desk.attempt(context, words.CONTEXT, lambda: read_request_context(context))
    for subject in context.iterchildren(names.qname(names.CLIENT, "Subject")):
        if not desk.has_problem_at(subject):
            desk.attempt(subject, words.CONTEXT, functools.partial(read_subject, subject))


def _examine_payload(
    desk: Desk, body: etree._Element, description: ServiceDescription | None, attachments: tuple[Attachment, ...]
) -> None:
    payloads = list(body.iterchildren(etree.Element))
    if len(payloads) != 1:
        desk.note(body, words.SOAP, f"The Body holds {len(payloads)} elements; it must hold exactly one")
        return
    if description is None:
        desk.remarks.append("The Body was not compared with a service description: name one with --wsdl.")
        return
    payload = payloads[0]
    by_tag = description.by_input.get(str(payload.tag))
    if by_tag is None:
        known = ", ".join(sorted({local_of(name) for name in description.by_input}))
        desk.note(payload, words.OPERATION, f"No operation of the service has this request; it has {known}")
        return
    try:
        check_with_attachments(description, payload, Content(body=payload), by_tag[0], attachments, in_output=False)
    except SchemaInvalid as invalid:
        note_schema_problems(desk, payload, invalid.problems)
        if not invalid.problems:
            desk.note(payload, words.XOP_INCLUDE, invalid.reason)

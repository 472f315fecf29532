"""A Body element against the schemas of its service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from lxml import etree

from adapter.envelope.carried import ACCEPTED, Content
from adapter.envelope.description_model import HeaderPart, Operation, ServiceDescription
from adapter.envelope.schema_compile import CompiledSchema
from adapter.envelope.schema_words import Finding, describe
from adapter.errors import Problem, SchemaInvalid
from adapter.xmlsafe import XPathOfEachThread

MAX_PROBLEMS: Final = 20

# lxml asks libxml2 for the path of every finding, and libxml2 counts the siblings before it: with n wrong elements in
# one parent that is n * n / 2 steps, minutes for a hostile message of a few MB. Up to this many elements and attributes
# it is some milliseconds; above, the element is judged as a stream, which ends at its first findings.
_MAX_NODES_IN_TREE: Final = 5000
_STREAM_CHUNK_BYTES: Final = 16 * 1024

_count_nodes = XPathOfEachThread("count(descendant-or-self::*) + count(descendant-or-self::*/@*)")


def check_content(description: ServiceDescription, content: Content, operation: Operation, *, in_output: bool) -> None:
    """Validate what one message says: the Body's element, and the declared headers that go with it.

    content: untrusted. A header must be one that the operation declares, once; a literal one is validated against the
    schema. Elements beside the first are part of an encoded Body only. Raises SchemaInvalid as `check_payload` does.
    """
    expected = operation.output_element if in_output else operation.input_element
    if expected is None:
        _check_accepted(content)
        return
    if content.independent and not operation.is_encoded:
        raise SchemaInvalid("the Body has more than one element")
    check_payload(description, content.body, expected)
    if content.headers:
        _check_headers(description, content.headers, operation.carried_headers(in_output=in_output))


def _check_accepted(content: Content) -> None:
    """The reply to a one-way request: that it was taken, and nothing else."""
    body = content.body
    if body.tag != ACCEPTED or len(body) or body.attrib or (body.text or "").strip() or not content.is_alone:
        raise SchemaInvalid("a one-way operation has no reply")


def _check_headers(
    description: ServiceDescription, headers: tuple[etree._Element, ...], declared: Mapping[str, HeaderPart]
) -> None:
    seen: set[str] = set()
    for header in headers:
        tag = str(header.tag)
        if tag not in declared or tag in seen:
            raise SchemaInvalid("a header that the operation does not declare, or one that occurs twice")
        seen.add(tag)
        check_header(description, header, declared[tag])


def check_header(description: ServiceDescription, header: etree._Element, part: HeaderPart) -> None:
    """Validate one header that an operation declares; an encoded one cannot be. Raises SchemaInvalid."""
    schema = description.schema
    if schema is not None and not part.is_encoded and header.tag in schema.elements:
        _judge(schema, header)


def check_payload(description: ServiceDescription, payload: etree._Element, expected: str) -> None:
    """Validate one element where it stands; it is not moved, and prefixes bound further up count.

    payload: untrusted. expected: the `{namespace}local` that the operation names; the element must be that one.
    An element of an operation that is passed through unchecked (`description.unchecked`) is judged by its name only.
    Raises SchemaInvalid with up to MAX_PROBLEMS problems, none of which repeats a value of the document; for an
    element of more than some thousand nodes with the first of them only, and without their lines.
    """
    if payload.tag != expected:
        raise SchemaInvalid(
            "the Body is another element than the operation names", problems=(_wrong_root(payload, expected),)
        )
    if expected in description.unchecked:
        return
    if description.schema is None:
        raise SchemaInvalid("the service description has no schema for this element")
    _judge(description.schema, payload)


def _judge(schema: CompiledSchema, element: etree._Element) -> None:
    is_large = cast("float", _count_nodes(element)) > _MAX_NODES_IN_TREE
    findings = _judge_stream(schema, element) if is_large else _judge_tree(schema, element)
    if findings:
        raise SchemaInvalid(
            f"{len(findings)} findings of the schema validation",
            problems=describe(findings, element, schema.words, limit=MAX_PROBLEMS),
        )


def _judge_tree(schema: CompiledSchema, payload: etree._Element) -> list[Finding]:
    with schema.lock:
        if schema.validator.validate(payload):
            return []
        return _findings(schema.validator.error_log)


def _judge_stream(schema: CompiledSchema, payload: etree._Element) -> list[Finding]:
    """The same judgement over the serialised element, given up at the first chunk with findings."""
    octets = etree.tostring(payload, encoding="UTF-8", with_tail=False)
    parser = cast("Any", etree.XMLParser)(
        schema=schema.validator, huge_tree=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    for start in range(0, len(octets), _STREAM_CHUNK_BYTES):
        parser.feed(octets[start : start + _STREAM_CHUNK_BYTES])
        if len(parser.feed_error_log):
            break
    try:
        parser.close()
    except etree.XMLSyntaxError:
        # It was a tree, so it is well-formed: this is a finding, or the end of a stream that was given up.
        return _findings(parser.feed_error_log)[:MAX_PROBLEMS]
    return _findings(parser.feed_error_log)[:MAX_PROBLEMS]


def _findings(log: object) -> list[Finding]:
    # lxml's log can be iterated; its stubs do not say so.
    return [
        Finding(line=found.line, path=found.path or "", kind=found.type_name, message=found.message or "")
        for found in cast("Any", log)
    ]


def _wrong_root(payload: etree._Element, expected: str) -> Problem:
    local = etree.QName(expected).localname
    return Problem(
        line=cast("int | None", payload.sourceline) or 0,
        column=0,
        element=local,
        rule="cvc-elt.1",
        text=f"The Body must hold the element {local} of the namespace {etree.QName(expected).namespace or '(none)'}.",
    )

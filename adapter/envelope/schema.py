"""A Body element against the schemas of its service."""

from __future__ import annotations

from typing import Any, Final, cast

from lxml import etree

from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.schema_words import Finding, describe
from adapter.errors import Problem, SchemaInvalid

MAX_PROBLEMS: Final = 20


def check_payload(description: ServiceDescription, payload: etree._Element, expected: str) -> None:
    """Validate one element where it stands; it is neither copied nor moved, and prefixes bound further up count.

    payload: untrusted. expected: the `{namespace}local` that the operation names; the element must be that one.
    An element of an operation that is passed through unchecked (`description.unchecked`) is judged by its name only.
    Raises SchemaInvalid with up to MAX_PROBLEMS problems, none of which repeats a value of the document.
    """
    if payload.tag != expected:
        raise SchemaInvalid(
            "the Body is another element than the operation names", problems=(_wrong_root(payload, expected),)
        )
    if expected in description.unchecked:
        return
    if description.schema is None:
        raise SchemaInvalid("the service description has no schema for this element")
    schema = description.schema
    with schema.lock:
        if schema.validator.validate(payload):
            return
        # lxml's log can be iterated; its stubs do not say so.
        findings = [
            Finding(line=found.line, path=found.path or "", kind=found.type_name, message=found.message or "")
            for found in cast("Any", schema.validator.error_log)
        ]
    raise SchemaInvalid(
        f"{len(findings)} findings of the schema validation",
        problems=describe(findings, payload, schema.words, limit=MAX_PROBLEMS),
    )


def _wrong_root(payload: etree._Element, expected: str) -> Problem:
    local = etree.QName(expected).localname
    return Problem(
        line=cast("int | None", payload.sourceline) or 0,
        column=0,
        element=local,
        rule="cvc-elt.1",
        text=f"The Body must hold the element {local} of the namespace {etree.QName(expected).namespace or '(none)'}.",
    )

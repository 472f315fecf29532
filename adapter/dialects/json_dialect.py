"""JSON as a dialect: a call is `{"context": …, "body": …}` at the address of an operation, a reply is `{"body": …}`.

The body is written by the rules of docs/json.md, which the schemas of the service decide; a fault is a problem document
(RFC 9457). The XML that is made of a call goes the way of every call, so it is judged by the same schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from adapter.dialects.json_context import context_from_json
from adapter.dialects.json_fault import problem_answer
from adapter.dialects.json_mapping import JsonMapping, mapping_of
from adapter.dialects.json_read import element_from_json
from adapter.dialects.json_text import kind_of, parse_json, pointer_to, render_json, shown
from adapter.dialects.json_unknown import nearest
from adapter.dialects.json_write import element_to_json
from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.envelope.description import ServiceDescription
from adapter.envelope.faults import PublicFault
from adapter.errors import InternalError, MalformedJson, Problem
from adapter.stages import IdentifiedCall, ParsedCall
from adapter.xmlsafe import XmlLimits, parse

MEDIA_TYPE: Final = "application/json"
_CHARSETS: Final = ("", "utf-8", "utf8", '"utf-8"')
_MEMBERS: Final = ("context", "body")
_BODY: Final = "/body"


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonForm:
    """How one JSON call is answered.

    mapping: once the call is read. pointers: what the lines of the XML that was made of the call are in the JSON.
    """

    accept_language: str
    mapping: JsonMapping | None = None
    pointers: Mapping[int, str] = field(default_factory=dict)

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The payload as the member `body`."""
        if self.mapping is None:
            raise InternalError("a reply to a call that was not read")
        body = element_to_json(payload, self.mapping.declaration(payload.tag), self.mapping.book)
        return ClientAnswer(octets=render_json({"body": body}), content_type=MEDIA_TYPE)

    def fault(self, fault: PublicFault) -> ClientAnswer:
        """A problem document; what is wrong with the XML that was made is said of the JSON that it was made of."""
        return problem_answer(fault, self.accept_language, self.pointers)


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonDialect:
    """Of one call to one operation, which the path names."""

    operation: str
    content_type: str
    accept_language: str

    @property
    def form(self) -> AnswerForm:
        """Problem documents in the client's language."""
        return JsonForm(accept_language=self.accept_language)

    def read(
        self, identified: IdentifiedCall, description: ServiceDescription, limits: XmlLimits
    ) -> tuple[ParsedCall, AnswerForm]:
        """The XML of a JSON call.

        Raises MalformedJson, UnknownOperation, ContextInvalid, SchemaInvalid (with pointers), LimitExceeded.
        """
        _check_media_type(self.content_type)
        members = _envelope(identified.received.octets)
        mapping = mapping_of(description)
        declared = mapping.declaration(mapping.operation(self.operation).input_element)
        pointers: dict[int, str] = {}
        context = None
        if members.get("context") is not None:
            written = context_from_json(members["context"])
            pointers.update(written.pointers)
            context = parse(written.octets, limits)
        first_line = max(pointers, default=0) + 1
        body = element_from_json(members["body"], declared, mapping.book, limits, pointer=_BODY, first_line=first_line)
        pointers.update(body.pointers)
        call = ParsedCall(identified=identified, context=context, payload=parse(body.octets, limits))
        return call, JsonForm(accept_language=self.accept_language, mapping=mapping, pointers=pointers)


def _check_media_type(content_type: str) -> None:
    """Only what says that it is JSON: a page of another site cannot make a browser send that unasked."""
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip()
    if media_type.strip().lower() != MEDIA_TYPE or charset not in _CHARSETS:
        text = f"The Content-Type has to be {MEDIA_TYPE}."
        problem = Problem(line=0, column=0, element="", rule="json.media-type", text=text)
        raise MalformedJson("another Content-Type", problems=(problem,))


def _envelope(octets: bytes) -> dict[str, Any]:
    """The object around the call: `body`, and `context` if it is sent."""
    value = parse_json(octets)
    if not isinstance(value, dict):
        raise _misshapen("", f"An object is wanted here, not {kind_of(value)}.")
    for name in value:
        if name not in _MEMBERS:
            text = f'There is no member "{shown(name)}" here; {nearest(name, _MEMBERS)}'
            raise _misshapen(pointer_to("", name), text)
    if "body" not in value:
        raise _misshapen("", 'The member "body" is missing: what is asked goes into it.')
    return value


def _misshapen(pointer: str, text: str) -> MalformedJson:
    problem = Problem(line=0, column=0, element="", rule="json.envelope", text=text, pointer=pointer)
    return MalformedJson("not an object with a body", problems=(problem,))

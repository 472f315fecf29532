"""JSON as a dialect: a call is `{"context": …, "body": …}` at the address of an operation, a reply is `{"body": …}`.

The body is written by the rules of docs/json.md, which the schemas of the service decide; a fault is a problem document
(RFC 9457). The XML that is made of a call goes the way of every call, so it is judged by the same schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.dialects.json_context import context_from_json
from adapter.dialects.json_fault import problem_answer
from adapter.dialects.json_mapping import JsonMapping, mapping_of
from adapter.dialects.json_read import Written, element_from_json
from adapter.dialects.json_text import Json, kind_of, parse_json, pointer_to, render_json, shown
from adapter.dialects.json_unknown import nearest
from adapter.dialects.json_write import element_as_text, element_to_json
from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.envelope.carried import ACCEPTED, Content, unwrap, wrap
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.faults import PublicFault
from adapter.envelope.soap import without_comments
from adapter.errors import AnswerNotHeld, InternalError, MalformedJson, Problem
from adapter.stages import IdentifiedCall, Packaging, ParsedCall
from adapter.xmlsafe import XmlLimits, parse

MEDIA_TYPE: Final = "application/json"
_CHARSETS: Final = ("", "utf-8", "utf8", '"utf-8"')
CONTEXT: Final = "context"
BODY: Final = "body"
HEADERS: Final = "headers"
INDEPENDENT: Final = "independent"


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonForm:
    """How one JSON call is answered.

    mapping and operation: once the call is read. pointers: what the lines of the XML that was made of the call are in
    the JSON.
    """

    accept_language: str
    mapping: JsonMapping | None = None
    operation: Operation | None = None
    pointers: Mapping[int, str] = field(default_factory=dict)

    @property
    def takes_attachments(self) -> bool:
        """JSON has base64."""
        return False

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The Body's element as `body`, and beside it what else there is; nothing to a one-way request."""
        if payload.tag == ACCEPTED:
            return ClientAnswer(octets=b"", content_type=MEDIA_TYPE, status=HTTPStatus.ACCEPTED)
        if self.mapping is None or self.operation is None:
            raise InternalError("a reply to a call that was not read")
        content = unwrap(payload)
        document: dict[str, Json] = {BODY: self._value(content.body, self.mapping)}
        if content.headers:
            named = self.mapping.headers(self.operation, in_output=True)
            labels = {tag: name for name, tag in named.items()}
            document[HEADERS] = {labels[str(each.tag)]: self._value(each, self.mapping) for each in content.headers}
        if content.independent:
            document[INDEPENDENT] = [element_as_text(each) for each in content.independent]
        return ClientAnswer(octets=render_json(document), content_type=MEDIA_TYPE)

    def reply_with_attachments(
        self,
        payload: etree._Element,
        attachments: HeldAttachments,
        packaging: Packaging,  # noqa: ARG002  JSON has none
    ) -> ClientAnswer:
        """Without attachments the reply; there is no place for them in JSON. Raises AnswerNotHeld."""
        if attachments.held:
            raise AnswerNotHeld("the reply has attachments, for which there is no place in JSON")
        return self.reply(payload)

    def _value(self, element: etree._Element, mapping: JsonMapping) -> Json:
        return element_to_json(element, mapping.declaration(str(element.tag)), mapping.book)

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
        mapping = mapping_of(description)
        operation = mapping.operation(self.operation)
        members = _envelope(parse_json(identified.received.octets, max_values=limits.max_nodes), operation, mapping)
        pointers: dict[int, str] = {}
        context = None
        if members.get(CONTEXT) is not None:
            written = context_from_json(members[CONTEXT])
            pointers.update(written.pointers)
            context = parse(written.octets, limits)
        reader = _Reader(mapping=mapping, limits=limits)
        body = reader.written(members[BODY], operation.input_element, f"/{BODY}", max(pointers, default=0) + 1)
        content = Content(
            body=parse(body.octets, limits),
            headers=reader.headers(members.get(HEADERS), mapping.headers(operation, in_output=False)),
            independent=reader.independent(members.get(INDEPENDENT)),
        )
        if content.is_alone:  # else the lines are others
            pointers.update(body.pointers)
        call = ParsedCall(identified=identified, context=context, payload=wrap(content), operation=operation.name)
        form = JsonForm(accept_language=self.accept_language, mapping=mapping, operation=operation, pointers=pointers)
        return call, form


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Reads the parts of one call."""

    mapping: JsonMapping
    limits: XmlLimits

    def written(self, value: Json, tag: str, pointer: str, first_line: int = 1) -> Written:
        """One element as text."""
        declared = self.mapping.declaration(tag)
        return element_from_json(
            value, declared, self.mapping.book, self.limits, pointer=pointer, first_line=first_line
        )

    def headers(self, value: Json, declared: Mapping[str, str]) -> tuple[etree._Element, ...]:
        """The headers that the operation declares."""
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise _misshapen(f"/{HEADERS}", f"An object is wanted here, not {kind_of(value)}.")
        _refuse_unknown(value, list(declared), f"/{HEADERS}")
        written = [self.written(each, declared[name], f"/{HEADERS}/{name}") for name, each in value.items()]
        return tuple(parse(each.octets, self.limits) for each in written)

    def independent(self, value: Json) -> tuple[etree._Element, ...]:
        """The elements beside the first in a SOAP-encoded Body, each as XML."""
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _misshapen(f"/{INDEPENDENT}", "An array of elements as XML is wanted here.")
        return tuple(without_comments(parse(each.encode("utf-8", "replace"), self.limits)) for each in value)


def _check_media_type(content_type: str) -> None:
    """Only what says that it is JSON: a page of another site cannot make a browser send that unasked."""
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip()
    if media_type.strip().lower() != MEDIA_TYPE or charset not in _CHARSETS:
        text = f"The Content-Type has to be {MEDIA_TYPE}."
        problem = Problem(line=0, column=0, element="", rule="json.media-type", text=text)
        raise MalformedJson("another Content-Type", problems=(problem,))


def _envelope(value: Json, operation: Operation, mapping: JsonMapping) -> dict[str, Any]:
    """The object around the call, whose members its operation decides."""
    if not isinstance(value, dict):
        raise _misshapen("", f"An object is wanted here, not {kind_of(value)}.")
    known = [CONTEXT, BODY]
    if mapping.headers(operation, in_output=False):
        known.append(HEADERS)
    if operation.is_encoded:
        known.append(INDEPENDENT)
    _refuse_unknown(value, known, "")
    if BODY not in value:
        raise _misshapen("", f'The member "{BODY}" is missing: what is asked goes into it.')
    return value


def _refuse_unknown(value: dict[str, Any], known: list[str], pointer: str) -> None:
    for name in value:
        if name not in known:
            text = f'There is no member "{shown(name)}" here; {nearest(name, known)}'
            raise _misshapen(pointer_to(pointer, name), text)


def _misshapen(pointer: str, text: str) -> MalformedJson:
    problem = Problem(line=0, column=0, element="", rule="json.envelope", text=text, pointer=pointer)
    return MalformedJson("not an object with a body", problems=(problem,))

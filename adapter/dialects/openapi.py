"""The OpenAPI 3.1 document of a service: its operations in JSON, made from its WSDL and its schemas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from lxml import etree

from adapter.dialects.json_dialect import BODY, HEADERS, INDEPENDENT, MEDIA_TYPE
from adapter.dialects.json_fault import PROBLEM_TYPE, status_of
from adapter.dialects.json_mapping import JsonMapping
from adapter.dialects.json_schema import Schema, SchemaWriter
from adapter.dialects.json_text import Json
from adapter.dialects.json_write import element_to_json
from adapter.envelope.description import Operation
from adapter.envelope.names import FAULT
from adapter.envelope.statements import BASIS_NAMES, MAX_SUBJECTS
from adapter.errors import Blame, Retry, catalogue

OPENAPI_VERSION: Final = "3.1.1"
CONTEXT: Final = "RequestContext"
PROBLEM: Final = "Problem"
_CLIENTS: Final = "RequestRefused"
_OTHERS: Final = "NotAnswered"
_INTRODUCTION: Final = (
    'Made from the service\'s WSDL. Each operation takes `{"context": …, "body": …}` and answers `{"body": …}`; '
    "`context` says who asks, why and about whom, unless the adapter's settings say it for your system. Repeated "
    "elements are arrays, attributes begin with `@`, the text beside attributes is `$`, `null` is a nil element, and "
    "what would lose digits as a JSON number is a string. Every failure is a problem document (RFC 9457) with a code, "
    "who has to act, and whether to ask again."
)
_UNCHECKED: Final = "Its Body is not described by a schema and is not type-checked: it is written as XML."


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceNames:
    """What a document says of its service: title and version for people, the address for programs."""

    title: str
    version: str
    address: str


Samples = Callable[[str], etree._Element | None]
"""A valid element of this name, with made-up values; None where there is none."""


def openapi_document(described: dict[str, Any], names: ServiceNames) -> dict[str, Any]:
    """The document of a service at an address. described: by `describe_operations`, which is the greater work."""
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": names.title, "version": names.version, "description": _INTRODUCTION},
        "servers": [{"url": names.address}],
        **described,
    }


def describe_operations(mapping: JsonMapping, samples: Samples) -> dict[str, Any]:
    """What does not depend on the address. The schemas are what the converter takes and writes, the examples valid."""
    writer = SchemaWriter(mapping.book)
    writer.components.update({CONTEXT: _context(), PROBLEM: _problem()})
    describer = _Describer(mapping=mapping, writer=writer, samples=samples)
    paths = {
        f"/{name}": {"post": describer.operation(name, operation)} for name, operation in mapping.operations.items()
    }
    return {
        "security": [{"token": []}, {"password": []}, {"certificate": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
                "certificate": {"type": "mutualTLS"},
            },
            "responses": _failures(),
            "schemas": writer.components,
        },
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Describer:
    """Describes the operations of one service."""

    mapping: JsonMapping
    writer: SchemaWriter
    samples: Samples

    def operation(self, name: str, operation: Operation) -> dict[str, Any]:
        """The Operation Object. name: in JSON, which of overloaded operations differs from the WSDL's."""
        request = self._message(operation, in_output=False)
        request["properties"] = {"context": {"$ref": f"#/components/schemas/{CONTEXT}"}, **request["properties"]}
        content = {"schema": request, **self._example(operation.input_element, {"context": _EXAMPLE})}
        found: dict[str, Any] = {
            "operationId": name,
            "requestBody": {"required": True, "content": {MEDIA_TYPE: content}},
            "responses": {
                **self._reply(operation),
                "4XX": {"$ref": f"#/components/responses/{_CLIENTS}"},
                "5XX": {"$ref": f"#/components/responses/{_OTHERS}"},
            },
        }
        said = []
        if name != operation.name:
            said.append(f"The operation {operation.name} of the WSDL whose request is {operation.input_element}.")
        if operation.input_element in self.mapping.unchecked:
            said.append(_UNCHECKED)
        if said:
            found["description"] = " ".join(said)
        return found

    def _reply(self, operation: Operation) -> dict[str, Any]:
        if operation.output_element is None:
            return {"202": {"description": "Taken by the provider's system, which answers nothing."}}
        content = {"schema": self._message(operation, in_output=True), **self._example(operation.output_element, {})}
        reply = {
            "description": "The provider's reply, verified and recorded.",
            "headers": {
                "Adapter-Message-Id": _header("The exchange's id, the same in the records of both sides."),
                "Adapter-Record": _header("The numbers of the request's and the reply's entry in our record."),
                "Adapter-Peer-Record": _header("The number of the entry in the provider's record."),
            },
            "content": {MEDIA_TYPE: content},
        }
        return {"200": reply}

    def _message(self, operation: Operation, *, in_output: bool) -> Schema:
        """What stands in one direction: the Body, declared headers, and what goes with an encoded Body."""
        element = operation.output_element if in_output else operation.input_element
        properties: dict[str, Schema] = {BODY: self._element(str(element))}
        headers = self.mapping.headers(operation, in_output=in_output)
        if headers:
            properties[HEADERS] = {
                "type": "object",
                "properties": {name: self._element(tag) for name, tag in headers.items()},
                "additionalProperties": False,
            }
        if operation.is_encoded:
            properties[INDEPENDENT] = {
                "type": "array",
                "items": {"type": "string", "contentMediaType": "application/xml"},
                "description": "The elements that stand beside the first in a SOAP-encoded Body.",
            }
        return {"type": "object", "properties": properties, "required": [BODY], "additionalProperties": False}

    def _element(self, tag: str) -> Schema:
        return self.writer.element(self.mapping.declaration(tag))

    def _example(self, tag: str, beside: dict[str, Json]) -> dict[str, Any]:
        sample = self.samples(tag)
        if sample is None:
            return {}
        return {"example": {**beside, BODY: element_to_json(sample, self.mapping.declaration(tag), self.mapping.book)}}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _failures() -> dict[str, Any]:
    """What fails because of the request, and what fails otherwise, each with its codes."""
    codes: dict[str, list[str]] = {_CLIENTS: [], _OTHERS: []}
    for error in catalogue():
        if error.blame is not Blame.OPERATOR:
            status = status_of(error.code, error.blame)
            codes[_CLIENTS if status < HTTPStatus.INTERNAL_SERVER_ERROR else _OTHERS].append(f"{error.code} ({status})")
    content = {PROBLEM_TYPE: {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}}
    return {name: {"description": f"{', '.join(listed)}.", "content": content} for name, listed in codes.items()}


_NAMES: Final = sorted(BASIS_NAMES)
_EXAMPLE: Final[dict[str, Json]] = {
    "official": "clerk-1",
    "purpose": "social-benefit",
    "legalBasis": {"kind": "law", "reference": "Law No. 395 of 2015, article 12"},
    "subjects": [{"kind": "pinfl", "value": "30101900000019"}],
}


# --- what every operation has ----------------------------------------------------------------------------------------


def _context() -> Schema:
    text: Schema = {"type": "string", "minLength": 1, "maxLength": 512}
    kind: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
    return {
        "type": "object",
        "description": "Who asks, why, about whom. What is absent comes from the adapter's settings, if they have it.",
        "properties": {
            "official": {**text, "description": "The civil servant who asks.", "examples": ["clerk-1"]},
            "purpose": {**kind, "description": "A purpose of the directory.", "examples": ["social-benefit"]},
            "legalBasis": _pair(
                kind, "reference", text, ["law", "Law No. 395 of 2015, article 12"], dict.fromkeys(_NAMES, text)
            ),
            "regulation": {**text, "description": "The regulation of the e-service, as the directory names it."},
            "subjects": {
                "type": "array",
                "items": _pair(kind, "value", text, ["pinfl", "30101900000019"]),
                "maxItems": MAX_SUBJECTS,
                "description": "Whom the data is about.",
            },
            "consent": {**text, "description": "The reference of the person's consent."},
            "issue": {**text, "description": "The case that this is asked for, as your system names it."},
            "representedParty": {
                "type": "object",
                "properties": {"class": kind, "code": text},
                "required": ["code"],
                "additionalProperties": False,
                "description": "Whom you ask for, if that is somebody who is no member.",
            },
            "emergency": {
                **text,
                "description": "Why it cannot wait, in the official's words: an emergency, which both agencies review.",
            },
        },
        "additionalProperties": False,
    }


def _pair(kind: Schema, name: str, text: Schema, example: list[str], more: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {"kind": kind, name: text, **(more or {})},
        "required": ["kind", name],
        "additionalProperties": False,
        "examples": [{"kind": example[0], name: example[1]}],
    }


def _problem() -> Schema:
    codes = [error.code for error in catalogue() if error.blame is not Blame.OPERATOR]
    one: Schema = {
        "type": "object",
        "properties": {
            "pointer": {"type": "string", "description": "JSON Pointer to what is wrong in the request."},
            "detail": {"type": "string", "description": "What is wrong, in words."},
            "rule": {"type": "string", "description": "The rule of XML Schema or of the JSON form."},
            "element": {"type": "string"},
            "line": {"type": "integer"},
            "column": {"type": "integer"},
        },
        "required": ["detail", "rule"],
    }
    return {
        "type": "object",
        "description": "A problem document (RFC 9457). `title` is in English, Russian or Uzbek, by Accept-Language.",
        "properties": {
            "type": {"type": "string", "format": "uri", "examples": [f"{FAULT}:SchemaInvalid"]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": f"One of the catalogue's codes: {', '.join(codes)}."},
            "blame": {"enum": [blame.value for blame in Blame], "description": "Who has to act."},
            "retry": {"enum": [retry.value for retry in Retry], "description": "Whether to ask again."},
            "retry_after": {"type": "integer", "description": "Seconds after which to ask again, where that is known."},
            "incident": {"type": "string", "description": "What the adapter's operators find the record entry by."},
            "problems": {"type": "array", "items": one},
        },
        "required": ["type", "title", "status", "code", "blame", "retry", "incident"],
    }

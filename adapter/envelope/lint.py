"""Every problem of an envelope at once, each with its place and how to mend it, for an integrator's offline check.

The gate refuses at the first problem, as it should; whoever writes the other side wants to see all of them. So each
part is examined by itself, with the gate's own readers, and the gate has the last word. Nothing here makes a message
trusted: what passes is well made, no more.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final, cast

from lxml import etree

from adapter.contracts import contract_path
from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.description import ServiceDescription
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.gate_encryption import read_encrypted_data, read_encrypted_key
from adapter.envelope.gate_security import read_confirmation, read_token
from adapter.envelope.gate_structure import Ids, check_attributes, check_must_understand, children, only_child
from adapter.envelope.headers import read_exchange_header, read_timestamp
from adapter.envelope.lint_positions import UNKNOWN, Position, Positions, find_positions
from adapter.envelope.request_context import read_request_context
from adapter.envelope.schema import check_payload
from adapter.envelope.schema_words import Finding, describe
from adapter.envelope.statements import read_subject
from adapter.errors import AdapterError, EnvelopeRefused, Problem, SchemaInvalid
from adapter.stages import GatedMessage, MessageKind, ParsedMessage, Peer, ReceivedMessage
from adapter.xmlsafe import XmlLimits

MAX_PROBLEMS: Final = 200
_NO_LIMIT: Final = 1 << 62
_PLACE: Final = re.compile(r"line (\d+), column (\d+)")
_LEADING_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]+")
_PLACED: Final = (names.EXCHANGE, names.BINARY_SECURITY_TOKEN, names.SOAP12_BODY)
_MUST_UNDERSTAND: Final = (names.SOAP11_MUST_UNDERSTAND, names.SOAP12_MUST_UNDERSTAND)


class DocumentKind(Enum):
    """What a document was taken for."""

    PEER_REQUEST = "request between adapters"
    PEER_REPLY = "reply between adapters"
    CLIENT_CALL = "call of a client system"
    UNKNOWN = "not a SOAP message"


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What was found. gated: set when the document is a peer's message that the gate lets pass.

    places: where the elements begin that later checks may have something to say of, by `{namespace}local`.
    """

    kind: DocumentKind
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()
    gated: GatedMessage | None = None
    places: Mapping[str, Position] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class _Desk:
    """The document on the desk and the problems noted so far."""

    parsed: ParsedMessage
    positions: Positions
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def root(self) -> etree._Element:
        """The document's root element."""
        return self.parsed.root

    def note(self, element: etree._Element | None, rule: str, text: str, *, place: Position | None = None) -> None:
        """Note one problem, once. element: where it is, None for the document."""
        at = place or (UNKNOWN if element is None else self.positions.of(element))
        name = "" if element is None else _local(element)
        problem = Problem(line=at[0], column=at[1], element=name, rule=rule, text=_sentence(text))
        if problem not in self.problems and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def has_problem_at(self, element: etree._Element) -> bool:
        """Whether something was noted about exactly this element."""
        return self.positions.of(element) in {(problem.line, problem.column) for problem in self.problems}

    def attempt(self, element: etree._Element, rule: str, check: Callable[[], object]) -> bool:
        """Run a reader of the gate; what it refuses becomes a problem at the element that the reason names."""
        try:
            check()
        except AdapterError as refused:
            self.note(self._meant(element, refused.reason), rule, refused.reason)
            return False
        return True

    def _meant(self, element: etree._Element, reason: str) -> etree._Element:
        """The descendant whose name the reason begins with or contains, else the element itself."""
        for name in _LEADING_NAME.findall(reason):
            for found in element.iter(etree.Element):
                if _local(found) == name:
                    return found
        return element


def examine(
    octets: bytes, limits: XmlLimits, *, now: datetime, description: ServiceDescription | None = None
) -> Examination:
    """Examine one document (untrusted octets of a file). description: of the service that a client calls, if known.

    Never raises for what is in the document: every problem is in the examination.
    """
    try:
        parsed = parse_message(
            ReceivedMessage(octets=octets, received_at=now, peer=Peer(certificate_sha256=None, address="")), limits
        )
    except AdapterError as refused:
        rule = words.WELL_FORMED if isinstance(refused, EnvelopeRefused) else words.LIMITS
        found = _PLACE.search(refused.reason)
        line, column = (int(found[1]), int(found[2])) if found else UNKNOWN
        problem = Problem(line=line, column=column, element="", rule=rule, text=_sentence(refused.reason))
        return Examination(kind=DocumentKind.UNKNOWN, problems=(problem,))
    root = parsed.root
    desk = _Desk(parsed=parsed, positions=find_positions(octets, root))
    kind = _kind_of(root)
    gated = None
    if kind is DocumentKind.UNKNOWN:
        desk.note(root, words.SOAP, "The document's root element is not an Envelope of SOAP 1.1 or SOAP 1.2")
    elif kind is DocumentKind.CLIENT_CALL:
        _examine_call(desk, description)
    else:
        gated = _examine_peer_message(desk, kind)
    ordered = sorted(desk.problems, key=lambda problem: (problem.line, problem.column))
    return Examination(
        kind=kind,
        problems=tuple(ordered),
        remarks=tuple(desk.remarks),
        gated=gated,
        places={str(element.tag): desk.positions.of(element) for element in root.iter(*_PLACED)},
    )


def _kind_of(root: etree._Element) -> DocumentKind:
    if root.tag not in (names.SOAP11_ENVELOPE, names.SOAP12_ENVELOPE):
        return DocumentKind.UNKNOWN
    ours = (names.EXCHANGE, names.ENCRYPTED_HEADER, names.SECURITY)
    if root.tag == names.SOAP11_ENVELOPE or not any(True for _ in root.iter(*ours)):
        return DocumentKind.CLIENT_CALL
    answers = next(root.iter(names.qname(names.ENVELOPE, "InReplyTo")), None)
    return DocumentKind.PEER_REQUEST if answers is None else DocumentKind.PEER_REPLY


# --- between adapters ------------------------------------------------------------------------------------------------


def _examine_peer_message(desk: _Desk, kind: DocumentKind) -> GatedMessage | None:
    message_kind = MessageKind.REQUEST if kind is DocumentKind.PEER_REQUEST else MessageKind.REPLY
    _note_comments(desk)
    header, body = _envelope_parts(desk)
    if header is not None:
        _examine_headers(desk, header, message_kind)
    _note_repeated_ids(desk)
    if body is not None:
        desk.attempt(
            body, words.BODY, lambda: _read_encrypted(only_child(body, names.ENCRYPTED_DATA), names.TYPE_CONTENT)
        )
    return _gate(desk, message_kind)


def _gate(desk: _Desk, kind: MessageKind) -> GatedMessage | None:
    """The gate's verdict on a message that has no problem so far."""
    if desk.problems:
        return None
    try:
        return gate(desk.parsed, kind)
    except AdapterError as refused:
        desk.note(desk.root, words.PROFILE, refused.reason)
    return None


def _note_comments(desk: _Desk) -> None:
    """Note comments and processing instructions, and take them out: the gate's readers expect none."""
    for found in desk.root.iter(etree.Comment, etree.ProcessingInstruction):
        line = cast("int | None", found.sourceline) or 0
        desk.note(None, words.COMMENT, "A comment or processing instruction is not allowed here", place=(line, 0))
    etree.strip_tags(desk.root, etree.Comment, etree.ProcessingInstruction)


def _note_repeated_ids(desk: _Desk) -> None:
    seen: set[str] = set()
    for element in desk.root.iter(etree.Element):
        for value in filter(None, (element.get(names.WSU_ID), element.get("Id"))):
            if value in seen:
                desk.note(element, words.IDS, f"The id of {_local(element)} occurs twice in the message")
            seen.add(value)


def _examine_headers(desk: _Desk, header: etree._Element, kind: MessageKind) -> None:
    needed = {names.EXCHANGE, names.SECURITY}
    allowed = needed | ({names.ENCRYPTED_HEADER} if kind is MessageKind.REQUEST else set())
    counted = Counter(str(block.tag) for block in header.iterchildren(etree.Element))
    for missing in sorted(needed - counted.keys()):
        desk.note(header, words.HEADER, f"The header {_local_of(missing)} is missing")
    for block in header.iterchildren(etree.Element):
        tag = str(block.tag)
        if tag not in allowed:
            desk.note(block, words.HEADER, f"The header {_local(block)} has no place in this kind of message")
        elif counted[tag] > 1:
            desk.note(block, words.HEADER, f"The header {_local(block)} occurs {counted[tag]} times")
        elif tag in _HEADER_EXAMINERS:
            _HEADER_EXAMINERS[tag](desk, block)


def _examine_exchange(desk: _Desk, block: etree._Element) -> None:
    if _fits_contract(desk, block, "xsd/envelope.xsd"):
        desk.attempt(block, words.EXCHANGE, lambda: read_exchange_header(block))


def _examine_encrypted_header(desk: _Desk, block: etree._Element) -> None:
    def read() -> None:
        check_must_understand(block)
        _read_encrypted(only_child(block, names.ENCRYPTED_DATA), names.TYPE_ELEMENT)

    desk.attempt(block, words.ENCRYPTED_HEADER, read)


def _examine_security(desk: _Desk, block: etree._Element) -> None:
    desk.attempt(block, words.SECURITY, lambda: _check_security_itself(block))
    for part in block.iterchildren(etree.Element):
        found = _SECURITY_READERS.get(str(part.tag))
        if found is None:
            desk.note(part, words.SECURITY, f"Security may not hold {_local(part)}")
            continue
        rule, read = found
        desk.attempt(part, rule, functools.partial(read, part))
    present = {str(part.tag) for part in block.iterchildren(etree.Element)}
    for missing in sorted(_SECURITY_READERS.keys() - present - {names.SIGNATURE_CONFIRMATION}):
        desk.note(block, words.SECURITY, f"Security lacks {_local_of(missing)}")


def _check_security_itself(block: etree._Element) -> None:
    check_attributes(block, frozenset((names.SOAP12_MUST_UNDERSTAND,)))
    check_must_understand(block)
    children(block)


def _read_token_part(part: etree._Element) -> None:
    """WSS X.509 Certificate Token Profile 1.1, 3.1."""
    check_attributes(part, frozenset((names.WSU_ID, "ValueType", "EncodingType")))
    for attribute, wanted in (("ValueType", names.X509_V3), ("EncodingType", names.BASE64_BINARY)):
        if part.get(attribute) != wanted:
            raise EnvelopeRefused(f"the {attribute} of BinarySecurityToken must be {wanted}")
    read_token(part)


def _read_encrypted(data: etree._Element, content_type: str) -> object:
    return read_encrypted_data(data, content_type=content_type, ids=Ids(), max_chars=_NO_LIMIT)


_HEADER_EXAMINERS: Final = {
    names.EXCHANGE: _examine_exchange,
    names.ENCRYPTED_HEADER: _examine_encrypted_header,
    names.SECURITY: _examine_security,
}
_SECURITY_READERS: Final[dict[str, tuple[str, Callable[[etree._Element], object]]]] = {
    names.BINARY_SECURITY_TOKEN: (words.TOKEN, _read_token_part),
    names.TIMESTAMP: (words.TIMESTAMP, read_timestamp),
    names.ENCRYPTED_KEY: (words.ENCRYPTED_KEY, lambda part: read_encrypted_key(part, Ids())),
    names.ENCRYPTED_DATA: (words.ENCRYPTED_SIGNATURE, lambda part: _read_encrypted(part, names.TYPE_ELEMENT)),
    names.SIGNATURE_CONFIRMATION: (words.CONFIRMATION, read_confirmation),
}


# --- from a client system --------------------------------------------------------------------------------------------


def _examine_call(desk: _Desk, description: ServiceDescription | None) -> None:
    header, body = _envelope_parts(desk)
    blocks = [] if header is None else list(header.iterchildren(etree.Element))
    contexts = [block for block in blocks if block.tag == names.REQUEST_CONTEXT]
    for block in blocks:
        if block not in contexts and any(block.get(name, "").strip() in ("1", "true") for name in _MUST_UNDERSTAND):
            desk.note(block, words.MUST_UNDERSTAND, f"The header {_local(block)} is marked mustUnderstand and unknown")
    if not contexts:
        desk.remarks.append(
            "There is no RequestContext header: the adapter's settings have to say who asks, and why, for this client."
        )
    for extra in contexts[1:]:
        desk.note(extra, words.CONTEXT, "RequestContext occurs more than once")
    if contexts and _fits_contract(desk, contexts[0], "xsd/client.xsd"):
        desk.attempt(contexts[0], words.CONTEXT, lambda: read_request_context(contexts[0]))
    for subject in () if not contexts else contexts[0].iterchildren(names.qname(names.CLIENT, "Subject")):
        if not desk.has_problem_at(subject):
            desk.attempt(subject, words.CONTEXT, functools.partial(read_subject, subject))
    if body is not None:
        _examine_payload(desk, body, description)


def _examine_payload(desk: _Desk, body: etree._Element, description: ServiceDescription | None) -> None:
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
        known = ", ".join(sorted({_local_of(name) for name in description.by_input}))
        desk.note(payload, words.OPERATION, f"No operation of the service has this request; it has {known}")
        return
    try:
        check_payload(description, payload, by_tag[0].input_element)
    except SchemaInvalid as invalid:
        _note_schema_problems(desk, payload, invalid.problems)


# --- what both have in common ----------------------------------------------------------------------------------------


def _envelope_parts(desk: _Desk) -> tuple[etree._Element | None, etree._Element | None]:
    """Header and Body of an Envelope, whatever else is wrong with it."""
    root = desk.root
    namespace = etree.QName(root).namespace or ""
    found: dict[str, etree._Element] = {}
    for child in root.iterchildren(etree.Element):
        known = child.tag in (names.qname(namespace, "Header"), names.qname(namespace, "Body"))
        if not known or _local(child) in found:
            desk.note(child, words.SOAP, f"The Envelope must not hold {_local(child)} here")
        else:
            found[_local(child)] = child
    if "Body" not in found:
        desk.note(root, words.SOAP, "The Envelope has no Body")
    if list(found) == ["Body", "Header"]:
        desk.note(found["Header"], words.SOAP, "The Header must stand before the Body")
    return found.get("Header"), found.get("Body")


@functools.cache
def _contract(name: str) -> tuple[etree.XMLSchema, frozenset[str]]:
    """A compiled schema of xsd/ and the names that it declares."""
    document = etree.parse(contract_path(name))
    declared = {
        str(element.get("name"))
        for element in document.iter(names.qname(names.XSD, "element"), names.qname(names.XSD, "attribute"))
    }
    return etree.XMLSchema(document), frozenset(declared)


def _fits_contract(desk: _Desk, block: etree._Element, contract: str) -> bool:
    """Validate one header block where it stands; every finding becomes a problem."""
    schema, declared = _contract(contract)
    if schema.validate(block):
        return True
    findings = [
        Finding(line=found.line, path=found.path or "", kind=found.type_name, message=found.message or "")
        for found in cast("Any", schema.error_log)
    ]
    _note_schema_problems(desk, block, describe(findings, block, declared, limit=MAX_PROBLEMS))
    return False


def _note_schema_problems(desk: _Desk, block: etree._Element, problems: tuple[Problem, ...]) -> None:
    """Schema findings have a line and a path but no column: take that of the element on the path's end."""
    for problem in problems:
        element = _at_path(desk, block, problem)
        desk.note(element, problem.rule, problem.text, place=desk.positions.of(element))


def _at_path(desk: _Desk, block: etree._Element, problem: Problem) -> etree._Element:
    """The element that a problem is about: on its line, of the name that its path ends with."""
    name = problem.element.rpartition("/")[2].partition("[")[0]
    on_line = [found for found in block.iter(etree.Element) if desk.positions.of(found)[0] == problem.line]
    return next((found for found in on_line if _local(found) == name), on_line[0] if on_line else block)


def _local(element: etree._Element) -> str:
    return _local_of(str(element.tag))


def _local_of(tag: str) -> str:
    return tag.rpartition("}")[2][:64]


def _sentence(text: str) -> str:
    """A reason as a sentence: a capital first, a full stop last."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")

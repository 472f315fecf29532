"""One message at every stage, as values: what a trace shows, with every value of a person masked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from adapter.cli.attachment_words import attachment_facts
from adapter.crypto.open import decrypt_with_content_key, verify
from adapter.envelope.attachments_header import read_attachments
from adapter.envelope.carried import unwrap
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.faults import read_fault
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.lint import DocumentKind, Examination, examine, unreadable_parts
from adapter.envelope.masking import masked, masked_text, shown_envelope
from adapter.envelope.names import ENCRYPTED_DATA, SOAP12_FAULT, SWA_CONTENT_ONLY, XENC, qname
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.envelope.soap import build_provider_request, content_type_of
from adapter.envelope.whole_message import WholeMessage
from adapter.envelope.xml_encoding import as_utf8
from adapter.errors import AdapterError, MalformedMessage, Problem
from adapter.evidence.messages import stored_message
from adapter.ports import KeptMessage
from adapter.stages import DecryptedMessage, MessageKind, VerifiedMessage
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits, parse

_SYSTEM_FAULT: Final = "soap:"
"""How the rules begin of what `envelope.soap` takes from a system's own fault."""

_CIPHER_REFERENCE: Final = qname(XENC, "CipherReference")
_KEPT_LIMITS: Final = XmlLimits(max_bytes=256 * 1024 * 1024)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """What a message was at one stage. facts: names and clear values. xml: masked; empty where there is nothing.

    problems: what the stage found wrong. is_good: false where the message went no further.
    """

    name: str
    facts: dict[str, str]
    xml: str = ""
    problems: tuple[Problem, ...] = ()
    is_good: bool = True

    def saying(self, more: dict[str, str]) -> Stage:
        """The same with more facts."""
        facts = {**self.facts, **more}
        return Stage(name=self.name, facts=facts, xml=self.xml, problems=self.problems, is_good=self.is_good)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedMessage:
    """A kept message and what its entry says. is_ours: this adapter sealed it; else it came from a peer."""

    kept: KeptMessage
    kind: MessageKind
    is_ours: bool
    at: datetime
    facts: dict[str, str]


Described = Callable[[str], ServiceDescription | None]
"""The description of a service by its id, as far as this adapter has it."""


def stages_of_message(message: RecordedMessage, described: Described) -> Iterator[Stage]:
    """A kept message: on the wire, opened, validated, and what went on from there.

    It was accepted when it was recorded; it is opened and verified again, and what fails now is shown, not raised.
    """
    received = stored_message(message.kept.octets, message.at)
    direction = "sent to the peer" if message.is_ours else "received from the peer"
    try:
        parsed = parse_message(received, _KEPT_LIMITS)
        yield Stage(
            name=f"{message.kind.value} as {direction}",
            facts={**message.facts, "octets": str(len(received.octets)), **_on_the_wire(parsed.root)},
            xml=_written(shown_envelope(parsed.root)),
        )
        decrypted = decrypt_with_content_key(gate(parsed, message.kind), message.kept.content_key, limits=_KEPT_LIMITS)
        yield _opened(message, decrypted)
        yield from _after_opening(message, verify(decrypted, limits=_KEPT_LIMITS), described)
    except AdapterError as failed:
        yield Stage(name="stopped here", facts={"reason": failed.code}, problems=failed.problems, is_good=False)


def _on_the_wire(root: etree._Element) -> dict[str, str]:
    """The parts beside an envelope by their names, which is all that is clear of them there."""
    encrypted = (element for element in root.iter(ENCRYPTED_DATA) if element.get("Type") == SWA_CONTENT_ONLY)
    uris = [reference.get("URI", "") for element in encrypted for reference in element.iter(_CIPHER_REFERENCE)]
    return {
        f"attachment {number}": f"{uri.removeprefix('cid:')}: encrypted beside the envelope; its octets are not kept"
        for number, uri in enumerate(uris, 1)
    }


def _opened(message: RecordedMessage, decrypted: DecryptedMessage) -> Stage:
    said = () if decrypted.attachments is None else read_attachments(decrypted.attachments)
    attachments = {
        f"attachment {number}": f"{one.content_id}: {one.media_type}, {one.size} octets"
        for number, one in enumerate(said, 1)
    }
    personal = "" if decrypted.personal_data is None else _written(masked(decrypted.personal_data)) + "\n"
    return Stage(
        name=f"{message.kind.value} opened",
        facts={
            "encrypted for": "the recipient's agreement key; opened with the content key from the archive",
            **attachments,
        },
        xml=personal + _written(masked(decrypted.body)),
    )


def _after_opening(message: RecordedMessage, verified: VerifiedMessage, described: Described) -> Iterator[Stage]:
    subject = verified.signer.subject.rfc4514_string()
    attachments = attachment_facts(verified.attachments)
    created = f"{verified.created:%Y-%m-%dT%H:%M:%SZ}"
    yield Stage(
        name=f"{message.kind.value} verified",
        facts={"signed by": subject, "suite": verified.suite, "created": created, **attachments},
    )
    payload = verified.payload
    if payload.tag == SOAP12_FAULT:
        fault = read_fault(payload)
        yield Stage(
            name="the reply is a fault",
            facts={"code": fault.code, "blame": fault.blame.value, "incident": fault.incident},
            problems=tuple(map(_without_foreign_text, fault.problems)),
            is_good=False,
        )
        return
    header = verified.header
    description = described(str(header.service))
    if description is None:
        yield Stage(name="not validated", facts={"because": f"this adapter has no description of {header.service}"})
        return
    is_reply = message.kind is MessageKind.REPLY
    content = unwrap(payload)
    expected = str(content.body.tag) if not is_reply else None
    operation = description.operation(header.operation, expected)
    check_with_attachments(description, payload, content, operation, verified.attachments, in_output=is_reply)
    checked = "the service's schema" if operation.type_checked else "its element's name only"
    yield Stage(
        name=f"{message.kind.value} validated", facts={"operation": operation.name, "against": checked, **attachments}
    )
    if not message.is_ours:
        sent = _sent_on(payload, operation, is_reply=is_reply)
        how = "[[client]] attachments" if is_reply else "[soap] attachments of the service"
        ways = {"attachments": f"beside the XML or as base64 in it, by {how}"} if attachments else {}
        yield sent.saying({**ways, **attachments})


def _without_foreign_text(problem: Problem) -> Problem:
    """What an information system wrote into its own fault may name somebody; our own sentences never do."""
    if not problem.rule.startswith(_SYSTEM_FAULT):
        return problem
    return Problem(
        line=problem.line,
        column=problem.column,
        element=problem.element,
        rule=problem.rule,
        text=masked_text(problem.text),
    )


def _sent_on(payload: etree._Element, operation: Operation, *, is_reply: bool) -> Stage:
    """What the adapter made of a peer's message for the system on its side."""
    version = operation.soap_version
    sent = parse(build_provider_request(payload, version), _KEPT_LIMITS)
    if is_reply:
        facts = {"as": f"the client asked; here as SOAP {version.value}"}
        return Stage(name="reply sent on to the client system", facts=facts, xml=_written(masked(sent)))
    facts = {"as": f"SOAP {version.value}, {content_type_of(version)}", "SOAPAction": operation.soap_action}
    return Stage(name="request sent on to the information system", facts=facts, xml=_written(masked(sent)))


def stages_of_file(message: WholeMessage, description: ServiceDescription | None, now: datetime) -> Iterator[Stage]:
    """A client system's request, or a message between adapters, in a file: as far as a file alone can be followed."""
    octets = message.octets
    examined = examine(octets, DEFAULT_LIMITS, now=now, description=description, attachments=message.said)
    try:
        root = parse(as_utf8(octets, error=MalformedMessage), DEFAULT_LIMITS)
    except AdapterError:
        root = None
    is_peers = examined.kind in (DocumentKind.PEER_REQUEST, DocumentKind.PEER_REPLY)
    shown = "" if root is None else _written(shown_envelope(root) if is_peers else masked(root))
    yield Stage(
        name="as it stands in the file",
        facts={"octets": str(len(octets)), "taken for": examined.kind.value, **attachment_facts(message.said)},
        xml=shown,
        problems=examined.problems if root is None else (),
        is_good=root is not None,
    )
    if root is None:
        return
    for stage in _judged(examined, is_peers=is_peers, has_description=description is not None):
        yield stage.saying(attachment_facts(message.said))


def stage_of_broken_parts(refused: AdapterError) -> Stage:
    """A file whose parts cannot be told apart."""
    problems = unreadable_parts(refused).problems
    return Stage(name="as it stands in the file", facts={}, problems=problems, is_good=False)


def _judged(examined: Examination, *, is_peers: bool, has_description: bool) -> Iterator[Stage]:
    if is_peers:
        facts = {"profile": "what stands in clear was compared with xsd/envelope.xsd"}
        facts["opened"] = "not here: only its recipient, or the record of one of the two adapters, can open it"
        yield Stage(name="gate", facts=facts, problems=examined.problems, is_good=not examined.problems)
        return
    yield Stage(
        name="identified",
        facts={"by": "not from a file: the adapter goes by the connection (certificate, token, password or address)"},
    )
    against = "the RequestContext's contract" + (" and the service's schema" if has_description else "")
    remarks = {f"remark {number}": text for number, text in enumerate(examined.remarks, start=1)}
    yield Stage(
        name="validated",
        facts={"against": against, **remarks},
        problems=examined.problems,
        is_good=not examined.problems,
    )


def _written(element: etree._Element) -> str:
    etree.indent(element)
    return etree.tostring(element, encoding="unicode", with_tail=False)

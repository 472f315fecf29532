"""The answer to `adapter call` as values: the reply or the fault, and what the adapter's headers say of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree
from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from adapter import xmlsafe
from adapter.cli.call_attachments import CameBack, take_apart
from adapter.cli.output import JsonValue, bad, facts_of
from adapter.envelope import names
from adapter.envelope.faults import PublicFault, read_fault
from adapter.errors import PeerAnswerInvalid

MESSAGE_ID: Final = "Adapter-Message-Id"
RECORD: Final = "Adapter-Record"
PEER_RECORD: Final = "Adapter-Peer-Record"
INCIDENT: Final = "Adapter-Incident"
_TOLD: Final = {
    MESSAGE_ID: "Message",
    RECORD: "Our record (request, reply)",
    PEER_RECORD: "Their record (reply)",
    INCIDENT: "Incident",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """payload: the reply's element, or None with a fault. text: a foreign fault's own words.

    told: those headers of the adapter's answer that `_TOLD` names, by their names.
    """

    status: int
    told: Mapping[str, str]
    payload: etree._Element | None = None
    fault: PublicFault | None = None
    text: str = ""
    attachments: tuple[CameBack, ...] = ()


def read_answer(octets: bytes, status: int, headers: Mapping[str, str]) -> Answer:
    """The adapter's HTTP answer (our own adapter, but it may be anything that listens there).

    Raises PeerAnswerInvalid when it is not SOAP.
    """
    told = {name: headers[name] for name in _TOLD if name in headers}
    envelope, attachments = take_apart(octets, headers.get("Content-Type", ""))
    root = xmlsafe.parse(envelope, error=PeerAnswerInvalid)
    if root.tag not in (names.SOAP11_ENVELOPE, names.SOAP12_ENVELOPE):
        raise PeerAnswerInvalid("what answered there does not speak SOAP")
    namespace = etree.QName(root).namespace or ""
    body = root.find(names.qname(namespace, "Body"))
    payload = None if body is None else next(body.iterchildren(etree.Element), None)
    if payload is None or payload.tag != names.qname(namespace, "Fault"):
        return Answer(status=status, told=told, payload=payload, attachments=attachments)
    fault = _catalogue_fault(payload)
    text = "" if fault else (payload.findtext("faultstring") or payload.findtext(f".//{{{names.SOAP12}}}Text") or "")
    return Answer(status=status, told=told, fault=fault, text=" ".join(text.split()))


def _catalogue_fault(payload: etree._Element) -> PublicFault | None:
    """The fault of our catalogue inside a Fault of either SOAP version (the detail is the same in both), or None."""
    detail = next(payload.iter(names.qname(names.FAULT, "Fault")), None)
    if detail is None:
        return None
    wrapper = etree.Element(names.SOAP12_FAULT)
    etree.SubElement(wrapper, names.qname(names.SOAP12, "Detail")).append(copy.deepcopy(detail))
    try:
        return read_fault(wrapper)
    except PeerAnswerInvalid:
        return None


def answer_words(answer: Answer, language: str) -> Iterator[RenderableType]:
    """For a person: the reply as a tree, or the fault; then the record numbers."""
    if answer.payload is not None:
        yield _tree(answer.payload)
    elif answer.fault is not None:
        yield from _fault_words(answer.fault, language)
    else:
        yield bad(f"Fault that is not of this adapter's catalogue: {answer.text or 'no text'}")
    for one in answer.attachments:
        yield Text(f"Attachment {one.content_id}: {one.media_type}, {len(one.octets)} octets, SHA-256 {one.sha256}")
    if answer.told:
        yield Text()
        yield facts_of([(_TOLD[name], value.replace(" ", ", ")) for name, value in answer.told.items()])


def _fault_words(fault: PublicFault, language: str) -> Iterator[RenderableType]:
    yield bad(f"Fault {fault.code}")
    yield Text(fault.texts.get(language) or fault.texts["en"])
    yield facts_of([("To be mended by", fault.blame.value), ("Retry", fault.retry.value)])
    for problem in fault.problems:
        yield Text(f"  line {problem.line}, {problem.element}: {problem.text} [{problem.rule}]")


def _tree(element: etree._Element) -> Tree:
    tree = Tree(_label(element), guide_style="dim")
    for child in element.iterchildren(etree.Element):
        tree.add(_tree(child))
    return tree


def _label(element: etree._Element) -> Text:
    name = Text(_local(element), style="bold")
    for attribute, value in _attributes(element).items():
        name.append(f" {attribute[1:]}={value}", style="dim")
    text = "" if len(element) else (element.text or "").strip()
    return name.append(f"  {text}", style="default") if text else name


def answer_value(answer: Answer) -> JsonValue:
    """For a script."""
    fault = answer.fault
    return {
        "status": answer.status,
        "message_id": answer.told.get(MESSAGE_ID),
        "records": _numbers(answer.told.get(RECORD, "")),
        "peer_records": _numbers(answer.told.get(PEER_RECORD, "")),
        "incident": answer.told.get(INCIDENT),
        "reply": None if answer.payload is None else {_local(answer.payload): _value(answer.payload)},
        "fault": None
        if fault is None
        else {
            "code": fault.code,
            "blame": fault.blame.value,
            "retry": fault.retry.value,
            "incident": fault.incident,
            "texts": dict(fault.texts),
            "problems": [
                {"line": one.line, "column": one.column, "element": one.element, "rule": one.rule, "text": one.text}
                for one in fault.problems
            ],
        },
        **({"fault_text": answer.text} if answer.text else {}),
        **({"attachments": [_attachment(one) for one in answer.attachments]} if answer.attachments else {}),
    }


def _attachment(one: CameBack) -> JsonValue:
    return {"id": one.content_id, "media_type": one.media_type, "size": len(one.octets), "sha256": one.sha256}


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split() if word.isdecimal()]


def _value(element: etree._Element) -> JsonValue:
    """An element as JSON: text, or an object of its children and `@attributes`; a child that repeats is a list."""
    children = list(element.iterchildren(etree.Element))
    attributes = _attributes(element)
    text = (element.text or "").strip()
    if not children and not attributes:
        return text
    content: dict[str, JsonValue] = dict(attributes)
    for child in children:
        name, value = _local(child), _value(child)
        if name not in content:
            content[name] = value
        else:
            before = content[name]
            content[name] = [*before, value] if isinstance(before, list) else [before, value]
    if text and not children:
        content["#text"] = text
    return content


def _attributes(element: etree._Element) -> dict[str, str]:
    """The attributes by `@local`, as JSON names them."""
    return {f"@{etree.QName(name).localname}": str(value) for name, value in element.attrib.items()}


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname

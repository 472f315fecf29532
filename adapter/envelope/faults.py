"""The only maker of SOAP faults: one error of the catalogue in, one Fault element out; and the way back.

What a stranger may read is the code, whose fault it is, whether to retry, an incident id, a text in three languages,
and findings about the document that was sent. Never a reason, a stack trace or a value (xsd/fault.xsd).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope.names import (
    FAULT,
    SECURITY,
    SOAP11,
    SOAP12,
    SOAP12_BODY,
    SOAP12_ENVELOPE,
    SOAP12_FAULT,
    SOAP12_HEADER,
    XML,
    qname,
)
from adapter.envelope.texts import LANGUAGES, text_in
from adapter.envelope.wire_limits import wire_limits
from adapter.errors import AdapterError, Blame, PeerAnswerInvalid, Problem, Retry, catalogue
from adapter.stages import SoapVersion
from adapter.xmlsafe import XmlLimits, escape_attribute, escape_text, parse, refuse_comments

MAX_PROBLEMS: Final = 50
_MAX_TEXT_CHARS: Final = 1000
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_INCIDENT: Final = re.compile(r"[A-Za-z0-9-]{1,32}")
_XML_LANG: Final = qname(XML, "lang")
# What XML 1.0 (2.2) cannot hold, and control characters: a foreign system's own text may have them.
_NOT_XML: Final = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicFault:
    """What may be said of a failure. texts: `en`, `ru`, `uz`. incident: what an operator finds the entry by.

    retry_after_s: seconds after which to ask again, where that is known.
    """

    code: str
    blame: Blame
    retry: Retry
    incident: str
    texts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    retry_after_s: int | None = None


def _texts(message: str) -> dict[str, str]:
    return {language: text_in(language, message) for language in LANGUAGES}


def public_fault(error: AdapterError, incident: str) -> PublicFault:
    """What the catalogue says of this error. Its reason stays behind; its problems are made to be shown."""
    return PublicFault(
        code=error.code,
        blame=error.blame,
        retry=error.retry,
        incident=incident,
        texts=_texts(error.text),
        problems=error.problems[:MAX_PROBLEMS],
        retry_after_s=error.retry_after_s,
    )


# --- writing ---------------------------------------------------------------------------------------------------------


def render_fault(fault: PublicFault, version: SoapVersion) -> bytes:
    """The Fault element, with every namespace that it uses, for the Body of an answer.

    SOAP 1.1, 4.4; SOAP 1.2 Part 1, 5.4. The code is Sender (Client) when the client system has to change something,
    MustUnderstand for a header that was not understood, else Receiver (Server).
    """
    return (_render_soap11(fault) if version is SoapVersion.SOAP11 else _render_soap12(fault)).encode()


def _render_soap12(fault: PublicFault) -> str:
    texts = "".join(
        f'<soap:Text xml:lang="{language}">{_escaped(text)}</soap:Text>' for language, text in fault.texts.items()
    )
    return (
        f'<soap:Fault xmlns:soap="{SOAP12}"><soap:Code><soap:Value>soap:{_soap_code(fault, "Sender", "Receiver")}'
        f'</soap:Value><soap:Subcode><soap:Value xmlns:ia-fault="{FAULT}">ia-fault:{fault.code}</soap:Value>'
        f"</soap:Subcode></soap:Code><soap:Reason>{texts}</soap:Reason>"
        f"<soap:Detail>{render_fault_detail(fault)}</soap:Detail></soap:Fault>"
    )


def _render_soap11(fault: PublicFault) -> str:
    return (
        f'<soap:Fault xmlns:soap="{SOAP11}"><faultcode>soap:{_soap_code(fault, "Client", "Server")}</faultcode>'
        f"<faultstring>{_escaped(fault.texts['en'])}</faultstring>"
        f"<detail>{render_fault_detail(fault)}</detail></soap:Fault>"
    )


def _soap_code(fault: PublicFault, sender: str, receiver: str) -> str:
    if fault.code == "HeaderNotUnderstood":
        return "MustUnderstand"
    return sender if fault.blame is Blame.CLIENT_SYSTEM else receiver


def render_fault_detail(fault: PublicFault) -> str:
    """The entry for the detail of a fault: our code, blame, advice, incident, texts and findings (xsd/fault.xsd)."""
    texts = "".join(
        f'<ia-fault:Text xml:lang="{language}">{_escaped(text)}</ia-fault:Text>'
        for language, text in fault.texts.items()
    )
    problems = "".join(_render_problem(problem) for problem in fault.problems[:MAX_PROBLEMS])
    wait = "" if fault.retry_after_s is None else f"<ia-fault:RetryAfter>{fault.retry_after_s}</ia-fault:RetryAfter>"
    return (
        f'<ia-fault:Fault xmlns:ia-fault="{FAULT}"><ia-fault:Code>{fault.code}</ia-fault:Code>'
        f"<ia-fault:Blame>{fault.blame.value}</ia-fault:Blame><ia-fault:Retry>{fault.retry.value}</ia-fault:Retry>{wait}"
        f"<ia-fault:Incident>{fault.incident}</ia-fault:Incident>{texts}{problems}</ia-fault:Fault>"
    )


def _render_problem(problem: Problem) -> str:
    return (
        f'<ia-fault:Problem column="{max(problem.column, 0)}" element="{escape_attribute(_clean(problem.element))}"'
        f' line="{max(problem.line, 0)}" rule="{escape_attribute(_clean(problem.rule))}">'
        f"{_escaped(problem.text)}</ia-fault:Problem>"
    )


def _clean(text: str) -> str:
    return _NOT_XML.sub("�", text)[:_MAX_TEXT_CHARS]


def _escaped(text: str) -> str:
    return escape_text(_clean(text))


def plain_fault_message(fault: PublicFault, version: SoapVersion) -> bytes:
    """A whole envelope with the fault: for a sender whom we do not know well enough to sign an answer for."""
    namespace = SOAP11 if version is SoapVersion.SOAP11 else SOAP12
    body = render_fault(fault, version).decode()
    return f'<env:Envelope xmlns:env="{namespace}"><env:Body>{body}</env:Body></env:Envelope>'.encode()


# --- reading ---------------------------------------------------------------------------------------------------------

_PLAIN: Final = ([SOAP12_BODY], [SOAP12_HEADER, SOAP12_BODY])
_BY_CODE: Final = {error.code: error for error in catalogue()}


def reported_fault(octets: bytes, limits: XmlLimits) -> PublicFault | None:
    """The fault in a plain SOAP 1.2 envelope of a peer, or None when it is anything else.

    Nobody signed it: it is a report of what may be wrong, never a result (WSS 1.1 SOAP Message Security, 12). What
    claims to be secured, or has more than a Header and a Body, is no report but a message that could not be verified.
    """
    try:
        root = parse(octets, wire_limits(limits), error=PeerAnswerInvalid)
        refuse_comments(root, error=PeerAnswerInvalid)
        if root.tag != SOAP12_ENVELOPE or [child.tag for child in root] not in _PLAIN or len(root[-1]) != 1:
            return None
        return None if root.find(f"{SOAP12_HEADER}/{SECURITY}") is not None else read_fault(root[-1][0])
    except AdapterError:
        return None


def read_fault(fault: etree._Element) -> PublicFault:
    """A SOAP 1.2 Fault of a peer's adapter as a value, as far trusted as the element is.

    Of a code that is in our catalogue, blame, retry and texts are those of our catalogue. Raises PeerAnswerInvalid.
    """
    detail = fault.find(f"{{{SOAP12}}}Detail/{{{FAULT}}}Fault") if fault.tag == SOAP12_FAULT else None
    if detail is None:
        raise PeerAnswerInvalid("not a fault of the catalogue")
    code, incident = _found(detail, "Code", _CODE), _found(detail, "Incident", _INCIDENT)
    problems = tuple(_read_problem(element) for element in detail.findall(qname(FAULT, "Problem"))[:MAX_PROBLEMS])
    wait_s = _count(detail.findtext(qname(FAULT, "RetryAfter")) or "") or None
    known = _BY_CODE.get(code)
    if known is not None:
        return PublicFault(
            code=code,
            blame=known.blame,
            retry=known.retry,
            incident=incident,
            texts=_texts(known.text),
            problems=problems,
            retry_after_s=wait_s,
        )
    try:
        blame, retry = Blame(detail.findtext(qname(FAULT, "Blame"))), Retry(detail.findtext(qname(FAULT, "Retry")))
    except ValueError:
        raise PeerAnswerInvalid("a fault that does not say who is to blame and whether to retry") from None
    return PublicFault(
        code=code,
        blame=blame,
        retry=retry,
        incident=incident,
        texts=_read_texts(detail),
        problems=problems,
        retry_after_s=wait_s,
    )


def _found(detail: etree._Element, name: str, form: re.Pattern[str]) -> str:
    text = detail.findtext(qname(FAULT, name)) or ""
    if not form.fullmatch(text):
        raise PeerAnswerInvalid(f"a fault whose {name} is missing or has a wrong form")
    return text


def _read_texts(detail: etree._Element) -> dict[str, str]:
    found = {
        language: _clean(element.text or "")
        for element in detail.findall(qname(FAULT, "Text"))
        if (language := element.get(_XML_LANG, "")) in LANGUAGES
    }
    if not found.get("en"):
        raise PeerAnswerInvalid("a fault without an English text")
    return {language: found.get(language, found["en"]) for language in LANGUAGES}


def _read_problem(element: etree._Element) -> Problem:
    return Problem(
        line=_count(element.get("line", "0")),
        column=_count(element.get("column", "0")),
        element=_clean(element.get("element", "")),
        rule=_clean(element.get("rule", "")),
        text=_clean(element.text or ""),
    )


def _count(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0

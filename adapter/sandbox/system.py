"""The sandbox without its socket: a request's octets in, an answer's octets and what was found out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

from lxml import etree

from adapter.envelope.carried import Content
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.description_packaging import packaging_of
from adapter.envelope.faults import PublicFault, public_fault, render_fault
from adapter.envelope.gate_structure import line_of
from adapter.envelope.packaging import with_parts
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.envelope.schema_model import local_name, namespace_of
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.soap import (
    ClientEnvelope,
    content_type_of,
    find_declared,
    read_envelope,
    render_answer,
    render_content,
    version_of,
)
from adapter.envelope.whole_message import WholeMessage, read_whole
from adapter.errors import AdapterError, AttachmentsInvalid, DescriptionUnusable, Problem, UnknownOperation
from adapter.samples.broken import Mistake, break_sample
from adapter.samples.make import SampleMaker, Variant
from adapter.sandbox.play import PLAIN, Part, Play
from adapter.stages import Packaging, SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits

NONSENSE: Final = b"<html><body><h1>It works!</h1></body></html>"
_INCIDENT: Final = "sandbox"
_MAX_KNOWN: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemRequest:
    """What came over HTTP, untrusted. soap_action: the header of SOAP 1.1 as it was written."""

    octets: bytes
    content_type: str
    soap_action: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemAnswer:
    """What goes back, and what the request was found to be.

    operation: empty where none was recognised. problems: what is wrong with the request; none repeats a value of it.
    remarks: what is right and yet worth knowing. breaks_off: the connection is to be closed after these octets.
    came: the request's envelope and parts, when they could be told apart.
    """

    octets: bytes = b""
    content_type: str = ""
    status: int = HTTPStatus.OK
    operation: str = ""
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    outcome: str = "answered"
    breaks_off: bool = False
    came: WholeMessage | None = None


@dataclass(kw_only=True, slots=True)
class _Progress:
    """How far a request came."""

    version: SoapVersion
    packaging: Packaging
    operation: str = ""
    came: WholeMessage | None = None
    remarks: list[str] = field(default_factory=list)


class SandboxSystem:
    """Answers for one description. The same seed and the same request give the same answer."""

    def __init__(
        self,
        description: ServiceDescription,
        *,
        seed: int = 0,
        variant: Variant = Variant.FULL,
        limits: XmlLimits = DEFAULT_LIMITS,
    ) -> None:
        self._description = description
        self._packaging = packaging_of(description)
        self._maker = SampleMaker(description)
        self._seed = seed
        self._variant = variant
        self._limits = limits

    def answer(self, request: SystemRequest, play: Play = PLAIN) -> SystemAnswer:
        """Judge the request and answer it. Never raises: what is wrong with it is in the answer, in words."""
        if play.part is not Part.ANSWER and not play.operation:
            played = _played_blindly(play)
            if played is not None:
                return played
        progress = _Progress(version=version_of(request.content_type), packaging=self._packaging)
        try:
            answer = self._answer(request, play, progress)
        except AdapterError as refused:
            answer = self._refuse(refused, progress)
        return replace(answer, came=progress.came)

    def _answer(self, request: SystemRequest, play: Play, progress: _Progress) -> SystemAnswer:
        description = self._description
        came = read_whole(request.octets, request.content_type, AttachmentsInvalid)
        progress.came = came
        envelope = read_envelope(
            came.octets, came.content_type, self._limits, may_be_encoded=description.has_encoded_operations
        )
        progress.version = envelope.version
        if came.packaging is Packaging.MTOM:
            progress.packaging = Packaging.MTOM
        operation = self._operation(envelope, request.soap_action.strip().strip('"'))
        progress.operation = operation.name
        declared = operation.carried_headers(in_output=False)
        content = Content(
            body=envelope.payload, headers=find_declared(envelope, declared), independent=envelope.independent
        )
        root = envelope.payload.getroottree().getroot()
        check_with_attachments(description, root, content, operation, came.said, in_output=False)
        progress.remarks += _remarks(operation, content, request, envelope)
        if play.operation and play.operation != operation.name:
            play = PLAIN
        return self._play(play, operation, content, progress)

    def _operation(self, envelope: ClientEnvelope, action: str) -> Operation:
        try:
            return self._description.operation_for(str(envelope.payload.tag), action)
        except UnknownOperation as unknown:
            raise UnknownOperation(unknown.reason, problems=(_not_an_operation(self._description, envelope),)) from None

    # --- answers -----------------------------------------------------------------------------------------------------

    def _play(self, play: Play, operation: Operation, content: Content, progress: _Progress) -> SystemAnswer:
        if play.part is Part.FAULT:
            return self._fault(play, operation, progress)
        played = _played_blindly(play)
        if played is not None:
            return replace(played, operation=operation.name)
        if operation.output_element is None:
            return SystemAnswer(
                status=HTTPStatus.ACCEPTED,
                content_type=content_type_of(progress.version),
                operation=operation.name,
                remarks=tuple(progress.remarks),
                outcome="accepted (one-way)",
            )
        octets, content_type = self._rendered(operation, operation.output_element, content, progress, play)
        is_half = play.part is Part.HALF
        return SystemAnswer(
            octets=octets[: len(octets) // 2] if is_half else octets,
            content_type=content_type,
            operation=operation.name,
            remarks=tuple(progress.remarks),
            outcome="answered" if play.part is Part.ANSWER else f"played {play.part.value}",
            breaks_off=is_half,
        )

    def _rendered(
        self, operation: Operation, element: str, content: Content, progress: _Progress, play: Play
    ) -> tuple[bytes, str]:
        """An answer and its Content-Type: MTOM where the WSDL asks for it or the request came so."""
        seed = f"{self._seed}/{hashlib.sha256(etree.tostring(content.body, method='c14n')).hexdigest()}"
        known = dict(_known_values(content.body))
        sample = self._maker.sample(element, seed=seed, variant=self._variant, known=known)
        body = sample.element
        if play.part is Part.INVALID:
            broken = (break_sample(self._description, sample, mistake, seed=seed) for mistake in Mistake)
            found = next((each for each in broken if each is not None), None)
            body = etree.Element("Invalid") if found is None else found.element
        headers = tuple(self._headers(operation, seed, progress))
        version, answer = progress.version, Content(body=body, headers=headers)
        packed = None
        if progress.packaging is Packaging.MTOM and operation.type_checked:
            model = schema_model(self._description)
            packed = with_parts(body, lambda: render_content(version, answer), version=version, model=model)
        return packed or (render_content(version, answer), content_type_of(version))

    def _headers(self, operation: Operation, seed: str, progress: _Progress) -> Iterator[etree._Element]:
        for name in operation.carried_headers(in_output=True):
            try:
                yield self._maker.sample(name, seed=seed, variant=Variant.MINIMAL).element
            except DescriptionUnusable as cause:
                progress.remarks.append(f"The answer has no header {local_name(name)}: {cause.reason}.")

    def _fault(self, play: Play, operation: Operation, progress: _Progress) -> SystemAnswer:
        detail = b""
        if play.detail not in ("", "client", "server"):
            declared = {local_name(fault): fault for fault in operation.faults}
            if play.detail in declared:
                sample = self._maker.sample(declared[play.detail], seed=self._seed, variant=self._variant)
                detail = etree.tostring(sample.element, encoding="utf-8")
            else:
                names = ", ".join(declared) or "none"
                progress.remarks.append(f"{operation.name} declares no fault {play.detail[:64]}; it declares: {names}.")
        return SystemAnswer(
            octets=render_answer(progress.version, _plain_fault(progress.version, play, detail)),
            content_type=content_type_of(progress.version),
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            operation=operation.name,
            remarks=tuple(progress.remarks),
            outcome=f"played {play.part.value}{f' {play.detail}' if play.detail else ''}",
        )

    def _refuse(self, refused: AdapterError, progress: _Progress) -> SystemAnswer:
        problems = refused.problems or (_as_problem(refused),)
        first = problems[0]
        place = f"line {first.line}, {first.element}: " if first.line else ""
        fault = public_fault(refused, _INCIDENT)
        texts = {**fault.texts, "en": f"{place}{first.text} [{first.rule}]"}
        shown = PublicFault(
            code=fault.code, blame=fault.blame, retry=fault.retry, incident=_INCIDENT, texts=texts, problems=problems
        )
        return SystemAnswer(
            octets=render_answer(progress.version, render_fault(shown, progress.version)),
            content_type=content_type_of(progress.version),
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            operation=progress.operation,
            problems=problems,
            remarks=tuple(progress.remarks),
            outcome=f"refused: {refused.code}",
        )


def _played_blindly(play: Play) -> SystemAnswer | None:
    """What can be played without reading the request."""
    if play.part is Part.DROP:
        return SystemAnswer(outcome="played drop", breaks_off=True)
    if play.part is Part.DOWN:
        return SystemAnswer(
            octets=b"down", content_type="text/plain", status=HTTPStatus.SERVICE_UNAVAILABLE, outcome="played down"
        )
    if play.part is Part.NONSENSE:
        return SystemAnswer(octets=NONSENSE, content_type="text/html", outcome="played nonsense")
    return None


def _plain_fault(version: SoapVersion, play: Play, detail: bytes) -> bytes:
    """SOAP 1.1, 4.4; SOAP 1.2 Part 1, 5.4."""
    is_client = play.detail == "client"
    text = "The sandbox was told to answer with a fault."
    if version is SoapVersion.SOAP11:
        code = "Client" if is_client else "Server"
        written = f"<faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring>".encode()
        return b"<soap:Fault>" + written + (b"<detail>" + detail + b"</detail>" if detail else b"") + b"</soap:Fault>"
    code = "Sender" if is_client else "Receiver"
    written = (
        f"<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>'
    ).encode()
    end = b"<soap:Detail>" + detail + b"</soap:Detail>" if detail else b""
    return b"<soap:Fault>" + written + end + b"</soap:Fault>"


# --- what is said of a request ---------------------------------------------------------------------------------------


def _as_problem(refused: AdapterError) -> Problem:
    """A refusal that names no place: our own reasons about form hold no value of the document."""
    return Problem(line=0, column=0, element="Envelope", rule=refused.code, text=f"{refused.reason}.")


def _not_an_operation(description: ServiceDescription, envelope: ClientEnvelope) -> Problem:
    """Which elements the Body may hold; whether only the namespace is wrong."""
    tag = str(envelope.payload.tag)
    inputs = list(dict.fromkeys(operation.input_element for operation in description.operations))
    same = [name for name in inputs if local_name(name) == local_name(tag)]
    if tag in inputs:
        text = "Several operations have this element; the SOAPAction must name one of them."
    elif same:
        text = f"The element {local_name(tag)} must be in the namespace {namespace_of(same[0]) or '(none)'}."
    else:
        shown = ", ".join(map(local_name, inputs[:8]))
        text = f"No operation has this element as its request; there are: {shown}{', …' if len(inputs) > 8 else ''}."
    return Problem(line=line_of(envelope.payload), column=0, element="Body", rule="service.operation", text=text)


def _remarks(operation: Operation, content: Content, request: SystemRequest, envelope: ClientEnvelope) -> Iterator[str]:
    if not operation.type_checked:
        yield f"{operation.name} is {operation.style.value}: the Body was not checked against the schema."
    sent = {str(header.tag) for header in content.headers}
    for name in operation.carried_headers(in_output=False):
        if name not in sent:
            yield f"The WSDL declares a header {local_name(name)}, which was not sent."
    if envelope.version is not operation.soap_version:
        yield f"The request is SOAP {envelope.version.value}; the WSDL says SOAP {operation.soap_version.value}."
    action = request.soap_action.strip().strip('"')
    if operation.soap_action and action and action != operation.soap_action:
        yield "The SOAPAction is not the one of the WSDL."


def _known_values(body: etree._Element) -> Iterator[tuple[str, str]]:
    """What the request says, by the name of the field: an answer about a person is about that person."""
    count = 0
    for element in body.iter(etree.Element):
        text = (element.text or "").strip()
        if text and not len(element) and count < _MAX_KNOWN:
            count += 1
            yield etree.QName(element).localname.lower(), text

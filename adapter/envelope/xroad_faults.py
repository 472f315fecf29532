"""Faults of the catalogue in the words that X-Road clients know (PR-MESS 2.5, annex D.1).

X-Road's codes say first where it failed (Client, Server.ClientProxy, Server.ServerProxy), then what. Programs that
look for `Server.ServerProxy.AccessDenied` find it; our own code, blame and advice stand in the detail.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapter.envelope.faults import PublicFault, render_fault_detail
from adapter.envelope.names import SOAP11
from adapter.errors import Blame, Problem
from adapter.xmlsafe import escape_text

_PROVIDER_FAULT: Final = "ProviderSystemFault"
_RULE: Final = "soap:"

_BY_BLAME: Final = {
    Blame.CLIENT_SYSTEM: "Client.InvalidRequest",
    Blame.CONSUMER_ADAPTER: "Server.ClientProxy.InternalError",
    Blame.NETWORK: "Server.ClientProxy.NetworkError",
    Blame.PROVIDER_ADAPTER: "Server.ServerProxy.InternalError",
    Blame.PROVIDER_SYSTEM: "Server.ServerProxy.ServiceFailed",
    Blame.DIRECTORY: "Server.ClientProxy.MalformedGlobalConf",
    Blame.OPERATOR: "Server.ClientProxy.InternalError",
}
_BY_CODE: Final = {
    "MalformedMessage": "Client.InvalidXml",
    "NotSoap": "Client.InvalidSoap",
    "HeaderNotUnderstood": "Client.InvalidSoap",
    "ClientNotIdentified": "Server.ClientProxy.SslAuthenticationFailed",
    "ClientNotAllowed": "Server.ClientProxy.AccessDenied",
    "UnknownService": "Server.ServerProxy.UnknownService",
    "UnknownOperation": "Client.InconsistentHeaders",
    "ContextMissing": "Client.MissingHeaderField",
    "ContextInvalid": "Client.InvalidMessage",
    "XRoadHeaderInvalid": "Client.InvalidMessage",
    "UnknownPurpose": "Server.ClientProxy.AccessDenied",
    "UnknownRegulation": "Server.ClientProxy.AccessDenied",
    "NoLegalBasis": "Server.ClientProxy.AccessDenied",
    "SubjectMismatch": "Server.ServerProxy.AccessDenied",
    "SchemaInvalid": "Client.InvalidBody",
    "EnvelopeRefused": "Server.ServerProxy.InvalidRequest",
    "SecurityFailed": "Server.ServerProxy.SignatureVerification",
    "PeerMismatch": "Server.ServerProxy.SslAuthenticationFailed",
    "UnknownMember": "Server.ClientProxy.UnknownMember",
    "NotForUs": "Server.ServerProxy.UnknownService",
    "MessageExpired": "Server.ServerProxy.InvalidRequest",
    "MessageIdReused": "Server.ServerProxy.InvalidRequest",
    "MessageInProgress": "Server.ServerProxy.InvalidRequest",
    "AccessDenied": "Server.ServerProxy.AccessDenied",
    "DeliveryNotRecorded": "Server.ClientProxy.LoggingFailed",
    "RequestIncomplete": "Client.HttpError",
    "PeerAnswerInvalid": "Server.ClientProxy.InvalidResponse",
    "PeerRefused": "Server.ServerProxy.InvalidRequest",
    "RecordUnavailable": "Server.ServerProxy.LoggingFailed",
    "AnswerNotRecorded": "Server.ServerProxy.LoggingFailed",
    "ProviderSystemDown": "Server.ServerProxy.ServiceFailed.NetworkError",
    "ProviderSystemTimeout": "Server.ServerProxy.ServiceFailed.NetworkError",
    "ProviderSystemInvalid": "Server.ServerProxy.ServiceFailed.InvalidSoap",
    "DirectoryExpired": "Server.ClientProxy.OutdatedGlobalConf",
}


def xroad_code(code: str, blame: Blame) -> str:
    """What X-Road calls an error of the catalogue; one that it has no word for is named after whose fault it is."""
    return _BY_CODE.get(code, _BY_BLAME[blame])


def render_xroad_fault(fault: PublicFault) -> bytes:
    """A SOAP 1.1 Fault as X-Road's servers write one: code without prefix, faultDetail with the incident's id.

    A fault of the provider's information system keeps its own code and text, as X-Road hands such a fault through.
    """
    fault = replace(fault, problems=tuple(map(_as_header, fault.problems)))
    code, text = _own_words(fault) or (xroad_code(fault.code, fault.blame), _in_one_line(fault))
    return (
        f'<soap:Fault xmlns:soap="{SOAP11}"><faultcode>{escape_text(code)}</faultcode>'
        f"<faultstring>{escape_text(text)}</faultstring><faultactor></faultactor>"
        f"<detail><faultDetail>{fault.incident}</faultDetail>{render_fault_detail(fault)}</detail></soap:Fault>"
    ).encode()


def _as_header(problem: Problem) -> Problem:
    """What our context lacks, under the name of the header that says it in X-Road (PR-MESS 2.2)."""
    if (problem.rule, problem.element) != ("client.context", "Official"):
        return problem
    return replace(problem, element="userId", rule="PR-MESS 2.2", text="The header is missing.")


def _own_words(fault: PublicFault) -> tuple[str, str] | None:
    if fault.code != _PROVIDER_FAULT or not fault.problems:
        return None
    problem = fault.problems[0]
    return problem.rule.removeprefix(_RULE), problem.text


def _in_one_line(fault: PublicFault) -> str:
    """What the catalogue says, and the first finding: many X-Road clients show the faultstring and nothing else."""
    text = fault.texts["en"]
    if not fault.problems:
        return text
    first = fault.problems[0]
    return f"{text} {first.element}{f', line {first.line}' if first.line > 0 else ''}: {first.text}"

"""Each stage of a message is made in one place, and no step can be skipped (DESIGN: the path of a message)."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from enum import Enum
from fnmatch import fnmatchcase
from typing import get_type_hints

import pytest

from adapter import ports, stages
from tests.architecture.source import Source, calls, imports, nodes, sources

MAKERS = {
    # The octets come from a socket; the linter and the evidence take them from a file.
    "ReceivedMessage": ("adapter/transport/*", "adapter/evidence/*", "adapter/envelope/lint.py"),
    "ParsedMessage": ("adapter/envelope/gate.py",),
    "GatedMessage": ("adapter/envelope/gate.py", "adapter/crypto/recognition.py"),
    "SignatureParts": ("adapter/crypto/signature_gate.py", "adapter/crypto/recognition.py"),
    "ConfirmationPart": ("adapter/crypto/open.py", "adapter/crypto/recognition.py"),
    "DecryptedMessage": ("adapter/crypto/open.py",),
    "VerifiedMessage": ("adapter/crypto/open.py",),
    "ProvenAttachments": ("adapter/exchange/attachments.py",),
    "TrustedMessage": ("adapter/directory/trust.py",),
    "FreshRequest": ("adapter/policy/freshness.py",),
    "CorrelatedReply": ("adapter/policy/freshness.py",),
    "ValidRequest": ("adapter/exchange/validation.py",),
    "ValidAnswer": ("adapter/exchange/validation.py",),
    "ReleasedAnswer": ("adapter/exchange/minimising.py",),
    "ValidCall": ("adapter/exchange/validation.py",),
    "ValidReply": ("adapter/exchange/validation.py",),
    "AuthorizedRequest": ("adapter/policy/decision.py",),
    "RecordedRequest": ("adapter/exchange/recording.py",),
    "RecordedReply": ("adapter/exchange/recording.py",),
    "RecordedCall": ("adapter/exchange/recording.py",),
    "DeliverableReply": ("adapter/exchange/recording.py",),
    # One kind of information system, one file; nothing else can answer for a system.
    "BackendAnswer": (
        "adapter/backends/soap.py",
        "adapter/backends/sql.py",
        "adapter/backends/python.py",
        "adapter/backends/usage.py",
    ),
    "SealedMessage": ("adapter/crypto/seal.py",),
    # A call of this adapter itself, to a consent issuer, does not come from a socket.
    "ReceivedCall": ("adapter/transport/*", "adapter/app/consent_asking.py"),
    "IdentifiedCall": ("adapter/policy/clients.py",),
    # One dialect, one file.
    "ParsedCall": ("adapter/dialects/soap.py", "adapter/dialects/xroad.py", "adapter/dialects/json_dialect.py"),
    "AuthorizedCall": ("adapter/policy/outgoing.py",),
}
"""Every stage with the only files that may make it."""

COPIES = {"adapter/cli/envelope_security.py": "it copies an Examination"}
"""Files that know a stage and use dataclasses.replace, each with what they use it for."""

VALUES = {
    "ExchangeHeader",
    "LegalBasis",
    "PersonalData",
    "Peer",
    "RepresentedParty",
    "EncryptedKeyInfo",
    "SignedPart",
    "Surroundings",
    "UsedConsent",
}
"""What a message carries; says nothing about how far it was checked."""

STAGE_CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(stages, inspect.isclass)
    if kind.__module__ == stages.__name__ and not issubclass(kind, Enum)
}
STAGE = pytest.mark.parametrize("name", sorted(MAKERS))


def test_table_covers_every_class_of_stages() -> None:
    assert set(STAGE_CLASSES) == set(MAKERS) | VALUES


@STAGE
def test_stage_is_frozen_keyword_only_and_inherits_nothing(name: str) -> None:
    kind = STAGE_CLASSES[name]
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert kind.__bases__ == (object,)
    assert all(field.kw_only for field in dataclasses.fields(kind))


@STAGE
def test_sole_maker(name: str) -> None:
    made_in = {source.path for source in sources("adapter/") for called, _ in calls(source) if called == name}
    strangers = {path for path in made_in if not any(fnmatchcase(path, maker) for maker in MAKERS[name])}
    assert not strangers, f"{name} is made outside {MAKERS[name]}"


@STAGE
def test_somebody_makes_it(name: str) -> None:
    made_in = {source.path for source in sources("adapter/") for called, _ in calls(source) if called == name}
    assert made_in, f"nothing makes {name}: the path has a gap, or the stage is not needed"


def test_no_stage_by_a_back_door() -> None:
    """No alias that would hide a maker, no cast to a stage, no copy with a changed field, no bare instance."""
    assert [found for source in sources("adapter/") for found in _back_doors(source)] == []


def _back_doors(source: Source) -> Iterator[str]:
    for node in nodes(source):
        if isinstance(node, ast.ImportFrom) and node.module == "adapter.stages":
            yield from (f"{source.path}:{node.lineno} {alias.asname}" for alias in node.names if alias.asname)
        if isinstance(node, ast.ClassDef) and source.path != "adapter/stages.py":
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            yield from (f"{source.path}:{node.lineno} inherits from {stage}" for stage in bases & set(MAKERS))
    for name, call in calls(source):
        if name in ("cast", "__new__"):
            yield from (f"{source.path}:{call.lineno} {name} to {stage}" for stage in _mentioned(call) & set(MAKERS))
    if "dataclasses.replace" in imports(source) and source.path not in COPIES:
        taken = {name.rpartition(".")[2] for name in imports(source) if name.startswith("adapter.stages")}
        yield from (f"{source.path} may change {stage} with dataclasses.replace" for stage in taken & set(MAKERS))


def _mentioned(call: ast.Call) -> set[str]:
    """The names in its first argument, as names or as strings."""
    return {
        part.id if isinstance(part, ast.Name) else str(part.value)
        for argument in call.args[:1]
        for part in ast.walk(argument)
        if isinstance(part, (ast.Name, ast.Constant))
    }


def test_backend_takes_only_what_is_recorded() -> None:
    hints = get_type_hints(ports.Backend.answer)
    assert hints == {"request": stages.RecordedRequest, "return": stages.BackendAnswer}


def test_peer_transport_sends_only_what_is_recorded() -> None:
    hints = get_type_hints(ports.PeerTransport.send)
    assert hints == {"call": stages.RecordedCall, "return": stages.ReceivedMessage}

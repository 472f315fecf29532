"""A page of what a person is told, as findUsageResponse (xsd/usage.xsd)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from lxml import etree

from adapter.audit.usage import LineProof, RecordLine, UsageAnswer, UsageLine
from adapter.directory.model import Directory
from adapter.envelope.instants import write_instant
from adapter.envelope.names import USAGE, qname
from adapter.errors import ProviderSystemFault

_APART: Final = ("document", "article", "number", "date", "court", "until")
"""What a legal basis can name apart, in the order in which it is told."""


def render_usage(answer: UsageAnswer, directory: Directory) -> etree._Element:
    """The Body element of the answer. directory: today's, for what codes stand for."""
    if answer.checkpoint is None:
        raise ProviderSystemFault("the record is empty, though it has the request that is being answered")
    root = etree.Element(qname(USAGE, "findUsageResponse"), nsmap={"u": USAGE})
    view = answer.view
    for name, number in (
        ("Total", view.total),
        ("Withheld", view.withheld),
        ("Refused", view.refused),
        ("Offset", answer.first),
        ("RecordSize", answer.size),
    ):
        _add(root, name, str(number))
    _add(root, "Checkpoint", _base64(answer.checkpoint.encode()))
    for line, proof in zip(view.lines, answer.proofs, strict=True):
        _add_line(root, line, proof, directory)
    return root


def _add_line(root: etree._Element, line: UsageLine, proof: LineProof, directory: Directory) -> None:
    usage = _add(root, "Usage")
    _add(usage, "LogTime", write_instant(line.logged))
    _add(usage, "Action", line.operation)
    _add(usage, "Service", line.service)
    _add(usage, "System", line.system)
    _add_coded(usage, "Receiver", line.receiver, line.receiver_names)
    if line.purpose is not None:
        _add_coded(usage, "Purpose", line.purpose, directory.purposes.get(line.purpose, {}))
    if line.legal_basis:
        _add_legal_basis(usage, line.legal_basis, directory)
    if line.regulation is not None:
        known = directory.by_regulation.get(line.regulation)
        _add_coded(usage, "Regulation", line.regulation, {} if known is None else known.regulation.titles)
    if line.consent is not None:
        _add(usage, "Consent", line.consent)
    if line.official is not None:
        _add(usage, "Official", line.official)
    if line.emergency:
        _add(usage, "Emergency")
    if line.fields is None:
        _add(usage, "WholeAnswer")
    else:
        given = _add(usage, "Given")
        for path in line.fields:
            _add(given, "Field", path)
    _add_proved(usage, "Request", line.request, proof.request)
    _add_proved(usage, "Answer", line.answer, proof.answer)


def _add_legal_basis(parent: etree._Element, basis: Mapping[str, str], directory: Directory) -> None:
    code = basis.get("kind", "")
    kind = directory.legal_basis_kinds.get(code)
    element = _add(parent, "LegalBasis", kind=code)
    _add_titles(element, {} if kind is None else kind.titles)
    if basis.get("reference"):
        _add(element, "Reference", basis["reference"])
    for name in _APART:
        if basis.get(name):
            _add(element, "Named", basis[name], what=name)


def _add_proved(parent: etree._Element, name: str, entry: RecordLine, path: tuple[bytes, ...]) -> None:
    element = _add(parent, name, number=str(entry.number))
    _add(element, "LeafHash", _base64(entry.leaf_hash))
    for octets in path:
        _add(element, "PathHash", _base64(octets))


def _add_coded(parent: etree._Element, name: str, code: str, titles: Mapping[str, str]) -> None:
    _add_titles(_add(parent, name, code=code), titles)


def _add_titles(parent: etree._Element, titles: Mapping[str, str]) -> None:
    for language, text in titles.items():
        _add(parent, "Title", text, language=language)


def _add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, qname(USAGE, name), attributes)
    element.text = text
    return element


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()

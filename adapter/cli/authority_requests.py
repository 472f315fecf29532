"""What goes to an officer on a stick: the proposal in one file, in the form of an evidence container."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from adapter.cli.files import read_octets, write_octets
from adapter.directory.proof import DirectoryProof
from adapter.directory.proposal import Proposal
from adapter.errors import CommandRefused, EvidenceInvalid
from adapter.evidence.container import MIMETYPE, read_container, render_container

_KIND: Final = b"application/vnd.interagency-adapter.signing-request+zip"
_CURRENT_DOCUMENT, _CURRENT_TARGETS = "current/directory.xml", "current/targets.json"
_ROOT, _TARGETS, _DOCUMENT = "proposed/root.json", "proposed/targets.json", "proposed/directory.xml"
_MAX_ROOTS: Final = 256


def write_request(file: Path, proposal: Proposal) -> None:
    """Raises CommandRefused."""
    files = {MIMETYPE: _KIND}
    files |= {_root_name(number): octets for number, octets in enumerate(proposal.roots, 1)}
    if proposal.current is not None:
        files |= {_CURRENT_DOCUMENT: proposal.current.document, _CURRENT_TARGETS: proposal.current.targets}
    for name, octets in ((_ROOT, proposal.root), (_TARGETS, proposal.targets), (_DOCUMENT, proposal.document)):
        if octets is not None:
            files[name] = octets
    write_octets(file, render_container(files))


def read_request(file: Path) -> Proposal:
    """What the file claims (untrusted): directory.proposal.review judges it. Raises CommandRefused."""
    try:
        files = read_container(read_octets(file, what="request"))
    except EvidenceInvalid as cause:
        raise CommandRefused(f"{file} is no signing request: {cause.reason}") from None
    if files.pop(MIMETYPE) != _KIND:
        raise CommandRefused(f"{file} is no signing request")
    roots = _roots(files)
    names = {_CURRENT_DOCUMENT, _CURRENT_TARGETS, _ROOT, _TARGETS, _DOCUMENT}
    if foreign := sorted(set(files) - names - {_root_name(number) for number in range(1, len(roots) + 1)}):
        raise CommandRefused(f"{file}: {foreign[0]} has no place in a signing request")
    current = None
    if _CURRENT_DOCUMENT in files and _CURRENT_TARGETS in files:
        current = DirectoryProof(document=files[_CURRENT_DOCUMENT], targets=files[_CURRENT_TARGETS], roots=roots)
    return Proposal(
        roots=roots,
        current=current,
        root=files.get(_ROOT),
        targets=files.get(_TARGETS),
        document=files.get(_DOCUMENT),
    )


def _roots(files: Mapping[str, bytes]) -> tuple[bytes, ...]:
    found: list[bytes] = []
    while (octets := files.get(_root_name(len(found) + 1))) is not None and len(found) < _MAX_ROOTS:
        found.append(octets)
    return tuple(found)


def _root_name(number: int) -> str:
    return f"roots/{number}.root.json"

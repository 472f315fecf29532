"""`adapter log check-usage`: that the entries of an answer to a person are in the record that the key has signed."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from lxml import etree
from rich.text import Text

from adapter import xmlsafe
from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.proofs import verify_inclusion
from adapter.cli.files import read_octets
from adapter.cli.log_verify import vkeys_in
from adapter.cli.options import JsonOption
from adapter.cli.output import Output, good
from adapter.crypto.note import NoteVerifier
from adapter.envelope.names import USAGE, qname
from adapter.errors import AdapterError, EvidenceInvalid, RecordBroken

_MAX_OCTETS: Final = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class _Proved:
    """An entry as an answer claims it: nothing of it is believed."""

    number: int
    leaf: bytes
    path: tuple[bytes, ...]


def check_usage(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="What `adapter log usage --json` printed, or the SOAP message or element findUsageResponse.",
            show_default=False,
        ),
    ],
    *,
    vkey: Annotated[
        list[Path], typer.Option(metavar="FILE", help="The record's verifier key; may be repeated.", show_default=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Check, with the record's verifier key alone, that each entry of an answer is in the record.

    That the line says what its entry says is seen by whoever may read the entry: its leaf hash has to be the same.
    Exit code 7: something does not fit.
    """
    output = Output.of(as_json=as_json)
    octets = read_octets(file, what="answer", max_bytes=_MAX_OCTETS)
    try:
        note, entries = _of_json(octets) if octets.lstrip()[:1] == b"{" else _of_xml(octets)
        checkpoint = _verified(note, entries, vkeys_in(vkey))
    except RecordBroken as error:
        raise EvidenceInvalid(error.reason) from error
    output.result(
        {
            "proved": True,
            "member": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "entries": [one.number for one in entries],
        },
        Text.assemble(
            good("Proved: "),
            f"{len(entries)} entries of the record of {checkpoint.origin}, as its key signed it with "
            f"{checkpoint.size} entries.",
        ),
    )


def _verified(note: str, entries: tuple[_Proved, ...], verifiers: tuple[NoteVerifier, ...]) -> Checkpoint:
    """The checkpoint to which every entry leads. Raises RecordBroken."""
    checkpoint = open_checkpoint(note, verifiers, origin=verifiers[0].name)
    for one in entries:
        verify_inclusion(leaf=one.leaf, index=one.number, size=checkpoint.size, proof=one.path, root=checkpoint.root)
    return checkpoint


def _of_json(octets: bytes) -> tuple[str, tuple[_Proved, ...]]:
    try:
        said = json.loads(octets)
        entries = [line[which] for line in said["usage"] for which in ("request", "answer")]
        return str(said["checkpoint"]), tuple(map(_of_object, entries))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise RecordBroken("the file is not what `adapter log usage --json` prints") from None


def _of_object(said: Any) -> _Proved:  # noqa: ANN401  whatever JSON says
    path = tuple(bytes.fromhex(one) for one in said["path"])
    return _Proved(number=int(said["record"]), leaf=bytes.fromhex(said["leaf_hash"]), path=path)


def _of_xml(octets: bytes) -> tuple[str, tuple[_Proved, ...]]:
    try:
        root = xmlsafe.parse(octets)
        (answer,) = root.iter(qname(USAGE, "findUsageResponse"))
        note = base64.b64decode(answer.findtext(qname(USAGE, "Checkpoint"), ""), validate=True).decode()
        return note, tuple(_of_elements(answer))
    except (AdapterError, ValueError, binascii.Error):
        raise RecordBroken("the file holds no findUsageResponse") from None


def _of_elements(answer: etree._Element) -> Iterator[_Proved]:
    for usage in answer.iterchildren(qname(USAGE, "Usage")):
        for which in ("Request", "Answer"):
            (entry,) = usage.iterchildren(qname(USAGE, which))
            leaf, *path = (base64.b64decode(hashed.text or "", validate=True) for hashed in entry)
            yield _Proved(number=int(entry.get("number", "")), leaf=leaf, path=tuple(path))

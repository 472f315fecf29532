"""A message in a file, alone or with parts beside it, as somebody has written down what went over the wire."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from adapter.cli.files import read_octets
from adapter.envelope.multipart import MULTIPART
from adapter.envelope.whole_message import WholeMessage, read_whole
from adapter.errors import AttachmentsInvalid

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_MAX_HEAD_BYTES: Final = 16 * 1024
# A request or status line, or none, and header lines up to an empty one; a file may have lost the CR of each.
_HEAD: Final = re.compile(
    rb"(?:[A-Z]+ [^\r\n]*\r?\n|HTTP/[^\r\n]*\r?\n)?"
    rb"((?:[!-9;-~]+:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)+)\r?\n"
)
_CONTENT_TYPE: Final = re.compile(rb"(?im)^content-type:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)")
_BOUNDARY_LINE: Final = re.compile(rb"(?:\r\n)?--([^\r\n]{1,70}?)[ \t]*\r?\n")


def read_message_file(path: Path, content_type: str, *, what: str) -> WholeMessage:
    """The message in a file, of at most 64 MiB.

    content_type: what the HTTP header said. Empty: the file begins with the headers itself, or with the boundary of a
    multipart body, or is an envelope. Raises CommandRefused, AttachmentsInvalid, LimitExceeded.
    """
    octets = read_octets(path, what=what, max_bytes=MAX_FILE_BYTES)
    if not content_type:
        octets, content_type = _with_headers(octets) or _with_boundary(octets) or (octets, "")
    return read_whole(octets, content_type, AttachmentsInvalid)


def _with_headers(octets: bytes) -> tuple[bytes, str] | None:
    head = _HEAD.match(octets[:_MAX_HEAD_BYTES])
    said = None if head is None else _CONTENT_TYPE.search(head[1])
    if head is None or said is None:
        return None
    return octets[head.end() :], " ".join(said[1].decode("latin-1").split())


def _with_boundary(octets: bytes) -> tuple[bytes, str] | None:
    line = _BOUNDARY_LINE.match(octets)
    return None if line is None else (octets, f'{MULTIPART}; boundary="{line[1].decode("latin-1")}"')

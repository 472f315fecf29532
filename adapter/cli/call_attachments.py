"""Files that go with `adapter call`, and files that come back: SOAP with Attachments, as an old system would do it."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adapter.cli.call_message import SoapMessage
from adapter.cli.files import read_octets, write_octets
from adapter.envelope.multipart import (
    media_type_of,
    message_end,
    new_boundary,
    part_start,
    related_content_type,
)
from adapter.envelope.whole_message import read_whole
from adapter.errors import PeerAnswerInvalid

_ROOT: Final = "envelope"


@dataclass(frozen=True, kw_only=True, slots=True)
class CameBack:
    """One attachment of an answer."""

    content_id: str
    media_type: str
    name: str
    octets: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the octets, hexadecimal, as the record has it."""
        return hashlib.sha256(self.octets).hexdigest()


def with_files(message: SoapMessage, files: Sequence[Path]) -> SoapMessage:
    """The message with each file as a part `cid:attachment-1` and so on. Raises CommandRefused."""
    if not files:
        return message
    boundary = new_boundary()
    written = part_start(boundary, content_type=message.content_type, content_id=_ROOT, is_first=True) + message.octets
    for number, path in enumerate(files, 1):
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        content_id = f"attachment-{number}"
        written += part_start(boundary, content_type=media_type, content_id=content_id, name=path.name)
        written += read_octets(path, what="attachment")
    root_type = media_type_of(message.content_type)
    return replace(
        message,
        octets=written + message_end(boundary),
        content_type=related_content_type(boundary, root_type=root_type, start=_ROOT),
    )


def take_apart(octets: bytes, content_type: str) -> tuple[bytes, tuple[CameBack, ...]]:
    """The envelope of an answer, and the attachments beside it. Raises PeerAnswerInvalid, LimitExceeded."""
    whole = read_whole(octets, content_type, PeerAnswerInvalid)
    came_back = (
        CameBack(
            content_id=part.said.content_id,
            media_type=media_type_of(part.said.media_type),
            name=part.said.name,
            octets=part.octets,
        )
        for part in whole.parts
    )
    return whole.octets, tuple(came_back)


# Of the name that the other side gave, its ending alone counts, and only a plain one.
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,16}")


def save(came_back: Sequence[CameBack], folder: Path) -> list[Path]:
    """Write each attachment into the folder, under a name of ours. Raises CommandRefused."""
    written = []
    for number, one in enumerate(came_back, 1):
        named = Path(one.name).suffix
        suffix = named if _SUFFIX.fullmatch(named) else mimetypes.guess_extension(one.media_type) or ".bin"
        path = folder / f"attachment-{number}{suffix}"
        write_octets(path, one.octets, mode=0o600)
        written.append(path)
    return written

"""How a command shows an attachment: what it is, never what is in it, and not the name of its file."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.attachments import Attachment
from adapter.cli.output import JsonValue


def attachment_words(said: Attachment) -> str:
    """For a person. The file's name is left out: it may say whom the file is about."""
    return f"{said.content_id}: {said.media_type}, {said.size} octets, SHA-256 {said.sha256.hex()}"


def attachment_value(said: Attachment) -> JsonValue:
    """For a script."""
    return {"id": said.content_id, "media_type": said.media_type, "size": said.size, "sha256": said.sha256.hex()}


def attachment_facts(attachments: Iterable[Attachment]) -> dict[str, str]:
    """For a stage of a trace: one fact for each."""
    return {f"attachment {number}": attachment_words(said) for number, said in enumerate(attachments, 1)}

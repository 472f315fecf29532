"""Whom commands of the record are about: read from a file or a prompt, and turned into the tag that entries have."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated, Final

import typer

from adapter.audit.subjects import subject_key, subject_tag
from adapter.cli.files import read_octets
from adapter.cli.options import read_subject
from adapter.cli.own_record import own_archive_key
from adapter.errors import CommandRefused
from adapter.identifiers import SubjectId
from adapter.settings import Settings

_MAX_SUBJECT_OCTETS: Final = 256

SubjectFileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File with one line KIND:VALUE, whom entries are about; - is standard input."),
]


def read_subject_file(file: Path | None) -> SubjectId:
    """Whom it is about. None: whoever types the command is asked.

    Raises CommandRefused, InvalidIdentifier; no message repeats what was read.
    """
    if file is None:
        said = getpass("Subject (KIND:VALUE): ") if sys.stdin.isatty() else sys.stdin.readline(_MAX_SUBJECT_OCTETS)
    elif file == Path("-"):
        said = sys.stdin.readline(_MAX_SUBJECT_OCTETS)
    else:
        said = read_octets(file, what="subject file", max_bytes=_MAX_SUBJECT_OCTETS).decode("utf-8", "replace")
    if not said.strip():
        raise CommandRefused("nobody was named: write one line KIND:VALUE")
    return read_subject(said.strip())


def tag_of(settings: Settings, subject: SubjectId) -> str:
    """The keyed hash that entries about this subject have. Raises KeyUnusable."""
    key = subject_key(own_archive_key(settings))
    return subject_tag(key, subject.kind, subject.value)

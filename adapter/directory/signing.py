"""The signed directory: what makes octets from anywhere (a web server, a stick, a mirror) a Directory to trust by.

Beside directory.xml lies directory.note, a signed note (C2SP signed-note, Ed25519) with these lines:

    interagency-adapter/directory
    <version>
    <SHA-256 of directory.xml, hexadecimal>
    <issued>
    <expires>

The authority's verifier key, handed over out of band in the anchor file, is the only root of trust.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Final

from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.directory.document import DIRECTORY_LIMITS, parse_directory
from adapter.directory.model import Directory
from adapter.directory.rendering import write_instant
from adapter.errors import AdapterError, DirectoryExpired, DirectoryRefused, SettingsInvalid

NOTE_TITLE: Final = "interagency-adapter/directory"
MAX_NOTE_BYTES: Final = 16 * 1024
MAX_ANCHOR_BYTES: Final = 1024
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far in the future a directory may have been issued by our clock."""

_STATEMENT: Final = re.compile(
    re.escape(NOTE_TITLE) + r"\n([1-9][0-9]{0,17})\n([0-9a-f]{64})\n([0-9TZ:-]{20})\n([0-9TZ:-]{20})\n"
)


def sign_directory(xml: bytes, signer: NoteSigner) -> bytes:
    """The note for a directory document, after reading the document back: nothing that is refused gets signed.

    Raises DirectoryRefused.
    """
    directory = parse_directory(xml)
    return signer.sign(_statement(xml, directory)).encode()


def read_anchor(octets: bytes) -> NoteVerifier:
    """The anchor file: the authority's verifier key on one line. Trusted: it came out of band.

    Raises SettingsInvalid.
    """
    try:
        lines = octets[: MAX_ANCHOR_BYTES + 1].decode("ascii").strip().splitlines()
        if len(octets) <= MAX_ANCHOR_BYTES and len(lines) == 1:
            return NoteVerifier.parse(lines[0])
    except (UnicodeDecodeError, AdapterError) as cause:
        raise SettingsInvalid(f"the anchor is not a verifier key: {type(cause).__name__}") from None
    raise SettingsInvalid("the anchor has to be one line with one verifier key")


def open_signed_directory(
    xml: bytes,
    note: bytes,
    anchor: NoteVerifier,
    *,
    known_version: int,
    now: datetime,
    known_sha256: bytes | None = None,
) -> Directory:
    """The directory, if the authority signed it, it is current, and it is no step back. xml and note are untrusted.

    known_version: of the last directory that was believed, 0 for none. known_sha256: of its document; with it another
    document of the same version is refused too.

    The order matters: nothing of the document is parsed before its digest is one that the authority signed.
    Raises DirectoryRefused (oversized, wrong or missing signature, digest, rollback, malformed, note and document
    disagree, issued in the future) or DirectoryExpired.
    """
    directory = authenticate_directory(xml, note, anchor)
    _refuse_rollback(directory, xml, known_version, known_sha256)
    if now < directory.issued - CLOCK_SKEW:
        raise DirectoryRefused(f"issued in the future ({directory.issued:%Y-%m-%d %H:%M:%SZ}): is the clock right?")
    check_current(directory, now)
    return directory


def authenticate_directory(xml: bytes, note: bytes, anchor: NoteVerifier) -> Directory:
    """The directory, if the authority signed it, at whatever time: for evidence. Raises DirectoryRefused."""
    if len(xml) > DIRECTORY_LIMITS.max_bytes:
        raise DirectoryRefused(f"{len(xml)} octets, allowed {DIRECTORY_LIMITS.max_bytes}")
    if len(note) > MAX_NOTE_BYTES:
        raise DirectoryRefused(f"a note of {len(note)} octets, allowed {MAX_NOTE_BYTES}")
    text = _open(note, anchor)
    stated = _STATEMENT.fullmatch(text)
    if stated is None:
        raise DirectoryRefused("the note is signed but does not state a directory")
    if not hmac.compare_digest(hashlib.sha256(xml).hexdigest(), stated.group(2)):
        raise DirectoryRefused("the document is not the one that the note was signed for")
    directory = parse_directory(xml)
    if _statement(xml, directory) != text:
        raise DirectoryRefused("the note and the document name different versions or times")
    return directory


def check_current(directory: Directory, now: datetime) -> None:
    """Past its expiry nobody can be trusted by it. Raises DirectoryExpired."""
    if now >= directory.expires:
        raise DirectoryExpired(f"version {directory.version} expired at {write_instant(directory.expires)}")


def _refuse_rollback(directory: Directory, xml: bytes, known_version: int, known_sha256: bytes | None) -> None:
    if directory.version < known_version:
        raise DirectoryRefused(f"version {directory.version} is older than version {known_version}, which is known")
    if directory.version > known_version or known_sha256 is None:
        return
    if not hmac.compare_digest(hashlib.sha256(xml).digest(), known_sha256):
        raise DirectoryRefused(f"another document with version {known_version}, which is known")


def _open(note: bytes, anchor: NoteVerifier) -> str:
    try:
        return open_note(note, (anchor,))
    except DirectoryRefused:
        raise
    except AdapterError as cause:
        raise DirectoryRefused(f"the note was refused: {cause.reason}") from None


def _statement(xml: bytes, directory: Directory) -> str:
    lines = (
        NOTE_TITLE,
        str(directory.version),
        hashlib.sha256(xml).hexdigest(),
        write_instant(directory.issued),
        write_instant(directory.expires),
    )
    return "\n".join(lines) + "\n"

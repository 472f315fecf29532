"""What attachments need: room to wait in, and somebody who looks for malware."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.errors import ScanUnavailable
from adapter.settings import Settings
from adapter.transport.clamd import Clamd

_MEBIBYTE: Final = 1024 * 1024
_ANSWERS_WITHIN_S: Final = 5.0
_SIGNATURES_WARN: Final = timedelta(days=7)


def look_at_spool(settings: Settings) -> Iterator[Finding]:
    """Whether the disk holds what a worker may let wait."""
    folder = settings.attachments.spool_dir
    free = shutil.disk_usage(_existing(folder)).free
    bound = settings.attachments.spool_bytes
    found = f"{free // _MEBIBYTE} MB free at {folder}, bound {bound // _MEBIBYTE} MB for each worker"
    if free < bound:
        yield warn("spool", found, "Make room, or lower [attachments] spool_bytes: the disk is full before.")
    else:
        yield ok("spool", found)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)


def look_at_scanner(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether clamd is there, and how old its signatures are. Nothing is said where the settings name none."""
    address = settings.scan.clamd
    if address is None:
        return
    try:
        version = asyncio.run(Clamd(address, timeout_s=_ANSWERS_WITHIN_S).version())
    except ScanUnavailable as unavailable:
        delivers = settings.scan.when_down == "deliver"
        becomes = "handed on unseen" if delivers else "refused"
        found = f"{address}: {unavailable.reason}; attachments are {becomes}"
        yield (warn if delivers else fail)("scan", found, "Start clamd, or mend [scan] clamd.")
        return
    found = f"{version.engine} at {address}"
    if version.signatures is None or version.made_on is None:
        yield warn("scan", f"{found}, without signatures of a known day", "Is freshclam running?")
        return
    found += f", signatures {version.signatures} of {version.made_on:%Y-%m-%d}"
    if now - version.made_on > _SIGNATURES_WARN:
        yield warn("scan", found, "They are old: is freshclam running?")
    else:
        yield ok("scan", found)

"""Which settings an adapter ran with, without what they say: digests, by which a later start sees what was changed.

The digest of a file is its plain SHA-256, so that whoever has the file can compare it (`sha256sum`). The digests of the
single keys are keyed: a value may be short and easy to guess, and a reader of the record must not try values out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MAX_KEYS: Final = 1_000
"""Single keys whose digests are kept. With more there is one digest for each table at the top of a file."""

_PURPOSE: Final = b"interagency-adapter/settings-digest/1"
_DIGEST_CHARS: Final = 16
"""64 bits tell two values apart; nobody can choose values without the key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsDigest:
    """files: SHA-256 of each settings file, by name. keys: a keyed digest of each key, by `file: table.key`."""

    files: Mapping[str, str]
    keys: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsChange:
    """What differs between two starts: names of files, and of keys as `file: table.key`."""

    files: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def digest_settings(files: Mapping[str, bytes], archive_key: bytes) -> SettingsDigest:
    """The digests of settings files that were read and found good. files: their octets, by name; TOML, in UTF-8."""
    key = HKDFExpand(algorithm=hashes.SHA256(), length=32, info=_PURPOSE).derive(archive_key)
    tables = {name: tomllib.loads(octets.decode()) for name, octets in files.items()}
    values = {f"{name}: {path}": value for name, table in tables.items() for path, value in _values(table)}
    if len(values) > MAX_KEYS:
        values = {f"{name}: {top}": value for name, table in tables.items() for top, value in table.items()}
    return SettingsDigest(
        files={_ascii(name): hashlib.sha256(octets).hexdigest() for name, octets in files.items()},
        keys={_ascii(path): _digest(key, path, value) for path, value in values.items()},
    )


def changes(before: SettingsDigest, after: SettingsDigest) -> SettingsChange | None:
    """What was changed; None when every file is octet for octet what it was."""
    files = tuple(
        sorted(name for name in {*before.files, *after.files} if before.files.get(name) != after.files.get(name))
    )
    if not files:
        return None
    old, new = before.keys, after.keys
    return SettingsChange(
        files=files,
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(path for path in new.keys() & old.keys() if new[path] != old[path])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )


def _values(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Every value by the names that lead to it; of a list of tables each one, by its own name where it has one."""
    for name, value in table.items():
        path = f"{above}.{name}" if above else name
        if isinstance(value, dict) and value:
            yield from _values(value, path)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for at, one in enumerate(value):
                yield from _values(one, f"{path}[{one.get('name', at)}]")
        else:
            yield path, value


def _digest(key: bytes, path: str, value: object) -> str:
    said = json.dumps([path, value], sort_keys=True, default=str).encode()
    return hmac.digest(key, said, hashlib.sha256).hex()[:_DIGEST_CHARS]


def _ascii(name: str) -> str:
    """Names in an entry are ASCII (audit.canonical)."""
    return name.encode("ascii", "backslashreplace").decode()

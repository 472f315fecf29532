"""What changes from one root of the repository to the next, in words: what officers read before they sign. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from securesystemslib.signer import Key
from tuf.api.metadata import Root

from adapter.directory.rendering import write_instant
from adapter.directory.repository import name_of, officers_of, online_keys_of


def root_changes(before: Root | None, after: Root) -> Iterator[str]:
    """Whose keys count, and how many of them."""
    old, new = {} if before is None else officers_of(before), officers_of(after)
    for name in sorted(new.keys() - old.keys()):
        yield f"officer {name} is added, key {new[name].keyid[:16]}"
    for name in sorted(old.keys() - new.keys()):
        yield f"officer {name} is removed"
    for name in sorted(old.keys() & new.keys()):
        if old[name].keyid != new[name].keyid:
            yield f"officer {name} has another key: {new[name].keyid[:16]}"
    threshold = after.roles[Root.type].threshold
    if before is None or before.roles[Root.type].threshold != threshold:
        yield f"{threshold} of {len(new)} officers have to sign"
    if before is not None and {key.keyid for key in _online(before)} != {key.keyid for key in _online(after)}:
        yield "the online keys of snapshot and time-stamp are replaced"
    yield f"root {after.version} is valid until {write_instant(after.expires)}"


def _online(root: Root) -> tuple[Key, ...]:
    keys = online_keys_of(root)
    return keys.snapshot, keys.timestamp


def key_words(root: Root) -> Iterator[str]:
    """Who can sign, for a status."""
    for keyid in root.roles[Root.type].keyids:
        yield f"{name_of(root.keys[keyid])} ({root.keys[keyid].keytype}, {keyid[:16]})"

"""The authority's repository (TUF 1.0.33): names, bounds and algorithms, and where python-tuf's errors end.

    metadata/<n>.root.json          whose keys sign what, and how many of them: signed by the officers
    metadata/<n>.targets.json       directory.xml and the descriptions, by length and digest: signed by the officers
    metadata/<n>.snapshot.json      which targets.json is the current one: signed by the snapshot key, online
    metadata/timestamp.json         which snapshot is the current one: signed by the time-stamp key, online, short-lived
    targets/<sha256>.directory.xml
    targets/descriptions/<sha256>.<sha256>.zip

Version n of targets.json names version n of the directory. Snapshots are consistent (TUF 1.0.33, 6.2): a file is never
changed under its name, but for timestamp.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from securesystemslib.signer import Key
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Targets
from tuf.api.serialization import DeserializationError

from adapter.errors import DirectoryRefused, RefusedBecause

TIMESTAMP_FILE: Final = "metadata/timestamp.json"
DIRECTORY_TARGET: Final = "directory.xml"
DESCRIPTIONS: Final = "descriptions"
TARGETS_FOLDER: Final = "targets"

MAX_ROOT_BYTES: Final = 256 * 1024
MAX_TIMESTAMP_BYTES: Final = 16 * 1024
MAX_SNAPSHOT_BYTES: Final = 16 * 1024
MAX_TARGETS_BYTES: Final = 32 * 1024 * 1024
"""Of 50,000 services with a description each, about 15 MB."""
MAX_ROOTS: Final = 256
"""Roots that are read one after another in one refresh, as python-tuf's own client does."""

SCHEMES: Final = frozenset(
    {("ed25519", "ed25519"), ("ecdsa", "ecdsa-sha2-nistp256"), ("rsa", "rsassa-pss-sha256")},
)
"""Key type and signature scheme. Nothing else is accepted in a root, whoever signed it."""
MIN_RSA_BITS: Final = 3072


def root_file(version: int) -> str:
    """Where this version of the root is."""
    return f"metadata/{version}.root.json"


def snapshot_file(version: int) -> str:
    """Where this version of the snapshot is."""
    return f"metadata/{version}.snapshot.json"


def targets_file(version: int) -> str:
    """Where this version of the targets metadata is."""
    return f"metadata/{version}.targets.json"


def description_target(sha256: str) -> str:
    """The target path of a description bundle."""
    return f"{DESCRIPTIONS}/{sha256}.zip"


def target_file(target: str, sha256: str) -> str:
    """Where a target is: its digest stands before its name (TUF 1.0.33, 6.2.2)."""
    folder, _, name = target.rpartition("/")
    return "/".join(filter(None, (TARGETS_FOLDER, folder, f"{sha256}.{name}")))


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Inside, python-tuf's errors become DirectoryRefused, with the file they are about and why."""
    try:
        yield
    except exceptions.UnsignedMetadataError:
        raise _refused(what, "not signed by enough of the keys that the root names", RefusedBecause.SIGNATURE) from None
    except exceptions.BadVersionNumberError as cause:
        raise _refused(what, str(cause), RefusedBecause.ROLLBACK) from None
    except exceptions.LengthOrHashMismatchError:
        raise _refused(what, "not the file that the metadata names", RefusedBecause.MISMATCH) from None
    except exceptions.ExpiredMetadataError:
        raise _refused(what, "it has expired", RefusedBecause.FREEZE) from None
    except DeserializationError:
        raise _refused(what, "not TUF metadata", RefusedBecause.MALFORMED) from None
    except exceptions.RepositoryError as cause:
        raise _refused(what, str(cause)[:200], RefusedBecause.MALFORMED) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as cause:
        raise _refused(what, f"not TUF metadata ({type(cause).__name__})", RefusedBecause.MALFORMED) from None


def _refused(what: str, why: str, because: RefusedBecause) -> DirectoryRefused:
    return DirectoryRefused(f"{what}: {why}", because=because)


def check_size(what: str, octets: bytes, max_bytes: int) -> None:
    """Raise DirectoryRefused (oversized)."""
    if len(octets) > max_bytes:
        raise DirectoryRefused(
            f"{what}: more than {max_bytes} octets, which are allowed", because=RefusedBecause.OVERSIZED
        )


def read_root(octets: bytes, what: str = "root.json") -> Metadata[Root]:
    """A root as it claims to be: form and algorithms are checked, no signature is. Raises DirectoryRefused."""
    check_size(what, octets, MAX_ROOT_BYTES)
    with refusals(what):
        root = Metadata[Root].from_bytes(octets)
        if root.signed.type != Root.type or not root.signed.consistent_snapshot:
            raise _refused(what, "not a root with consistent snapshots", RefusedBecause.MALFORMED)
        for key in root.signed.keys.values():
            check_key(key, what)
        if len({str(key.keyval) for key in root.signed.keys.values()}) != len(root.signed.keys):
            raise _refused(what, "one key under two ids, which would count twice", RefusedBecause.MALFORMED)
    return root


def check_key(key: Key, what: str) -> None:
    """Raise DirectoryRefused for a key of a kind that is not on the list."""
    if (key.keytype, key.scheme) not in SCHEMES:
        raise _refused(what, f"a key of the kind {key.keytype[:20]}, {key.scheme[:40]}", RefusedBecause.MALFORMED)


def read_targets(octets: bytes, root: Root, what: str = "targets.json") -> Targets:
    """Targets metadata that enough officers of this root signed, at whatever time. Raises DirectoryRefused."""
    check_size(what, octets, MAX_TARGETS_BYTES)
    with refusals(what):
        read = Metadata[Targets].from_bytes(octets)
        if read.signed.type != Targets.type:
            raise _refused(what, "not targets metadata", RefusedBecause.MALFORMED)
        root.verify_delegate(Targets.type, read.signed_bytes, read.signatures)
        return read.signed

"""What the authority writes: root, targets, snapshot and time-stamp, and signatures on them. Values in, octets out.

The officers' keys sign root and targets and are never where the repository is published. The online keys sign snapshot
and time-stamp: whoever steals them can show an older directory until its expiry, and change nothing in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, Signature, Signer, SSlibKey
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from adapter.directory.metadata import DIRECTORY_TARGET, MIN_RSA_BITS, description_target, refusals
from adapter.errors import CommandRefused, DirectoryRefused, KeyUnusable

ROOT_VALID: Final = timedelta(days=3 * 365)
ONLINE_VALID: Final = timedelta(days=1)
"""How long a time-stamp holds: after that adapters see that nobody renews it, and go on by the directory's grace."""
SNAPSHOT_VALID: Final = timedelta(days=7)
DEFAULT_THRESHOLD: Final = 2
NAME_FIELD: Final = "x-name"
"""In a key of the root: whose it is."""

OfRole = TypeVar("OfRole", Root, Targets, Snapshot, Timestamp)
AnyMetadata = Metadata[Root] | Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp]


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineKeys:
    """The public halves of what the publishing machine holds: one key for each role."""

    snapshot: Key
    timestamp: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineSigners:
    """The private halves."""

    snapshot: Signer
    timestamp: Signer


def public_key_of(public: PublicKeyTypes, name: str = "") -> Key:
    """A key as the root lists it: Ed25519, ECDSA on P-256, or RSASSA-PSS of 3072 bits. Raises KeyUnusable."""
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= MIN_RSA_BITS:
        key = SSlibKey.from_crypto(public, scheme="rsassa-pss-sha256")
    elif isinstance(public, ed25519.Ed25519PublicKey) or (
        isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)
    ):
        key = SSlibKey.from_crypto(public)
    else:
        raise KeyUnusable(f"a key for the directory is Ed25519, ECDSA on P-256, or RSA of {MIN_RSA_BITS} bits or more")
    if name:
        key.unrecognized_fields[NAME_FIELD] = name
    return key


def name_of(key: Key) -> str:
    """Whose key it is, as the root says."""
    return str(key.unrecognized_fields.get(NAME_FIELD, key.keyid[:16]))


def officers_of(root: Root) -> dict[str, Key]:
    """The officers of a root, by name."""
    return {name_of(root.keys[keyid]): root.keys[keyid] for keyid in root.roles[Root.type].keyids}


# --- root ------------------------------------------------------------------------------------------------------------


def new_root(
    officers: Mapping[str, Key],
    threshold: int,
    online: OnlineKeys,
    *,
    now: datetime,
    valid_for: timedelta = ROOT_VALID,
    version: int = 1,
) -> Root:
    """A root. officers: by name; each signs roots and targets. Raises CommandRefused: a threshold that cannot be."""
    if not 1 <= threshold <= len(officers):
        raise CommandRefused(f"{threshold} of {len(officers)} officers cannot be: at least 1, at most all of them")
    keys = [*officers.values(), online.snapshot, online.timestamp]
    if len({key.keyid for key in keys}) != len(keys):
        raise CommandRefused("every officer and every online role has a key of its own")
    ids = [key.keyid for key in officers.values()]
    return Root(
        version=version,
        expires=now.replace(microsecond=0) + valid_for,
        keys={key.keyid: key for key in keys},
        roles={
            Root.type: Role(ids, threshold),
            Targets.type: Role(ids, threshold),
            Snapshot.type: Role([online.snapshot.keyid], 1),
            Timestamp.type: Role([online.timestamp.keyid], 1),
        },
        consistent_snapshot=True,
    )


def next_root(
    root: Root,
    *,
    now: datetime,
    add: Mapping[str, Key] | None = None,
    remove: Iterable[str] = (),
    threshold: int | None = None,
    online: OnlineKeys | None = None,
    valid_for: timedelta = ROOT_VALID,
) -> Root:
    """The root after this one, with what changes. Raises CommandRefused."""
    officers = officers_of(root)
    for name in remove:
        if officers.pop(name, None) is None:
            raise CommandRefused(f"{name} is no officer of root {root.version}: {', '.join(sorted(officers))}")
    for name, key in (add or {}).items():
        if name in officers:
            raise CommandRefused(
                f"{name} is an officer already: remove that key in the same step, or name the new one anew"
            )
        officers[name] = key
    return new_root(
        officers,
        root.roles[Root.type].threshold if threshold is None else threshold,
        online or online_keys_of(root),
        now=now,
        valid_for=valid_for,
        version=root.version + 1,
    )


def online_keys_of(root: Root) -> OnlineKeys:
    """The online keys that a root names."""
    return OnlineKeys(
        snapshot=root.keys[root.roles[Snapshot.type].keyids[0]],
        timestamp=root.keys[root.roles[Timestamp.type].keyids[0]],
    )


# --- targets, snapshot, time-stamp -----------------------------------------------------------------------------------


def new_targets(version: int, expires: datetime, document: bytes, bundles: Mapping[str, bytes]) -> Targets:
    """What officers sign for one version of the directory. bundles: of descriptions, by their SHA-256."""
    files = {DIRECTORY_TARGET: document, **{description_target(digest): one for digest, one in bundles.items()}}
    listed = {
        path: TargetFile(len(octets), {"sha256": hashlib.sha256(octets).hexdigest()}, path)
        for path, octets in files.items()
    }
    return Targets(version=version, expires=expires, targets=listed)


def new_snapshot(targets: bytes, previous: Snapshot | None, *, targets_version: int, now: datetime) -> Snapshot:
    """The snapshot that makes these targets the current ones."""
    return Snapshot(
        version=1 if previous is None else previous.version + 1,
        expires=now.replace(microsecond=0) + SNAPSHOT_VALID,
        meta={"targets.json": _meta(targets_version, targets)},
    )


def new_timestamp(
    snapshot: bytes,
    previous: Timestamp | None,
    *,
    snapshot_version: int,
    now: datetime,
    valid_for: timedelta = ONLINE_VALID,
) -> Timestamp:
    """The time-stamp that makes this snapshot the current one."""
    return Timestamp(
        version=1 if previous is None else previous.version + 1,
        expires=now.replace(microsecond=0) + valid_for,
        snapshot_meta=_meta(snapshot_version, snapshot),
    )


def _meta(version: int, octets: bytes) -> MetaFile:
    return MetaFile(version, len(octets), {"sha256": hashlib.sha256(octets).hexdigest()})


# --- signatures ------------------------------------------------------------------------------------------------------


def render(metadata: Metadata[OfRole]) -> bytes:
    """The file, in one form for equal content."""
    return metadata.to_bytes(JSONSerializer(compact=False, validate=True)) + b"\n"


def sealed(signed: OfRole, *signers: Signer) -> bytes:
    """The file with these signatures, or with none yet."""
    metadata: Metadata[OfRole] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return render(metadata)


def read_metadata(octets: bytes, kind: type[OfRole]) -> Metadata[OfRole]:
    """A file of our own, or of a request; no signature is looked at. Raises DirectoryRefused."""
    what = f"{kind.type}.json"
    with refusals(what):
        metadata = Metadata[OfRole].from_bytes(octets)
    if metadata.signed.type != kind.type:
        raise DirectoryRefused(f"{what}: it is {metadata.signed.type} metadata")
    return metadata


def add_signature(metadata: AnyMetadata, key: Key, signature: Signature) -> None:
    """Add it in its place if it is good. Raises DirectoryRefused."""
    try:
        key.verify_signature(signature, metadata.signed_bytes)
    except (UnverifiedSignatureError, VerificationError):
        raise DirectoryRefused(f"the signature of {name_of(key)} is not of this {metadata.signed.type}") from None
    metadata.signatures[key.keyid] = signature


@dataclass(frozen=True, kw_only=True, slots=True)
class Signatures:
    """How far the signing of one file is, by one root. Names of officers."""

    signed: tuple[str, ...]
    missing: tuple[str, ...]
    threshold: int

    @property
    def are_enough(self) -> bool:
        """Whether it can be published."""
        return len(self.signed) >= self.threshold

    def __str__(self) -> str:
        return f"{len(self.signed)} of {self.threshold} signatures ({', '.join(self.signed) or 'none yet'})"


def signatures_on(metadata: AnyMetadata, root: Root) -> Signatures:
    """Who of the root's officers signed the file."""
    result = root.get_verification_result(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
    return Signatures(
        signed=tuple(sorted(name_of(key) for key in result.signed.values())),
        missing=tuple(sorted(name_of(key) for key in result.unsigned.values())),
        threshold=result.threshold,
    )

"""From a draft to what adapters fetch: propose, sign, publish, renew the time-stamp, rotate keys, revoke.

Each step leaves the folder so that the next one may be done by somebody else, on another day.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import Metadata, Root, Targets

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.files import make_folder, write_octets
from adapter.directory.anchor import read_anchor
from adapter.directory.authoring import publish as next_version
from adapter.directory.document import read_draft
from adapter.directory.draft import DirectoryDraft
from adapter.directory.editing import checked
from adapter.directory.metadata import (
    DIRECTORY_TARGET,
    TIMESTAMP_FILE,
    read_root,
    read_targets,
    root_file,
    snapshot_file,
    target_file,
    targets_file,
)
from adapter.directory.proof import directory_target
from adapter.directory.proposal import Reviewed, merge_signatures, review, sign_proposal
from adapter.directory.refusal import Refusal, digest_of, read_refusal
from adapter.directory.repository import (
    ONLINE_VALID,
    SNAPSHOT_VALID,
    OnlineKeys,
    OnlineSigners,
    name_of,
    new_root,
    new_snapshot,
    new_targets,
    new_timestamp,
    next_root,
    online_keys_of,
    read_metadata,
    render,
    sealed,
    signatures_on,
)
from adapter.directory.root_changes import key_words
from adapter.errors import CommandRefused, DirectoryRefused
from adapter.store.keyfiles import KeyPurpose
from adapter.store.officer_keys import load_repository_signer, make_repository_key, read_public_key

DEFAULT_VALID: Final = timedelta(days=30)
NOTHING_YET: Final = "no directory was published yet: `adapter authority propose`, the officers sign, `publish`"


# --- the first root, and the ones after it ---------------------------------------------------------------------------


def found(
    home: AuthorityFolder,
    officers: Mapping[str, Key],
    threshold: int,
    *,
    now: datetime,
    online_passphrase_file: Path | None = None,
) -> None:
    """Make the online keys, and propose the first root. Raises CommandRefused, KeyUnusable."""
    online = _make_online_keys(home, online_passphrase_file, following=False)
    _put_forward(home, sealed(new_root(officers, threshold, online, now=now)), None, None)
    make_folder(home.published)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """What changes in the root. add: officers by name. threshold: None leaves it."""

    add: Mapping[str, Key]
    remove: Sequence[str] = ()
    threshold: int | None = None
    online: bool = False


def rotate(
    home: AuthorityFolder,
    rotation: Rotation,
    *,
    now: datetime,
    valid_for: timedelta = DEFAULT_VALID,
    online_passphrase_file: Path | None = None,
) -> None:
    """Propose the next root, and where officers change the directory anew, so that the new ones stand behind it.

    Raises CommandRefused, KeyUnusable.
    """
    current = home.current()
    online = _make_online_keys(home, online_passphrase_file, following=True) if rotation.online else None
    root = next_root(
        home.root(), now=now, add=rotation.add, remove=rotation.remove, threshold=rotation.threshold, online=online
    )
    changes_officers = bool(rotation.add or rotation.remove or rotation.threshold is not None)
    targets, document = None, None
    if changes_officers and current is not None:
        targets, document = _version_after(home, read_draft(current.document), now, valid_for)
    _put_forward(home, sealed(root), targets, document)


def _make_online_keys(home: AuthorityFolder, passphrase_file: Path | None, *, following: bool) -> OnlineKeys:
    keys = {}
    for purpose in (KeyPurpose.SNAPSHOT, KeyPurpose.TIMESTAMP):
        file = home.online_key_file(purpose, following=following)
        make_folder(file.parent, mode=0o700)
        if following:
            file.unlink(missing_ok=True)  # of a rotation that was given up
        keys[purpose] = read_public_key(make_repository_key(file, purpose, passphrase_file=passphrase_file))
    return OnlineKeys(snapshot=keys[KeyPurpose.SNAPSHOT], timestamp=keys[KeyPurpose.TIMESTAMP])


# --- a version of the directory --------------------------------------------------------------------------------------


def propose(home: AuthorityFolder, *, now: datetime, valid_for: timedelta = DEFAULT_VALID) -> int:
    """Propose the draft as the next version; gives its number. A root that waits goes on waiting with it.

    Raises CommandRefused.
    """
    draft = home.draft()
    targets, document = _version_after(home, replace(draft, version=draft.version - 1), now, valid_for)
    waiting = None
    if (home.pending / "root.json").is_file():
        waiting = home.proposal().root
    _put_forward(home, waiting, targets, document)
    return draft.version


def propose_change(
    home: AuthorityFolder,
    change: Callable[[DirectoryDraft], DirectoryDraft],
    *,
    now: datetime,
    valid_for: timedelta = DEFAULT_VALID,
) -> None:
    """Propose the published directory with one change, whatever else is in the draft; the draft changes as well.

    Raises CommandRefused.
    """
    current = home.current()
    if current is None:
        raise CommandRefused(NOTHING_YET)
    draft = checked(change(home.draft()))
    targets, document = _version_after(home, change(read_draft(current.document)), now, valid_for)
    home.keep_draft(draft)  # last: what is refused leaves the draft as it was
    _put_forward(home, None, targets, document)


def _put_forward(home: AuthorityFolder, root: bytes | None, targets: bytes | None, document: bytes | None) -> None:
    """Have this wait for signatures, once the record says that it was proposed."""
    new_one = None if root is None else read_root(root)
    listed = None if targets is None else read_metadata(targets, Targets)
    officers = {} if new_one is None else {"officers": list(key_words(new_one.signed))}
    home.record.enter("directory-proposed", {"of": _named(new_one, listed), **officers})
    home.wait_for(root=root, targets=targets, document=document)


def _named(root: Metadata[Root] | None, targets: Metadata[Targets] | None) -> dict[str, Any]:
    """What an entry is of: version, and SHA-256 of what officers sign, by kind."""
    return {
        one.signed.type: {"version": one.signed.version, "sha256": digest_of(one)}
        for one in (root, targets)
        if one is not None
    }


def _version_after(
    home: AuthorityFolder, draft: DirectoryDraft, now: datetime, valid_for: timedelta
) -> tuple[bytes, bytes]:
    """Targets and document of the version after the draft's."""
    publication = next_version(draft, now=now, valid_for=valid_for)
    targets = new_targets(publication.version, publication.expires, publication.xml, home.bundles(draft))
    return sealed(targets), publication.xml


# --- signatures, and the publication ---------------------------------------------------------------------------------


def reviewed(home: AuthorityFolder) -> Reviewed:
    """What waits, judged as an officer does. Raises CommandRefused, DirectoryRefused."""
    return review(home.proposal(), home.anchor())


def merge(home: AuthorityFolder, files: Iterable[bytes]) -> Reviewed:
    """Add the signatures that were brought back. Raises DirectoryRefused, CommandRefused."""
    judged = reviewed(home)
    root, targets = merge_signatures(judged, files)
    home.wait_for(root=root, targets=targets, document=home.proposal().document)
    home.record.enter("directory-signed", {"of": _named(judged.new_root, judged.new_targets), "by": _signed_by(judged)})
    return judged


def _signed_by(judged: Reviewed) -> list[str]:
    """Officers who signed any of it so far: a new root by those until now as well."""
    return sorted(
        {
            name_of(key)
            for metadata in (judged.new_root, judged.new_targets)
            if metadata is not None
            for keyid, key in judged.keys_for(metadata.signed.type).items()
            if keyid in metadata.signatures
        }
    )


def refuse(home: AuthorityFolder, octets: bytes) -> Refusal:
    """Take an officer's refusal (untrusted): what waits waits no longer, and the record says who refused it, and why.

    Raises DirectoryRefused, CommandRefused.
    """
    judged = reviewed(home)
    refusal, of = read_refusal(judged, octets), _named(judged.new_root, judged.new_targets)
    said = {"of": of, "by": [refusal.officer], "reason": refusal.reason, "signature": refusal.signature}
    home.record.enter("directory-refused", said)  # first: what is refused unrecorded would only be gone
    home.wait_for(root=None, targets=None, document=None)
    return refusal


def sign_here(home: AuthorityFolder, signers: Iterable[Signer]) -> Reviewed:
    """Sign what waits with keys that are on this machine. Raises DirectoryRefused, CommandRefused."""
    judged = reviewed(home)
    return merge(home, [sign_proposal(judged, signer) for signer in signers])


def publish(
    home: AuthorityFolder,
    *,
    now: datetime,
    passphrase_file: Path | None = None,
    timestamp_valid: timedelta = ONLINE_VALID,
) -> Reviewed:
    """Put what enough officers signed where adapters fetch it, the time-stamp last; then nothing waits any more.

    Raises CommandRefused: signatures are missing; DirectoryRefused, KeyUnusable.
    """
    with home.publishing():
        return _publish(home, now, passphrase_file, timestamp_valid)


def _publish(
    home: AuthorityFolder, now: datetime, passphrase_file: Path | None, timestamp_valid: timedelta
) -> Reviewed:
    judged = reviewed(home)
    check_signatures(home, judged)
    signers = home.online_signers(judged.root, passphrase_file)
    if judged.new_targets is not None:
        document = home.proposal().document or b""
        _, digest = directory_target(judged.new_targets.signed)
        write_octets(home.published / target_file(DIRECTORY_TARGET, digest), document)
        write_octets(home.published / targets_file(judged.new_targets.signed.version), render(judged.new_targets))
    if judged.new_root is not None:
        octets = render(judged.new_root)
        write_octets(home.published / root_file(judged.new_root.signed.version), octets)
        if judged.before is None:
            write_octets(home.anchor_file, octets)
            read_anchor(octets)
    version = judged.directory.version if judged.directory else _published_version(home)
    said = {"of": _named(judged.new_root, judged.new_targets), "by": _signed_by(judged)}
    home.record.enter("directory-published", said)  # before the time-stamp, by which adapters see it
    if version:
        _stamp(home, signers, version, now, timestamp_valid)
        home.draft_follows(version)
    home.wait_for(root=None, targets=None, document=None)
    _settle_online_keys(home, judged.root, passphrase_file)
    return judged


def check_signatures(home: AuthorityFolder, judged: Reviewed) -> None:
    """Raise CommandRefused, with who is missing, unless what waits would be believed by every adapter."""
    needed = []
    if judged.new_root is not None:
        needed += [("root.json", signatures_on(judged.new_root, judged.root))]
        if judged.before is not None:
            needed += [("root.json, by the officers until now", signatures_on(judged.new_root, judged.before))]
    if judged.new_targets is not None:
        needed += [("directory.xml", signatures_on(judged.new_targets, judged.root))]
    for what, signatures in needed:
        if not signatures.are_enough:
            raise CommandRefused(f"{what} has {signatures}; may still sign: {', '.join(signatures.missing)}")
    current = home.current()
    if judged.new_targets is None and current is not None:
        try:
            read_targets(current.targets, judged.root)
        except DirectoryRefused:
            raise CommandRefused(
                "the published directory would not be believed under this root: propose it anew"
            ) from None


def renew_timestamp(
    home: AuthorityFolder,
    *,
    now: datetime,
    passphrase_file: Path | None = None,
    timestamp_valid: timedelta = ONLINE_VALID,
) -> None:
    """A new time-stamp over what is published; a new snapshot when more than half of its time is over.

    Raises CommandRefused, KeyUnusable.
    """
    if not home.published.is_dir():
        raise CommandRefused(NOTHING_YET)
    with home.publishing():
        _renew(home, now, passphrase_file, timestamp_valid)


def _renew(home: AuthorityFolder, now: datetime, passphrase_file: Path | None, timestamp_valid: timedelta) -> None:
    snapshot, timestamp = home.snapshot(), home.timestamp()
    if snapshot is None or timestamp is None:
        raise CommandRefused(NOTHING_YET)
    signers = home.online_signers(home.root(), passphrase_file)
    if snapshot.expires - now < SNAPSHOT_VALID / 2:
        _stamp(home, signers, _published_version(home), now, timestamp_valid)
        return
    octets = (home.published / snapshot_file(snapshot.version)).read_bytes()
    following = new_timestamp(octets, timestamp, snapshot_version=snapshot.version, now=now, valid_for=timestamp_valid)
    write_octets(home.published / TIMESTAMP_FILE, sealed(following, signers.timestamp))


def _published_version(home: AuthorityFolder) -> int:
    snapshot = home.snapshot()
    return 0 if snapshot is None else snapshot.meta["targets.json"].version


def _stamp(home: AuthorityFolder, signers: OnlineSigners, version: int, now: datetime, valid_for: timedelta) -> None:
    """Snapshot and time-stamp for this version, the time-stamp last: it is what makes adapters look."""
    targets = (home.published / targets_file(version)).read_bytes()
    snapshot = new_snapshot(targets, home.snapshot(), targets_version=version, now=now)
    octets = sealed(snapshot, signers.snapshot)
    timestamp = new_timestamp(octets, home.timestamp(), snapshot_version=snapshot.version, now=now, valid_for=valid_for)
    write_octets(home.published / snapshot_file(snapshot.version), octets)
    write_octets(home.published / TIMESTAMP_FILE, sealed(timestamp, signers.timestamp))


def _settle_online_keys(home: AuthorityFolder, root: Root, passphrase_file: Path | None) -> None:
    """Once a root that names new online keys is published, they are the online keys."""
    following = home.online_key_file(KeyPurpose.SNAPSHOT, following=True).parent
    if not following.is_dir():
        return
    named = online_keys_of(root)
    for purpose, key in ((KeyPurpose.SNAPSHOT, named.snapshot), (KeyPurpose.TIMESTAMP, named.timestamp)):
        new = home.online_key_file(purpose, following=True)
        if load_repository_signer(new, purpose, passphrase_file=passphrase_file).public_key.keyid == key.keyid:
            new.replace(home.online_key_file(purpose))
    shutil.rmtree(following)

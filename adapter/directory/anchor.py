"""The anchor: the root of the authority's repository as it was handed over out of band, and what follows from it.

Everything that is believed of the directory is believed because of this one file. A later root is believed when a
threshold of the keys of the one before it signed it, and a threshold of its own (TUF 1.0.33, 5.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tuf.api.metadata import Root
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from adapter.directory.metadata import MAX_ROOT_BYTES, read_root, refusals, root_file
from adapter.errors import DirectoryRefused, RefusedBecause, SettingsInvalid

MAX_ANCHOR_BYTES = MAX_ROOT_BYTES


@dataclass(frozen=True, slots=True)
class Anchor:
    """A root that is trusted because of the way it came. Made by read_anchor."""

    octets: bytes
    version: int


def read_anchor(octets: bytes) -> Anchor:
    """The anchor file. Trusted: it came out of band; that it is whole is checked by its own signatures.

    Raises SettingsInvalid.
    """
    try:
        trusted = TrustedRoots(Anchor(octets, 0))
    except DirectoryRefused as cause:
        raise SettingsInvalid(f"the anchor is no root of a directory's repository: {cause.reason}") from None
    return Anchor(octets, trusted.root.version)


class TrustedRoots:
    """The chain of roots from the anchor on, up to the newest one that is known."""

    def __init__(self, anchor: Anchor, roots: Iterable[bytes] = ()) -> None:
        """roots: our own copy of what followed, in order; verified again. What is older than the anchor is passed over.

        Raises DirectoryRefused.
        """
        read_root(anchor.octets, "anchor")
        with refusals("anchor"):
            self._set = TrustedMetadataSet(anchor.octets, EnvelopeType.METADATA)
        for octets in roots:
            version = read_root(octets).signed.version
            if version == anchor.version and octets != anchor.octets:
                raise DirectoryRefused(
                    f"another root of version {version} than the anchor", because=RefusedBecause.FORK
                )
            if version > self.root.version:
                self.follow(octets)

    @property
    def root(self) -> Root:
        """The newest root."""
        return self._set.root

    @property
    def metadata(self) -> TrustedMetadataSet:
        """The set that the rest of the metadata is verified in."""
        return self._set

    def follow(self, octets: bytes) -> None:
        """Go on to the next root (untrusted octets). Raises DirectoryRefused."""
        expected = self.root.version + 1
        what = root_file(expected)
        claimed = read_root(octets, what)
        if claimed.signed.version != expected:
            raise DirectoryRefused(
                f"{what}: it is version {claimed.signed.version}",
                because=RefusedBecause.ROLLBACK if claimed.signed.version < expected else RefusedBecause.MISMATCH,
            )
        with refusals(what):
            self._set.update_root(octets)

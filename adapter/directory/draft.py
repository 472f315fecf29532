"""A directory that is being written: what the authority's officer edits before it is rendered, signed and published.

A draft is plain content. Nothing about it was checked as a whole, it has no index, and nobody can be trusted by it:
`model.Directory` is what that takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapter.directory.model import DirectoryContent


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryDraft(DirectoryContent):
    """The content of a directory that nobody has signed yet."""

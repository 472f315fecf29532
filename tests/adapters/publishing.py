"""A new version of a federation's directory, as its authority makes one."""

from __future__ import annotations

from datetime import UTC, datetime

from adapter.cli import authority_publishing
from adapter.cli.authority import signers_here
from adapter.directory.draft import DirectoryDraft
from examples.federation.federation import Federation


def publish_draft(federation: Federation, draft: DirectoryDraft) -> None:
    """Keep the draft, have two officers sign it, publish it."""
    now, authority = datetime.now(UTC), federation.authority
    authority.keep_draft(draft)
    authority_publishing.propose(authority, now=now)
    authority_publishing.sign_here(authority, signers_here(authority)[:2])
    authority_publishing.publish(authority, now=now)

"""How an authority's folder stands: what is published until when, what waits, and what a new proposal gives up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from tuf.api.metadata import Targets

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.authority_publishing import reviewed
from adapter.cli.authority_signing import signing_words
from adapter.cli.output import Output, doubtful, when
from adapter.directory.metadata import read_root
from adapter.directory.proposal import Proposal
from adapter.directory.repository import read_metadata, signatures_on
from adapter.directory.root_changes import key_words
from adapter.errors import AdapterError, CommandRefused

_SOON: Final = timedelta(days=7)
"""How long before its end the officers are reminded: a round of signatures takes days."""
_ROOT, _DIRECTORY = "root", "directory"


def status_facts(home: AuthorityFolder, now: datetime) -> Iterator[tuple[str, str]]:
    """What `adapter authority status` says. Raises CommandRefused, DirectoryRefused."""
    if home.roots():
        root = home.root()
        yield "Root", f"version {root.version}, {_until(root.expires, now)}"
        yield "Officers", f"{root.roles['root'].threshold} of: {', '.join(key_words(root))}"
    stamped, current = home.timestamp(), home.current()
    if stamped is not None and current is not None:
        targets = read_metadata(current.targets, Targets).signed
        yield "Directory", f"version {targets.version}, {_until(targets.expires, now)}"
        yield "Time-stamp", f"version {stamped.version}, valid until {when(stamped.expires)}"
    if _waiting(home) is not None:
        for what, how in signing_words(reviewed(home)):
            yield f"Waits: {what}", how


def _until(ends: datetime, now: datetime) -> str:
    if ends <= now:
        return f"expired {when(ends)}: propose the next one"
    left = f": {(ends - now).days} day(s) left, propose the next one" if ends - now <= _SOON else ""
    return f"valid until {when(ends)}{left}"


@contextmanager
def saying_what_is_given_up(home: AuthorityFolder, output: Output) -> Iterator[None]:
    """Say of what waited before, and does not after, that it does not: nobody looks for its signatures in vain."""
    before = _waiting(home)
    signed = _signed(home, before)
    yield
    after = _waiting(home)
    for kind in () if before is None else (_ROOT, _DIRECTORY):
        old, new = (None if one is None else _octets(one, kind) for one in (before, after))
        if old is None or old == new or (kind == _DIRECTORY and new is not None and not signed.get(kind)):
            continue
        had = f", with the signatures of {signed[kind]}" if signed.get(kind) else ""
        output.remark(doubtful(f"The {kind} that was proposed before waits no longer{had}."))


def _waiting(home: AuthorityFolder) -> Proposal | None:
    try:
        return home.proposal()
    except CommandRefused:
        return None


def _octets(proposal: Proposal, kind: str) -> bytes | None:
    return proposal.root if kind == _ROOT else proposal.targets


def _signed(home: AuthorityFolder, waiting: Proposal | None) -> dict[str, str]:
    """Officers who signed what waits, by its kind. What cannot be judged has no signature that counts."""
    found: dict[str, str] = {}
    with suppress(AdapterError):
        root = None if waiting is None or waiting.root is None else read_root(waiting.root)
        targets = None if waiting is None or waiting.targets is None else read_metadata(waiting.targets, Targets)
        judge = home.root() if root is None else root.signed
        for kind, metadata in ((_ROOT, root), (_DIRECTORY, targets)):
            if metadata is not None:
                found[kind] = ", ".join(signatures_on(metadata, judge).signed)
    return found

"""What changed between two versions of a directory, in words: what officers read before they sign. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from adapter.directory.draft import DirectoryDraft
from adapter.directory.facts import Facts, Section, sections
from adapter.directory.model import Directory
from adapter.directory.rendering import write_instant


class How(Enum):
    """What happened to an entry."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One entry that is not as it was.

    what: the kind of entry (`member`, `signing CA`). name: its id or code. details: what is different, in words, or,
    of an entry that was added, everything that it says.
    """

    how: How
    what: str
    name: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what} {self.name} {self.how.value}"


def changes_between(before: Directory | DirectoryDraft, after: Directory | DirectoryDraft) -> tuple[Change, ...]:
    """Every entry that was added, changed or removed, what decides about trust first, then by name.

    Version and times are no entry: `validity_words` says those. Equal content gives nothing.
    """
    return tuple(
        change
        for old, new in zip(sections(before), sections(after), strict=True)
        for change in _section_changes(old, new)
    )


def validity_words(directory: Directory | DirectoryDraft) -> str:
    """Version and times, in words."""
    return (
        f"{directory.instance}, version {directory.version}, "
        f"from {write_instant(directory.issued)} until {write_instant(directory.expires)}"
    )


def change_lines(changes: tuple[Change, ...]) -> Iterator[str]:
    """The changes as lines of text: one for each entry, its details below it. Says so when there is none."""
    if not changes:
        yield "Nothing changed."
    for change in changes:
        yield f"{change}{':' if change.details else ''}"
        yield from (f"    {detail}" for detail in change.details)


def _section_changes(old: Section, new: Section) -> Iterator[Change]:
    for name in sorted(old.entries.keys() | new.entries.keys()):
        if name not in old.entries:
            yield Change(how=How.ADDED, what=new.singular, name=name, details=tuple(_stated(new.facts(name))))
        elif name not in new.entries:
            yield Change(how=How.REMOVED, what=new.singular, name=name)
        elif old.entries[name] != new.entries[name]:  # most are equal; the words of those cost nothing
            details = tuple(_different(old.facts(name), new.facts(name)))
            yield Change(how=How.CHANGED, what=new.singular, name=name, details=details)


def _stated(facts: Facts) -> Iterator[str]:
    for label, values in facts.items():
        yield from (f"{label}: {value}" for value in values)


def _different(before: Facts, after: Facts) -> Iterator[str]:
    for label in dict.fromkeys((*before, *after)):
        old, new = before.get(label, ()), after.get(label, ())
        gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
        if len(gone) == len(come) == 1:
            yield f"{label}: {gone[0]} -> {come[0]}"
            continue
        yield from (f"{label} removed: {one}" for one in gone)
        yield from (f"{label} added: {one}" for one in come)
        if not gone and not come and old != new:
            yield f"{label}: another order, {', '.join(new)}"

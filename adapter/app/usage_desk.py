"""What this adapter tells a person of its record: reader, key of the subjects, directory and rule in one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from adapter.audit.subjects import subject_tag
from adapter.audit.usage import UsageAnswer, UsageQuestion
from adapter.directory.model import Directory
from adapter.identifiers import SubjectId
from adapter.ports import Clock
from adapter.store.usage_reader import UsageReader


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordDesk:
    """backends.usage.UsageDesk. officials: whether the settings let a person know which official asked."""

    reader: UsageReader
    subject_key: bytes = field(repr=False)
    directory: Callable[[], Directory]
    clock: Clock
    officials: bool

    def answer(self, subject: SubjectId, question: UsageQuestion) -> tuple[UsageAnswer, Directory]:
        """The page that is asked for, and the directory by which it was made.

        Raises CommandRefused, LimitExceeded, RecordBroken, StoreUnusable, DirectoryUnavailable, DirectoryExpired.
        """
        directory = self.directory()
        tag = subject_tag(self.subject_key, subject.kind, subject.value)
        told = replace(question, officials=self.officials)
        return self.reader.answer(tag, told, directory, now=self.clock()), directory

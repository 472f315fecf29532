"""Personal data waits for the time-stamp: past the directory's limit nothing more of it is asked or answered."""

from __future__ import annotations

from datetime import datetime

from adapter.directory.model import DirectoryService
from adapter.errors import ProviderTimeStampOverdue, TimeStampOverdue


def never() -> None:
    """The deadline of a record that nobody has to stamp."""


def check_stamped_call(service: DirectoryService, deadline: datetime | None, now: datetime) -> None:
    """The consumer's side. deadline: as it was last found (audit.stamps). Raises TimeStampOverdue."""
    if _is_overdue(service, deadline, now):
        raise TimeStampOverdue(_since(deadline))


def check_stamped_request(service: DirectoryService, deadline: datetime | None, now: datetime) -> None:
    """The provider's side. Raises ProviderTimeStampOverdue."""
    if _is_overdue(service, deadline, now):
        raise ProviderTimeStampOverdue(_since(deadline))


def _is_overdue(service: DirectoryService, deadline: datetime | None, now: datetime) -> bool:
    return deadline is not None and deadline <= now and service.personal_data


def _since(deadline: datetime | None) -> str:
    return f"a time-stamp over the record was due at {deadline:%Y-%m-%dT%H:%M:%SZ}"

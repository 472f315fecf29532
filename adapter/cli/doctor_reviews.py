"""What `adapter doctor` says of emergency access: whether somebody still has to review it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapter.cli.doctor_checks import Finding, ok, warn
from adapter.cli.output import counted, when
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.reviews import EmergencyReviews

_WHAT: Final = "emergency access"


def look_at_reviews(settings: Settings) -> Iterator[Finding]:
    """Nothing where there never was any. Raises StoreUnusable."""
    found = EmergencyReviews(open_database(settings.database_url)).summary()
    if found.open:
        words = f"{counted(found.open, 'open review')} of emergency access, the oldest since {when(found.oldest)}"
        yield warn(_WHAT, words, "adapter access reviews, then adapter access close-review for each.")
    elif found.total:
        yield ok(_WHAT, f"{found.total} in the record, all reviewed")

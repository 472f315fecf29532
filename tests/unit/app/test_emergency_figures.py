"""What the monitoring learns of emergency access."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from adapter.app.figures import EmergencyFigures
from adapter.audit.reviews import ReviewFinding
from adapter.store.appending import append_entries
from adapter.store.reviews import EmergencyReviews
from tests.records import NOW, RecordHome
from tests.unit.store.test_reviews import emergency


async def told(home: RecordHome) -> tuple[float | None, ...]:
    figures = EmergencyFigures(EmergencyReviews(home.database))
    registry = CollectorRegistry()
    registry.register(figures)
    await figures.refresh()
    names = ("accesses_total", "reviews_open", "review_waiting_since_seconds")
    return tuple(registry.get_sample_value(f"adapter_emergency_{name}") for name in names)


async def test_the_figures_are_those_of_the_record(tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    assert await told(home) == (0, 0, None)
    append_entries(home.database, home.log, [emergency(1), emergency(2)])
    assert await told(home) == (2, 2, (NOW + timedelta(minutes=1)).timestamp())
    reviews = EmergencyReviews(home.database)
    for number in (0, 1):
        reviews.close(number, ReviewFinding.JUSTIFIED, "seen", officer="officer-1", log=home.log, now=NOW)
    assert await told(home) == (2, 0, None)


async def test_while_the_record_cannot_be_read_nothing_is_told(tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    append_entries(home.database, home.log, [emergency(1)])
    home.change("DROP TABLE subjects")
    assert await told(home) == (None, None, None)

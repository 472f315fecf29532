"""A record for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapter.store.record import RecordWriter
from tests.records import RecordHome


@pytest.fixture
def home(tmp_path: Path) -> RecordHome:
    return RecordHome.make(tmp_path)


@pytest_asyncio.fixture
async def record(home: RecordHome) -> AsyncIterator[RecordWriter]:
    writer = home.writer()
    await writer.start()
    yield writer
    await writer.close()

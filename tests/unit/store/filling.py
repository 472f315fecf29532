"""Writing until there is no room."""

import asyncio
import os

from adapter.errors import RecordUnavailable
from adapter.ports import Written
from tests.records import a_claim, a_request


async def fill_up(record):
    """Write until the record refuses; gives the acknowledged numbers and the refusal."""
    acknowledged = []
    for _ in range(1_000):
        outcomes = await asyncio.gather(
            *(record.write(a_request(a_claim(), os.urandom(9_000))) for _ in range(4)), return_exceptions=True
        )
        acknowledged += [outcome.number for outcome in outcomes if isinstance(outcome, Written)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if refusals:
            assert isinstance(refusals[0], RecordUnavailable)
            return acknowledged, refusals[0]
    raise AssertionError("the disk was never full")

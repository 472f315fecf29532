"""Past the limit for time-stamps, personal data is neither asked nor answered; everything else goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapter.directory.model import Directory
from tests.two_sides import TwoSides, fault_code, sealed_request

LATE = timedelta(seconds=1)


def set_deadlines(sides: TwoSides, *, consumer: datetime | None, provider: datetime | None) -> None:
    sides.consumer = replace(sides.consumer, stamp_deadline=lambda: consumer)
    sides.wire.provider = sides.provider = replace(sides.provider, stamp_deadline=lambda: provider)


def without_personal_data(directory: Directory) -> Directory:
    services = {name: replace(service, personal_data=False) for name, service in directory.services.items()}
    return replace(directory, services=services)


async def test_the_consumers_adapter_asks_nothing_with_personal_data(sides: TwoSides) -> None:
    set_deadlines(sides, consumer=sides.clock() - LATE, provider=None)
    assert fault_code(await sides.call()) == "TimeStampOverdue"
    assert sides.wire.sent == []
    assert sides.consumer_record.outcomes == ["TimeStampOverdue"], "the refusal is recorded too"


async def test_the_providers_adapter_answers_nothing_with_personal_data(sides: TwoSides) -> None:
    set_deadlines(sides, consumer=None, provider=sides.clock() - LATE)
    assert fault_code(await sides.call()) == "ProviderTimeStampOverdue"
    assert sides.register.asked == []
    assert sides.provider_record.outcomes == ["ProviderTimeStampOverdue"]


async def test_what_was_answered_already_is_answered_again(sides: TwoSides) -> None:
    request = sealed_request(sides)
    first = await sides.wire.post(request.octets)
    set_deadlines(sides, consumer=None, provider=sides.clock() - LATE)
    again = await sides.wire.post(request.octets)
    assert again.octets == first.octets
    assert len(sides.register.asked) == 1


async def test_exchanges_without_personal_data_go_on(sides: TwoSides) -> None:
    sides.directory = without_personal_data(sides.directory)
    set_deadlines(sides, consumer=sides.clock() - LATE, provider=sides.clock() - LATE)
    assert fault_code(await sides.call()) == "answered"


@pytest.mark.parametrize("left", [timedelta(microseconds=1), timedelta(days=1)])
async def test_until_the_deadline_everything_goes_on_and_at_it_nothing(sides: TwoSides, left: timedelta) -> None:
    deadline = sides.clock() + left
    set_deadlines(sides, consumer=deadline, provider=deadline)
    assert fault_code(await sides.call()) == "answered"
    sides.clock.now = deadline
    assert fault_code(await sides.call()) == "TimeStampOverdue"

"""What decides how long messages are kept; and a retry of what was answered and is kept no longer."""

from __future__ import annotations

from dataclasses import replace

from adapter.ports import Keeping
from tests.get_person import good_call
from tests.two_sides import TwoSides, sealed_request


async def test_an_allowed_exchange_is_kept_by_its_service_and_purpose(sides: TwoSides) -> None:
    await sides.call()
    expected = Keeping(str(sides.federation.population.service), "benefit")
    for record in (sides.consumer_record, sides.provider_record):
        assert [write.keeping for write in record.log if write.kept] == [expected, expected]


async def test_what_a_refused_message_says_decides_nothing(sides: TwoSides) -> None:
    sides.rules = ()
    await sides.call(good_call())
    refused = [write for write in sides.provider_record.log if write.kept]
    assert [(write.entry.outcome, write.keeping) for write in refused] == [("AccessDenied", Keeping())]


async def test_a_fault_of_the_system_is_kept_with_its_exchange(sides: TwoSides) -> None:
    sides.register.answer_with = RuntimeError("down")
    await sides.call()
    kept = {write.keeping.purpose for write in sides.provider_record.log if write.kept}
    assert kept == {"benefit"}


async def test_a_retry_of_what_is_kept_no_longer_is_told_so_and_does_not_run_again(sides: TwoSides) -> None:
    sealed = sealed_request(sides)
    await sides.wire.post(sealed.octets)
    ((key, known),) = sides.provider_record.known.items()
    assert known.reply is not None
    sides.provider_record.known[key] = replace(known, reply=None)
    await sides.wire.post(sealed.octets)
    assert sides.provider_record.outcomes[-1] == "AnswerNotKept"
    assert len(sides.register.asked) == 1

"""Who calls with a small message does not wait for another's large one."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from lxml import etree

from adapter import xmlsafe
from adapter.errors import MalformedMessage
from adapter.exchange import provide
from adapter.exchange.provider import seal_answer
from adapter.large_messages import worked_on
from adapter.stages import SealedMessage
from tests.get_person import good_call
from tests.two_sides import TwoSides, fault_code

_LARGE = xmlsafe.LARGE_BYTES
_APART = "large-messages_0"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The length of every document that is parsed, and the thread that parses it."""
    found: list[tuple[int, str]] = []
    parser_for = xmlsafe._parser_for

    def watched(octets: int) -> etree.XMLParser:
        found.append((octets, threading.current_thread().name))
        return parser_for(octets)

    monkeypatch.setattr(xmlsafe, "_parser_for", watched)
    return found


async def test_the_loop_goes_on_while_a_large_message_is_worked_on() -> None:
    others_were_answered = threading.Event()
    asyncio.get_running_loop().call_soon(others_were_answered.set)
    assert await worked_on(_LARGE, lambda: others_were_answered.wait(30))


async def test_a_small_one_is_worked_on_at_once() -> None:
    assert await worked_on(_LARGE - 1, threading.get_ident) == threading.get_ident()


async def test_what_is_raised_comes_back() -> None:
    with pytest.raises(MalformedMessage, match="line 1"):
        await worked_on(_LARGE, lambda: xmlsafe.parse(b"<a>"))


async def test_a_small_exchange_needs_no_other_thread(sides: TwoSides, parsed: list[tuple[int, str]]) -> None:
    assert (await sides.call()).status == 200
    assert {thread for _, thread in parsed} == {threading.current_thread().name}


async def test_a_large_call(sides: TwoSides, parsed: list[tuple[int, str]]) -> None:
    assert (await sides.call(good_call() + " " * _LARGE)).status == 200
    _all_apart(parsed, at_least=1)


async def test_a_large_request_of_a_peer(sides: TwoSides, parsed: list[tuple[int, str]]) -> None:
    sides.wire.change = lambda octets: octets + b" " * _LARGE
    assert (await sides.call()).status == 200
    _all_apart(parsed, at_least=1)


async def test_a_large_answer(sides: TwoSides, parsed: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_in: list[str] = []

    def watched(*given: Any) -> SealedMessage:
        sealed_in.append(threading.current_thread().name)
        return seal_answer(*given)

    monkeypatch.setattr(provide, "seal_answer", watched)
    answer = str(sides.register.answer_with)
    sides.register.answer_with = answer.replace("Каримов", "К" * _LARGE)
    assert (await sides.call()).status == 200
    assert sealed_in == [_APART]
    _all_apart(parsed, at_least=1)  # our own spelling of the envelope is not parsed


async def test_a_large_message_that_is_refused(sides: TwoSides, parsed: list[tuple[int, str]]) -> None:
    answer = await sides.call(good_call().replace("</soap:Body>", "<!--" + "x" * _LARGE))
    assert fault_code(answer) == "MalformedMessage"
    _all_apart(parsed, at_least=1)


def _all_apart(parsed: list[tuple[int, str]], *, at_least: int) -> None:
    large = [thread for octets, thread in parsed if octets >= _LARGE]
    assert len(large) >= at_least
    assert set(large) == {_APART}

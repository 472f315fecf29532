"""A Python class that raises, hangs, and answers too much.

What is asked of each case: tests/attacks/behind_provider.py.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapter.backends.python import PythonBackend, PythonBackendConfig
from adapter.backends.spyne_compat import Fault, ServiceBase, Unicode, rpc
from tests.attacks.behind_provider import SECRET, backed_by, outcome_of
from tests.get_person import PERSON
from tests.two_sides import TwoSides
from tests.unit.envelope.descriptions import read, schema, wsdl

INVALID, DOWN, LATE, FAULTED = (
    "ProviderSystemInvalid",
    "ProviderSystemDown",
    "ProviderSystemTimeout",
    "ProviderSystemFault",
)
released = threading.Event()
what_to_do: Callable[[], Any] = str


class Hostile(ServiceBase):  # type: ignore[misc]
    """Does what the test put there."""

    @rpc(Unicode, _returns=Unicode)  # type: ignore[untyped-decorator]
    def Ask(ctx, Key: str) -> Any:  # noqa: N802, N803, N805  names of the contract
        """Whatever it is told."""
        del Key
        return what_to_do()


class Unprintable(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> str:
        raise ValueError(SECRET)

    __repr__ = __str__


def raising(error: BaseException) -> Callable[[], Any]:
    def do() -> Any:
        raise error

    return do


def recursing() -> Any:
    return recursing()


def hanging() -> Any:
    """Until the test has its outcome: an adapter that waited for it would say `answered`."""
    released.wait(20)
    return "late"


PYTHON = read(
    {
        "a.wsdl": wsdl(
            schema(
                '<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="Key" type="xs:string"/>'
                '</xs:sequence></xs:complexType></xs:element><xs:element name="Answer"><xs:complexType><xs:sequence>'
                '<xs:element name="AskResult" type="xs:string"/></xs:sequence></xs:complexType></xs:element>',
                target=PERSON,
            ).replace('name="Answer"', 'name="AskResponse"')
        )
        .replace("urn:test:1", PERSON)
        .replace('element="t:Answer"', 'element="t:AskResponse"')
    }
)
BEHAVIOURS: dict[str, tuple[Callable[[], Any], str]] = {
    "answers": (lambda: "well", "answered"),
    "an exception": (raising(ValueError(SECRET)), FAULTED),
    "an exception from an exception": (raising(ExceptionGroup(SECRET, [KeyError(SECRET)])), FAULTED),
    "an exception without a text": (raising(Unprintable()), FAULTED),
    "SystemExit": (raising(SystemExit(SECRET)), FAULTED),
    "KeyboardInterrupt": (raising(KeyboardInterrupt(SECRET)), FAULTED),
    "a generator's end": (raising(StopIteration(SECRET)), FAULTED),
    "a cancelled task": (raising(asyncio.CancelledError(SECRET)), FAULTED),
    "no memory": (raising(MemoryError(SECRET)), FAULTED),
    "no end of calls": (recursing, FAULTED),
    "a fault on purpose": (raising(Fault("Client", "closed")), FAULTED),
    "a huge answer": (lambda: "x" * 2_000_000, INVALID),
    "characters that XML has not": (lambda: "a\x00b", FAULTED),
    "octets": (lambda: SECRET.encode() + b"\xff", FAULTED),
    "hangs": (hanging, LATE),
}


@pytest.mark.parametrize("what", BEHAVIOURS)
async def test_a_hostile_class(
    what: str, sides: TwoSides, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    global what_to_do
    what_to_do, code = BEHAVIOURS[what]
    released.clear()
    backend = PythonBackend(
        PythonBackendConfig(handler=f"{__name__}:Hostile", timeout_s=1, max_answer_bytes=1_000_000, threads=2), PYTHON
    )
    backed_by(sides, backend)
    service = sides.federation.population.service
    changed = replace(sides.provider.services[service], description=PYTHON, subject_rule=None)
    sides.provider = replace(sides.provider, services={service: changed})
    sides.wire.provider = sides.provider
    payload = f'<Ask xmlns="{PERSON}"><Key>k</Key></Ask>'
    said = await outcome_of(sides, caplog, payload, operation="Ask")
    released.set()
    assert said == code
    await backend.close()

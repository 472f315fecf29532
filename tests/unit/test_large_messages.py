"""Who waits for the interpreter while a large message is worked on has it soon."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from adapter.large_messages import let_others_in_sooner


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_others_have_the_interpreter_after_half_a_millisecond() -> None:
    sys.setswitchinterval(0.005)
    let_others_in_sooner()
    assert sys.getswitchinterval() == pytest.approx(0.0005)

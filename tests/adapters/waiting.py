"""Waiting for something that running adapters do by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable

LATEST_S = 90.0
"""Until when something that takes a second has to have happened, on a machine that has much else to do."""
_LOOK_EVERY_S = 0.1


def wait_until(look: Callable[[], object], *, wanted: object = True) -> None:
    """Look again and again until this is seen. Raises AssertionError when it takes too long."""
    end = time.monotonic() + LATEST_S
    while (seen := look()) != wanted:
        assert time.monotonic() < end, f"still {seen} instead of {wanted}"
        time.sleep(_LOOK_EVERY_S)

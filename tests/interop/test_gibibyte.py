"""An attachment of one gibibyte there and one back, through two adapters that stay small."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.adapters.test_attachments import MAX_PEAK_KIB, Ground, ground, peak_kib, through

__all__ = ["ground"]

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]


def test_one_gibibyte_there_and_back(ground: Ground, record_property: Callable[[str, object], None]):
    assert through(ground, 1 << 30) < MAX_PEAK_KIB
    for home in (ground.asking, ground.asked):
        record_property(f"peak KiB of {home.plan.folder}", peak_kib(ground, home))

"""Syntax trees are there for the tests of this folder only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.source import forget_trees

HERE = Path(__file__).parent


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """After the last test of this folder that this process runs for now."""
    if nextitem is None or HERE not in nextitem.path.parents:
        forget_trees()

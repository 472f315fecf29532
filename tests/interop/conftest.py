"""Foreign software against real adapters: `make interop`. What is not on this machine is skipped with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.agencies import Agencies, running_agencies
from tests.interop.stacks import JUDGES, STACKS, java_missing, judge_version

LONG = [
    Path(__file__).parent / name
    for name in (
        "test_gibibyte.py",
        "test_evidence.py",
        "test_witness.py",
        "xroad/test_xroad.py",
        "peers/test_cxf.py",
        "peers/test_cxf_attachments.py",
    )
]
"""Files that take long, though some have few tests: one that is begun last keeps a processor idle meanwhile."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; else in the order in which they were collected."""
    items.sort(key=lambda item: LONG.index(item.path) if item.path in LONG else len(LONG))


@pytest.fixture(scope="session")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agencies]:
    with running_agencies(tmp_path_factory.mktemp("interop") / "agencies") as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The versions of all foreign software, or why it was not there."""
    if terminalreporter.config.getoption("-m") != "interop":
        return
    terminalreporter.section("foreign software")
    for name, stack in sorted(STACKS.items()):
        terminalreporter.write_line(f"{name:<12} {stack.found()}")
    for name in JUDGES:
        terminalreporter.write_line(f"{name:<12} {java_missing() or judge_version(name)}")

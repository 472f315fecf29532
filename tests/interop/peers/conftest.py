"""The pairs of members, built once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.interop.peers.federation import SUITES, Pair, running_pairs
from tests.interop.peers.stack import missing, version


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Pair]]:
    if absent := missing():
        pytest.skip(absent)
    with running_pairs(tmp_path_factory.mktemp("peers") / "pairs") as running:
        yield running


@pytest.fixture(params=SUITES)
def pair(request: pytest.FixtureRequest, pairs: Mapping[str, Pair]) -> Pair:
    return pairs[request.param]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The versions of what took an adapter's place, or why it was not there."""
    terminalreporter.section("foreign software on the peer side")
    terminalreporter.write_line(f"cxf-peer     {missing() or version()}")

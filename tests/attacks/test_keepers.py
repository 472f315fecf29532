"""What works in the background goes on, or denies: it never ends silently with what it knew last."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from adapter.app import policy_keeper
from adapter.app.directory_keeper import DirectoryKeeper
from adapter.app.policy_keeper import PolicyKeeper
from adapter.directory.refresh import Known, Refresh
from adapter.identifiers import ServiceId
from adapter.policy.rules import AccessRule, PolicySnapshot
from adapter.store.directory_copy import KeptState

RULE = AccessRule(id="r", consumer="UZ/GOV/1", service=ServiceId.parse("UZ/GOV/1/a/b/v1"))


class Rules:
    """Access rules that can be read once; then something breaks that nobody thought of."""

    def __init__(self) -> None:
        self.readings = 0

    def version(self) -> int:
        self.readings += 1
        if self.readings == 2:
            raise RuntimeError("unthought of")
        return self.readings

    def snapshot(self) -> PolicySnapshot:
        return PolicySnapshot.of(self.readings, (RULE,))


async def test_policy_that_cannot_be_read_denies_and_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_keeper, "EVERY_S", 0.05)
    rules: Any = Rules()
    keeper = PolicyKeeper(rules)
    keeper.refresh()
    assert keeper.current().rules == (RULE,)
    task = asyncio.create_task(keeper.keep_fresh())
    seen = set()
    for _ in range(40):
        await asyncio.sleep(0.01)
        seen.add(len(keeper.current().rules))
    task.cancel()
    assert seen == {0, 1}
    assert keeper.current().rules == (RULE,)


async def test_directory_is_asked_for_again_whatever_went_wrong() -> None:
    class Client:
        asked = 0
        max_bytes = 1024

        async def look(self, _refresh: Refresh) -> None:
            self.asked += 1
            raise RuntimeError("unthought of")

    client: Any = Client()
    nothing: Any = None
    copy: Any = SimpleNamespace(
        known=lambda: KeptState(known=Known(), revision=0), load=lambda: None, revision=lambda: 0
    )
    keeper = DirectoryKeeper(client=client, copy=copy, anchor=nothing, clock=lambda: datetime.now(UTC))
    task = asyncio.create_task(keeper.keep_fresh(0.01))
    async with asyncio.timeout(60):
        while client.asked <= 3 and not task.done():  # noqa: ASYNC110  nothing tells an event of it
            await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()

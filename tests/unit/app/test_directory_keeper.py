"""One worker's directory: restarts, neighbours, mirrors that are down or lie, and the time after its expiry."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.app.directory_keeper import DirectoryKeeper
from adapter.directory.rendering import render_directory
from adapter.directory.repository import sealed
from adapter.errors import AdapterError, DirectoryExpired, DirectoryRefused, DirectoryUnavailable, RefusedBecause
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.migrate import prepare
from adapter.transport.directory_client import DirectoryClient
from tests.pki import NOW, Federation
from tests.repository import Published, new_signer

HOUR = timedelta(hours=1)


class Place:
    """A mirror, an adapter's data, and a clock that can be set."""

    def __init__(self, folder: Path, federation: Federation) -> None:
        self.folder, self.federation, self.now = folder, federation, NOW
        self.mirror = folder / "mirror"
        self.at = Published()

    def publish(self, version: int = 1, *, grace: timedelta = timedelta(), valid_for: timedelta | None = None) -> None:
        draft = replace(self.federation.draft(version=version), grace=grace)
        repository = self.federation.repository
        self.at = repository.publish(repository.signed(render_directory(draft)), self.at)
        if valid_for is not None:
            self.at = repository.stamp(self.at, valid_for=valid_for)
        self.at.write(self.mirror)

    def keeper(self, urls: Sequence[str] = ()) -> DirectoryKeeper:
        """A worker that begins with what is on disk."""
        client = DirectoryClient(urls or [str(self.mirror)], timeout_s=2)
        keeper = DirectoryKeeper(client=client, copy=self.copy(), anchor=self.federation.anchor, clock=self.clock)
        keeper.load_copy()
        return keeper

    def copy(self) -> DirectoryCopy:
        """What the adapter has on disk."""
        return DirectoryCopy(self.folder / "directory", prepare(f"sqlite:///{self.folder / 'd.sqlite'}"))

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
def place(tmp_path: Path, federation: Federation) -> Place:
    return Place(tmp_path, federation)


async def refused(keeper: DirectoryKeeper) -> RefusedBecause:
    with pytest.raises(DirectoryRefused) as refusal:
        await keeper.refresh()
    return refusal.value.because


# --- restarts and neighbours -----------------------------------------------------------------------------------------


async def test_after_a_restart_the_last_good_copy_is_there_without_a_mirror(place: Place) -> None:
    place.publish(3)
    await place.keeper().refresh()
    again = place.keeper([str(place.folder / "gone")])
    assert again.current().version == 3
    with pytest.raises(DirectoryUnavailable):
        await again.refresh()
    assert again.current().version == 3


async def test_a_rollback_is_refused_after_a_restart_too(place: Place, federation: Federation) -> None:
    place.publish(2)
    older = place.at
    place.publish(3)
    await place.keeper().refresh()
    older.write(place.mirror)
    again = place.keeper()
    assert await refused(again) is RefusedBecause.ROLLBACK
    assert again.current().version == 3


async def test_a_worker_adopts_what_its_neighbour_kept(place: Place) -> None:
    place.publish(1)
    first, second = place.keeper(), place.keeper()
    await asyncio.gather(first.refresh(), second.refresh())
    place.publish(2)
    await first.refresh()
    await second.refresh()
    assert (first.current().version, second.current().version) == (2, 2)
    other = place.keeper([str(place.folder / "gone")])
    assert other.current().version == 2


async def test_a_damaged_copy_is_fetched_again_although_nothing_is_new(place: Place) -> None:
    place.publish(1)
    await place.keeper().refresh()
    (place.folder / "directory" / "directory-1.xml").write_bytes(b"<damaged/>")
    again = place.keeper()
    with pytest.raises(DirectoryUnavailable):
        again.current()
    await again.refresh()
    assert again.current().version == 1


async def test_a_forged_copy_is_not_believed(place: Place) -> None:
    place.publish(1)
    await place.keeper().refresh()
    other = Federation.build()
    stranger = DirectoryKeeper(
        client=DirectoryClient([str(place.mirror)]),
        copy=place.copy(),
        anchor=other.anchor,
        clock=place.clock,
    )
    stranger.load_copy()
    assert stranger.held is None


async def test_listeners_hear_of_each_version_once(place: Place) -> None:
    place.publish(1)
    keeper, heard = place.keeper(), list[int]()
    keeper.tell(lambda directory: heard.append(directory.version))
    await keeper.refresh()
    place.at = place.federation.repository.stamp(place.at)
    place.at.write(place.mirror)
    await keeper.refresh()
    place.publish(2)
    await keeper.refresh()
    assert heard == [1, 2]


async def test_new_roots_are_remembered_although_the_rest_was_refused(place: Place, federation: Federation) -> None:
    """Otherwise whoever holds keys that were replaced could show another second root later."""
    place.publish(1)
    keeper = place.keeper()
    await keeper.refresh()
    old = federation.repository
    new = replace(old, timestamp=new_signer())
    new = replace(new, roots=(*old.roots, b""))

    root = sealed(replace(new, roots=old.roots).new_root(version=2), *old.officers[:2])
    renewed = old.stamp(place.at).but(root_2=root)  # the time-stamp is still by the old key
    renewed.write(place.mirror)
    assert await refused(keeper) is RefusedBecause.SIGNATURE
    assert keeper.current().version == 1
    assert DirectoryCopy(
        place.folder / "directory", prepare(f"sqlite:///{place.folder / 'd.sqlite'}")
    ).known().known.roots == (root,)


# --- mirrors ---------------------------------------------------------------------------------------------------------


async def test_mirrors_are_tried_in_turn(place: Place, federation: Federation) -> None:
    place.publish(2)
    stale = place.folder / "stale"
    federation.repository.publish(federation.signed(federation.draft(version=1))).write(stale)
    keeper = place.keeper(["http://127.0.0.1:1", str(place.folder / "gone"), f"file://{place.mirror}"])
    await keeper.refresh()
    lying = place.keeper([str(stale), str(place.mirror)])
    place.publish(3)
    await lying.refresh()
    assert lying.current().version == 3


async def test_of_several_failures_the_gravest_is_said(place: Place) -> None:
    place.publish(1)
    (place.mirror / "metadata" / "timestamp.json").write_bytes(b"{}")
    keeper = place.keeper(["http://127.0.0.1:1", str(place.mirror), str(place.folder / "gone")])
    assert await refused(keeper) is RefusedBecause.MALFORMED


async def test_a_slow_mirror_is_passed_over_in_time(place: Place) -> None:
    place.publish(1)

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    keeper = place.keeper([f"http://127.0.0.1:{port}", str(place.mirror)])
    try:
        await asyncio.wait_for(keeper.refresh(), 8)
    finally:
        server.close()
    assert keeper.current().version == 1


# --- past its expiry -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
async def test_past_its_time_it_is_trusted_for_its_grace_and_then_refused(place: Place, *, restarted: bool) -> None:
    place.publish(1, grace=2 * HOUR, valid_for=HOUR)
    keeper = place.keeper()
    await keeper.refresh()
    place.now = NOW + HOUR
    keeper = place.keeper() if restarted else keeper
    assert await refused(keeper) is RefusedBecause.FREEZE
    assert keeper.current().version == 1
    place.now = NOW + 3 * HOUR - timedelta(seconds=1)
    assert keeper.current().version == 1
    place.now = NOW + 3 * HOUR
    with pytest.raises(DirectoryExpired):
        keeper.current()


async def test_without_a_grace_nothing_is_exchanged_past_its_time(place: Place) -> None:
    place.publish(1, valid_for=HOUR)
    keeper = place.keeper()
    await keeper.refresh()
    place.now = NOW + HOUR
    with pytest.raises(DirectoryExpired):
        keeper.current()


async def test_a_renewed_timestamp_ends_the_grace(place: Place) -> None:
    place.publish(1, grace=2 * HOUR, valid_for=HOUR)
    keeper = place.keeper()
    await keeper.refresh()
    place.now = NOW + 2 * HOUR
    place.at = place.federation.repository.stamp(place.at, valid_for=9 * HOUR)
    place.at.write(place.mirror)
    await keeper.refresh()
    place.now = NOW + 8 * HOUR
    assert keeper.current().version == 1


async def test_it_warns_loudly_and_counts_why(place: Place) -> None:
    place.publish(1, grace=2 * HOUR, valid_for=HOUR)
    keeper = place.keeper()
    await keeper.refresh()
    for later, said in ((HOUR, "in grace"), (4 * HOUR, "everything is refused")):
        place.now = NOW + later
        with capture_logs() as lines:
            task = asyncio.create_task(keeper.keep_fresh(30))
            async with asyncio.timeout(5):
                while len(lines) < 2:  # noqa: ASYNC110  what is waited for is a list of structlog's
                    await asyncio.sleep(0.01)
            task.cancel()
        assert (lines[0]["why"], lines[0]["log_level"]) == ("freeze", "warning")
        assert said in lines[1]["event"]
        assert lines[1]["log_level"] == "error"
    assert keeper.failures == {"freeze": 2}


async def test_failures_are_of_the_family(place: Place) -> None:
    with pytest.raises(AdapterError):
        await place.keeper().refresh()

"""The time-stamp while the authority serves: renewed in time where asked for, called out where not."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.authority_publishing import renew_timestamp
from adapter.cli.output import Output
from adapter.cli.timestamp_keeper import Renewal, TimestampKeeper
from adapter.errors import KeyUnusable
from tests.command_line import typed

DAY = timedelta(hours=24)


@pytest.fixture
def published(authority: AuthorityFolder) -> AuthorityFolder:
    ran = typed("authority", "release", authority.path, "--officers-here")
    assert ran.code == 0, ran
    return authority


def stamped(home: AuthorityFolder) -> tuple[int, datetime]:
    found = home.timestamp()
    assert found is not None
    return found.version, found.expires


def test_it_is_renewed_when_half_of_its_time_is_over(published: AuthorityFolder) -> None:
    now = datetime.now(UTC)
    keeper = TimestampKeeper(published, Renewal(valid_for=DAY), Output.of())
    keeper.begin(now)
    first, until = stamped(published)
    keeper.look(now + timedelta(hours=11))
    assert stamped(published) == (first, until)
    keeper.look(now + timedelta(hours=13))
    version, renewed = stamped(published)
    assert (version, renewed - until) == (first + 1, timedelta(hours=13))


def test_without_renewal_its_end_is_called_out_and_nothing_is_changed(
    published: AuthorityFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = TimestampKeeper(published, None, Output.of())
    version, until = stamped(published)
    keeper.begin(until - timedelta(hours=7))
    assert "time-stamp" not in capsys.readouterr().err
    for hours, says in ((5, "expires"), (2, "expires"), (0.5, "expires"), (-1, "expired")):
        for _ in range(2):  # once for each
            keeper.look(until - timedelta(hours=hours))
        said = " ".join(capsys.readouterr().err.split())
        assert said.count(f"The time-stamp of the directory {says}") == 1
        assert "adapter authority timestamp" in said
    assert stamped(published) == (version, until)


def test_keys_that_do_not_fit_are_found_before_serving_and_said_later(
    published: AuthorityFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    keeper = TimestampKeeper(published, Renewal(valid_for=DAY), Output.of())
    keeper.begin(now)
    (published.path / "online" / "timestamp.key").write_text("no key")
    with pytest.raises(KeyUnusable):
        keeper.begin(now)
    keeper.look(now + timedelta(hours=20))
    assert "The time-stamp was not renewed" in capsys.readouterr().err


def test_a_renewal_waits_for_a_publication(published: AuthorityFolder) -> None:
    """Else the time-stamp over the older snapshot would come last, and take the publication back."""
    version, _ = stamped(published)
    renewing = threading.Thread(target=renew_timestamp, args=(published,), kwargs={"now": datetime.now(UTC)})
    with published.publishing():
        renewing.start()
        renewing.join(0.5)
        assert renewing.is_alive()
        assert stamped(published)[0] == version
    renewing.join(60)
    assert stamped(published)[0] == version + 1

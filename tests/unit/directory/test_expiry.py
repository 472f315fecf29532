"""Every thing that ends is named 60, 30, 14, 7 and 1 days ahead, and none that has just begun."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.directory.content import TimeStampAuthority
from adapter.directory.expiry import ENDED, Expiry, of_directory
from tests.pki import NOW, Federation

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def ending(left: timedelta, life: timedelta | None = None) -> Expiry:
    begins = None if life is None else NOW + left - life
    return Expiry(what="x", name="y", ends=NOW + left, begins=begins, mend="z")


@pytest.mark.parametrize(
    ("left", "threshold"),
    [
        (60 * DAY + SECOND, None),
        (60 * DAY, 60),
        (30 * DAY + SECOND, 60),
        (30 * DAY, 30),
        (14 * DAY, 14),
        (7 * DAY, 7),
        (DAY + SECOND, 7),
        (DAY, 1),
        (SECOND, 1),
        (timedelta(), ENDED),
        (-DAY, ENDED),
    ],
)
def test_the_nearest_threshold_that_has_come(left: timedelta, threshold: int | None) -> None:
    assert ending(left).threshold(NOW) == threshold
    assert ending(left, 365 * DAY).threshold(NOW) == threshold


@pytest.mark.parametrize(
    ("left", "life", "threshold"),
    [(30 * DAY, 90 * DAY, 30), (60 * DAY, 90 * DAY, None), (20 * DAY, 30 * DAY, None), (14 * DAY, 30 * DAY, 14),
     (DAY, DAY, None), (timedelta(), DAY, ENDED)],
)  # fmt: skip
def test_what_lives_shortly_is_not_warned_of_from_its_first_day(
    left: timedelta, life: timedelta, threshold: int | None
) -> None:
    assert ending(left, life).threshold(NOW) == threshold


def test_everything_in_the_directory_that_a_member_depends_on(federation: Federation) -> None:
    directory = federation.directory()
    own = federation.social.id
    ca = directory.signing_cas[0]
    suite = directory.members[own].suite
    full = replace(
        directory,
        suite_ends={suite: NOW + DAY, "other": NOW},
        time_stamp_authorities={
            "clock": TimeStampAuthority(name="clock", address="http://127.0.0.1/", certificates=(ca,))
        },
    )
    found = {(one.what, one.ends) for one in of_directory(full, own)}
    assert found == {
        ("directory", directory.expires),
        ("suite", NOW + DAY),
        ("time-stamp authority", ca.not_valid_after_utc),
        *(("signing CA", one.not_valid_after_utc) for one in directory.signing_cas),
        *(("TLS CA", one.not_valid_after_utc) for one in directory.tls_cas),
    }

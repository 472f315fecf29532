"""Before when the entries of evidence existed: by the earliest of the clocks that are not the exporter's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from adapter.evidence.contents import STAMP
from adapter.evidence.verify import verify_evidence
from tests.pki import NOW, Federation
from tests.unit.evidence.exchanges import Exported
from tests.unit.evidence.outsiders import FIRST, SECOND, SEEN, cosigned_by


def said_of(exported: Exported, federation: Federation) -> list[tuple[int, str | None, bool]]:
    """Of each entry: its number, by whom it was seen first, and whether its own time fits."""
    dated = verify_evidence(exported.container(), federation.anchor).dated
    assert all(one.dating.after is None for one in dated), "nothing in a container says that an entry was not there"
    return [
        (one.number, None if one.dating.before is None else one.dating.before.by, one.dating.contradicted)
        for one in dated
    ]


def test_without_anybody_elses_word_there_is_none(federation: Federation, of_provider: Exported) -> None:
    assert said_of(of_provider, federation) == [(5, None, False), (6, None, False)]


def test_a_time_stamp_over_the_checkpoint_dates_each_entry(federation: Federation, stamped: Exported) -> None:
    by = "clock put a time-stamp on 12 entries"
    assert said_of(stamped, federation) == [(5, by, False), (6, by, False)]
    judgement = verify_evidence(stamped.container(), federation.anchor)
    (stamp,) = [one for one in judgement.statements if one.file == STAMP]
    for one in judgement.dated:
        assert one.dating.at == NOW + timedelta(hours=1), "the entry's own word"
        assert one.dating.before is not None
        assert (one.dating.before.at, one.dating.before.size) == (stamp.at, 12)


@pytest.mark.parametrize(("size", "seen"), [(7, 7), (10, 10), (0, 12)])
def test_a_witness_dates_by_the_checkpoint_that_it_cosigned(
    federation: Federation, witnessed: Exported, size: int, seen: int
) -> None:
    by = f"the witness witness.example/first cosigned {seen} entries"
    exported = witnessed.but(cosigned_size=size)
    assert said_of(exported, federation) == [(5, by, False), (6, by, False)]
    for one in verify_evidence(exported.container(), federation.anchor).dated:
        assert one.dating.before is not None
        assert (one.dating.before.at, one.dating.before.size) == (SEEN, seen)


def saying(instant: datetime) -> Callable[[str], str]:
    """Entries of the exchange that say this time."""
    said = f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000Z}"
    return lambda text: text.replace(said, f"{instant:%Y-%m-%dT%H:%M:%S.000Z}")


@pytest.mark.parametrize("late", [60, 61])
def test_an_entry_that_says_a_later_time_than_it_was_seen_at_is_marked(
    federation: Federation, witnessed: Exported, late: int
) -> None:
    """The clocks of two may be a minute apart."""
    octets = witnessed.container(change_entry=saying(SEEN + timedelta(seconds=late)))
    dated = verify_evidence(octets, federation.anchor).dated
    assert [one.dating.at for one in dated] == [SEEN + timedelta(seconds=late)] * 2
    assert [one.dating.contradicted for one in dated] == [late > 60] * 2


def test_the_earliest_of_them_counts(federation: Federation, stamped: Exported) -> None:
    """The witnesses saw it in March; the time-stamp is of today."""
    assert datetime.now(UTC) > SEEN
    both = stamped.but(cosign=cosigned_by(FIRST, SECOND))
    assert {by for _, by, _ in said_of(both, federation)} == {"the witness witness.example/first cosigned 12 entries"}

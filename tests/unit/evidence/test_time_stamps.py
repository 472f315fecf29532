"""Evidence with a time-stamp over its checkpoint: an outsider's word on when, held to the directory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapter.errors import EvidenceInvalid
from adapter.evidence.asic import open_asic
from adapter.evidence.contents import CHECKPOINT, STAMP
from adapter.evidence.verify import verify_evidence
from tests.pki import Federation
from tests.real_pki.tsa import TimeStampAuthority
from tests.unit.evidence.exchanges import Exported, repacked
from tests.unit.evidence.outsiders import stamp_of


def test_the_judgement_says_before_when_and_who_says_so(federation: Federation, stamped: Exported) -> None:
    statements = verify_evidence(stamped.container(), federation.anchor).statements
    said = [one for one in statements if one.file == STAMP]
    assert [(one.by, one.what) for one in said] == [
        (
            "the time-stamp authority clock",
            "signed that this checkpoint, and with it these entries, existed before this time",
        )
    ]
    assert said[0].at is not None
    assert abs(said[0].at - datetime.now(UTC)) < timedelta(minutes=1)
    assert [one.file for one in statements].index(STAMP) == [one.file for one in statements].index(CHECKPOINT) + 1


def test_without_a_time_stamp_it_holds_and_says_nothing_of_one(federation: Federation, stamped: Exported) -> None:
    statements = verify_evidence(stamped.but(stamp=None).container(), federation.anchor).statements
    assert STAMP not in {one.file for one in statements}


def test_a_time_stamp_that_does_not_fit_is_refused_by_its_name(
    federation: Federation, stamped: Exported, of_provider: Exported, authority: TimeStampAuthority
) -> None:
    good = stamped.container()
    token = open_asic(good).files[STAMP]
    spoilt = {
        "cut": token[:-1],
        "flipped": bytes((*token[:-1], token[-1] ^ 1)),
        "empty": b"",
        "of another checkpoint": stamp_of(authority, b"another"),
    }
    for octets in spoilt.values():
        with pytest.raises(EvidenceInvalid, match=r"record/checkpoint\.tst"):
            verify_evidence(repacked(good, {STAMP: octets}, stamped.member), federation.anchor)
    unlisted = of_provider.but(stamp=stamped.stamp)
    with pytest.raises(EvidenceInvalid, match="names no time-stamp authority"):
        verify_evidence(unlisted.container(), federation.anchor)

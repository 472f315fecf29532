"""Stamps over a record are in the order of their checkpoints, in the word of the authority too."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core  # type: ignore[import-untyped]

from adapter.audit.document import milliseconds
from adapter.audit.stamps import StoredStamp, verify_stamps
from adapter.crypto.time_stamps import ask_for_stamp, verify_stamp
from adapter.errors import RecordBroken
from tests.real_pki.making import RealPki, make_time_stamp_authority

NOTES = {2: "two\n", 5: "five\n"}


def test_a_later_checkpoint_with_an_older_stamp(tmp_path: Path) -> None:
    """Signed by the true authority both: only their order says that the record was made anew."""
    pki = RealPki.build(tmp_path)
    trusted = [pki.authorities["root"].certificate]
    authority = make_time_stamp_authority(pki.authorities["root"], tmp_path / "tsa", name="one", now=pki.now)

    def stored(size: int, off: timedelta = timedelta()) -> StoredStamp:
        def shift(info: Any) -> None:
            info["gen_time"] = core.GeneralizedTime(info["gen_time"].native + off)

        note = NOTES[size]
        token = authority.stamp_saying(ask_for_stamp(note.encode()).octets, shift)
        at = verify_stamp(token, note.encode(), trusted=trusted).time
        return StoredStamp(
            size=size, at_ms=milliseconds(at), authority="one", directory_version=1, token=token, note=note
        )

    first, second, old = stored(2), stored(5), stored(5, -timedelta(hours=1))
    assert verify_stamps([first, second], lambda *_: trusted).covered == max(NOTES)
    assert verify_stamps([old], lambda *_: trusted).count == 1, "good by itself"
    with pytest.raises(RecordBroken, match="over 5 entries is older than the one before it"):
        verify_stamps([first, old], lambda *_: trusted)


@pytest.mark.parametrize("at_ms", [1 << 62, -(1 << 62), "late", b"late", None])
def test_a_time_that_cannot_be_is_no_accident(at_ms: Any) -> None:
    stored = StoredStamp(size=2, at_ms=0, authority="one", directory_version=1, token=b"", note=None)
    assert milliseconds(stored.at) == 0
    with pytest.raises(RecordBroken, match="the time-stamp over 2 entries is filed under a time that cannot be"):
        _ = stored._replace(at_ms=at_ms).at

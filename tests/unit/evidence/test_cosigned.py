"""Evidence with a checkpoint that neutral witnesses cosigned: they saw these entries, in this very record."""

from __future__ import annotations

import pytest

from adapter.errors import EvidenceInvalid
from adapter.evidence.asic import open_asic
from adapter.evidence.contents import CONSISTENCY, COSIGNED
from adapter.evidence.verify import verify_evidence
from tests.pki import Federation
from tests.unit.evidence.exchanges import Exported, repacked
from tests.unit.evidence.outsiders import FIRST, SEEN, STRANGER, cosigned_by


@pytest.mark.parametrize("size", [0, 7, 10])
def test_the_judgement_says_who_saw_it_and_when(federation: Federation, witnessed: Exported, size: int) -> None:
    """Of the same size as the exporter's checkpoint, or a smaller one that it continues."""
    statements = verify_evidence(witnessed.but(cosigned_size=size).container(), federation.anchor).statements
    said = [one for one in statements if one.file == COSIGNED]
    assert [(one.by, one.at) for one in said] == [
        ("the witness “witness.example/first”", SEEN),
        ("the witness “witness.example/second”", SEEN),
    ]
    assert f"of {size or 12} entries, these among them" in said[0].what


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cosign": cosigned_by(FIRST, STRANGER)}, "not the cosignature of a witness"),
        ({"cosign": cosigned_by()}, "not the cosignature of a witness"),
        ({"cosign": cosigned_by(FIRST, FIRST)}, "not the cosignature of a witness"),
        ({"cosigned_size": 6}, "without these entries"),
    ],
)
def test_refuses_what_no_witness_of_the_directory_saw(
    federation: Federation, witnessed: Exported, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(EvidenceInvalid, match=f"{COSIGNED} or {CONSISTENCY}: .*{reason}"):
        verify_evidence(witnessed.but(**changes).container(), federation.anchor)


def test_refuses_a_record_that_does_not_continue_the_one_that_was_seen(
    federation: Federation, witnessed: Exported
) -> None:
    good = witnessed.but(cosigned_size=7).container()
    other = witnessed.but(cosigned_size=7).container(change_entry=lambda text: text.replace('"by":"x"', '"by":"y"'))
    forked = {path: open_asic(other).files[path] for path in (COSIGNED, CONSISTENCY)}
    with pytest.raises(EvidenceInvalid, match=COSIGNED):
        verify_evidence(repacked(good, forked, witnessed.member), federation.anchor)


def test_every_octet_of_what_witnesses_signed_counts(federation: Federation, witnessed: Exported) -> None:
    good = witnessed.but(cosigned_size=7).container()
    for path in (COSIGNED, CONSISTENCY):
        octets = open_asic(good).files[path]
        for at in range(0, len(octets), 7):
            changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
            with pytest.raises(EvidenceInvalid, match=path):
                verify_evidence(repacked(good, {path: changed}, witnessed.member), federation.anchor)

"""Types of identifiers that the directory defines: what fits passes both adapters and is recorded, all else is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.audit.subjects import subject_tag
from adapter.directory.content import IdentifierType
from adapter.directory.identifier_pattern import IdentifierPattern
from adapter.identifiers import SubjectId
from adapter.policy import lawful
from tests.get_person import GOOD_PERSONAL_DATA, SUBJECT, context, get_person, soap
from tests.two_sides import TwoSides, fault_code, peer_outcome

PERMIT = IdentifierType(
    code="permit", pattern=IdentifierPattern("[A-Z]{2}-[0-9]{4}"), titles={"en": "Permit", "uz": "Ruxsatnoma"}
)
GOOD, WRONG = "AB-1234", "AB-12345"


@pytest.fixture
def typed_sides(sides: TwoSides) -> TwoSides:
    """Both adapters have a directory that defines permits."""
    sides.directory = replace(sides.directory, identifier_types={"permit": PERMIT})
    return sides


def asking(value: str, kind: str = "permit") -> str:
    other = f'<c:Subject kind="{kind}">{value}</c:Subject>'
    return soap(context().replace(SUBJECT, SUBJECT + other), get_person())


async def test_a_value_that_fits_passes_and_is_recorded_by_its_keyed_hash(typed_sides: TwoSides) -> None:
    assert fault_code(await typed_sides.call(asking(GOOD))) == "answered"
    assert len(typed_sides.register.asked) == 1
    for record in (typed_sides.consumer_record, typed_sides.provider_record):
        entries = [str(write.entry) for write in record.log]
        assert any(subject_tag(b"k" * 32, "permit", GOOD) in entry for entry in entries)
        assert all(GOOD not in entry for entry in entries)


@pytest.mark.parametrize(("value", "kind"), [(WRONG, "permit"), (GOOD, "licence"), (GOOD, "pinfl")])
async def test_the_consumers_adapter_refuses_what_does_not_fit(typed_sides: TwoSides, value: str, kind: str) -> None:
    answer = await typed_sides.call(asking(value, kind))
    assert fault_code(answer) == "InvalidIdentifier"
    assert value.encode() not in answer.octets
    assert typed_sides.wire.sent == []


@pytest.mark.parametrize(("value", "kind"), [(WRONG, "permit"), (GOOD, "licence")])
async def test_the_providers_adapter_refuses_it_too(typed_sides: TwoSides, value: str, kind: str) -> None:
    """Whatever the consumer's adapter let pass."""
    data = replace(GOOD_PERSONAL_DATA, subjects=(*GOOD_PERSONAL_DATA.subjects, SubjectId(kind, value)))
    await peer_outcome(typed_sides, data)
    assert typed_sides.register.asked == []
    assert typed_sides.provider_record.outcomes == ["InvalidIdentifier"]


async def test_it_is_the_directory_that_is_asked(typed_sides: TwoSides, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check this test's neighbours pass a wrong value: it is the one place."""
    monkeypatch.setattr(lawful, "_check_of_directory", lambda _subject, _directory: None)
    assert fault_code(await typed_sides.call(asking(WRONG))) == "answered"

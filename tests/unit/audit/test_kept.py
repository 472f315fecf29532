"""Kept messages that are not here: as many may be gone as entries say, and from the places that they say."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.audit.kept import Gone, Moved
from adapter.audit.retention import ARCHIVED, Compartment, ErasedPart
from adapter.errors import RecordBroken

SERVICE = "UZ/GOV/200000001/population/GetPerson/v1"
OF_SERVICE = Compartment("2026-03-02", SERVICE, "benefit")
OF_DAY = Compartment("2026-03-02", "", "")
NEXT_DAY = Compartment("2026-03-03", SERVICE, "benefit")
SHA256 = "5e" * 32
ENTRY = 30
"""The one that says which messages went into an archive file."""


def erased(compartment: Compartment, messages: int) -> ErasedPart:
    return ErasedPart(compartment=compartment, messages=messages, held=0)


def gone(*compartments: Compartment) -> Gone:
    """One message of each is not here: the request of entry 1, of entry 2 and so on."""
    found = Gone()
    for number, compartment in enumerate(compartments, start=1):
        found.add(compartment, number, "request")
    return found


@pytest.mark.parametrize(
    "said",
    [
        [erased(OF_SERVICE, 2)],
        [erased(OF_SERVICE, 3)],
        [erased(OF_SERVICE, 1), erased(OF_SERVICE._replace(generation=1), 1)],
        [erased(OF_SERVICE, 1), erased(OF_DAY, 1)],
        [erased(OF_DAY, 2)],
    ],
)
def test_as_many_as_were_erased_may_be_gone(said: list[ErasedPart]) -> None:
    gone(OF_SERVICE, OF_SERVICE).check(said)


@pytest.mark.parametrize(
    ("said", "of_them"),
    [
        ([], 0),
        ([erased(OF_SERVICE, 1)], 1),
        ([erased(OF_DAY, 1)], 1),
        ([erased(NEXT_DAY, 2)], 0),
        ([erased(OF_SERVICE._replace(purpose="census"), 2)], 0),
    ],
)
def test_more_may_not(said: list[ErasedPart], of_them: int) -> None:
    with pytest.raises(RecordBroken) as refusal:
        gone(OF_SERVICE, OF_SERVICE).check(said)
    assert refusal.value.reason == (
        f"2 kept messages of {OF_SERVICE.label}, are not here, the first is the request of entry 1; "
        f"the record says that {of_them} of them were erased"
    )


def test_what_was_erased_of_a_day_is_counted_once() -> None:
    """Both compartments may have been sealed with the day's one key, but not both by the same message."""
    other = OF_SERVICE._replace(purpose="census")
    gone(OF_SERVICE, other).check([erased(OF_DAY, 2)])
    with pytest.raises(RecordBroken, match=rf"1 kept messages of {other.label}"):
        gone(OF_SERVICE, other).check([erased(OF_DAY, 1)])


def test_nothing_is_gone() -> None:
    gone().check([])
    gone().check([erased(OF_SERVICE, 2)])


# --- what is said to be in an archive file ---------------------------------------------------------------------------


def moved() -> Moved:
    """Three messages, of entries 3, 5 and 9."""
    found = Moved(5, 5)
    for number in (5, 9, 3):
        found.add(number)
    return found


def said(**changes: Any) -> dict[str, Any]:
    details = {"sha256": SHA256, "first_entry": 3, "last_entry": 9, "messages": 3} | changes
    return {"kind": "admin", "outcome": ARCHIVED, "details": details}


@pytest.mark.parametrize("wider", [{}, {"first_entry": 1}, {"last_entry": 20}, {"messages": 4}])
def test_the_entry_about_an_archive_file_says_that_they_are_in_it(wider: dict[str, int]) -> None:
    moved().check(ENTRY, said(**wider), {})
    assert ARCHIVED == "messages-archived"  # old entries have it


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        said(first_entry=4),
        said(last_entry=8),
        said(messages=2),
        said(messages="3"),
        said() | {"kind": "refused"},
        said() | {"outcome": "access-granted"},
        said() | {"details": {}},
        said() | {"details": None},
        {"kind": "admin", "outcome": ARCHIVED},
    ],
)
def test_an_entry_that_does_not_say_so(body: dict[str, Any] | None) -> None:
    with pytest.raises(RecordBroken) as refusal:
        moved().check(ENTRY, body, {})
    assert refusal.value.reason == (
        "3 kept messages, of entries 3 to 9, are said to be in an archive file by entry 30, which does not say so"
    )


@pytest.mark.parametrize("put_back", [{SHA256: ENTRY + 1}, {SHA256: ENTRY + 1, "other": 1}])
def test_messages_of_a_file_that_was_put_back_are_here(put_back: dict[str, int]) -> None:
    with pytest.raises(RecordBroken, match="by entry 30, and entry 31 says that they were put back"):
        moved().check(ENTRY, said(), put_back)


@pytest.mark.parametrize("put_back", [{SHA256: ENTRY - 1}, {"another file": ENTRY + 1}])
def test_they_may_have_been_put_back_before_or_from_another_file(put_back: dict[str, int]) -> None:
    moved().check(ENTRY, said(), put_back)

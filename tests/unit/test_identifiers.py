"""Identifiers have the right form or do not exist, and personal ones do not show themselves."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapter.errors import InvalidIdentifier
from adapter.identifiers import (
    IDENTIFIER_KINDS,
    MemberId,
    MessageId,
    OfficialId,
    ServiceId,
    SubjectId,
    SubsystemId,
    pinfl_check_digit,
)

digits = st.text("0123456789", min_size=13, max_size=13)
segments = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", fullmatch=True)


def pinfl(first_thirteen: str) -> str:
    return f"{first_thirteen}{pinfl_check_digit(first_thirteen)}"


# --- PINFL ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_thirteen", "check"),
    [
        ("1000000000000", 7),
        ("0100000000000", 3),
        ("0010000000000", 1),
        ("0001000000000", 7),
        ("9999999999999", (9 * (4 * 11 + 7)) % 10),
        ("3010190123456", (21 + 0 + 1 + 0 + 3 + 9 + 0 + 3 + 2 + 21 + 12 + 5 + 42) % 10),
    ],
)
def test_check_digit_by_hand(first_thirteen: str, check: int) -> None:
    assert pinfl_check_digit(first_thirteen) == check


@given(digits)
def test_right_check_digit_is_accepted(first_thirteen: str) -> None:
    assert SubjectId("pinfl", pinfl(first_thirteen)).value == pinfl(first_thirteen)


@given(digits, st.integers(1, 9))
def test_wrong_check_digit_is_refused(first_thirteen: str, off: int) -> None:
    wrong = (pinfl_check_digit(first_thirteen) + off) % 10
    with pytest.raises(InvalidIdentifier):
        SubjectId("pinfl", f"{first_thirteen}{wrong}")


@given(digits, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(first_thirteen: str, at: int, off: int) -> None:
    """Weights 7, 3 and 1 have no factor in common with 10, so no single error can hide."""
    changed = (int(first_thirteen[at]) + off) % 10
    value = pinfl(first_thirteen)
    with pytest.raises(InvalidIdentifier):
        SubjectId("pinfl", f"{value[:at]}{changed}{value[at + 1 :]}")


@given(st.text(max_size=20).filter(lambda text: not (len(text) == 14 and text.isascii() and text.isdigit())))
def test_other_text_is_no_pinfl(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        SubjectId("pinfl", text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "3010190123456",
        "301019012345600",
        " 30101901234560",
        "30101901234560\n",
        "٣٠١٠١٩٠١٢٣٤٥٦٠",
        "３０１０１９０１２３４５６０",
        "3010190123456x",
        "-3010190123456",
    ],
)
def test_form_of_pinfl(value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        SubjectId("pinfl", value)


# --- other subjects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("stir", "200000001"),
        ("cadastre", "10:09:03:01:02:0101"),
        ("cadastre", "10:09:03:01:02:0101/12"),
        ("cadastre", "10:09:03:010203"),
        ("soato", "1726"),
        ("soato", "1726262"),
        ("soato", "1726262501"),
    ],
)
def test_good_subject(kind: str, value: str) -> None:
    assert SubjectId(kind, value).kind == kind


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("stir", "20000000"),
        ("stir", "2000000011"),
        ("stir", "20000000a"),
        ("cadastre", "10"),
        ("cadastre", "10:09"),
        ("cadastre", "10:09:03:01:"),
        ("cadastre", "10:09:03:01/123456"),
        ("cadastre", "10:09:03:01\n"),
        ("soato", "1626"),
        ("soato", "17262"),
        ("soato", "17262625011"),
        ("passport", "AA1234567 "),
        ("", ""),
    ],
)
def test_bad_subject(kind: str, value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        SubjectId(kind, value)


@pytest.mark.parametrize("kind", sorted(IDENTIFIER_KINDS))
@given(st.text("0123456789abcж:/ ", min_size=11, max_size=13))
def test_refusal_does_not_repeat_the_value(kind: str, value: str) -> None:
    assume(kind != "cadastre" or value[0] not in "0123456789")
    with pytest.raises(InvalidIdentifier) as refusal:
        SubjectId(kind, value)
    assert value not in refusal.value.reason
    assert value not in str(refusal.value)


def test_repr_does_not_show_the_person() -> None:
    subject = SubjectId("pinfl", pinfl("3010190123456"))
    assert subject.value not in repr(subject)
    assert subject.value not in str(subject)
    assert subject.value not in repr((subject,))


# --- parties ----------------------------------------------------------------------------------------------------------


@given(st.lists(segments, min_size=6, max_size=6))
def test_names_read_back_what_they_write(parts: list[str]) -> None:
    text = "/".join(parts)
    service = ServiceId.parse(text)
    assert str(service) == text
    assert SubsystemId.parse(str(service.subsystem)) == service.subsystem
    assert MemberId.parse(str(service.subsystem.member)) == service.subsystem.member


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (MemberId.parse, ""),
        (MemberId.parse, "UZ"),
        (MemberId.parse, "UZ/GOV"),
        (MemberId.parse, "UZ/GOV/1/2"),
        (MemberId.parse, "UZ//1"),
        (MemberId.parse, "UZ/GOV/"),
        (MemberId.parse, "UZ/GOV/.."),
        (MemberId.parse, "UZ/GOV/1\n"),
        (MemberId.parse, "UZ/GOV/a b"),
        (MemberId.parse, "UZ/GOV/д"),
        (MemberId.parse, "UZ/GOV/" + "1" * 65),
        (SubsystemId.parse, "UZ/GOV/1"),
        (SubsystemId.parse, "UZ/GOV/1/"),
        (SubsystemId.parse, "UZ/GOV/1/../x"),
        (ServiceId.parse, "UZ/GOV/1/population/GetPerson"),
        (ServiceId.parse, "UZ/GOV/1/population/GetPerson/v1/x"),
        (ServiceId.parse, "UZ/GOV/1/population/Get%2fPerson/v1"),
        (ServiceId.parse, "UZ/GOV/1/population/GetPerson/-"),
    ],
)
def test_bad_names(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        read(text)


def test_longest_segment() -> None:
    assert MemberId.parse("UZ/GOV/" + "1" * 64).code == "1" * 64


# --- messages and officials -------------------------------------------------------------------------------------------


def test_new_message_ids_differ_and_are_valid() -> None:
    at = datetime(2026, 3, 2, 9, 0, 0, 123_000, tzinfo=UTC)
    ids = {MessageId.new(at) for _ in range(100)}
    assert len(ids) == 100
    assert all(MessageId(one.value) == one for one in ids)
    read = [uuid.UUID(one.value) for one in ids]
    assert {(one.version, one.variant, one.int >> 80) for one in read} == {(7, uuid.RFC_4122, 1_772_442_000_123)}


def test_new_message_ids_are_in_the_order_of_time() -> None:
    """A record's indexes of them grow at one end only."""
    times = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(milliseconds=2**step) for step in range(40)]
    made = [MessageId.new(at).value for at in times]
    assert made == sorted(made)


@pytest.mark.parametrize(
    "value", ["", "short", "a" * 97, "urn:uuid:", "a" * 20 + " ", "a" * 20 + "\n", "../" * 8, "é" * 20]
)
def test_bad_message_id(value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        MessageId(value)


@pytest.mark.parametrize(
    "value", ["a" * 16, "a" * 96, "urn:uuid:7b8f3c1e-0c55-4a57-9f2f-8e1f6f6a2b10", "123@adapter.example"]
)
def test_good_message_id(value: str) -> None:
    assert str(MessageId(value)) == value


@pytest.mark.parametrize("value", ["", " ", "a b", "a" * 65, ".a", "a.", "a/b"])
def test_bad_official(value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        OfficialId(value)


def test_a_type_of_the_directory_is_judged_by_the_directory() -> None:
    assert SubjectId("passport", "AB1234567").value == "AB1234567"
    assert SubjectId("permit-2", "a 1/2-3.b").kind == "permit-2"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Passport", "AB1234567"),
        ("", "AB1234567"),
        ("p" * 33, "AB1234567"),
        ("passport", ""),
        ("passport", " AB1234567"),
        ("passport", "AB1234567\n"),
        ("passport", "A<b"),
        ("passport", "A&b"),
        ("passport", "\u0410\u0411"),
        ("passport", "A" * 129),
    ],
)
def test_what_no_type_of_a_directory_can_be(kind: str, value: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        SubjectId(kind, value)
    assert not value.strip() or value not in refused.value.reason

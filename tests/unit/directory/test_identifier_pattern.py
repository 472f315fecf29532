"""Patterns of identifiers: what the authority may write, and that no value makes a match slow."""

from __future__ import annotations

import time

import pytest

from adapter.directory.identifier_pattern import MAX_VALUE, IdentifierPattern
from adapter.errors import DirectoryRefused


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("[A-Z]{2}[0-9]{7}", "AB1234567"),
        ("[A-Z]{2}-?[0-9]{2,6}", "AB12"),
        ("(KA|QR)-[0-9]+", "QR-77"),
        (r"[0-9]{2}\.[0-9]*", "12."),
        ("(AA(-[0-9])?)?B", "AA-7B"),
        ("(AA(-[0-9])?)?B", "B"),
        ("[ABab-d]+", "Abcd"),
    ],
)
def test_matches_whole_values(pattern: str, value: str) -> None:
    known = IdentifierPattern(pattern)
    assert known.matches(value)
    assert not known.matches(value + "!")
    assert not known.matches(" " + value)
    assert not known.matches(value + "\n")


def test_what_a_repetition_took_it_keeps() -> None:
    assert not IdentifierPattern("[0-9]*[0-9]").matches("12")


def test_only_ascii_digits_are_digits() -> None:
    assert not IdentifierPattern("[0-9]{2}").matches("١٢")


def test_a_value_is_not_longer_than_an_identifier() -> None:
    assert IdentifierPattern("[0-9]*").matches("7" * MAX_VALUE)
    assert not IdentifierPattern("[0-9]*").matches("7" * (MAX_VALUE + 1))


FOREIGN = [r"\d", r"\1", "(?=a)", "(?:a)", ".", "^a", "a$", "[^a]", "é"]
WRONG = ["", "x" * 201, "[]", "[z-a]", "(a", "a)", "(a)*", "(a)+", "(a){2}", "*a", "a**", "a{2", "a{3,2}", "a|*", "(*)"]


@pytest.mark.parametrize("pattern", [*FOREIGN, *WRONG, "a{1000}"])
def test_refuses_what_is_not_in_the_language(pattern: str) -> None:
    with pytest.raises(DirectoryRefused, match="pattern"):
        IdentifierPattern(pattern)


@pytest.mark.parametrize("pattern", ["[0-9]*" * 33 + "A", "(0?0?|00)?" * 20, "(" * 60 + "0*" + ")?" * 60, "0?" * 100])
def test_no_value_makes_a_match_slow(pattern: str) -> None:
    known = IdentifierPattern(pattern)
    begun = time.thread_time()
    known.matches("0" * MAX_VALUE)
    assert time.thread_time() - begun < 0.05

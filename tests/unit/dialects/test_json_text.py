"""JSON octets: what is read, and what is refused before anything is made of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.dialects.json_text import Json, Number, pointer_to, render_json
from adapter.dialects.json_text import parse_json as parse_bounded
from adapter.errors import LimitExceeded, MalformedJson


def parse_json(octets: bytes) -> Json:
    return parse_bounded(octets, max_values=1000)


def test_numbers_keep_their_digits() -> None:
    text = "12345678901234567890.1234567890"
    found = parse_json(f'{{"a": {text}, "b": 1e400, "c": {"9" * 5000}}}'.encode())
    assert found == {"a": text, "b": "1e400", "c": "9" * 5000}
    assert isinstance(found, dict)
    assert all(isinstance(value, Number) for value in found.values())


@pytest.mark.parametrize(
    ("octets", "rule"),
    [
        (b"", "json.syntax"),
        (b"{", "json.syntax"),
        (b"{'a': 1}", "json.syntax"),
        (b"[1,]", "json.syntax"),
        (b"01", "json.syntax"),
        (b"{} {}", "json.syntax"),
        (b'"\x01"', "json.syntax"),
        (b"NaN", "json.number"),
        (b"[-Infinity]", "json.number"),
        (b'{"a": 1, "a": 1}', "json.duplicate"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "json.duplicate"),
    ],
)
def test_what_is_not_json_is_refused(octets: bytes, rule: str) -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(octets)
    assert [problem.rule for problem in refused.value.problems] == [rule]


@pytest.mark.parametrize("octets", ['{"a": "ў"}'.encode("cp1251", "replace") + b"\xff", '{"a": 1}'.encode("utf-16")])
def test_only_utf_8_is_read(octets: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_json(octets)


def test_a_byte_order_mark_is_no_harm() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": "b"}') == {"a": "b"}


@pytest.mark.parametrize("open_and_close", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_ends(open_and_close: tuple[bytes, bytes]) -> None:
    left, right = open_and_close
    with pytest.raises(LimitExceeded):
        parse_json(left * 200_000 + b"1" + right * 200_000)


@pytest.mark.parametrize("octets", [b"[" + b"[]," * 1000 + b"[]]", b"[" + b"0," * 1000 + b"0]", b'{"a":{},' * 900])
def test_what_would_fill_the_memory_ends(octets: bytes) -> None:
    with pytest.raises(LimitExceeded):
        parse_json(octets)


def test_commas_in_a_text_are_no_values() -> None:
    texts = parse_json(b'["' + b",[{" * 1000 + b'\\\\", "\\"' + b"," * 1000 + b'"]')
    assert texts == [",[{" * 1000 + "\\", '"' + "," * 1000]


JSON = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(JSON)
def test_what_is_written_is_read_again(value: object) -> None:
    octets = render_json(value)  # type: ignore[arg-type]
    assert parse_json(octets) == value == json.loads(octets)


def test_a_pointer_escapes_its_steps() -> None:
    assert pointer_to(pointer_to("", "a/b~c"), 0) == "/a~1b~0c/0"


def test_a_string_without_end_is_passed_over_once() -> None:
    """Else each quote in it would be tried as the beginning of another one."""
    with pytest.raises(MalformedJson):
        parse_json(b'["' + b'\\",' * 400_000)

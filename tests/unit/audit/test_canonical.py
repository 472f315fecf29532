"""Canonical JSON: what RFC 8785 says, as the rfc8785 package understands it, and bounded."""

import json
from collections import UserDict
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.audit.canonical import MAX_DEPTH, MAX_ITEMS, MAX_TEXT_CHARS, canonical_json
from adapter.errors import InternalError

NAMES = st.text(st.characters(max_codepoint=0x7F), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@given(st.dictionaries(NAMES, VALUES, max_size=6).filter(lambda value: depth_of(value) <= MAX_DEPTH))
@settings(deadline=None)
def test_the_text_is_what_another_implementation_writes(value):
    assert canonical_json(value).encode() == rfc8785.dumps(value)


def test_every_character_is_written_as_rfc_8785_says():
    every = "".join(map(chr, [*range(0x300), 0x2028, 0x2029, 0xFFFF, 0x1F600]))
    assert canonical_json({"all": every}).encode() == rfc8785.dumps({"all": every})


def test_a_line_break_in_a_value_does_not_make_a_second_line():
    """W153: text from a message cannot look like another entry."""
    text = canonical_json({"reason": 'x"}\n{"kind":"admin","reason":"\r\u2028'})
    assert "\n" not in text
    assert "\r" not in text
    assert json.loads(text) == {"reason": 'x"}\n{"kind":"admin","reason":"\r\u2028'}


def test_over_long_text_is_cut_and_says_so():
    said = json.loads(canonical_json({"reason": "я" * (MAX_TEXT_CHARS + 7)}))["reason"]
    assert said.startswith("я" * MAX_TEXT_CHARS + "…")
    assert said.endswith(f"({MAX_TEXT_CHARS + 7} characters)")
    exact = "a" * MAX_TEXT_CHARS
    assert json.loads(canonical_json({"reason": exact}))["reason"] == exact


def test_over_long_lists_are_cut():
    assert json.loads(canonical_json({"all": list(range(MAX_ITEMS + 5))}))["all"] == list(range(MAX_ITEMS))


def test_half_a_surrogate_pair_does_not_stop_an_entry():
    assert json.loads(canonical_json({"from": "a\udc80b"})) == {"from": "a?b"}


def test_tuples_and_mappings_count_as_lists_and_objects():
    assert canonical_json({"a": ({"b": True},), "c": UserDict(d=None)}) == '{"a":[{"b":true}],"c":{"d":null}}'


def nested(levels):
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        {"n": 1.5},
        {"n": float("nan")},
        {"n": 2**53},
        {"n": -(2**53)},
        {"ю": 1},
        {7: 1},
        {"n": b"octets"},
        {"n": object()},
        {"n": nested(MAX_DEPTH)},
        {"n": ["x" * MAX_TEXT_CHARS] * MAX_ITEMS},
    ],
    ids=["fraction", "nan", "large", "negative", "name", "number-name", "octets", "object", "deep", "octets-in-all"],
)
def test_what_an_entry_may_not_contain_is_refused(value):
    with pytest.raises(InternalError):
        canonical_json(value)

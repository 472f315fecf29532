"""Texts drawn for patterns of XML Schema match them; libxml2 is the judge."""

import random

import pytest

from adapter.envelope.schema_model import Facets, SimpleType
from adapter.errors import DescriptionUnusable
from adapter.samples.patterns import draw_text
from adapter.samples.value_check import ValueCheck

READABLE = [
    r"\d{11}",
    r".{1,17}",
    r"(([0-9]{14})?)",
    r"[\da-fA-F]{8}-[\da-fA-F]{4}",
    r"(text|image|audio|video|application)/[a-zA-Z0-9-+.]*",
    r"[^\s]+",
    r"[a-zA-Z'\-]*( ?[a-zA-Z'\-]*)*,[A-Z][A-Z]",
    r"(((0[1-9]|[12][0-9]|3[01])(01|03))[0-9]{2}[\-\+ABCDEFYXWVU][0-9]{3})?",
    r"\p{Lu}\p{Ll}+",
    r"\P{L}{3}",
    r"\i\c*",
    r"[a-z-[aeiou]]{5}",
    r"[^a-z]\D\S\W",
    r"a{3,}b?c+|d",
    r"\{\}\[\]\.\\\^\$",
    r"\n|\t",
    r"[Õõ]{2}",
    r"",
]


@pytest.mark.parametrize("pattern", READABLE)
def test_drawn_text_matches(pattern):
    kind = SimpleType(name="t", base=None, builtin="string", primitive="string", facets=Facets(patterns=((pattern,),)))
    check = ValueCheck(kind)
    draw = random.Random(1)
    texts = {draw_text(pattern, draw, stretch=stretch) for stretch in (0, 2, 9) for _ in range(20)}
    assert [text for text in texts if not check.admits(text)] == []


@pytest.mark.parametrize("pattern", ["(", "a{", "a{x}", "[a", r"\p{L", "a)", "(" * 60 + ")" * 60, "\\"])
def test_what_is_not_a_pattern_is_refused(pattern):
    with pytest.raises(DescriptionUnusable, match="is not understood"):
        draw_text(pattern, random.Random(1))


def test_more_stretch_gives_longer_texts():
    draw = random.Random(1)
    assert max(len(draw_text("a*", draw, stretch=0)) for _ in range(20)) == 0
    assert max(len(draw_text("a*", draw, stretch=30)) for _ in range(20)) > 10


def test_a_check_refuses_what_the_facets_exclude():
    facets = Facets(patterns=(("[a-z]+",), (".{3}", ".{5}")), max_length=4)
    check = ValueCheck(SimpleType(name="t", base=None, builtin="token", primitive="string", facets=facets))
    assert check.admits("abc")
    assert [text for text in ("ab", "ABC", "abcde", "abcd", "a\x00b") if check.admits(text)] == []

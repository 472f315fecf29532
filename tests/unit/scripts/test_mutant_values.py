"""A changed constant is tried in the living module only where that shows all that the change does."""

from __future__ import annotations

from types import ModuleType

import pytest

from scripts.mutant_values import NewValues, new_values

SOURCE = """
import re
_LIMIT = 3
_TWICE = _LIMIT * 2
_FORM = re.compile("ab")
_CALLS = (len, 1)
_SHAPE = (_CALLS, 1)
PUBLIC = 5
def reads(text):
    if len(text) > _LIMIT:
        return _TWICE
def header(text, limit=_FORM):
    return limit
def other():
    return 1
"""


def tried(old: str, new: str) -> NewValues | None:
    module = ModuleType("a_module")
    exec(SOURCE, vars(module))
    line = SOURCE[: SOURCE.index(old)].count("\n") + 1
    return new_values(module, SOURCE.encode(), compile(SOURCE.replace(old, new, 1), "x", "exec"), line)


def test_a_constant_with_what_is_made_of_it_and_the_bodies_that_read_them() -> None:
    assert tried("_LIMIT = 3", "_LIMIT = 4") == NewValues(values={"_LIMIT": 4, "_TWICE": 8}, lines=frozenset((10, 11)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('re.compile("ab")', 're.compile("abc")'),  # a default is made of it
        ("(len, 1)", "(len, 2)"),  # not plain
        ("PUBLIC = 5", "PUBLIC = 6"),  # others may have imported it
        ("return 1", "return 2"),  # in a body
        ("_LIMIT * 2", "2 * _LIMIT"),  # nothing is otherwise
    ],
)
def test_what_needs_an_import(old: str, new: str) -> None:
    assert tried(old, new) is None


def test_what_cannot_be_imported() -> None:
    with pytest.raises(TypeError):
        tried("_LIMIT = 3", "_LIMIT = None")

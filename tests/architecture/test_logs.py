"""What the code says in the log gets through its filter: a word that is dropped there tells nobody anything."""

from __future__ import annotations

import ast

from adapter.app import runs
from adapter.logs import ALLOWED_KEYS
from tests.architecture.source import calls, sources

_LEVELS = {"debug", "info", "warning", "error", "critical"}


def test_every_word_of_a_log_line_is_one_that_the_filter_lets_through() -> None:
    said = {
        (f"{source.path}:{call.lineno}", word.arg)
        for source in sources("adapter/")
        for level, call in calls(source)
        if level in _LEVELS and isinstance(call.func, ast.Attribute) and _is_log(call.func.value)
        for word in call.keywords
        if word.arg is not None
    }
    assert len(said) > 100
    assert {(place, word) for place, word in said if word not in ALLOWED_KEYS} == set()


def test_so_is_what_the_log_says_of_a_start() -> None:
    """The one line whose words come from a table."""
    with_a_table = [
        source.path
        for source in sources("adapter/")
        for level, call in calls(source)
        if level in _LEVELS and isinstance(call.func, ast.Attribute) and _is_log(call.func.value)
        if any(word.arg is None for word in call.keywords)
    ]
    assert with_a_table == ["adapter/app/runs.py"]
    assert {word for _, told in runs._WORTH_A_WARNING.values() for word in told} <= ALLOWED_KEYS


def _is_log(called: ast.expr) -> bool:
    return isinstance(called, ast.Name) and called.id == "log"

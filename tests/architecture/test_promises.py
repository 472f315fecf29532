"""docs/promises.md is true: the tests that it names exist, and the code that each break changes is there."""

from __future__ import annotations

import ast
import tomllib

import pytest

from scripts.break_promises import PAGE, ROOT, TABLE, Break, breaks, page

PROMISES = tomllib.loads(TABLE.read_text())["promise"]


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python scripts/break_promises.py --write"


def test_every_promise_has_tests_and_a_break() -> None:
    assert [promise["number"] for promise in PROMISES] == list(range(1, 11))
    assert all(promise["tests"] and promise["break"] for promise in PROMISES)


@pytest.mark.parametrize(
    "name",
    sorted({name for promise in PROMISES for name in promise["tests"]} | {one.test for one in breaks()}),
)
def test_named_test_exists(name: str) -> None:
    path, _, function = name.partition("::")
    defined = {
        node.name
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert function in defined


@pytest.mark.parametrize("one", list(breaks()), ids=lambda one: one.what)
def test_break_still_fits_the_code(one: Break) -> None:
    text = (ROOT / one.file).read_text()
    assert one.old in text, "adapt tests/promises/promises.toml"
    compile(text.replace(one.old, one.new), one.file, "exec")  # what is no Python any more breaks no promise

"""One family of errors, one page of them, one place that makes faults (STYLE: one door for errors)."""

from __future__ import annotations

import ast

from adapter.errors import AdapterError, catalogue
from scripts.generate_docs import PAGES, outdated
from tests.architecture.source import nodes, sources

FAMILY = {error.__name__ for error in catalogue()} | {AdapterError.__name__}


def test_errors_are_defined_in_the_catalogue_only() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources("adapter/")
        if source.path != "adapter/errors.py"
        for node in nodes(source)
        if isinstance(node, ast.ClassDef) and any(isinstance(one, ast.Name) and one.id in FAMILY for one in node.bases)
    ]
    assert found == []


def test_codes_texts_and_blame() -> None:
    rows = catalogue()
    assert len({error.code for error in rows}) == len(rows)
    assert len({error.text for error in rows}) == len(rows)
    assert all(error.blame for error in rows)


def test_no_error_is_swallowed_whole() -> None:
    """`except:` and `except BaseException` may clean up, but have to raise again."""
    found = [
        f"{source.path}:{node.lineno}"
        for source in sources("adapter/")
        for node in nodes(source)
        if isinstance(node, ast.ExceptHandler) and _takes_everything(node)
        if not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert found == []


def _takes_everything(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "BaseException")


def test_generated_pages_are_current() -> None:
    assert not outdated(), "make docs"
    assert "docs/errors.md" in PAGES

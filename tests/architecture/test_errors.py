"""One family of errors, one page of them, one place that makes faults (STYLE: one door for errors)."""

from __future__ import annotations

import ast

import pytest

from adapter.errors import AdapterError, catalogue
from scripts.generate_docs import PAGES, outdated
from tests.architecture.source import Source, nodes, sources

FAMILY = {error.__name__ for error in catalogue()} | {AdapterError.__name__}


@pytest.mark.parametrize("source", sources("adapter/"), ids=lambda source: source.path)
def test_errors_are_defined_in_the_catalogue_only(source: Source) -> None:
    if source.path == "adapter/errors.py":
        return
    for node in nodes(source):
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            assert not bases & FAMILY, f"{source.path}:{node.lineno} {node.name}"


def test_codes_texts_and_blame() -> None:
    rows = catalogue()
    assert len({error.code for error in rows}) == len(rows)
    assert len({error.text for error in rows}) == len(rows)
    assert all(error.blame for error in rows)


@pytest.mark.parametrize("source", sources("adapter/"), ids=lambda source: source.path)
def test_no_error_is_swallowed_whole(source: Source) -> None:
    """`except:` and `except BaseException` may clean up, but have to raise again."""
    for node in nodes(source):
        if isinstance(node, ast.ExceptHandler):
            bare = node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException")
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert not bare or raises, f"{source.path}:{node.lineno}"


def test_generated_pages_are_current() -> None:
    assert not outdated(), "make docs"
    assert "docs/errors.md" in PAGES

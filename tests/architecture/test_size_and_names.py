"""Small files, small functions, names that say something (STYLE: small)."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import Source, nodes, sources

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

LONG_FILES = {
    "adapter/stages.py": "one list of all stages in the order of a message's path, to be read top to bottom",
    "adapter/errors.py": "the closed catalogue: one table of classes, which nobody reads top to bottom",
    "tests/pki.py": "one test PKI for all tests; parts of it would be looked for in several places",
}
"""Files that may be longer, each with the reason."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer, as path:name, each with the reason."""

VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "stuff", "tools", "lib", "base", "core", "manager"}

EVERY = pytest.mark.parametrize("source", sources(), ids=lambda source: source.path)


@EVERY
def test_file_is_short(source: Source) -> None:
    if source.path not in LONG_FILES:
        assert source.line_count <= MAX_FILE_LINES


@EVERY
def test_functions_are_short(source: Source) -> None:
    """Counted from the first line of the body: a command's options, declared as parameters, are a table."""
    for node in nodes(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.body[0].lineno + 1
            if f"{source.path}:{node.name}" not in LONG_FUNCTIONS:
                assert length <= MAX_FUNCTION_LINES, f"{source.path}:{node.lineno} {node.name} has {length} lines"


@EVERY
def test_module_has_a_name(source: Source) -> None:
    parts = source.path.removesuffix(".py").split("/")
    assert not VAGUE.intersection(part.lower() for part in parts)


def test_reasons_are_still_needed() -> None:
    by_path = {source.path: source for source in sources()}
    assert all(by_path[path].line_count > MAX_FILE_LINES for path in LONG_FILES)
    assert all(path.partition(":")[0] in by_path for path in LONG_FUNCTIONS)
    assert all([*LONG_FILES.values(), *LONG_FUNCTIONS.values()])

"""Small files, small functions, names that say something (STYLE: small)."""

from __future__ import annotations

import ast

from tests.architecture.source import nodes, sources

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


def test_files_are_short() -> None:
    lengths = {source.path: source.line_count for source in sources() if source.path not in LONG_FILES}
    assert {path: count for path, count in lengths.items() if count > MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    """Counted from the first line of the body: a command's options, declared as parameters, are a table."""
    found = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources()
        for node in nodes(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
        if node.end_lineno - node.body[0].lineno + 1 > MAX_FUNCTION_LINES
        if f"{source.path}:{node.name}" not in LONG_FUNCTIONS
    ]
    assert found == []


def test_modules_have_names() -> None:
    parts = {source.path: source.path.removesuffix(".py").lower().split("/") for source in sources()}
    assert [path for path, names in parts.items() if VAGUE.intersection(names)] == []


def test_reasons_are_still_needed() -> None:
    by_path = {source.path: source for source in sources()}
    assert all(by_path[path].line_count > MAX_FILE_LINES for path in LONG_FILES)
    assert all(path.partition(":")[0] in by_path for path in LONG_FUNCTIONS)
    assert all([*LONG_FILES.values(), *LONG_FUNCTIONS.values()])

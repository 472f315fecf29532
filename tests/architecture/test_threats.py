"""docs/threats.md, docs/hardening.md and SECURITY.md name no test that does not exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("SECURITY.md", "docs/threats.md", "docs/hardening.md")
NAMED = re.compile(r"`(tests/[^`\s]+)`")
ROW = re.compile(r"^\| ([STRIDE](?:, [STRIDE])*): .* \| (?P<shown>[^|]+) \|$")
CASE = re.compile(r"\bW(\d+)\b")


def named() -> list[tuple[str, str]]:
    return sorted({(page, name) for page in PAGES for name in NAMED.findall((ROOT / page).read_text())})


def rows() -> list[re.Match[str]]:
    lines = (ROOT / "docs" / "threats.md").read_text().splitlines()
    return [row for line in lines if (row := ROW.match(line))]


def test_there_are_names_to_look_for() -> None:
    assert len(named()) > 40


@pytest.mark.parametrize(("page", "name"), named())
def test_named_test_exists(page: str, name: str) -> None:
    path, _, function = name.partition("::")
    assert [*ROOT.glob(path)], f"{page} names it"
    if function:
        tree = ast.parse((ROOT / path).read_text())
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert function in defined, f"{page} names it"


def test_every_threat_has_a_test_or_a_case() -> None:
    assert len(rows()) > 40
    assert [row[0] for row in rows() if not NAMED.search(row["shown"]) and not CASE.search(row["shown"])] == []


def test_every_row_of_a_threat_is_read() -> None:
    """A row that the pattern above misses would be looked at by nobody."""
    tables = (ROOT / "docs" / "threats.md").read_text().split("\n\n")
    threats = [table.splitlines()[2:] for table in tables if table.startswith("| threat |")]
    assert sum(map(len, threats)) == len(rows())

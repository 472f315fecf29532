"""The line of every key, whatever TOML allows around it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.settings.toml_positions import KeyPath, key_lines, line_of

DOCUMENT = '''\
# a comment [not.a.table]
top = 1 # key = 2
"quoted key" = """
fake = 1
[fake]
\\""" still inside
"""
'single' = \'\'\'
fake = 2\'\'\'
dotted . key = [ # ] comment
  "a]", 'b]',
  [1, 2], # fake = 3
]
inline = { x = 1, y = "}" }
[table]
a = 1
  [table.inner]
  b = "# no comment"
[[array]]
c = 1
[array.sub]
d = 1
[[array]]
c = 2
  [[array.deep]]
  e = 1
  [[array.deep]]
  e = 2
["table".'x.y']
f = 1979-05-27 07:32:00
'''


def test_lines() -> None:
    tomllib.loads(DOCUMENT)
    lines = key_lines(DOCUMENT)
    assert lines == {
        ("top",): 2,
        ("quoted key",): 3,
        ("single",): 8,
        ("dotted",): 10,
        ("dotted", "key"): 10,
        ("inline",): 14,
        ("table",): 15,
        ("table", "a"): 16,
        ("table", "inner"): 17,
        ("table", "inner", "b"): 18,
        ("array",): 19,
        ("array", 0): 19,
        ("array", 0, "c"): 20,
        ("array", 0, "sub"): 21,
        ("array", 0, "sub", "d"): 22,
        ("array", 1): 23,
        ("array", 1, "c"): 24,
        ("array", 1, "deep"): 25,
        ("array", 1, "deep", 0): 25,
        ("array", 1, "deep", 0, "e"): 26,
        ("array", 1, "deep", 1): 27,
        ("array", 1, "deep", 1, "e"): 28,
        ("table", "x.y"): 29,
        ("table", "x.y", "f"): 30,
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [(("table", "a"), 16), (("table", "absent"), 15), (("inline", "y"), 14), (("absent", "x"), 0), ((), 0)],
)
def test_nearest_line(path: KeyPath, line: int) -> None:
    assert line_of(key_lines(DOCUMENT), path) == line


@pytest.mark.parametrize("text", ["", "\n", "#", "a=1", "a=1\r\nb=2\r\n", 'a=""', "a='''\n'''\nb=1", 'a="""x""""\nb=1'])
def test_short_documents(text: str) -> None:
    assert {path for path in key_lines(text) if path} == {(key,) for key in tomllib.loads(text)}


@given(st.text("ab.=[]{}\"'#\n 1,", max_size=40))
def test_whatever_tomllib_accepts_is_walked_to_its_end(text: str) -> None:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = key_lines(text)
    assert {path[0] for path in lines} == set(content)
    for path, line in lines.items():
        assert 1 <= line <= text.count("\n") + 1
        here: Any = content
        for step in path:
            here = here[step]

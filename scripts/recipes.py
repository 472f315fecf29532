"""Code blocks and tables of hand-written pages that are taken from the tests, so that a recipe is one that was tried.

A fenced block whose first line names a file (```php tests/interop/php/client.php) holds that file between its lines
`begin of the recipe` and `end of the recipe`, or all of it if it has none. A comment `<!-- answers: FILE -->` is
followed by the table of a list of recorded requests, up to the next empty line.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^(```\w+ (\S+)\n).*?^```$", re.MULTILINE | re.DOTALL)
_TABLE: Final = re.compile(r"^(<!-- answers: (\S+) -->\n).*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_BEGIN: Final = "begin of the recipe"
_END: Final = "end of the recipe"


def with_recipes(page: str, root: Path) -> str:
    """The page with every such block and table as the files say now. root: the folder that their names start from."""
    page = _BLOCK.sub(lambda block: f"{block[1]}{_recipe(root / block[2])}\n```", page)
    return _TABLE.sub(lambda table: f"{table[1]}{_answers(root / table[2])}", page)


def _recipe(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [at for at, line in enumerate(lines) if _BEGIN in line or _END in line]
    kept: list[str] = []
    for begin, end in zip(marks[::2], marks[1::2], strict=True):
        kept += lines[begin + 1 : end]
    return textwrap.dedent("\n".join(kept if marks else lines)).strip("\n")


def _answers(path: Path) -> str:
    rows = ["| what is special | answer |", "| --- | --- |"]
    for request in tomllib.loads(path.read_text(encoding="utf-8"))["request"]:
        answer = "answered" if request["answer"] == "answered" else f"`{request['answer']}`"
        rows.append(f"| {request['manner']} | {answer} |")
    return "\n".join(rows)

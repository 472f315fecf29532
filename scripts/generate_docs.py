"""Writes the pages and catalogues that are made of the code, or with --check says which of them are out of date.

docs/cli.md, docs/dependencies.md, docs/errors.md, docs/settings.md, adapter/locale/adapter.pot; the recipes in
docs/clients.md, whose text is written by hand; and docs/corpus.md, which --check leaves to a test, where the corpus of
service descriptions lies beside the repository.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adapter.cli.trust_faults import TrustFault
from adapter.envelope.texts import LANGUAGES, text_in
from adapter.envelope.xroad_faults import xroad_code
from adapter.errors import AdapterError, Blame, Retry, catalogue
from adapter.settings import ServiceSettings, Settings
from scripts.cli_page import cli_page
from scripts.corpus_page import corpus_page
from scripts.dependencies_page import dependencies_page
from scripts.recipes import with_recipes
from tests.interop.published import CORPUS

ROOT: Final = Path(__file__).resolve().parent.parent

_BLAME: Final = {
    Blame.CLIENT_SYSTEM: "the client system",
    Blame.CONSUMER_ADAPTER: "the consumer's adapter",
    Blame.NETWORK: "the network",
    Blame.PROVIDER_ADAPTER: "the provider's adapter",
    Blame.PROVIDER_SYSTEM: "the provider's information system",
    Blame.DIRECTORY: "the directory",
    Blame.OPERATOR: "whoever typed the command",
}
_RETRY: Final = {
    Retry.NO: "no",
    Retry.LATER: "later, the same message",
    Retry.CHECK_FIRST: "after a look whether it took effect",
}


_ERRORS_INTRODUCTION: Final = """\
A fault names its code, who has to act before the same request can succeed, whether the same message may be sent again,
and an incident id by which both operators find the reason in their records. The catalogue is closed: an adapter answers
with nothing else."""
_SETTINGS_INTRODUCTION: Final = """\
An unknown key or a wrong value is refused at start with file, line, key and the nearest valid key. Relative paths are
meant from the folder of the file. Secrets are never in these files: they name files that hold them."""


# --- docs/errors.md ---------------------------------------------------------------------------------------------------


def errors_page() -> str:
    """The catalogue of errors, by who has to act."""
    parts = [
        "# Errors",
        "Generated from `adapter/errors.py` by `make docs`; do not edit.",
        _ERRORS_INTRODUCTION,
    ]
    for blame, title in _BLAME.items():
        parts.append(f"## To be mended by {title}")
        parts.append("\n".join(_errors_table([error for error in catalogue() if error.blame is blame])))
    return "\n\n".join(parts) + "\n"


def _errors_table(errors: list[type[AdapterError]]) -> Iterator[str]:
    at_console = all(error.blame is Blame.OPERATOR for error in errors)
    columns = "exit code" if at_console else "HTTP | to X-Road clients"
    yield f"| code | retry | {columns} | text (English, Russian, Uzbek) |"
    yield "| --- | --- | --- | --- |" if at_console else "| --- | --- | --- | --- | --- |"
    for error in errors:
        texts = "<br>".join(text_in(language, error.text) for language in LANGUAGES)
        number = (
            str(error.exit_code) if at_console else f"{error.http_status} | `{xroad_code(error.code, error.blame)}`"
        )
        yield f"| `{error.code}` | {_RETRY[error.retry]} | {number} | {texts} |"


# --- docs/settings.md -------------------------------------------------------------------------------------------------


def settings_page() -> str:
    """The manual of the two settings files."""
    parts = [
        "# Settings",
        "Generated from `adapter/settings/` by `make docs`; do not edit.",
        _SETTINGS_INTRODUCTION,
        "## adapter.toml",
        *_sections(Settings, ""),
        "## service.toml",
        *_sections(ServiceSettings, ""),
    ]
    return "\n\n".join(parts) + "\n"


def _sections(model: type[BaseModel], table: str) -> Iterator[str]:
    """The tables of a file, from the top downwards."""
    inner: list[tuple[str, type[BaseModel]]] = []
    rows: list[str] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        section = _section_in(field.annotation)
        if section is None:
            rows.append(f"| `{key}` | {_default(field)} | {field.description} |")
        else:
            inner.append((_table_name(f"{table}.{key}".lstrip("."), field.annotation), section))
    if rows:
        heading = f"### [{table}]" if table else "### at the top"
        yield "\n".join([heading, "", "| key | default | meaning |", "| --- | --- | --- |", *rows])
    for name, section in inner:
        yield from _sections(section, name)


def _table_name(name: str, annotation: object) -> str:
    is_map = "Mapping" in str(annotation) or "dict" in str(annotation)
    return f"{name}.NAME" if is_map else name


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _section_in(inner))), None)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if field.default is None:
        return "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`" if field.default not in ((), {}, "") else "empty"


# --- adapter/locale/adapter.pot ---------------------------------------------------------------------------------------


def template() -> str:
    """The gettext template: texts of errors and doctor's faults, then the literals that the code gives to `text_in`."""
    found: dict[str, list[str]] = {}
    for error in catalogue():
        found.setdefault(error.text, []).append(error.code)
    for fault in TrustFault:
        found.setdefault(fault.sentence, []).append(fault.code)
    for path in sorted((ROOT / "adapter").rglob("*.py")):
        for text in _literals(path):
            place = path.relative_to(ROOT).as_posix()
            if place not in found.setdefault(text, []):
                found[text].append(place)
    head = ['msgid ""', 'msgstr ""', r'"Content-Type: text/plain; charset=utf-8\n"', ""]
    entries = [f'#. {", ".join(places)}\nmsgid {_quoted(text)}\nmsgstr ""\n' for text, places in found.items()]
    return "# Generated by `make docs`: every text to translate.\n" + "\n".join([*head, *entries])


def _literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "text_in":
            for argument in node.args[1:2]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


# --- docs/clients.md, docs/peers.md -----------------------------------------------------------------------------------


def recipes_page(name: str) -> str:
    """The page as it is, with the recipes of today's tests."""
    return with_recipes((ROOT / name).read_text(encoding="utf-8"), ROOT)


# --- the command ------------------------------------------------------------------------------------------------------

PAGES: Final[dict[str, Callable[[], str]]] = {
    "docs/cli.md": cli_page,
    "docs/clients.md": partial(recipes_page, "docs/clients.md"),
    "docs/dependencies.md": dependencies_page,
    "docs/errors.md": errors_page,
    "docs/peers.md": partial(recipes_page, "docs/peers.md"),
    "docs/settings.md": settings_page,
    "adapter/locale/adapter.pot": template,
}


def outdated() -> list[str]:
    """The pages that are not what the code says."""
    return [name for name, make in PAGES.items() if not _is_current(ROOT / name, make())]


def _is_current(path: Path, wanted: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == wanted


def main() -> int:
    """Write, or check. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is out of date")
    if parser.parse_args().check:
        old = outdated()
        for name in old:
            print(f"{name} is out of date: make docs", file=sys.stderr)
        return 1 if old else 0
    corpus: dict[str, Callable[[], str]] = {"docs/corpus.md": corpus_page} if CORPUS.is_dir() else {}
    for name, make in {**PAGES, **corpus}.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

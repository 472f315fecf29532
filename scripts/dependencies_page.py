"""docs/dependencies.md: what runs beside our own code, with which licence, and why it is trusted."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from scripts.lockfile import ROOT, Locked, direct_dependencies, locked_packages
from scripts.sbom import TABLE, running

_INTRODUCTION: Final = """\
Every package is fixed to one version in `requirements.lock`, and every file of it to a SHA-256: nothing else installs.
Ready wheels are taken for all of them except spyne, which is published as source and built with the locked setuptools.
Licences are SPDX names; one that is not in the list of allowed ones fails the checks until somebody has decided. The
reasons are written by hand in `supply/dependencies.toml`; versions come from the lock, and tests hold licence and
compiled code against what the installed packages say of themselves. `make audit` looks for known weaknesses of these
versions; the wheel carries the same list as a bill of materials
(CycloneDX 1.6, `.dist-info/sboms/adapter.cdx.json`)."""


def dependencies_page() -> str:
    """The page, from the lock and the table."""
    table = tomllib.loads((ROOT / TABLE).read_text(encoding="utf-8"))
    packages = running()
    parts = [
        "# Dependencies",
        f"Generated from `requirements.lock` and `{TABLE}` by `make docs`; do not edit.",
        _INTRODUCTION,
        "Allowed licences: " + ", ".join(table["allowed_licences"]) + ".",
        f"## In operation: {len(packages)} packages",
        "\n".join(_rows(packages, table["runtime"])),
        f"## Tests, checks and the build: {len(table['development'])} packages, never beside a running adapter",
        "\n".join(_short_rows(table["development"])),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(packages: dict[str, Locked], entries: dict[str, Any]) -> Iterator[str]:
    direct = direct_dependencies()
    yield "| package | licence | wheel | why it is there | why it is trusted | what it can touch |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, one in packages.items():
        entry = entries[name]
        shown = f"**{name}**" if name in direct else name
        wheel = "compiled" if entry["native"] else "Python"
        if name == "spyne":
            wheel = "source, built here"
        cells = (f"{shown} {one.version}", entry["licence"], wheel, entry["why"], entry["trust"], entry["reach"])
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "Bold: named in `pyproject.toml`; the others are wanted by those."


def _short_rows(licences: dict[str, str]) -> Iterator[str]:
    locked = locked_packages()
    yield "| package | licence | wanted by |"
    yield "| --- | --- | --- |"
    for name, licence in licences.items():
        by = ", ".join(sorted(locked[name].wanted_by)) or "this project"
        yield f"| {name} {locked[name].version} | {licence} | {by} |"

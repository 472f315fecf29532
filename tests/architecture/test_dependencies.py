"""Every locked package was decided about: licence, compiled code and reason; docs/dependencies.md follows."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, requires
from typing import Any

import pytest
from packaging.requirements import Requirement

from scripts.lockfile import ROOT, direct_dependencies, locked_packages, normalised
from scripts.sbom import TABLE, running

DECIDED: dict[str, Any] = tomllib.loads((ROOT / TABLE).read_text(encoding="utf-8"))
LICENCES = {name: entry["licence"] for name, entry in DECIDED["runtime"].items()} | DECIDED["development"]
# What a package says in its own words, as the SPDX name that it means.
SAID = {
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "isc license": "ISC",
    "lgpl-2.1": "LGPL-2.1-only",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
}
SAYS_NOTHING = {"atheris"}  # its sources say Apache-2.0 in every file, its metadata says nothing
SAYS_OTHERWISE = {
    "uvloop": "MIT License",  # the sources are under either of the two
    "libcst": "All contributions towards LibCST are MIT licensed.",
    "isodate": "Copyright (c) 2021, Hugo van Kemenade and contributors",  # followed by the three clauses
}


def wanted_in_operation() -> set[str]:
    """What the installed packages themselves ask for, from the direct dependencies on."""
    found: set[str] = set()
    waiting = list(direct_dependencies())
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        asked = [Requirement(line) for line in requires(name) or []]
        waiting += [normalised(one.name) for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def test_each_package_of_the_lock_is_in_one_of_the_two_lists() -> None:
    assert set(DECIDED["runtime"]) == set(running())
    assert set(DECIDED["development"]) == set(locked_packages()) - set(running())


def test_what_runs_is_what_the_packages_ask_for() -> None:
    assert wanted_in_operation() == set(running())


@pytest.mark.parametrize("name", sorted(LICENCES))
def test_licence_is_allowed(name: str) -> None:
    alternatives = re.split(r" OR ", LICENCES[name])
    assert any(set(re.split(r" AND ", one)) <= set(DECIDED["allowed_licences"]) for one in alternatives)


@pytest.mark.parametrize("name", sorted(set(LICENCES) - SAYS_NOTHING))
def test_licence_is_what_the_package_says(name: str) -> None:
    try:
        metadata = distribution(name).metadata.json
    except PackageNotFoundError:
        pytest.skip(f"{name} is not for this Python")
    said = str(metadata.get("license_expression") or metadata.get("license") or "").partition("\n")[0].strip()
    if name in SAYS_OTHERWISE:
        assert said.startswith(SAYS_OTHERWISE[name])
        return
    if not said:  # an older way to say it
        classifiers = metadata.get("classifier") or []
        said = next(one.rpartition(":: ")[2] for one in classifiers if one.startswith("License"))
    assert SAID.get(said.lower(), said) == LICENCES[name]


@pytest.mark.parametrize("name", sorted(DECIDED["runtime"]))
def test_entry_says_everything(name: str) -> None:
    entry = DECIDED["runtime"][name]
    assert set(entry) == {"licence", "native", "why", "trust", "reach"}
    assert all(entry[key] for key in ("why", "trust", "reach"))
    files = distribution(name).files or []
    assert entry["native"] == any(file.suffix == ".so" for file in files)

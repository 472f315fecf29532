"""The software bill of materials: CycloneDX 1.6 in JSON, made of requirements.lock and supply/dependencies.toml alone.

The same input gives the same octets: there is no time of day in it, and its serial number is derived from its content.
Only packages that run in production are in it. Nothing but the standard library is imported: the build uses it.
"""

from __future__ import annotations

import json
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any, Final

from scripts.lockfile import ROOT, Locked, direct_dependencies, runtime_packages

FILE_NAME: Final = "adapter.cdx.json"
TABLE: Final = Path("supply/dependencies.toml")
_NAMESPACE: Final = uuid.UUID("6f1c1f0e-6f43-5d0c-9a63-0d2b3f0a6f11")
"""Drawn once; serial numbers are named inside it."""
_ONLY_BY_EXTRA: Final = {"linkify-it-py"}
"""The lock names them below a package that runs, but only an extra that the tests' tools ask for wants them."""


def running(root: Path = ROOT) -> dict[str, Locked]:
    """Every package that is installed beside the adapter in production, by name."""
    return {name: one for name, one in runtime_packages(root).items() if name not in _ONLY_BY_EXTRA}


def bill(version: str, root: Path = ROOT) -> bytes:
    """The bill of materials of this version. Raises KeyError: a package has no entry in the table."""
    table = tomllib.loads((root / TABLE).read_text(encoding="utf-8"))["runtime"]
    packages = running(root)
    content: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "adapter", "name": "adapter", "version": version},
            "lifecycles": [{"phase": "build"}],
        },
        "components": [_component(one, table[one.name]) for one in packages.values()],
        "dependencies": [
            {"ref": "adapter", "dependsOn": [_url(packages[name]) for name in direct_dependencies(root)]},
            *({"ref": _url(one), "dependsOn": _wanted(one, packages)} for one in packages.values()),
        ],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))
    return json.dumps({**content, "serialNumber": serial.urn}, indent=1, sort_keys=True).encode() + b"\n"


def _url(one: Locked) -> str:
    return f"pkg:pypi/{one.name}@{one.version}"


def _wanted(one: Locked, packages: dict[str, Locked]) -> list[str]:
    return [_url(other) for other in packages.values() if one.name in other.wanted_by]


def _component(one: Locked, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _url(one),
        "name": one.name,
        "version": one.version,
        "purl": _url(one),
        "scope": "required",
        "licenses": [_licence(entry["licence"])],
        # One for each file that the lock permits: which of them is installed depends on Python and processor.
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in one.hashes],
        "properties": [{"name": "adapter:native-code", "value": str(entry["native"]).lower()}],
    }


def _licence(expression: str) -> dict[str, Any]:
    return {"expression": expression} if " " in expression else {"license": {"id": expression}}


def main() -> int:
    """Write the bill to the file that is named. Arguments: version, file."""
    _, version, file = sys.argv
    Path(file).write_bytes(bill(version))
    return 0


if __name__ == "__main__":
    sys.exit(main())

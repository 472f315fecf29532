"""Part of the build of the wheel: puts the software bill of materials into it (PEP 770, `.dist-info/sboms/`)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BillOfMaterials(BuildHookInterface[Any]):
    """Makes the bill from the lock of the very tree that is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before the wheel is written. version: of the build (`editable` has no bill)."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from scripts.sbom import FILE_NAME, bill  # noqa: PLC0415  the build runs without the project on its path

        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / FILE_NAME
        file.write_bytes(bill(self.metadata.version, Path(self.root)))
        build_data["sbom_files"].append(str(file))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is there: a copy of the bill beside it."""
        if version == "editable":
            return
        del build_data
        from scripts.sbom import FILE_NAME  # noqa: PLC0415

        Path(artifact_path).with_name(FILE_NAME).write_bytes((Path(self._folder.name) / FILE_NAME).read_bytes())
        self._folder.cleanup()

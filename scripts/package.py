"""Builds wheel, source archive and bill of materials, twice in two folders, and keeps them only when both are the same.

Every time in them is SOURCE_DATE_EPOCH: as given, else that of the last commit, so that anybody who has the source can
build the same octets and compare.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_WITHOUT_GIT: Final = "1735689600"
"""2025-01-01, for a tree without its history."""


def build(source: Path, into: Path, epoch: str) -> dict[str, bytes]:
    """Build what lies in `source`. Returns each file that came out with its octets. Raises CalledProcessError."""
    into.mkdir(parents=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "random"}
    subprocess.run(  # noqa: S603  our own build
        [sys.executable, "-m", "hatchling", "build", "-d", str(into)],
        cwd=source,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return {path.name: path.read_bytes() for path in sorted(into.iterdir())}


def copy_of_the_source(into: Path) -> Path:
    """What is in the repository, in another folder: nothing that lies about here can get into the build."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    asked = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True)  # noqa: S603  a fixed command
    names = asked.stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
    return into


def source_date() -> str:
    """SOURCE_DATE_EPOCH, as given or of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    last = ["git", "log", "-1", "--format=%ct"]
    asked = subprocess.run(last, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  a fixed command
    return asked.stdout.strip() or _WITHOUT_GIT


def main() -> int:
    """Build, compare, keep. Arguments: the folder for what was built. Exit code 1: the two builds differ."""
    target = Path(sys.argv[1]).absolute()
    epoch = source_date()
    with tempfile.TemporaryDirectory() as place:
        first = build(ROOT, Path(place) / "first", epoch)
        elsewhere = copy_of_the_source(Path(place) / "another" / "folder")
        second = build(elsewhere, Path(place) / "second", epoch)
    differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    if differing:
        print(f"Two builds of one source differ: {', '.join(differing)}", file=sys.stderr)
        return 1
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    sums = []
    for name, octets in first.items():
        (target / name).write_bytes(octets)
        sums.append(f"{hashlib.sha256(octets).hexdigest()}  {name}")
    (target / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="ascii")
    print(f"Built twice, the same octets (SOURCE_DATE_EPOCH={epoch}):")
    print("\n".join(sums))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What must not be in the repository: keys, registries, places of one machine; and libraries that fit together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import xmlsec
from lxml import etree

from tests.architecture.source import ROOT, files

PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE\x20KEY-----\s+[A-Za-z0-9+/]{40}")
# Written in pieces, so that this file does not find itself.
PLACES = re.compile(
    "|".join(
        [r"/ro" + r"ot/", r"/ho" + r"me/[a-z]", r"/Us" + r"ers/[a-z]", r"(?<![\w.])/wo" + r"rk/", r"\.py" + r"env/"]
    )
)
REGISTRIES = re.compile(
    "|".join(
        [
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"--(?:extra-)?index" + r"-url",
            r"(?i:artifac" + r"tory|nex" + r"us|dev" + r"pi)",
        ]
    )
)
TEXTS = {
    ".py",
    ".toml",
    ".md",
    ".lock",
    ".txt",
    ".xsd",
    ".wsdl",
    ".xml",
    ".po",
    ".pot",
    ".sh",
    ".mako",
    ".ini",
    ".php",
    ".json",
    "",
}


def texts() -> list[Path]:
    return [path for path in files() if path.suffix in TEXTS]


def test_no_private_key() -> None:
    found = [path for path in files() if PRIVATE_KEY.search(path.read_bytes())]
    assert not found


@pytest.mark.parametrize("pattern", [PLACES, REGISTRIES], ids=["places of one machine", "registry addresses"])
def test_no_line_names(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line) and "--no-emit-" not in line
    ]
    assert not found


def test_lxml_and_xmlsec_carry_the_same_libxml2() -> None:
    assert xmlsec.get_libxml_version()[:2] == etree.LIBXML_VERSION[:2]


def test_lock_pins_what_the_project_pins() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for pinned in ("lxml==6.1.3", "xmlsec==1.3.17"):
        assert f"\n{pinned} " in lock
        assert f'"{pinned}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_locked_package_has_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", lock)
    packages = [block for block in blocks if re.match(r"[a-z0-9]", block)]
    assert packages
    assert all("--hash=sha256:" in block for block in packages)

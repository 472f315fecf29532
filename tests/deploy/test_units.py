"""The systemd units: what they give up, as systemd-analyze counts it, and that both say the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from adapter import hardening
from tests.adapters.dialogues import assert_shown, dialogues, play

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "hardening.md"
DEPLOY = ROOT / "deploy"
UNITS = ("adapter.service", "adapter@.service")
MOST_EXPOSED = 2.0
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here (Debian: package systemd)")
def test_exposure_is_low(name: str, tmp_path: Path) -> None:
    unit = shutil.copy(DEPLOY / name, tmp_path / name.replace("@", "-of-one-member"))
    done = subprocess.run(
        [ANALYZE or "", "security", "--offline=yes", "--no-pager", unit], capture_output=True, text=True, check=False
    )
    overall = re.search(r"Overall exposure level.*?: ([0-9.]+)", done.stdout)
    assert overall, done.stderr
    assert float(overall[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("name", UNITS)
def test_what_systemd_does_not_count(name: str) -> None:
    lines = (DEPLOY / name).read_text().splitlines()
    for line in (
        "LimitCORE=0",
        "MemorySwapMax=0",
        "LimitMEMLOCK=infinity",
        "MemoryMax=2G",
        "UMask=0077",
        "CapabilityBoundingSet=",
    ):
        assert line in lines
    assert [line for line in lines if line.startswith("LoadCredential=passphrase:")]


def test_both_units_protect_alike() -> None:
    one, many = ((DEPLOY / name).read_text().partition("# Files:")[2].replace("/%i", "") for name in UNITS)
    assert one == many


def test_page_says_what_each_line_is_for() -> None:
    page = PAGE.read_text()
    service = (DEPLOY / UNITS[0]).read_text().partition("[Service]")[2].partition("[Install]")[0]
    keys = set(re.findall(r"^([A-Z][A-Za-z]+)=", service, re.MULTILINE))
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", page.partition("| lines | what for |")[2]))
    assert keys <= named


def test_page_says_what_doctor_says() -> None:
    """Every text of adapter/hardening.py that an administrator can see."""
    page = PAGE.read_text()
    texts = re.findall(r'(?:found|mend)="([^"]+)"', Path(hardening.__file__).read_text())
    assert texts
    assert [text for text in texts if text not in page and text != "memory is locked"] == []


def test_page_shows_what_is_printed(tmp_path: Path) -> None:
    for dialogue, printed in play(dialogues("Keys under a passphrase", PAGE), tmp_path):
        assert_shown(dialogue.shown, printed)

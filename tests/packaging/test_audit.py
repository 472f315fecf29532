"""`make audit`: nothing learned is not a clean bill."""

from __future__ import annotations

from scripts.audit import CLEAN, NOT_ASKED, WEAK, judge

WANTED = frozenset({"lxml", "zeep"})


def about(name: str, *weaknesses: str) -> dict[str, object]:
    return {"name": name, "version": "1", "vulns": [{"id": one, "fix_versions": ["2"]} for one in weaknesses]}


def skipped(name: str) -> dict[str, object]:
    return {"name": name, "skip_reason": "not found"}


def test_no_report_is_no_clean_bill() -> None:
    assert judge(None, WANTED).exit_code == NOT_ASKED


def test_a_report_about_no_package_is_no_clean_bill() -> None:
    verdict = judge({"dependencies": []}, frozenset())
    assert verdict.exit_code == NOT_ASKED
    assert "docs/dependencies.md" in verdict.lines[-1]


def test_all_skipped_is_no_clean_bill() -> None:
    verdict = judge({"dependencies": [skipped("lxml"), skipped("zeep")]}, WANTED)
    assert verdict.exit_code == NOT_ASKED
    assert "all 2 packages" in verdict.lines[0]
    assert "docs/dependencies.md" in verdict.lines[-1]


def test_one_skipped_is_no_clean_bill() -> None:
    verdict = judge({"dependencies": [about("lxml"), skipped("zeep")]}, WANTED)
    assert verdict.exit_code == NOT_ASKED
    assert "1 of 2 packages: zeep" in verdict.lines[0]


def test_a_weakness_is_named_even_when_others_are_silent() -> None:
    verdict = judge({"dependencies": [about("lxml", "CVE-1"), skipped("zeep")]}, WANTED)
    assert verdict.exit_code == WEAK
    assert verdict.lines[0] == "lxml: CVE-1, mended in 2"


def test_clean() -> None:
    verdict = judge({"dependencies": [about("lxml"), about("zeep")]}, WANTED)
    assert (verdict.exit_code, verdict.lines) == (CLEAN, ("No known weakness in 2 packages.",))

"""The record on the command line; docs/record.md and docs/report.md show what the commands really print."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any, cast

import pytest
from lxml import etree, html

from adapter.audit.subjects import subject_key, subject_tag
from adapter.cli.doctor_checks import Health
from adapter.cli.doctor_records import look_at_records
from adapter.cli.own_record import own_log
from adapter.store.appending import append_entries
from adapter.store.engine import open_database
from tests.unit.cli import record_scene
from tests.unit.cli.dialogue import Run, commands_of, played, played_in
from tests.unit.cli.record_scene import PERSON, day_of_work, settings_of

RECORD = Path(__file__).parent / "record-dialogue.txt"
REPORT = Path(__file__).parent / "report-dialogue.txt"


@pytest.fixture
def record(place: Path) -> Path:
    return record_scene.build(place)


@pytest.fixture
def reported(place: Path) -> Path:
    return record_scene.prepare_report(place)


def test_the_record_is_searched_proved_and_held_against_others(run: Run, record: Path) -> None:
    shown, expected = played(RECORD, run, record)
    assert shown == expected
    assert PERSON.partition(":")[2] not in shown


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("log list --service UZ/GOV/200000001", "a service is written"),
        ("log list --consumer nonsense", "a subsystem is written"),
        ("log list --since 2027-01-01 --until 2026-01-01", "ends before it begins"),
        ("log usage --subject-file person --since 2027-01-01 --until 2026-01-01", "ends before it begins"),
        ("log report --since 2027-01-01 --until 2027-01-01", "ends before it begins"),
        ("log export --tiles person", "cannot be written"),
        ("log verify-tiles nowhere --vkey register.vkey", "there is no folder nowhere"),
    ],
)
def test_a_slip_of_the_pen_is_told_and_gets_no_answer(run: Run, record: Path, command: str, said: str) -> None:
    assert (record / "person").is_file()
    settings = [] if "verify-tiles" in command else ["--settings", "register"]
    answered = run(*command.split(), *settings)
    assert (answered.code, answered.out) == (2, "")
    assert said in " ".join(answered.err.split())


def test_the_report_says_what_is_unusual_first(run: Run, reported: Path) -> None:
    shown, expected = played(REPORT, run, reported)
    assert shown == expected


@pytest.mark.parametrize(("page", "dialogue"), [("record", RECORD), ("report", REPORT)])
def test_the_pages_show_the_dialogues(root: Path, page: str, dialogue: Path) -> None:
    commands, shown = commands_of((root / f"docs/{page}.md").read_text()), played_in(dialogue)
    assert len(commands) >= 2
    assert [one for one in commands if one not in shown] == []


def _found(page: html.HtmlElement, path: str) -> list[Any]:
    return cast("list[Any]", page.xpath(path))


def test_a_closed_alarm_is_no_failure_of_doctor_any_more(run: Run, record: Path) -> None:
    settings = settings_of(record / "register")
    (open_alarm,) = look_at_records(settings)
    assert "entry 7 " in open_alarm.found
    assert "close-alarm 7" in open_alarm.mend
    assert run("log", "close-alarm", "7", "--settings", "register", "--note", "restored").code == 0
    assert [finding.health for finding in look_at_records(settings)] == [Health.OK]


# --- follow ----------------------------------------------------------------------------------------------------------


def test_entries_are_followed_until_somebody_interrupts(
    run: Run, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(record / "register")
    waited: list[float] = []

    def later(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) > 2:
            raise KeyboardInterrupt
        append_entries(open_database(settings.database_url), own_log(settings), day_of_work()[-2:])

    monkeypatch.setattr(time, "sleep", later)
    typed = run("log", "follow", "--settings", "register", "--kind", "refused", "--last", "1", "--json")
    assert typed.code == 0
    lines = [json.loads(line) for line in typed.out.splitlines()]
    assert [line["record"] for line in lines] == [6, 9, 11]
    assert {line["entry"]["kind"] for line in lines} == {"refused"}
    waited[:] = [0, 0]
    typed = run("log", "follow", "--settings", "register", "--last", "0")
    assert (typed.code, typed.out) == (0, "")


# --- the report ------------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else_and_is_readable_without_its_plots(run: Run, reported: Path) -> None:
    assert run("log", "report", "--settings", "register", "--html", "all.html").code == 0
    assert (reported / "all.html").stat().st_mode & 0o777 == 0o600
    text = (reported / "all.html").read_text()
    page = html.document_fromstring(text)
    assert not _found(page, "//script | //link | //img | //iframe | //@src | //@href | //@onload")
    assert _found(page, "//meta[@http-equiv='Content-Security-Policy']/@content") == [
        "default-src 'none'; style-src 'unsafe-inline'"
    ]
    for svg in _found(page, "//svg"):
        assert svg.get("role") == "img"
        assert [one.tag for one in svg[:2]] == ["title", "desc"]
    assert len(_found(page, "//figure/following-sibling::details[1]//table")) == 2
    drawn = sum(int(one.partition(": ")[2].partition(" + ")[0]) for one in _found(page, "(//svg)[1]/g/title/text()"))
    cells = _found(page, "(//details)[1]//tbody/tr/td[2]/text()")
    assert drawn == sum(map(int, cells)) > 200
    findings = _found(page, "//*[@class='finding']/code/text()")
    assert len(findings) == 4
    assert all(one.startswith("adapter log list ") for one in findings)


def test_a_name_that_a_member_made_up_is_text_everywhere(run: Run, reported: Path) -> None:
    settings = settings_of(reported / "register")
    evil = "<script>alert(1)</script>"
    formula = "=cmd|' /C calc'!A0"
    made_up = [
        record_scene.an_asking(day_of_work()[0].at, 9, kind="refused", outcome="NoLegalBasis", purpose=purpose)
        for purpose in (evil, formula)
    ]
    append_entries(open_database(settings.database_url), own_log(settings), made_up)
    assert run("log", "report", "--settings", "register", "--html", "a.html", "--csv", "a.csv").code == 0
    page = html.document_fromstring((reported / "a.html").read_text())
    assert not _found(page, "//script")
    assert evil in etree.tostring(page, method="text", encoding="unicode")
    rows = list(csv.reader(io.StringIO((reported / "a.csv").read_text(encoding="utf-8-sig"))))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert f"'{formula}" in {row[1] for row in rows}


def test_a_finding_leads_to_its_entries(run: Run, reported: Path) -> None:
    report = json.loads(run("log", "report", "--settings", "register", "--json").out)
    kinds = {one["kind"]: one for one in report["findings"]}
    assert set(kinds) == {"volume", "hours", "repeated", "once"}
    again = kinds["repeated"]
    assert again["subject_tag"] == subject_tag(subject_key(bytes(range(32))), "case", "neighbour")
    for one in (again, kinds["volume"]):
        _, *words = [word.strip("'") for word in one["entries"].split()]
        listed = json.loads(run(*words, "--settings", "register", "--limit", "1000", "--json").out)
        assert len(listed) == one["count"], one["entries"]
    assert report["refused_before_known"] == 1


def test_emergencies_stand_apart_in_every_form_of_the_report(run: Run, reported: Path) -> None:
    typed = run("log", "report", "--settings", "register", "--html", "a.html", "--csv", "a.csv", "--json")
    duty, refused = json.loads(typed.out)["emergency"]
    assert (duty["member"], duty["official"], duty["asked"], duty["off_hours"]) == ("UZ/GOV/200000003", "duty-3", 3, 1)
    assert (duty["reviews_open"], duty["reviews_justified"], duty["reviews_unjustified"]) == (2, 1, 0)
    assert (refused["official"], refused["refused"], refused["reviews_open"]) == ("A-77", 1, 0)
    rows = list(csv.DictReader(io.StringIO((reported / "a.csv").read_text(encoding="utf-8-sig"))))
    apart = [(one["name"], one["asked"], one["reviews_open"]) for one in rows if one["kind"] == "emergency"]
    assert apart == [("UZ/GOV/200000003 duty-3", "3", "2"), ("UZ/GOV/200000003 A-77", "1", "0")]
    page = html.document_fromstring((reported / "a.html").read_text())
    headings = _found(page, "//h2/text()")
    assert headings[:3] == ["Unusual", "Emergencies, by official", "Askings over time"]
    cells = _found(page, "(//table)[1]/tbody/tr/td[1]/text()")
    assert cells == ["UZ/GOV/200000003 duty-3", "UZ/GOV/200000003 A-77"]


# --- when an entry was there -----------------------------------------------------------------------------------------


def test_an_entry_is_dated_by_the_checkpoints_that_another_member_holds(run: Run, record: Path) -> None:
    """Social holds those of 2, 4 and 7 entries, as the scene says; the alarm, entry 7, came after all of them."""
    held = ("--held-by-others", "held/social.json", "--settings", "register")
    dated = {number: json.loads(run("log", "show", number, *held, "--json").out)["dated"] for number in "0237"}
    sizes = {
        number: tuple(None if one[side] is None else one[side]["size"] for side in ("not_before", "before"))
        for number, one in dated.items()
    }
    assert sizes == {"0": (None, 2), "2": (2, 4), "3": (2, 4), "7": (7, None)}
    assert not any(one["contradicted"] for one in dated.values())
    shown = run("log", "show", "2", *held).out
    assert "UZ/GOV/200000003 says that it received the checkpoint of 4 entries" in " ".join(shown.split())
    assert "nobody else says" in run("log", "show", "2", "--settings", "register").out


def test_an_entry_that_says_an_older_time_than_its_place_allows_is_named_when_it_is_shown(
    run: Run, record: Path
) -> None:
    settings = settings_of(record / "register")
    append_entries(open_database(settings.database_url), own_log(settings), day_of_work()[:1])
    held = ("--held-by-others", "held/social.json", "--settings", "register")
    assert "not to be relied on" in run("log", "show", "8", *held).out
    assert "not to be relied on" not in run("log", "show", "4", *held).out


def test_checkpoints_of_another_history_date_nothing(run: Run, record: Path) -> None:
    held = ("--held-by-others", "held/social.json", "--settings", "rewritten")
    refused = run("log", "show", "1", *held)
    assert (refused.code, "not of this record as it is now" in " ".join(refused.err.split())) == (6, True)

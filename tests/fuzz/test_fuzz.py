"""Every target with the same few hundred changed inputs each time, and every finding of longer runs, mended.

The search that coverage guides is `make fuzz`; this needs no atheris.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapter.errors import EnvelopeRefused
from tests.conftest import ROOT
from tests.fuzz.__main__ import main, read_arguments
from tests.fuzz.choices import Choices
from tests.fuzz.keeping import MAX_FILE_BYTES, MAX_FILES
from tests.fuzz.model import ACCEPTED, CORPUS, MAX_CASE_BYTES, Target, judge
from tests.fuzz.mutations import octet_mutation, xml_mutation
from tests.fuzz.running import cases, run_unguided
from tests.fuzz.targets.table import TARGETS

CASES = 200
SEED = 1
FINDINGS = sorted((ROOT / "tests" / "fuzz" / "findings").glob("*/*"))
"""By target; the suffix is what has to come out."""


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_but_answers_comes_out(target: Target) -> None:
    codes, findings = run_unguided(target, CASES, SEED)
    assert not findings, [verdict for _, verdict in findings[:3]]
    assert codes[ACCEPTED], "nothing gets inside: the seeds are of no use"
    assert len(codes) > 1, "nothing is refused: nothing is changed"


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_is_mended(path: Path) -> None:
    verdict = judge(TARGETS[path.parent.name], path.read_bytes())
    assert not verdict.is_finding, verdict
    assert verdict.code == path.suffix.removeprefix(".")


def test_corpus_is_small() -> None:
    for target in TARGETS.values():
        assert len(target.corpus) <= MAX_FILES
        assert all(path.stat().st_size <= MAX_FILE_BYTES for path in target.corpus)
    assert {folder.name for folder in CORPUS.glob("*")} <= TARGETS.keys()


# --- the judge itself ------------------------------------------------------------------------------------------------


def planted(run) -> Target:
    return Target(
        name="planted",
        what="",
        run=run,
        may_raise=(EnvelopeRefused,),
        seeds=lambda: [b"good"],
        mutate=octet_mutation(),
    )


def test_an_exception_that_was_not_named_is_a_finding() -> None:
    verdict = judge(planted(lambda octets: octets.decode()), b"\xff")
    assert verdict.kind == "crash"
    assert verdict.where.startswith("UnicodeDecodeError at tests/fuzz/test_fuzz.py:")


def test_an_error_that_was_named_is_an_answer_only_with_a_reason() -> None:
    def refuse(octets: bytes) -> None:
        error = EnvelopeRefused("a reason")
        error.reason = octets.decode()
        raise error

    assert judge(planted(refuse), b"a reason").code == "EnvelopeRefused"
    assert judge(planted(refuse), b"").kind == "crash"


def test_what_takes_more_than_a_second_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter((0.0, 1.001))
    monkeypatch.setattr("tests.fuzz.model.time.process_time", lambda: next(seconds))
    assert judge(planted(lambda octets: None), b"").kind == "slow"


def test_what_a_target_makes_once_is_no_doing_of_the_input_that_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, made = [0.0], set[str]()

    def run(octets: bytes) -> None:
        if not octets:
            raise EnvelopeRefused("nothing to be read")
        clock[0] += 0.0 if "keys" in made else 2.0
        made.add("keys")

    monkeypatch.setattr("tests.fuzz.model.time.process_time", lambda: clock[0])
    monkeypatch.setitem(TARGETS, "planted", planted(run))
    (tmp_path / "slow-1").write_bytes(b"good")
    monkeypatch.setattr("sys.argv", ["fuzz", "replay", "--target", "planted", str(tmp_path / "slow-1")])
    assert main() == 0


def test_what_takes_too_much_memory_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter((0, MAX_CASE_BYTES + 1))
    monkeypatch.setattr("tests.fuzz.model.peak_bytes", lambda: next(peaks))
    assert judge(planted(lambda octets: None), b"").kind == "large"


def test_the_same_seed_gives_the_same_inputs() -> None:
    target = replace(planted(lambda octets: None), mutate=xml_mutation(), seeds=lambda: [b"<a b='c'><d/>e</a>"])
    once, again = (list(cases(target, 100, SEED)) for _ in range(2))
    assert once == again
    assert len(set(once)) > 50
    assert once != list(cases(target, 100, SEED + 1))


def test_decisions_never_run_out() -> None:
    choices = Choices(b"\x07")
    assert [choices.number(5), choices.number(5), choices.one("abc"), choices.number(0)] == [2, 0, "a", 0]
    assert not choices.are_left


def test_the_command_that_a_finding_is_replayed_with_is_understood() -> None:
    read = read_arguments(["replay", "--target", "gate", "crash-1"])
    assert (read.what, read.target, [str(path) for path in read.file]) == ("replay", ["gate"], ["crash-1"])

"""The one handler: a sentence, what to do, an exit code; never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from adapter.cli.failures import ADVICE, UNEXPECTED_EXIT_CODE, advice_for, run_guarded
from adapter.errors import AdapterError, Blame, CommandRefused, KeyUnusable, StoreUnusable, catalogue

OPERATOR_ERRORS = [error for error in catalogue() if error.blame is Blame.OPERATOR]
DIRECTORY_ERRORS = [error for error in catalogue() if error.blame is Blame.DIRECTORY]


def raising(error: Exception) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ADAPTER_DEBUG", "ADAPTER_LANGUAGE", "LANG"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_every_error_is_a_sentence_and_its_own_exit_code(
    error: type[AdapterError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_guarded(raising(error("this is what happened")), []) == error.exit_code != 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("adapter: this is what happened\n")
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("error", [*OPERATOR_ERRORS, *DIRECTORY_ERRORS], ids=lambda error: error.code)
def test_what_an_operator_can_mend_has_advice(error: type[AdapterError]) -> None:
    if error is not CommandRefused:
        assert ADVICE[error].endswith(".")


def test_a_refused_command_says_all_in_its_reason() -> None:
    assert advice_for(CommandRefused("say what to ask")) == ""


def test_json_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(raising(KeyUnusable("tls.key is missing")), ["doctor", "--json"]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    said = json.loads(shown.err)
    assert (said["error"], said["reason"]) == ("KeyUnusable", "tls.key is missing")


@pytest.mark.parametrize(("language", "word"), [("ru", "База"), ("ru_RU.UTF-8", "База"), ("uz", "Maʼlumotlar")])
def test_the_error_is_said_in_the_language_of_the_console(
    language: str, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", language)
    run_guarded(raising(StoreUnusable("the disk is full")), [])
    shown = capsys.readouterr().err
    assert "the disk is full" in shown
    assert word in shown.splitlines()[1]


def test_a_mistake_of_ours_shows_no_value_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(raising(ValueError("30101850000000")), []) == UNEXPECTED_EXIT_CODE
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "30101850000000" not in shown
    assert "Traceback" not in shown


def test_debugging_shows_where_it_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_DEBUG", "1")
    with pytest.raises(KeyUnusable):
        run_guarded(raising(KeyUnusable("missing")), [])
    with pytest.raises(ValueError, match="x"):
        run_guarded(raising(ValueError("x")), [])


def test_an_interrupted_command(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    assert run_guarded(command, []) == 130
    assert capsys.readouterr().err == ""

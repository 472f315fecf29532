"""The closed catalogue of errors: every row complete, every text in three languages, every fault page current."""

from __future__ import annotations

import re

import pytest

from adapter.envelope.texts import LANGUAGES, TRANSLATIONS, text_in
from adapter.errors import AdapterError, Blame, Problem, Retry, catalogue

EVERY = pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)


@EVERY
def test_row_is_complete(error: type[AdapterError]) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]+", error.code)
    assert error.code == error.__name__
    assert isinstance(error.blame, Blame)
    assert isinstance(error.retry, Retry)
    assert 400 <= error.http_status < 600
    assert 0 < error.exit_code < 64


@EVERY
def test_text_is_a_sentence_without_a_gap_for_a_value(error: type[AdapterError]) -> None:
    assert re.fullmatch(r"[A-Z][^{}%]+\.", error.text)


@EVERY
@pytest.mark.parametrize("language", TRANSLATIONS)
def test_text_is_translated(error: type[AdapterError], language: str) -> None:
    translated = text_in(language, error.text)
    assert translated != error.text
    assert translated.endswith(".")


@EVERY
def test_russian_is_cyrillic_and_uzbek_is_latin(error: type[AdapterError]) -> None:
    assert re.search(r"[А-Яа-я]", text_in("ru", error.text))
    assert not re.search(r"[А-Яа-я]", text_in("uz", error.text))
    assert "'" not in text_in("uz", error.text)  # the letters oʻ, gʻ and the sign ʼ have characters of their own


def test_codes_and_texts_are_unique() -> None:
    rows = catalogue()
    assert len({error.code for error in rows}) == len(rows)
    for language in LANGUAGES:
        assert len({text_in(language, error.text) for error in rows}) == len(rows)


def test_every_public_error_class_is_a_row() -> None:
    def below(parent: type[AdapterError]) -> set[type[AdapterError]]:
        return {parent}.union(*(below(child) for child in parent.__subclasses__()))

    nameless = {error for error in below(AdapterError) if not error.__name__.startswith("_")} - {AdapterError}
    assert nameless == set(catalogue())


def test_one_public_text_for_every_cryptographic_failure() -> None:
    first, second = catalogue_row("SecurityFailed")("bad tag"), catalogue_row("SecurityFailed")("bad signature")
    assert (first.text, first.code, first.http_status) == (second.text, second.code, second.http_status)
    assert first.reason != second.reason


def test_reason_stays_apart_from_the_public_text() -> None:
    error = catalogue_row("AccessDenied")("rule 7 lacks the purpose")
    assert error.reason == str(error) == "rule 7 lacks the purpose"
    assert "rule 7" not in error.text
    assert catalogue_row("AccessDenied")().reason == error.text


def test_problems_are_kept() -> None:
    problem = Problem(line=3, column=1, element="x", rule="r", text="t")
    assert catalogue_row("SchemaInvalid")("why", problems=(problem,)).problems == (problem,)


@pytest.mark.parametrize(("language", "script"), [("ru-UZ", "ru"), ("UZ", "uz"), ("uz-Latn-UZ", "uz"), ("de", "en")])
def test_language_tags_fall_back(language: str, script: str) -> None:
    text = catalogue()[0].text
    assert text_in(language, text) == text_in(script, text)


def test_unknown_message_comes_back_as_it_is() -> None:
    assert text_in("ru", "nobody translated this") == "nobody translated this"
    assert text_in("ru", "") == ""


def catalogue_row(code: str) -> type[AdapterError]:
    return next(error for error in catalogue() if error.code == code)

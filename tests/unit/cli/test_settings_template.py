"""The adapter.toml that `init` writes is the manual in short, and every line of it is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.cli.settings_template import adapter_toml
from adapter.cli.toml_writing import toml_value
from adapter.identifiers import MemberId
from adapter.settings import load_settings
from adapter.settings.officers import ApprovedAct

TEXT = adapter_toml(MemberId.parse("UZ/GOV/200000001"), directory="https://directory.example", anchor=Path("a.vkey"))


def test_it_is_read_as_it_was_meant(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(TEXT)
    settings = load_settings(tmp_path / "adapter.toml")
    assert str(settings.member) == "UZ/GOV/200000001"
    assert settings.directory.anchor == tmp_path / "a.vkey"


def test_the_defaults_in_its_comments_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(TEXT)
    said = re.sub(r"^# ([a-z_]+ = .+)$", r"\1", TEXT.partition("# [[client]]:")[0], flags=re.MULTILINE)
    assert said.count(" = ") > 30
    (tmp_path / "said.toml").write_text(said)
    assert load_settings(tmp_path / "said.toml") == load_settings(tmp_path / "adapter.toml")


def test_the_acts_that_can_need_two_officers_are_named() -> None:
    above = TEXT.partition("\n# acts = ")[0].splitlines()[-1]
    assert {act for act in get_args(ApprovedAct) if act not in above} == set()


def test_the_example_of_a_client_works(tmp_path: Path) -> None:
    example = TEXT[TEXT.index("# [[client]]\n") :]
    table = "\n".join(line.removeprefix("# ") for line in example.split("\n\n")[0].splitlines())
    (tmp_path / "adapter.toml").write_text(f"{TEXT}\n{table}\n")
    assert load_settings(tmp_path / "adapter.toml").client[0].name == "benefits"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written(text: str) -> None:
    assert tomllib.loads(f"key = {toml_value(text)}")["key"] == text


@pytest.mark.parametrize("value", [True, False, 0, 17])
def test_other_values_can_be_written(value: int) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}")["key"] is value

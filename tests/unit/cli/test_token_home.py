"""An adapter's home whose signing and agreement keys are in a token: doctor, keys list, and a token that is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.app.keyring import load_keyring
from adapter.errors import KeyUnreachable
from adapter.settings import load_settings
from adapter.store.token_keys import TokenSigningKey
from tests.softhsm import SoftToken, move_keys, needs_softhsm, soft_token
from tests.unit.cli.dialogue import Run

pytestmark = needs_softhsm


@pytest.fixture
def soft(place: Path) -> Iterator[SoftToken]:
    """register/ with its two keys moved from files into a token."""
    with soft_token(place / "token") as made:
        move_keys(place / "register", made)
        yield made


def checks(run: Run) -> dict[str, dict[str, Any]]:
    return {
        check["what"]: check for check in json.loads(run("doctor", "--settings", "register", "--json").out)["checks"]
    }


def test_doctor_signs_and_opens_with_the_keys_in_the_token(run: Run, soft: SoftToken) -> None:
    assert soft.folder.exists()
    found = checks(run)
    for what in ("key signing", "key agreement", "signature", "exchange", "trust", "registered signing"):
        assert found[what]["health"] == "ok", found[what]
    assert found["key signing"]["found"].startswith("token agency: signing")


def test_doctor_says_that_the_token_is_gone(run: Run, soft: SoftToken) -> None:
    soft.pull_out()
    found = checks(run)
    for what in ("key signing", "key agreement"):
        assert found[what]["health"] == "fail"
        assert "token agency is not there" in found[what]["found"]
        assert "[token]" in found[what]["mend"]


def test_the_list_names_the_token_of_each_key(run: Run, soft: SoftToken) -> None:
    assert soft.folder.exists()
    listed = {key["purpose"]: key for key in json.loads(run("keys", "list", "--settings", "register", "--json").out)}
    assert listed["signing"]["token"].startswith("token agency: signing")
    assert listed["signing"]["validity"] == "ready"
    assert listed["tls"]["token"] is None


def test_the_adapter_starts_with_them_and_not_without_the_token(place: Path, soft: SoftToken) -> None:
    settings = load_settings(place / "register" / "adapter.toml")
    assert [type(key) for key in load_keyring(settings).signing] == [TokenSigningKey]
    soft.pull_out()
    with pytest.raises(KeyUnreachable, match="token agency is not there"):
        load_keyring(settings)

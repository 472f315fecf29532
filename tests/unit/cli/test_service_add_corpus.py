"""`adapter service add` takes every description of the corpus, and says what it does not check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.settings.service_file import SoapSettings, load_service_settings
from tests.conftest import ROOT
from tests.unit.cli.dialogue import Run

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"
INDEX = json.loads((CORPUS / "index.json").read_bytes()) if CORPUS.is_dir() else []

if not INDEX:
    pytest.skip("the corpus of service descriptions is not beside the repository", allow_module_level=True)

ADD = ("--subsystem", "population", "--code", "Any", "--version", "v1", "--settings", "register", "--yes", "--json")


@pytest.mark.parametrize("service", INDEX, ids=lambda service: service["name"])
def test_is_added_from_its_folder_without_the_network(
    service: dict, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the network was asked")

    monkeypatch.setattr("requests.Session.get", refuse)
    added = run("service", "add", str(CORPUS / service["name"]), "--soap", "http://127.0.0.1:9/", *ADD)
    assert added.code == 0, added.err
    said = json.loads(added.out)
    assert said["service"].endswith("/population/Any/v1")
    encoded = [one for one in said["description"]["operations"] if "encoded" in one["style"]]
    assert all(not one["type_checked"] for one in encoded)
    assert len(said["description"]["not_checked"]) >= len(encoded)
    if encoded:
        shown = run("service", "show", "population.Any.v1", "--settings", "register")
        assert "passed through" in shown.out


@pytest.mark.parametrize("more", [(), ("--xroad",)])
def test_a_system_made_for_xroad_is_added_as_one(run: Run, place: Path, more: tuple[str, ...]) -> None:
    folder = str(CORPUS / "kg-tunduk-demo-adapter")
    added = run("service", "add", folder, "--soap", "http://127.0.0.1:9/", *ADD, *more)
    assert added.code == 0, added.err
    assert ("declares X-Road's headers" in added.err) is (not more)
    (written,) = place.rglob("population.Any.v1/service.toml")
    assert load_service_settings(written).soap == SoapSettings(
        address="http://127.0.0.1:9/", protocol="xroad-4.0" if more else "soap"
    )

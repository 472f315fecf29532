"""An XPath of the settings that can find nothing is refused with file, line, key and the nearest step that would."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.app.provided import load_service
from adapter.cli.doctor_checks import Health
from adapter.cli.doctor_contexts import look_at_contexts
from adapter.directory.metadata import description_target, target_file
from adapter.directory.model import Directory
from adapter.envelope.description import load_description, make_bundle
from adapter.errors import SettingsInvalid
from adapter.settings import load_settings
from examples.federation.federation import CHECKOUT
from tests.pki import Federation

POPULATION = CHECKOUT / "examples" / "population"
SETTINGS = """\
[adapter]
member = "UZ/GOV/200000003"
[directory]
url = "published"
anchor = "anchor.json"
[[client]]
name = "case-system"
subsystem = "UZ/GOV/200000003/benefits"
identify_by = "address"
addresses = ["127.0.0.1"]
services = {services}
[client.context]
official_xpath = {official}
subject_kind = "pinfl"
subject_xpath = {subject}
namespaces = {{ p = "urn:example:population-register:1" }}
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The folder of the population register's service, to be changed."""
    shutil.copytree(POPULATION / "description", tmp_path / "description")
    shutil.copy(POPULATION / "service.toml", tmp_path)
    return tmp_path


def change(folder: Path, old: str, new: str) -> int:
    """Change service.toml. The line of it."""
    file = folder / "service.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_example_is_in_order(service: Path) -> None:
    load_service(service)


@pytest.mark.parametrize(
    ("old", "new", "key", "nearest"),
    [
        ('subject_xpath = "p:Pinfl"', 'subject_xpath = "p:Pimfl"', "subject_xpath", "p:Pinfl"),
        ('subject_xpath = "p:Pinfl"', 'subject_xpath = "Pinfl"', "subject_xpath", "p:Pinfl"),
        ('{ pinfl = "p:Pinfl" }', '{ pinfl = "p:Person/p:Pinfl" }', "parameters", "p:Pinfl"),
    ],
)
def test_a_service_is_not_loaded_with_an_expression_that_finds_nothing(
    service: Path, old: str, new: str, key: str, nearest: str
) -> None:
    line = change(service, old, new)
    with pytest.raises(SettingsInvalid) as refused:
        load_service(service)
    (problem,) = refused.value.problems
    assert problem.line == line
    assert key in problem.element
    assert f"did you mean {nearest}?" in problem.text
    assert f"{service / 'service.toml'}, line {line}: " in refused.value.reason


# --- [client.context], by `adapter doctor` ----------------------------------------------------------------------------


@pytest.fixture
def directory(federation: Federation, tmp_path: Path) -> Directory:
    """A directory in which every service has the description of the population register, published beside it."""
    bundle = make_bundle(load_description(POPULATION / "description", "population.wsdl"))
    digest = hashlib.sha256(bundle).hexdigest()
    file = tmp_path / "published" / target_file(description_target(digest), digest)
    file.parent.mkdir(parents=True)
    file.write_bytes(bundle)
    known = federation.directory()
    described = {name: replace(one, description_sha256=digest) for name, one in known.services.items()}
    return replace(known, services=described)


def findings(
    folder: Path, directory: Directory, *, services: str, subject: str = '"p:Pinfl"', official: str = '"p:Pinfl"'
) -> list[tuple[Health, str]]:
    file = folder / "adapter.toml"
    file.write_text(SETTINGS.format(services=services, subject=subject, official=official))
    return [(one.health, one.found) for one in look_at_contexts(load_settings(file), file, directory)]


def test_expressions_that_find_something(directory: Directory, tmp_path: Path) -> None:
    (found,) = findings(tmp_path, directory, services='["UZ/*"]')
    assert found[0] is Health.OK


def test_an_expression_that_finds_nothing_anywhere_fails(directory: Directory, tmp_path: Path) -> None:
    ((health, said),) = findings(tmp_path, directory, services='["UZ/*"]', subject='"p:Person/p:Pinfl"')
    assert health is Health.FAIL
    assert said.startswith(f"{tmp_path / 'adapter.toml'}, line 15: [client.context] subject_xpath: ")
    assert "did you mean p:Pinfl?" in said


def test_both_expressions_are_told(directory: Directory, tmp_path: Path) -> None:
    found = findings(tmp_path, directory, services='["UZ/*"]', subject='"p:A"', official='"p:B"')
    assert [health for health, _ in found] == [Health.FAIL, Health.FAIL]


def test_a_client_that_may_call_nothing_has_no_mistake(directory: Directory, tmp_path: Path) -> None:
    ((health, _),) = findings(tmp_path, directory, services='["UZ/GOV/999999999/*"]', subject='"p:A"')
    assert health is Health.OK

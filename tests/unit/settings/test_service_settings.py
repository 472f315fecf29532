"""service.toml: one backend, its table, expressions that compile."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.errors import SettingsInvalid
from adapter.identifiers import MemberId
from adapter.settings import ServiceSettings, load_service_settings
from tests.settings_files import SERVICE_HEAD as HEAD
from tests.settings_files import SERVICE_SQL as SQL

SOAP = '[soap]\naddress = "http://127.0.0.1:9000/"\n'
USAGE = (
    'code = "findUsage"\nversion = "v1"\nsubsystem = "population"\ntitle = "Who got it"\npersonal_data = true\n'
    'backend = "usage"\n'
)
PYTHON = '[python]\nclass = "examples.cadastre:Cadastre"\n'


def load(folder: Path, text: str) -> ServiceSettings:
    path = folder / "service.toml"
    path.write_text(text, encoding="utf-8")
    return load_service_settings(path)


def test_sql(tmp_path: Path) -> None:
    service = load(tmp_path, HEAD + SQL)
    assert str(service.service_id(MemberId.parse("UZ/GOV/1"))) == "UZ/GOV/1/population/GetPerson/v1"
    assert service.sql is not None
    assert service.sql.database == str(tmp_path / "people.sqlite")
    assert service.sql.operation["GetPerson"].parameters == {"pinfl": "p:Pinfl"}
    assert list(service.sql.operation["GetPerson"].list) == ["Family/Member"]


def test_soap(tmp_path: Path) -> None:
    service = load(tmp_path, HEAD.replace('"sql"', '"soap"') + SOAP)
    assert service.soap is not None
    assert service.soap.timeout_s == 20


def test_python(tmp_path: Path) -> None:
    service = load(tmp_path, HEAD.replace('"sql"', '"python"') + PYTHON)
    assert service.python is not None
    assert service.python.handler == "examples.cadastre:Cadastre"


@pytest.mark.parametrize(
    ("text", "line", "element", "says"),
    [
        (HEAD, 6, "backend", "the table [sql] is needed"),
        (HEAD + SQL + SOAP, 19, "soap", 'only used with backend = "soap"'),
        (HEAD.replace('"sql"', '"sqll"') + SQL, 6, "backend", "'python' or 'usage'"),
        (USAGE + 'subject_kind = "pinfl"\nsubject_xpath = "x"\n[usage]\n', 7, "subject_kind", "knows by itself"),
        (USAGE.replace("true", "false") + "[usage]\n", 5, "personal_data", "is personal data"),
        (USAGE, 6, "backend", "the table [usage] is needed"),
        (HEAD.replace('"GetPerson"', '"Get Person"') + SQL, 1, "code", "1 to 64 letters"),
        (HEAD.replace('subject_kind = "pinfl"', "") + SQL, 0, "subject_kind", "needed with subject_xpath"),
        (HEAD.replace('"p:Pinfl"', '"q:Pinfl"') + SQL, 8, "subject_xpath", "not in namespaces: q"),
        (HEAD + SQL.replace("p:GetPersonReply", "q:X"), 15, "[sql.operation.GetPerson] reply", "with a prefix of"),
        (
            HEAD + SQL.replace("= :pinfl", "= :pinfl", 1).replace("reply =", "replay ="),
            15,
            "[sql.operation.GetPerson] replay",
            '"reply"',
        ),
        (
            HEAD + SQL.replace('pinfl = "p:Pinfl"', 'pinfl = "p:Pinfl["'),
            16,
            "[sql.operation.GetPerson.parameters] pinfl",
            "XPath",
        ),
        (HEAD + SQL.replace("people.sqlite", "mysql://u:p@h/x"), 12, "[sql] database", "password_file"),
        (HEAD.replace('"sql"', '"python"') + PYTHON.replace(":", "."), 12, "[python] class", "module:Class"),
        (HEAD.replace('"sql"', '"python"') + PYTHON.replace("class", "clas"), 12, "[python] clas", '"class"'),
        (HEAD.replace('"sql"', '"soap"') + SOAP + "timeout = 3\n", 13, "[soap] timeout", '"timeout_s"'),
    ],
)
def test_mistake(tmp_path: Path, text: str, line: int, element: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        load(tmp_path, text)
    found = [one for one in refusal.value.problems if one.element == element]
    assert found, refusal.value.reason
    assert says in found[0].text
    assert found[0].line == line

"""SQL in every field of a request to a database.

What is asked of each case: tests/attacks/behind_provider.py.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from adapter.backends.sql import SqlBackend, SqlBackendConfig, SqlOperation
from adapter.backends.sql_database import DatabaseConfig
from adapter.backends.sql_reply import ReplyNames
from tests.attacks.behind_provider import SECRET, backed_by, outcome_of
from tests.get_person import PERSON
from tests.two_sides import TwoSides
from tests.unit.envelope.descriptions import read, schema, wsdl

INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE person; --",
    "' UNION SELECT secret, secret FROM hidden --",
    '" OR ""="',
    "x'/**/OR/**/1=1--",
    "\\' OR 1=1 --",
    "') OR ('1'='1",
    "1; ATTACH DATABASE '/tmp/x' AS x",
    "%' OR name LIKE '%",
    ":key",
    ":name",
    "%(key)s",
    "%s",
    "?",
    "{key}",
    "$1",
    "@key",
    "' || (SELECT secret FROM hidden) || '",
    "ʼ OR 1=1",
    "＇ OR 1=1",
    "; PRAGMA writable_schema=ON",
    "load_extension('x')",
    "x" * 100_000,
    "\u202e' OR 1=1",
    "NULL",
    "0x27",
]
FIELDS = ("Key", "Name", "Number")
LOOSE = read(
    {
        "a.wsdl": wsdl(
            schema(
                '<xs:element name="Ask"><xs:complexType><xs:sequence>'
                + "".join(f'<xs:element name="{name}" type="xs:string" minOccurs="0"/>' for name in FIELDS)
                + '</xs:sequence><xs:attribute name="at" type="xs:string"/></xs:complexType></xs:element>'
                '<xs:element name="Answer"><xs:complexType><xs:sequence><xs:element name="Surname" type="xs:string"/>'
                "</xs:sequence></xs:complexType></xs:element>",
                target=PERSON,
            )
        ).replace("urn:test:1", PERSON)
    }
)
"""A contract that lets any text through, so that the schema takes no attack away from the database."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "register.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"""CREATE TABLE person (key TEXT, name TEXT, number TEXT, at TEXT);
            INSERT INTO person VALUES ('a', 'Ann', '7', 'here'); CREATE TABLE hidden (secret TEXT);
            INSERT INTO hidden VALUES ('{SECRET}')"""
        )
    return path


@pytest.fixture
def register(sides: TwoSides, database: Path) -> Iterator[None]:
    """The population register as a database under the loose contract."""
    xpath = {"p": PERSON}
    operation = SqlOperation(
        query="SELECT name AS Surname FROM person WHERE key = :key AND (:name IS NULL OR name = :name) "
        "AND (:number IS NULL OR number = :number) AND (:at IS NULL OR at = :at)",
        parameters={
            **{name.lower(): etree.XPath(f"p:{name}", namespaces=xpath) for name in FIELDS},
            "at": etree.XPath("@at"),
        },
        reply=ReplyNames(element=f"{{{PERSON}}}Answer", qualified=True, namespaces={}),
    )
    backend = SqlBackend(
        SqlBackendConfig(database=DatabaseConfig(database=str(database)), timeout_s=5, operations={"Ask": operation})
    )
    backed_by(sides, backend)
    service = sides.federation.population.service
    changed = replace(sides.provider.services[service], description=LOOSE, subject_rule=None)
    sides.provider = replace(sides.provider, services={service: changed})
    sides.wire.provider = sides.provider
    yield
    asyncio.new_event_loop().run_until_complete(backend.close())


def contents(database: Path) -> bytes:
    return database.read_bytes()


def asking(field: str, value: str) -> str:
    ask = etree.Element(f"{{{PERSON}}}Ask", nsmap={"p": PERSON})
    values = {"Key": "a"} | ({field: value} if field != "@at" else {})
    for name in FIELDS:
        if name in values:
            etree.SubElement(ask, f"{{{PERSON}}}{name}").text = values[name]
    if field == "@at":
        ask.set("at", value)
    return etree.tostring(ask, encoding="unicode")


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize("field", [*FIELDS, "@at"])
@pytest.mark.parametrize("value", INJECTIONS, ids=lambda value: value[:20])
async def test_sql_in_a_field_is_a_value(
    field: str, value: str, sides: TwoSides, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(database)
    assert await outcome_of(sides, caplog, asking(field, value), operation="Ask") == "NoSuchSubject"
    assert contents(database) == before


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize(("field", "value"), [("Key", "a"), ("Name", "Ann"), ("Number", "7"), ("@at", "here")])
async def test_the_value_that_is_there_is_found(
    field: str, value: str, sides: TwoSides, caplog: pytest.LogCaptureFixture
) -> None:
    """The control: each field does count."""
    assert await outcome_of(sides, caplog, asking(field, value), operation="Ask") == "answered"

"""A database as an information system: read only, bounded, nothing of it in an error."""

import sqlite3
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from lxml import etree

from adapter.backends.sql import SqlBackend, SqlBackendConfig, SqlList, SqlOperation
from adapter.backends.sql_database import DatabaseConfig, ReadOnlyDatabase, check_query
from adapter.backends.sql_reply import ReplyNames, Rows, build_reply, lexical
from adapter.errors import (
    NoSuchSubject,
    ProviderSystemDown,
    ProviderSystemInvalid,
    ProviderSystemTimeout,
    SettingsInvalid,
)
from tests.unit.backends.recorded import recorded

NS = "urn:test:1"
NAMES = ReplyNames(element=f"{{{NS}}}Reply", qualified=True, namespaces={"o": "urn:other"})
KEY = {"key": etree.XPath("t:Key", namespaces={"t": NS})}
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(i) AS a FROM n"
SECRET = "30101900010014"


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "it's a #1 register?.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """CREATE TABLE t (key TEXT, name TEXT, n INTEGER); CREATE TABLE child (key TEXT, name TEXT);
        INSERT INTO t VALUES ('a', 'Ann', 7), ('b', NULL, NULL), ('c', 'x', 1), ('c', 'y', 2), ('z', char(1), 1);
        INSERT INTO child VALUES ('a', 'Bob'), ('a', 'Eve')"""
    )
    connection.close()
    return path


@pytest.fixture
async def ask(database):
    opened = []

    async def ask(query="SELECT name AS Name, n AS N FROM t WHERE key = :key", key="a", lists=None, **config):
        operation = SqlOperation(query=query, parameters=KEY, reply=NAMES, lists=lists or {})
        settings = {"timeout_s": config.pop("timeout_s", 5), "operations": {"GetPerson": operation}}
        backend = SqlBackend(SqlBackendConfig(database=DatabaseConfig(database=str(database), **config), **settings))
        opened.append(backend)
        answer = await backend.answer(recorded(f'<Ask xmlns="{NS}"><Key>{key}</Key></Ask>'))
        return answer.payload

    yield ask
    for backend in opened:
        await backend.close()


def text(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n", exclusive=True).decode().replace(f' xmlns:tns="{NS}"', "")


async def test_row_becomes_the_reply(ask):
    assert text(await ask()) == "<tns:Reply><tns:Name>Ann</tns:Name><tns:N>7</tns:N></tns:Reply>"


async def test_null_is_left_out(ask):
    assert text(await ask(key="b")) == "<tns:Reply></tns:Reply>"


async def test_no_row(ask):
    with pytest.raises(NoSuchSubject) as caught:
        await ask(key=SECRET)
    assert SECRET not in caught.value.reason


async def test_value_is_a_parameter_and_never_part_of_the_query(ask):
    with pytest.raises(NoSuchSubject):
        await ask(key="x' OR '1'='1")


async def test_missing_element_is_null(ask):
    none = SqlList(query="SELECT coalesce(:none, 'nothing') AS \".\"", parameters={"none": etree.XPath("None")})
    assert (await ask(lists={"Other": none}))[-1].text == "nothing"


async def test_several_rows_are_not_an_answer(ask):
    with pytest.raises(ProviderSystemInvalid, match="more than one row"):
        await ask(key="c")


async def test_several_values_for_a_parameter(ask):
    with pytest.raises(ProviderSystemInvalid, match="several values"):
        await ask(key="a</Key><Key>b")


async def test_list_stands_at_its_column_or_at_the_end(ask):
    children = SqlList(query='SELECT name AS "." FROM child WHERE key = :key ORDER BY name', parameters=KEY)
    first = await ask(
        query='SELECT NULL AS "Kin/Child", name AS Name FROM t WHERE key = :key', lists={"Kin/Child": children}
    )
    kin = "<tns:Kin><tns:Child>Bob</tns:Child><tns:Child>Eve</tns:Child></tns:Kin>"
    assert text(first) == f"<tns:Reply>{kin}<tns:Name>Ann</tns:Name></tns:Reply>"
    last = await ask(query="SELECT name AS Name FROM t WHERE key = :key", lists={"Kin/Child": children})
    assert text(last) == f"<tns:Reply><tns:Name>Ann</tns:Name>{kin}</tns:Reply>"


async def test_empty_list_leaves_no_parent(ask):
    children = SqlList(query='SELECT name AS "." FROM child WHERE key = :key', parameters=KEY)
    assert text(await ask(key="b", lists={"Kin/Child": children})) == "<tns:Reply></tns:Reply>"


async def test_number_of_rows_is_bounded(ask):
    many = SqlList(query='SELECT 1 AS "." FROM t, t AS b', parameters={})
    with pytest.raises(ProviderSystemInvalid, match="more than 5 rows"):
        await ask(lists={"X": many}, max_rows=5)


async def test_query_that_does_not_end_is_stopped(ask):
    with pytest.raises(ProviderSystemTimeout):
        await ask(query=ENDLESS, timeout_s=0.2)


async def test_stopped_query_gives_its_connection_back(database):
    operations = {
        "Endless": SqlOperation(query=ENDLESS, parameters={}, reply=NAMES),
        "GetPerson": SqlOperation(query="SELECT 1 AS a", parameters={}, reply=NAMES),
    }
    config = DatabaseConfig(database=str(database), pool=1)
    backend = SqlBackend(SqlBackendConfig(database=config, operations=operations, timeout_s=0.3))
    payload = f'<Ask xmlns="{NS}"/>'
    with pytest.raises(ProviderSystemTimeout):
        await backend.answer(recorded(payload, "Endless"))
    answered = None
    for _ in range(50):
        try:
            answered = await backend.answer(recorded(payload))
            break
        except ProviderSystemTimeout:
            continue
    assert answered is not None
    await backend.close()


async def test_text_that_xml_cannot_carry(ask):
    with pytest.raises(ProviderSystemInvalid, match="characters"):
        await ask(key="z")


async def test_unknown_table_is_a_fault_of_the_system(ask):
    with pytest.raises(ProviderSystemInvalid, match="SQLITE_ERROR"):
        await ask(query="SELECT 1 AS a FROM nowhere")


async def test_missing_database_is_down_and_is_not_made(tmp_path):
    path = tmp_path / "none.sqlite"
    operation = SqlOperation(query="SELECT 1 AS a", parameters={}, reply=NAMES)
    backend = SqlBackend(
        SqlBackendConfig(database=DatabaseConfig(database=str(path)), operations={"GetPerson": operation})
    )
    with pytest.raises(ProviderSystemDown):
        await backend.answer(recorded("<a/>"))
    await backend.close()
    assert not path.exists()


async def test_damaged_database(tmp_path):
    path = tmp_path / "broken.sqlite"
    path.write_bytes(b"no database at all" * 100)
    operation = SqlOperation(query="SELECT 1 AS a FROM t", parameters={}, reply=NAMES)
    backend = SqlBackend(
        SqlBackendConfig(database=DatabaseConfig(database=str(path)), operations={"GetPerson": operation})
    )
    with pytest.raises((ProviderSystemDown, ProviderSystemInvalid)):
        await backend.answer(recorded("<a/>"))
    await backend.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES ('d', 'd', 1)",
        "DELETE FROM t",
        "WITH x AS (SELECT 1) DELETE FROM t",
        "CREATE TABLE u (a)",
        "PRAGMA query_only = OFF",
        "PRAGMA table_info(t)",
        "ATTACH DATABASE ':memory:' AS other",
        "SELECT load_extension('x')",
        "VACUUM INTO '/tmp/copy.sqlite'",
    ],
)
def test_database_refuses_all_but_reading(database, statement):
    """Even a statement that slips past the check of the settings."""
    before = database.read_bytes()
    opened = ReadOnlyDatabase(DatabaseConfig(database=str(database)))
    with pytest.raises((ProviderSystemInvalid, ProviderSystemDown)), opened.reading(1e18) as query:
        query(statement, {})
    opened.close()
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "query",
    [
        "",
        "DELETE FROM t",
        "SELECT 1; SELECT 2",
        "/* SELECT */ UPDATE t SET a = 1",
        "-- SELECT\nDROP TABLE t",
        "PRAGMA x",
    ],
)
def test_query_that_is_not_one_select(query):
    with pytest.raises(SettingsInvalid):
        check_query(query)


@pytest.mark.parametrize(
    "query", ["select 1", "SELECT ';' AS a;", "-- note;\nSELECT 1", "WITH x AS (SELECT 1) SELECT 2"]
)
def test_query_that_is_one_select(query):
    check_query(query)


@pytest.mark.parametrize("address", ["nothing://x/y", "mssql+pyodbc://host/db", "postgresql+nodriver://u@h/d"])
def test_database_that_cannot_be_read_only(address):
    with pytest.raises(SettingsInvalid):
        ReadOnlyDatabase(DatabaseConfig(database=address))


def test_password_is_not_shown():
    assert "hidden" not in repr(DatabaseConfig(database="x", password="hidden"))


def test_paths():
    row = Rows(("A/B", "A/@id", "A/C", "o:D", "A/E"), [("1", 2, "3", "4", "5")])
    assert text(build_reply(NAMES, row, {})) == (
        '<tns:Reply><tns:A id="2"><tns:B>1</tns:B><tns:C>3</tns:C></tns:A>'
        '<ns0:D xmlns:ns0="urn:other">4</ns0:D><tns:A><tns:E>5</tns:E></tns:A></tns:Reply>'
    )


def test_unqualified_names_stay_unqualified_when_they_are_written():
    names = ReplyNames(element=f"{{{NS}}}Reply", qualified=False, namespaces={})
    written = etree.tostring(build_reply(names, Rows(("A",), [("1",)]), {}))
    assert etree.fromstring(written)[0].tag == "A"


@pytest.mark.parametrize("path", ["", "A//B", "A b", "x:A", "@", "A/@x:y", "1A", "A/", "/A"])
def test_column_name_that_is_no_path(path):
    with pytest.raises(SettingsInvalid):
        build_reply(NAMES, Rows((path,), [("1",)]), {})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("text", "text"),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (1.5, "1.5"),
        (float("inf"), "INF"),
        (float("-inf"), "-INF"),
        (float("nan"), "NaN"),
        (Decimal("1E+3"), "1000"),
        (date(2020, 2, 29), "2020-02-29"),
        (b"\x00\xff", "AP8="),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_lexical_forms(value, written):
    assert lexical(value) == written


def test_value_without_a_form():
    with pytest.raises(ProviderSystemInvalid, match="dict"):
        lexical({"secret": SECRET})


def test_list_must_lead_to_an_element():
    for path in (".", "A/@b"):
        with pytest.raises(SettingsInvalid):
            SqlOperation(
                query="SELECT 1", parameters={}, reply=NAMES, lists={path: SqlList(query="SELECT 1", parameters={})}
            )

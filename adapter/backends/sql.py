"""An information system that is a database: named, read-only, parameterised queries mapped to the reply's type."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lxml import etree

from adapter.backends.sql_database import DatabaseConfig, ReadOnlyDatabase, check_query
from adapter.backends.sql_reply import ReplyNames, Rows, build_reply
from adapter.envelope.carried import body_of
from adapter.errors import NoSuchSubject, ProviderSystemInvalid, ProviderSystemTimeout, SettingsInvalid
from adapter.stages import BackendAnswer, RecordedRequest

Query = Callable[[str, Mapping[str, object]], Rows]


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlList:
    """A query whose every row becomes one more element. parameters: name to XPath on the request's Body element."""

    query: str
    parameters: Mapping[str, etree.XPath]


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlOperation:
    """What answers one operation: a query for exactly one row, and queries for repeated elements by their path."""

    query: str
    parameters: Mapping[str, etree.XPath]
    reply: ReplyNames
    lists: Mapping[str, SqlList] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_query(self.query)
        for path, listed in self.lists.items():
            check_query(listed.query)
            if not self.reply.path(path).elements or "@" in path:
                raise SettingsInvalid(f"the list {path!r} does not lead to an element")


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlBackendConfig:
    """timeout_s: for all queries of one request, waiting for a connection included."""

    database: DatabaseConfig
    operations: Mapping[str, SqlOperation]
    timeout_s: float = 10.0


class SqlBackend:
    """Implements ports.Backend. As many threads as connections; what waits longer than timeout_s is refused."""

    def __init__(self, config: SqlBackendConfig) -> None:
        self._config = config
        self._database = ReadOnlyDatabase(config.database)
        self._threads = ThreadPoolExecutor(config.database.pool, thread_name_prefix="sql-backend")

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        """Run the operation's queries.

        Raises NoSuchSubject (no row), ProviderSystemDown, ProviderSystemTimeout, ProviderSystemInvalid.
        """
        name = request.header.operation
        operation = self._config.operations.get(name)
        if operation is None:
            raise ProviderSystemInvalid(f"the settings have no query for the operation {name}")
        deadline = time.monotonic() + self._config.timeout_s
        # Values are read here: lxml's tree stays in this thread.
        parameters = [
            _values(body_of(request.payload), wanted)
            for wanted in (operation.parameters, *(listed.parameters for listed in operation.lists.values()))
        ]
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._read, operation, parameters, deadline)
        try:
            payload, size = await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError:
            raise ProviderSystemTimeout(f"the database did not answer in {self._config.timeout_s} s") from None
        return BackendAnswer(payload=payload, size=size)

    async def close(self) -> None:
        """Stop the threads and close the connections; a query that runs is stopped at its deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._database.close()

    def _read(
        self, operation: SqlOperation, parameters: list[dict[str, object]], deadline: float
    ) -> tuple[etree._Element, int]:
        if time.monotonic() >= deadline:
            raise ProviderSystemTimeout("no connection to the database was free in time")
        with self._database.reading(deadline) as query:
            main = query(operation.query, parameters[0])
            if not main.rows:
                raise NoSuchSubject("the query gave no row")
            if len(main.rows) > 1:
                raise ProviderSystemInvalid("the query gave more than one row")
            lists = {
                path: query(listed.query, values)
                for (path, listed), values in zip(operation.lists.items(), parameters[1:], strict=True)
            }
        return build_reply(operation.reply, main, lists), main.size + sum(rows.size for rows in lists.values())


def _values(payload: etree._Element, parameters: Mapping[str, etree.XPath]) -> dict[str, object]:
    return {name: _value(payload, name, xpath) for name, xpath in parameters.items()}


def _value(payload: etree._Element, name: str, xpath: etree.XPath) -> object:
    """The value at an XPath: a text, a number or a boolean; None where there is no node."""
    found = xpath(payload)
    if not isinstance(found, list):
        return found if isinstance(found, bool | float) else str(found)
    if len(found) > 1:
        raise ProviderSystemInvalid(f"the request has several values for the query parameter {name}")
    if not found:
        return None
    return (found[0].text or "") if isinstance(found[0], etree._Element) else str(found[0])

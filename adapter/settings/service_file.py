"""`services/<subsystem>.<code>.<version>/service.toml`: the manual of one provided service's settings.

The service's WSDL and XSD files lie in the folder `description` beside the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from adapter.attachments import MAX_ATTACHMENTS
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from adapter.settings.client_context import check_xpath
from adapter.settings.toml_reading import Section, load_toml, mistake
from adapter.settings.types import (
    Count,
    DatabaseUrlOrFile,
    FilePath,
    HandlerName,
    IdentifierKind,
    Seconds,
    Segment,
    WebAddress,
)

_MEBIBYTE: Final = 1024 * 1024


class SoapSettings(Section):
    """[soap]: an information system that speaks SOAP."""

    address: WebAddress = Field(description="Where the system takes requests.")
    addresses: Mapping[str, WebAddress] = Field(
        {}, description="operation = address, for operations that the system takes elsewhere."
    )
    protocol: Literal["soap", "xroad-4.0"] = Field(
        "soap", description="What it speaks: plain SOAP, or SOAP with the header fields of X-Road 4.0."
    )
    timeout_s: Seconds = Field(20, description="Seconds for one whole answer.")
    max_answer_bytes: Count = Field(32 * _MEBIBYTE, description="Octets that an answer may have.")
    pool: Count = Field(16, description="Connections to the system at a time, for each worker.")
    breaker_failures: Count = Field(5, description="Failures in a row after which the system is left in peace.")
    breaker_reset_s: Seconds = Field(10, description="Seconds for which it is left in peace.")
    attachments: Literal["inline", "mtom", "swa"] | None = Field(
        None,
        description="How it takes binary content: as base64 in the XML, as MTOM, or as SOAP with Attachments. "
        "Default: as the WSDL says, inline if it says nothing.",
    )
    max_attachments: int = Field(
        16, ge=0, le=MAX_ATTACHMENTS, description="Attachments of one request or answer; 0 allows none."
    )
    max_attachment_bytes: Count = Field(
        256 * _MEBIBYTE, description="Octets of all attachments of one request or answer."
    )


class SqlListSettings(Section):
    """[sql.operation.NAME.list."Path/To/Element"]: a query whose every row becomes one more element at this path."""

    query: str = Field(min_length=1, description="One SELECT with named parameters (`:name`).")
    parameters: Mapping[str, str] = Field(
        {}, description="name = XPath on the request's Body element. Default: the operation's parameters."
    )


class SqlOperationSettings(Section):
    """[sql.operation.NAME]: the query that answers one operation."""

    query: str = Field(
        min_length=1, description="One SELECT with named parameters (`:name`). Columns are elements: `Address/Street`."
    )
    parameters: Mapping[str, str] = Field({}, description="name = XPath on the request's Body element.")
    reply: str = Field(description="Element that the answer begins with: prefix:Name, the prefix from [namespaces].")
    list: Mapping[str, SqlListSettings] = Field({}, description="Queries for elements that may come several times.")


class SqlSettings(Section):
    """[sql]: named, read-only, parameterised queries on a database."""

    database: DatabaseUrlOrFile = Field(description="SQLite file, or SQLAlchemy address without a password.")
    password_file: FilePath | None = Field(
        None, description="File that holds the database password, readable by the owner only."
    )
    timeout_s: Seconds = Field(10, description="Seconds for all queries of one request.")
    pool: Count = Field(4, description="Connections (and threads) at a time, for each worker.")
    max_rows: Count = Field(1000, description="Rows that one query may give; more is a fault of the system.")
    operation: Mapping[str, SqlOperationSettings] = Field(description="The operations by name.")


class PythonSettings(Section):
    """[python]: a spyne service class."""

    handler: HandlerName = Field(alias="class", description="module:Class of the spyne service.")
    timeout_s: Seconds = Field(20, description="Seconds for one answer.")
    threads: Count = Field(4, description="Threads that run it, for each worker.")


class UsageSettings(Section):
    """[usage]: the adapter itself tells a person who got their data from here, and why (wsdl/usage.wsdl)."""

    timeout_s: Seconds = Field(20, description="Seconds for one answer.")
    threads: Count = Field(2, description="Threads that read the record, for each worker.")


class ServiceSettings(Section):
    """The whole of `service.toml`."""

    code: Segment = Field(description="Code of the service.")
    version: Segment = Field(description="Version of the service.")
    subsystem: Segment = Field(description="The member's subsystem that provides it.")
    title: str = Field(min_length=1, description="What it is for, for the directory.")
    wsdl: str = Field("service.wsdl", min_length=1, description="The WSDL to begin with, in the folder description.")
    personal_data: bool = Field(description="Whether it transfers personal data: then a legal basis is demanded.")
    backend: Literal["soap", "sql", "python", "usage"] = Field(
        description="What answers; the table of that name is needed."
    )
    subject_kind: IdentifierKind | None = Field(None, description="Kind of identifier that subject_xpath finds.")
    subject_xpath: str | None = Field(
        None,
        description="Where in the Body the subject is; it must be among the subjects that the request declares. "
        "Of a SOAP-encoded service it cannot be relied upon: no schema says where its system looks for the subject.",
    )
    namespaces: Mapping[str, str] = Field({}, description="Prefixes of all expressions: prefix = namespace name.")
    soap: SoapSettings | None = Field(None, description="With backend soap.")
    sql: SqlSettings | None = Field(None, description="With backend sql.")
    python: PythonSettings | None = Field(None, description="With backend python.")
    usage: UsageSettings | None = Field(
        None, description="With backend usage; `adapter service add --built-in usage` writes it."
    )

    def service_id(self, member: MemberId) -> ServiceId:
        """The full id. member: whose adapter provides it."""
        return ServiceId(SubsystemId(member, self.subsystem), self.code, self.version)

    @model_validator(mode="after")
    def _one_backend(self) -> Self:
        for name in ("soap", "sql", "python", "usage"):
            given = getattr(self, name) is not None
            if given and name != self.backend:
                raise mistake(f'only used with backend = "{name}"', at=(name,))
            if not given and name == self.backend:
                raise mistake(f'the table [{name}] is needed with backend = "{name}"', at=("backend",))
        return self

    @model_validator(mode="after")
    def _subject(self) -> Self:
        if (self.subject_kind is None) != (self.subject_xpath is None):
            missing, given = (
                ("subject_kind", "subject_xpath") if self.subject_xpath else ("subject_xpath", "subject_kind")
            )
            raise mistake(f"needed with {given}", at=(missing,))
        check_xpath(self.subject_xpath, self.namespaces, at=("subject_xpath",))
        if self.usage is not None and self.subject_kind is not None:
            raise mistake("the service knows by itself where its subject is", at=("subject_kind",))
        if self.usage is not None and not self.personal_data:
            raise mistake("what is told of a person is personal data", at=("personal_data",))
        return self

    @model_validator(mode="after")
    def _queries(self) -> Self:
        for name, operation in (self.sql.operation if self.sql else {}).items():
            place = ("sql", "operation", name)
            prefix, colon, local = operation.reply.rpartition(":")
            if not local or (colon and prefix not in self.namespaces):
                raise mistake("should be prefix:Name with a prefix of [namespaces]", at=(*place, "reply"))
            self._check_parameters(operation.parameters, place)
            for path, listed in operation.list.items():
                self._check_parameters(listed.parameters, (*place, "list", path))
        return self

    def _check_parameters(self, parameters: Mapping[str, str], place: tuple[str, ...]) -> None:
        for name, expression in parameters.items():
            check_xpath(expression, self.namespaces, at=(*place, "parameters", name))


def load_service_settings(path: Path) -> ServiceSettings:
    """Read one `service.toml`. A SQLite file named in it is meant from its folder. Raises SettingsInvalid."""
    return load_toml(path, ServiceSettings)

"""A service's settings made into the backend that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lxml import etree

from adapter.backends.python import PythonBackend, PythonBackendConfig
from adapter.backends.soap import SoapBackend, SoapBackendConfig
from adapter.backends.sql import SqlBackend, SqlBackendConfig, SqlList, SqlOperation
from adapter.backends.sql_database import DatabaseConfig
from adapter.backends.sql_reply import ReplyNames
from adapter.backends.usage import UsageBackend, UsageBackendConfig, UsageDesk
from adapter.backends.xroad import check_for_xroad
from adapter.envelope.description import ServiceDescription
from adapter.envelope.description_packaging import packaging_of
from adapter.errors import KeyUnusable, SettingsInvalid, UnknownOperation
from adapter.exchange.parts import AttachmentBounds
from adapter.pace import TransferBounds
from adapter.ports import Backend
from adapter.secret_files import read_secret
from adapter.settings.service_file import ServiceSettings, SoapSettings, SqlOperationSettings, SqlSettings
from adapter.stages import Packaging


def build_backend(
    settings: ServiceSettings,
    description: ServiceDescription,
    transfer: TransferBounds | None = None,
    desk: UsageDesk | None = None,
) -> Backend:
    """The backend that service.toml describes. Opens no connection yet.

    transfer: how slow an answer with attachments may come; how long it may stall says the service itself.
    desk: what knows the record, for backend usage.

    Raises SettingsInvalid: an operation that the description lacks or that has no query, a query that is not one
    SELECT, a column path or handler that leads nowhere, an unreadable password file.
    """
    if settings.soap is not None:
        soap = settings.soap
        if soap.protocol == "xroad-4.0":
            check_for_xroad(description)
        unknown = sorted(soap.addresses.keys() - description.by_name.keys())
        if unknown:
            raise SettingsInvalid(f"[soap.addresses] names operations that there are not: {', '.join(unknown)}")
        return SoapBackend(
            SoapBackendConfig(
                address=soap.address,
                addresses=soap.addresses,
                protocol=soap.protocol,
                timeout_s=soap.timeout_s,
                max_answer_bytes=soap.max_answer_bytes,
                pool=soap.pool,
                breaker_failures=soap.breaker_failures,
                breaker_reset_s=soap.breaker_reset_s,
                packaging=soap_packaging(soap, description),
                attachments=AttachmentBounds(max_count=soap.max_attachments, max_bytes=soap.max_attachment_bytes),
                transfer=replace(transfer or TransferBounds(), stall_s=soap.timeout_s),
            ),
            description,
        )
    if settings.sql is not None:
        return SqlBackend(_sql_config(settings.sql, settings.namespaces, description))
    if settings.python is not None:
        python = settings.python
        return PythonBackend(
            PythonBackendConfig(handler=python.handler, timeout_s=python.timeout_s, threads=python.threads), description
        )
    if settings.usage is not None and desk is not None:
        usage = settings.usage
        return UsageBackend(UsageBackendConfig(timeout_s=usage.timeout_s, threads=usage.threads), description, desk)
    raise SettingsInvalid("the service has no backend")


def soap_packaging(settings: SoapSettings, description: ServiceDescription) -> Packaging:
    """How the system behind a service takes binary content."""
    return packaging_of(description) if settings.attachments is None else Packaging(settings.attachments)


def _sql_config(sql: SqlSettings, namespaces: Mapping[str, str], description: ServiceDescription) -> SqlBackendConfig:
    missing = sorted({operation.name for operation in description.operations} - sql.operation.keys())
    if missing:
        raise SettingsInvalid(f"[sql.operation] lacks {', '.join(missing)}")
    return SqlBackendConfig(
        database=DatabaseConfig(
            database=sql.database, password=_password(sql.password_file), pool=sql.pool, max_rows=sql.max_rows
        ),
        operations={
            name: _operation(name, operation, namespaces, description) for name, operation in sql.operation.items()
        },
        timeout_s=sql.timeout_s,
    )


def _operation(
    name: str, settings: SqlOperationSettings, namespaces: Mapping[str, str], description: ServiceDescription
) -> SqlOperation:
    try:
        expected = description.operation(name).output_element
    except UnknownOperation:
        raise SettingsInvalid(f"[sql.operation.{name}]: the WSDL has no such operation") from None
    prefix, _, local = settings.reply.rpartition(":")
    reply = f"{{{namespaces[prefix]}}}{local}" if prefix else local
    if reply != expected:
        raise SettingsInvalid(f"[sql.operation.{name}] reply: the WSDL names {expected}")
    parameters = _compiled(settings.parameters, namespaces)
    namespace = etree.QName(reply).namespace or ""
    qualified = description.schema is not None and namespace in description.schema.qualified
    return SqlOperation(
        query=settings.query,
        parameters=parameters,
        reply=ReplyNames(element=reply, qualified=qualified, namespaces=namespaces),
        lists={
            path: SqlList(query=listed.query, parameters=_compiled(listed.parameters, namespaces) or parameters)
            for path, listed in settings.list.items()
        },
    )


def _compiled(parameters: Mapping[str, str], namespaces: Mapping[str, str]) -> dict[str, etree.XPath]:
    return {
        name: etree.XPath(expression, namespaces=dict(namespaces) or None) for name, expression in parameters.items()
    }


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return read_secret(path).decode().strip()
    except KeyUnusable as cause:
        raise SettingsInvalid(f"the database's password file: {cause.reason}") from None
    except UnicodeDecodeError:
        raise SettingsInvalid("the database's password file cannot be read") from None

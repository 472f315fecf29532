"""What `adapter doctor` looks at in [client.context]: whether its expressions can find anything in what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from adapter.app.expressions import blind_expressions
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.directory.model import Directory, DirectoryService
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.description_bundle import unpack_bundle
from adapter.identifiers import ServiceId
from adapter.policy.clients import allows
from adapter.settings import ClientSettings, Settings
from adapter.settings.toml_reading import mistakes_in
from adapter.transport.directory_client import DirectoryClient

_MAX_SERVICES: Final = 50
"""Of one client: whoever may call everything is not checked against everything."""


def look_at_contexts(settings: Settings, settings_file: Path, directory: Directory) -> Iterator[Finding]:
    """Every expression of every client, against the services that the client may call.

    Raises DirectoryUnavailable, DirectoryRefused, DescriptionUnusable for a description that cannot be had.
    """
    for at, client in enumerate(settings.client):
        if client.context.official_xpath is None and client.context.subject_xpath is None:
            continue
        listed = [
            service
            for service in directory.services.values()
            if any(allows(pattern, service.service) for pattern in client.services)
        ][:_MAX_SERVICES]
        services = _descriptions(settings, listed)
        findings = list(_of_client(at, client, services, settings_file))
        yield from findings or [
            ok(f"client {client.name}", f"its expressions find something in {len(services)} services")
        ]


def _of_client(
    at: int, client: ClientSettings, services: dict[ServiceId, ServiceDescription], settings_file: Path
) -> Iterator[Finding]:
    what = f"client {client.name}"
    for key, blind in blind_expressions(client, services):
        named = [(service, why) for service, why in blind.items() if str(service) in client.services]
        if len(blind) == len(services):
            service, why = next(iter(blind.items()))
            mistake = mistakes_in(settings_file, [(("client", at, "context", key), f"{why} of {service}")])
            yield fail(what, mistake.reason, "Mend the expression: its calls are refused with ContextMissing.")
        for service, why in named if len(blind) < len(services) else ():
            yield warn(what, f"{key} {why} of {service}", "It may call others; there it has to send RequestContext.")


def _descriptions(settings: Settings, listed: Sequence[DirectoryService]) -> dict[ServiceId, ServiceDescription]:
    client = DirectoryClient(
        settings.directory.url, timeout_s=settings.directory.timeout_s, max_bytes=settings.directory.max_bytes
    )

    async def fetch() -> list[bytes]:
        return [await client.description(service.description_sha256) for service in listed]

    read = {}
    for service, octets in zip(listed, asyncio.run(fetch()), strict=True):
        entry, files = unpack_bundle(octets)
        read[service.service] = read_description(files.get, entry)
    return read

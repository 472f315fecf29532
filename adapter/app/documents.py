"""The contracts that client systems read: a provider's description, republished with this adapter's address."""

from __future__ import annotations

import asyncio
from functools import cache

from adapter.app.wiring import Site
from adapter.contracts import read_contract
from adapter.envelope.description import ServiceDescription
from adapter.envelope.wsdl_publish import PublishedDescription, publish
from adapter.identifiers import ServiceId

_CONTEXT_SCHEMA = "client.xsd"
_FAULT_SCHEMA = "fault.xsd"
_CONTRACTS = (_CONTEXT_SCHEMA, "identifiers.xsd", "legal-basis.xsd", _FAULT_SCHEMA, "xml-lang.xsd")

# Whoever reaches the listener may make up addresses.
_MAX_KEPT = 32


class ClientDocuments:
    """Republished documents, made once for each service, digest and address."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept: dict[tuple[str, str], PublishedDescription] = {}
        self._publishing = asyncio.Lock()

    async def document(self, service: ServiceId, url: str, name: str) -> bytes:
        """One document: the WSDL to begin with for an empty name, else what it imports by that name.

        url: under which the client system asks; the documents refer to it, unless the settings name a public one.
        Raises UnknownService, DirectoryUnavailable, DirectoryExpired, DirectoryRefused, DescriptionUnusable.
        """
        listed = self._site.directory.current().service(service)
        address = self._address(service, url)
        key = (listed.description_sha256, address)
        if key not in self._kept:
            description = await self._site.directory.description(listed)
            async with self._publishing:  # one at a time, in a thread: a large description takes a third of a second
                await self._publish(key, description, address)
        return self._kept[key].document(name)

    async def _publish(self, key: tuple[str, str], description: ServiceDescription, address: str) -> None:
        if key in self._kept:
            return
        published = await asyncio.to_thread(
            publish,
            description,
            address=address,
            contracts=_contracts(),
            context_schema=_CONTEXT_SCHEMA,
            fault_schema=_FAULT_SCHEMA,
            json_address=_in_json(address),
        )
        while len(self._kept) >= _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = published

    def _address(self, service: ServiceId, url: str) -> str:
        public = self._site.settings.client_listener.public_url
        return url if public is None else f"{str(public).rstrip('/')}/service/{service}"


def _in_json(address: str) -> str:
    """Where the same service is had in JSON."""
    before, _, service = address.partition("?")[0].rpartition("/service/")
    return f"{before}/json/{service}"


@cache
def _contracts() -> dict[str, bytes]:
    return {name: read_contract(f"xsd/{name}") for name in _CONTRACTS}

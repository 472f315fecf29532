"""The contracts that this adapter gives out: a provider's description, republished for its client systems.

And for other stacks that speak to the provider's adapter themselves: with the policy of the peer side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache, partial

from adapter.app.wiring import Site
from adapter.contracts import read_contract
from adapter.envelope.description import ServiceDescription
from adapter.envelope.wsdl_peer import ENVELOPE_CONTRACTS, publish_for_peers, served_below
from adapter.envelope.wsdl_publish import PublishedDescription, publish
from adapter.identifiers import ServiceId
from adapter.transport.peer_listener import PATH

_CONTEXT_SCHEMA = "client.xsd"
_FAULT_SCHEMA = "fault.xsd"
# One set for both views: a schema is asked for by its name, whichever WSDL names it.
_CONTRACTS = (_CONTEXT_SCHEMA, _FAULT_SCHEMA, "xml-lang.xsd", *ENVELOPE_CONTRACTS)

# Whoever reaches the listener may make up addresses.
_MAX_KEPT = 32


class ClientDocuments:
    """Republished documents, made once for each service, digest and address."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept: dict[tuple[str, str, str], PublishedDescription] = {}
        self._publishing = asyncio.Lock()

    async def document(self, service: ServiceId, url: str, name: str, *, for_peers: bool = False) -> bytes:
        """One document: the WSDL to begin with for an empty name, else what it imports by that name.

        url: under which the client system asks; the documents refer to it, unless the settings name a public one.
        for_peers: of the description for another stack that takes this adapter's place.
        Raises UnknownService, DirectoryUnavailable, DirectoryExpired, DirectoryRefused, DescriptionUnusable.
        """
        directory = self._site.directory.current()
        listed = directory.service(service)
        address = self._address(service, url)
        peer_address = directory.member(service.subsystem.member).adapter.address.rstrip("/") + PATH
        key = (listed.description_sha256, address, peer_address if for_peers else "")
        if key not in self._kept:
            description = await self._site.directory.description(listed)
            make = partial(_for_peers, peer_address=peer_address) if for_peers else _for_clients
            async with self._publishing:  # one at a time, in a thread: a large description takes a third of a second
                await self._publish(key, partial(make, description, address))
        return self._kept[key].document(name)

    async def _publish(self, key: tuple[str, str, str], make: Callable[[], PublishedDescription]) -> None:
        if key in self._kept:
            return
        published = await asyncio.to_thread(make)
        while len(self._kept) >= _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = published

    def _address(self, service: ServiceId, url: str) -> str:
        public = self._site.settings.client_listener.public_url
        return url if public is None else f"{str(public).rstrip('/')}/service/{service}"


def _for_clients(description: ServiceDescription, address: str) -> PublishedDescription:
    return publish(
        description,
        address=address,
        contracts=_contracts(),
        context_schema=_CONTEXT_SCHEMA,
        fault_schema=_FAULT_SCHEMA,
        json_address=_in_json(address),
    )


def _for_peers(description: ServiceDescription, address: str, *, peer_address: str) -> PublishedDescription:
    location = served_below(address.partition("?")[0])
    return publish_for_peers(description, location=location, peer_address=peer_address, contracts=_contracts())


def _in_json(address: str) -> str:
    """Where the same service is had in JSON."""
    before, _, service = address.partition("?")[0].rpartition("/service/")
    return f"{before}/json/{service}"


@cache
def _contracts() -> dict[str, bytes]:
    return {name: read_contract(f"xsd/{name}") for name in _CONTRACTS}

"""What describes a service in JSON: its OpenAPI document and its page, made once for each address."""

from __future__ import annotations

import asyncio

from adapter.app.wiring import Site
from adapter.dialects.json_dialect import MEDIA_TYPE
from adapter.dialects.json_mapping import mapping_of
from adapter.dialects.json_text import render_json
from adapter.dialects.model import ClientAnswer
from adapter.dialects.openapi import ServiceNames, openapi_document
from adapter.dialects.openapi_page import OPENAPI_NAME, PAGE_TYPE, openapi_page
from adapter.envelope.description import ServiceDescription
from adapter.errors import AdapterError, UnknownService
from adapter.identifiers import ServiceId

# Whoever reaches the listener may make up addresses; a document of a huge service has a megabyte.
_MAX_KEPT = 16


class JsonDocuments:
    """Documents of the services in the directory, whether or not this agency may call them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._prepared: set[str] = set()
        self._kept: dict[tuple[str, str], dict[str, ClientAnswer]] = {}
        self._making = asyncio.Lock()

    async def prepare(self, service: ServiceId) -> None:
        """Read the schemas for a first call, in a thread: of a huge service that takes most of a second.

        Never raises what the path of the call will say better.
        """
        try:
            listed = self._site.directory.current().service(service)
            if listed.description_sha256 not in self._prepared:
                await asyncio.to_thread(mapping_of, await self._site.directory.description(listed))
                self._prepared.add(listed.description_sha256)
        except AdapterError:
            return

    async def document(self, service: ServiceId, url: str, name: str) -> ClientAnswer:
        """The page for an empty name, the OpenAPI document for its name.

        url: of the service, under which it is asked. Raises UnknownService, DirectoryUnavailable, DirectoryExpired,
        DirectoryRefused, DescriptionUnusable.
        """
        listed = self._site.directory.current().service(service)
        public = self._site.settings.client_listener.public_url
        address = url if public is None else f"{str(public).rstrip('/')}/json/{service}"
        key = (listed.description_sha256, address)
        if key not in self._kept:
            description = await self._site.directory.description(listed)
            names = ServiceNames(title=listed.title or str(service), version=service.version, address=address)
            async with self._making:
                await self._make(key, description, names)
        try:
            return self._kept[key][name]
        except KeyError:
            raise UnknownService("there is no such document") from None

    async def _make(self, key: tuple[str, str], description: ServiceDescription, names: ServiceNames) -> None:
        if key in self._kept:
            return
        made = await asyncio.to_thread(_documents, description, names)
        while len(self._kept) >= _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = made


def _documents(description: ServiceDescription, names: ServiceNames) -> dict[str, ClientAnswer]:
    document = openapi_document(mapping_of(description), names)
    return {
        "": ClientAnswer(octets=openapi_page(document), content_type=PAGE_TYPE),
        OPENAPI_NAME: ClientAnswer(octets=render_json(document), content_type=MEDIA_TYPE),
    }

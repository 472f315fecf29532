"""What describes a service in JSON: its OpenAPI document and its page.

The work is done once for each service; for each address under which they are asked only the address is put in.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from lxml import etree

from adapter.app.wiring import Site
from adapter.dialects.json_dialect import MEDIA_TYPE
from adapter.dialects.json_index import ListedService, services_document, services_page
from adapter.dialects.json_mapping import mapping_of
from adapter.dialects.json_text import render_json
from adapter.dialects.model import ClientAnswer
from adapter.dialects.openapi import ServiceNames, describe_operations, openapi_document
from adapter.dialects.openapi_page import OPENAPI_NAME, PAGE_TYPE, openapi_page
from adapter.envelope.description import ServiceDescription
from adapter.errors import AdapterError, DescriptionUnusable, UnknownService
from adapter.identifiers import ServiceId
from adapter.samples.make import SampleMaker

# Whoever reaches the listener may make up addresses; a document of a huge service has a megabyte.
_MAX_KEPT = 16

_Key = TypeVar("_Key")
_Made = TypeVar("_Made")


class JsonDocuments:
    """Documents of the services in the directory, whether or not this agency may call them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._prepared: set[str] = set()
        self._described: dict[str, dict[str, Any]] = {}
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

    def index(self, url: str, *, is_for_people: bool) -> ClientAnswer:
        """Every service of the directory, whether or not this agency may call it, as `?wsdl` gives each.

        url: of the index, under which it is asked. Raises DirectoryUnavailable, DirectoryExpired.
        """
        public = self._site.settings.client_listener.public_url
        address = url if public is None else f"{str(public).rstrip('/')}/json"
        services = sorted(self._site.directory.current().services.values(), key=lambda one: str(one.service))
        listed = [
            ListedService(name=str(one.service), title=one.title, address=f"{address}/{one.service}")
            for one in services
        ]
        if is_for_people:
            return ClientAnswer(octets=services_page(listed), content_type=PAGE_TYPE)
        return ClientAnswer(octets=render_json(services_document(listed)), content_type=MEDIA_TYPE)

    async def _make(self, key: tuple[str, str], description: ServiceDescription, names: ServiceNames) -> None:
        if key in self._kept:
            return
        digest, _ = key
        if digest not in self._described:
            described = await asyncio.to_thread(_describe, description)
            _keep(self._described, digest, described)
        _keep(self._kept, key, await asyncio.to_thread(_documents, self._described[digest], names))


def _keep(kept: dict[_Key, _Made], key: _Key, made: _Made) -> None:
    """Keep the newest only."""
    while len(kept) >= _MAX_KEPT:
        del kept[next(iter(kept))]
    kept[key] = made


def _describe(description: ServiceDescription) -> dict[str, Any]:
    maker = SampleMaker(description)

    def sample(tag: str) -> etree._Element | None:
        try:
            return maker.sample(tag).element
        except DescriptionUnusable:
            return None

    return describe_operations(mapping_of(description), sample)


def _documents(described: dict[str, Any], names: ServiceNames) -> dict[str, ClientAnswer]:
    document = openapi_document(described, names)
    return {
        "": ClientAnswer(octets=openapi_page(document), content_type=PAGE_TYPE),
        OPENAPI_NAME: ClientAnswer(octets=render_json(document), content_type=MEDIA_TYPE),
    }

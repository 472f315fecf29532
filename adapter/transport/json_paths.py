"""The addresses of services in JSON: `/json/{service}` to read about it, `/json/{service}/{operation}` to call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from adapter.dialects.model import ClientAnswer
from adapter.identifiers import ServiceId

JSON_PREFIX: Final = "/json/"
INDEX_PATHS: Final = frozenset((JSON_PREFIX, JSON_PREFIX.rstrip("/")))
_SERVICE_SEGMENTS: Final = 6


class JsonPages(Protocol):
    """What describes services in JSON."""

    async def prepare(self, service: ServiceId) -> None:
        """Make ready what a call of this service will need. Never raises."""

    async def document(self, service: ServiceId, url: str, name: str) -> ClientAnswer:
        """A document by its name, empty for the page. url: of the service. Raises what the catalogue has for it."""

    def index(self, url: str, *, is_for_people: bool) -> ClientAnswer:
        """Every service with the addresses of its documents. url: of the index. Raises what hinders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonPath:
    """What a path names. rest: an operation in a call, a document's name in a question; empty for the service."""

    service: ServiceId
    rest: str


def json_path(path: str) -> JsonPath:
    """A path below JSON_PREFIX, decoded, untrusted. Raises InvalidIdentifier."""
    segments = path.removeprefix(JSON_PREFIX).split("/")
    service = ServiceId.parse("/".join(segments[:_SERVICE_SEGMENTS]))
    return JsonPath(service=service, rest="/".join(segments[_SERVICE_SEGMENTS:]))

"""A service description from the address of its WSDL, with all that it imports from the same server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

import requests

from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.description_documents import CATALOG, MAX_DESCRIPTION_BYTES, MAX_DOCUMENTS, locations_in
from adapter.envelope.description_octets import read_document
from adapter.errors import DescriptionUnusable, PeerUnreachable

ENTRY: Final = "service.wsdl"
_CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloaded:
    """The files as they came (untrusted), under names of our own, with a catalogue; skipped: addresses left alone."""

    files: Mapping[str, bytes]
    skipped: tuple[str, ...]

    def description(self) -> ServiceDescription:
        """Read them. Raises DescriptionUnusable."""
        return read_description(self.files.get, ENTRY)


def is_web_address(text: str) -> bool:
    """Whether what was typed is an address and not a file."""
    return text.startswith(("http://", "https://"))


def download_description(url: str, session: requests.Session, *, timeout_s: float = 20) -> Downloaded:
    """Fetch the WSDL and, from the same server only, what it imports. Raises DescriptionUnusable, PeerUnreachable.

    What lies on another server (schemas of the W3C, say) is skipped and named: the adapter brings the usual ones.
    """
    names: dict[str, str] = {}
    files: dict[str, bytes] = {}
    skipped: list[str] = []
    waiting = [urldefrag(url).url]
    room = MAX_DESCRIPTION_BYTES
    while waiting:
        address = waiting.pop(0)
        if address in names:
            continue
        if _origin(address) != _origin(url):
            skipped.append(address)
            continue
        if len(files) >= MAX_DOCUMENTS:
            raise DescriptionUnusable(f"the description has more than {MAX_DOCUMENTS} documents")
        name = ENTRY if not files else f"imported-{len(files)}.xml"
        octets = _fetch(address, session, timeout_s=timeout_s, max_bytes=room)
        room -= len(octets)
        names[address], files[name] = name, octets
        written = locations_in(read_document(octets, name))
        waiting += [urldefrag(urljoin(address, location)).url for location in written]
    files[CATALOG] = json.dumps({"entry": ENTRY, "urls": names}, indent=1).encode()
    return Downloaded(files=files, skipped=tuple(dict.fromkeys(skipped)))


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


def _fetch(address: str, session: requests.Session, *, timeout_s: float, max_bytes: int) -> bytes:
    try:
        with session.get(address, timeout=timeout_s, stream=True, allow_redirects=False) as response:
            if response.status_code != requests.codes.ok:
                raise DescriptionUnusable(f"{address} answered with status {response.status_code}")
            octets = b""
            for chunk in response.iter_content(_CHUNK_BYTES):
                octets += chunk
                if len(octets) > max_bytes:
                    raise DescriptionUnusable(f"the description is larger than {MAX_DESCRIPTION_BYTES} octets")
    except requests.RequestException as cause:
        raise PeerUnreachable(f"{address} cannot be reached ({type(cause).__name__})") from None
    return octets

"""A service description from a file, a folder or an address. Only hosts that somebody named are asked."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

import requests

from adapter.envelope.description import ServiceDescription, folder_reader, read_description
from adapter.envelope.description_documents import (
    CATALOG,
    MAX_DESCRIPTION_BYTES,
    MAX_DOCUMENTS,
    Catalog,
    ReadFile,
    gather,
    web_address,
)
from adapter.errors import CommandRefused, DescriptionUnusable, PeerUnreachable

ENTRY: Final = "service.wsdl"
_CHUNK_BYTES: Final = 64 * 1024
_MAX_LEVELS: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a description begins. read: its files (untrusted); entry: the WSDL among them."""

    read: ReadFile
    entry: str

    @classmethod
    def at(cls, place: Path, entry: str = "") -> Source:
        """A WSDL file, or a folder with one. entry: which of several. Raises CommandRefused, DescriptionUnusable.

        A folder's `catalog.json` says which WSDL to begin with and where documents are that are named by URL; that of a
        folder above counts for a file when it names this file.
        """
        if place.is_dir():
            return cls(read=folder_reader(place), entry=entry or _entry_in(place))
        for above in list(place.resolve().parents)[:_MAX_LEVELS]:
            name = str(place.resolve().relative_to(above))
            if _catalogue_entry(above) == name:
                return cls(read=folder_reader(above), entry=name)
        return cls(read=folder_reader(place.parent), entry=place.name)

    def description(self) -> ServiceDescription:
        """Read it. Raises DescriptionUnusable."""
        return read_description(self.read, self.entry)


def _entry_in(folder: Path) -> str:
    named = _catalogue_entry(folder)
    if named is not None:
        return named
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.wsdl"))
    if len(found) == 1:
        return found[0]
    listed = f"; there are {', '.join(found[:10])}" if found else ""
    raise CommandRefused(f"say with --entry which WSDL of {folder} to begin with{listed}")


def _catalogue_entry(folder: Path) -> str | None:
    """The WSDL that the folder's catalogue names to begin with. A catalogue that cannot be read is judged later."""
    try:
        named = json.loads((folder / CATALOG).read_bytes())["entry"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return named if isinstance(named, str) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloaded:
    """A description with all that was fetched for it (untrusted), under names of our own, and a catalogue.

    fetched: the addresses; skipped: addresses that are named and were left alone.
    """

    read: ReadFile
    entry: str
    fetched: tuple[str, ...]
    skipped: tuple[str, ...]

    def description(self) -> ServiceDescription:
        """Read it. Raises DescriptionUnusable."""
        return read_description(self.read, self.entry)


def is_web_address(text: str) -> bool:
    """Whether what was typed is an address and not a file."""
    return text.startswith(("http://", "https://"))


def host_of(address: str) -> str:
    """The host that would be asked for an address, as `--allow-fetch` has it; empty when none would be.

    Read out of what is asked for in the end: readers do not agree on where a host ends that has a backslash behind it.
    """
    try:
        return (urlsplit(requests.Request("GET", address).prepare().url or "").hostname or "").lower()
    except (requests.RequestException, ValueError):
        return ""


def download_description(
    url: str, session: requests.Session, *, hosts: Collection[str] | None = None, timeout_s: float = 20
) -> Downloaded:
    """Fetch a WSDL and what it imports from these hosts (only its own without any). Raises as `complete` does."""
    address = urldefrag(url).url
    fetch = _Fetcher(session=session, hosts=hosts or (host_of(url),), timeout_s=timeout_s)
    files = {ENTRY: fetch.get(address, room=MAX_DESCRIPTION_BYTES)}
    catalogue = json.dumps({"urls": {address: ENTRY}}).encode()
    return _complete({**files, CATALOG: catalogue}.get, ENTRY, fetch, fetched=[address])


def complete(source: Source, session: requests.Session, *, hosts: Collection[str], timeout_s: float = 20) -> Downloaded:
    """Fetch what the documents of a file or a folder name by address and the catalogue has not, from these hosts only.

    Raises DescriptionUnusable, PeerUnreachable.
    """
    return _complete(source.read, source.entry, _Fetcher(session=session, hosts=hosts, timeout_s=timeout_s), fetched=[])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetcher:
    session: requests.Session
    hosts: Collection[str]
    timeout_s: float

    def get(self, address: str, *, room: int) -> bytes:
        """The octets at an address of these hosts; a redirect is not followed, it could lead anywhere."""
        try:
            with self.session.get(address, timeout=self.timeout_s, stream=True, allow_redirects=False) as response:
                if response.status_code != requests.codes.ok:
                    raise DescriptionUnusable(f"{address} answered with status {response.status_code}")
                octets = b""
                for chunk in response.iter_content(_CHUNK_BYTES):
                    octets += chunk
                    if len(octets) > room:
                        raise DescriptionUnusable(f"the description is larger than {MAX_DESCRIPTION_BYTES} octets")
        except requests.RequestException as cause:
            raise PeerUnreachable(f"{address} cannot be reached ({type(cause).__name__})") from None
        return octets


def _complete(read: ReadFile, entry: str, fetch: _Fetcher, *, fetched: list[str]) -> Downloaded:
    files: dict[str, bytes] = {}
    written = read(CATALOG)
    catalogue = _catalogue_of(written)

    def read_all(name: str) -> bytes | None:
        return files[name] if name in files else read(name)

    while True:
        catalog = Catalog.parse(read_all(CATALOG) or b"{}")
        documents = gather(read_all, entry, catalog)
        named = [web_address(document, location, catalog) for document, location in documents.missing]
        addresses = list(dict.fromkeys(address for address in named if address is not None))
        wanted = [address for address in addresses if host_of(address) in fetch.hosts]
        if not wanted:
            return Downloaded(read=read_all, entry=entry, fetched=tuple(fetched), skipped=tuple(addresses))
        room = MAX_DESCRIPTION_BYTES - sum(map(len, documents.documents.values()))
        for address in wanted:
            if len(documents.documents) + len(files) >= MAX_DOCUMENTS:
                raise DescriptionUnusable(f"the description has more than {MAX_DOCUMENTS} documents")
            name = next(free for at in range(MAX_DOCUMENTS + 1) if read_all(free := f"imported-{at + 1}.xml") is None)
            files[name] = fetch.get(address, room=room)
            room -= len(files[name])
            catalogue["urls"][address] = name
            fetched.append(address)
        files[CATALOG] = json.dumps(catalogue).encode()


def _catalogue_of(written: bytes | None) -> dict[str, Any]:
    """What is to be added to; Catalog.parse judges whether it is one."""
    Catalog.parse(written or b"{}")
    content: dict[str, Any] = json.loads(written or b"{}")
    return {"urls": dict(content.get("urls", {})), "relative": list(content.get("relative", []))}

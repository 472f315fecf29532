"""The small web server for a published directory: three kinds of files, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from adapter.cli.directory_server import published_files, serve_folder
from adapter.cli.output import Output
from adapter.errors import CommandRefused
from adapter.transport.directory_client import DirectoryClient

pytestmark = pytest.mark.sockets

DIGEST = "0" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    published = tmp_path / "published"
    (published / "descriptions").mkdir(parents=True)
    (published / "directory.xml").write_bytes(b"<a/>")
    (published / "directory.note").write_bytes(b"note\n")
    (published / "descriptions" / f"{DIGEST}.zip").write_bytes(b"PK")
    (published / "secret.txt").write_text("no")
    (published / "descriptions" / "secret.txt").write_text("no")
    (tmp_path / "authority.key").write_text("no")
    return published


async def test_what_is_published_is_fetched(folder: Path):
    async with TestServer(published_files(folder)) as server:
        published = await DirectoryClient(f"http://{server.host}:{server.port}").fetch()
        assert (published.document, published.note) == (b"<a/>", b"note\n")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/secret.txt",
        "/descriptions",
        "/descriptions/secret.txt",
        "/descriptions/..%2f..%2fauthority.key",
        "/..%2fauthority.key",
        "/%2e%2e/authority.key",
        f"/descriptions/{DIGEST}.zip/",
        f"/descriptions/{'1' * 64}.zip",
    ],
)
async def test_nothing_else_is_there(folder: Path, path: str):
    async with TestClient(TestServer(published_files(folder))) as client:
        assert (await client.get(path)).status in (403, 404)


async def test_only_reading(folder: Path):
    async with TestClient(TestServer(published_files(folder))) as client:
        assert (await client.head("/directory.xml")).status == 200
        for method in ("POST", "PUT", "DELETE"):
            assert (await client.request(method, "/directory.xml")).status == 405
    assert (folder / "directory.xml").read_bytes() == b"<a/>"


def test_a_port_that_is_taken_or_an_address_that_is_not_ours(folder: Path):
    with pytest.raises(CommandRefused, match="cannot listen"):
        serve_folder(folder, "192.0.2.1", 0, Output.of())

"""The small web server for a published repository: four kinds of files, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from adapter.cli.directory_server import published_files, serve_folder
from adapter.cli.output import Output
from adapter.directory.refresh import Known, Refresh
from adapter.errors import CommandRefused
from adapter.transport.directory_client import DirectoryClient
from tests.pki import NOW, Federation

pytestmark = pytest.mark.sockets

DIGEST = "0" * 64


@pytest.fixture
def folder(tmp_path: Path, federation: Federation) -> Path:
    published = tmp_path / "published"
    federation.write(published)
    bundles = published / "targets" / "descriptions"
    bundles.mkdir(parents=True)
    (bundles / f"{DIGEST}.{DIGEST}.zip").write_bytes(b"PK")
    for secret in (published / "secret.txt", published / "metadata" / "secret.json", bundles / "secret.txt"):
        secret.write_text("no")
    return published


async def test_what_is_published_is_believed(folder: Path, federation: Federation):
    async with TestServer(published_files(folder)) as server:
        client = DirectoryClient([f"http://{server.host}:{server.port}"])
        found = await client.look(Refresh(federation.anchor, Known(), now=NOW))
        assert found is not None
        assert found.directory == federation.directory()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/secret.txt",
        "/anchor.json",
        "/metadata",
        "/metadata/",
        "/metadata/secret.json",
        "/metadata/0.root.json",
        "/metadata/2.root.json",
        "/targets/descriptions",
        "/targets/descriptions/secret.txt",
        "/targets/descriptions/..%2f..%2f..%2fsecret.txt",
        "/metadata/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        f"/targets/descriptions/{DIGEST}.{DIGEST}.zip/",
        f"/targets/descriptions/{'1' * 64}.{'1' * 64}.zip",
    ],
)
async def test_nothing_else_is_there(folder: Path, path: str):
    async with TestClient(TestServer(published_files(folder))) as client:
        assert (await client.get(path)).status in (403, 404)


async def test_only_reading(folder: Path):
    path = "/metadata/timestamp.json"
    before = (folder / path[1:]).read_bytes()
    async with TestClient(TestServer(published_files(folder))) as client:
        assert (await client.head(path)).status == 200
        assert (await client.get(f"/targets/descriptions/{DIGEST}.{DIGEST}.zip")).status == 200
        for method in ("POST", "PUT", "DELETE"):
            assert (await client.request(method, path)).status == 405
    assert (folder / path[1:]).read_bytes() == before


def test_a_port_that_is_taken_or_an_address_that_is_not_ours(folder: Path):
    with pytest.raises(CommandRefused, match="cannot listen"):
        serve_folder(folder, "192.0.2.1", 0, Output.of())


def test_an_empty_folder_is_not_served(tmp_path: Path):
    with pytest.raises(CommandRefused, match="no directory"):
        serve_folder(tmp_path, "127.0.0.1", 0, Output.of())

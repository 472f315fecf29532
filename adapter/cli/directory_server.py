"""A small web server for a published directory: three kinds of files, read only."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import Final

from aiohttp import web

from adapter.cli.output import Output
from adapter.errors import CommandRefused
from adapter.transport.directory_client import DESCRIPTIONS, DIRECTORY_FILE, NOTE_FILE

_CONTENT_TYPES: Final = {DIRECTORY_FILE: "application/xml", NOTE_FILE: "text/plain"}
_BUNDLE: Final = re.compile(r"[0-9a-f]{64}\.zip")


def serve_folder(folder: Path, address: str, port: int, output: Output) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises CommandRefused when the folder is missing or the port is taken."""
    if not (folder / NOTE_FILE).is_file():
        raise CommandRefused(f"there is no directory in {folder} yet: `adapter directory sign` makes one")
    try:
        asyncio.run(_serve(folder, address, port, output))
    except OSError as cause:
        raise CommandRefused(f"cannot listen on {address}:{port}: {cause.strerror or cause}") from None


def published_files(folder: Path) -> web.Application:
    """The application: GET and HEAD of directory.xml, directory.note and descriptions/<sha256>.zip."""

    async def document(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return _file(folder / name, _CONTENT_TYPES.get(name))

    async def description(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return _file(folder / DESCRIPTIONS / name, "application/zip" if _BUNDLE.fullmatch(name) else None)

    application = web.Application()
    application.router.add_get("/{name}", document)
    application.router.add_get(f"/{DESCRIPTIONS}/{{name}}", description)
    return application


def _file(path: Path, content_type: str | None) -> web.StreamResponse:
    """A file whose name is on the list; a new version replaces it in one step, so none is ever half."""
    if content_type is None or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Content-Type": content_type, "Cache-Control": "no-cache"})


async def _serve(folder: Path, address: str, port: int, output: Output) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    runner = web.AppRunner(published_files(folder), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port)
        await site.start()
        host, listening = runner.addresses[0][:2]
        output.result({"url": f"http://{host}:{listening}"}, f"http://{host}:{listening}")
        output.remark(f"Serving {folder}; Ctrl-C stops.")
        output.results.file.flush()
        await stopped.wait()
    finally:
        await runner.cleanup()

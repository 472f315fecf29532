"""A small web server for a published repository: four kinds of files, read only."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from adapter.cli.options import now_utc
from adapter.cli.output import Output
from adapter.directory.metadata import TIMESTAMP_FILE
from adapter.errors import CommandRefused

_SHA256: Final = "[0-9a-f]{64}"
_KINDS: Final = (
    (re.compile(r"metadata/(timestamp|[1-9][0-9]{0,17}\.(root|snapshot|targets))\.json"), "application/json"),
    (re.compile(rf"targets/{_SHA256}\.directory\.xml"), "application/xml"),
    (re.compile(rf"targets/descriptions/{_SHA256}\.{_SHA256}\.zip"), "application/zip"),
)


def serve_folder(
    folder: Path,
    address: str,
    port: int,
    output: Output,
    *,
    look: Callable[[datetime], None] = lambda _: None,
    look_every_s: float = 60,
) -> None:
    """Serve until SIGTERM or Ctrl-C. look: what is to be done every so often, in a thread of its own.

    Raises CommandRefused when the folder is missing or the port is taken.
    """
    if not (folder / TIMESTAMP_FILE).is_file():
        raise CommandRefused(f"there is no directory in {folder} yet: `adapter authority release` makes one")
    try:
        asyncio.run(_serve(folder, address, port, output, look, look_every_s))
    except OSError as cause:
        raise CommandRefused(f"cannot listen on {address}:{port}: {cause.strerror or cause}") from None


def published_files(folder: Path) -> web.Application:
    """The application: GET and HEAD of the repository's files."""

    async def file(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        for pattern, content_type in _KINDS:
            if pattern.fullmatch(path):
                return _file(folder / path, content_type)
        raise web.HTTPNotFound

    application = web.Application()
    application.router.add_get("/{path:.+}", file)
    return application


def _file(path: Path, content_type: str) -> web.StreamResponse:
    """A new time-stamp replaces the old one in one step, so none is ever half."""
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Content-Type": content_type, "Cache-Control": "no-cache"})


async def _serve(  # noqa: PLR0917  handed on
    folder: Path,
    address: str,
    port: int,
    output: Output,
    look: Callable[[datetime], None],
    look_every_s: float,
) -> None:
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
        while not stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), look_every_s)
            if not stopped.is_set():
                await asyncio.to_thread(look, now_utc())
    finally:
        await runner.cleanup()

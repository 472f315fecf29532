"""The information system of the benchmark, a process of its own: answers every request with the records it holds.

    python -m bench.backend --port 8081

As little work as a SOAP system can do: it renames one element in the octets. What it costs is not counted.
"""

from __future__ import annotations

import argparse
import asyncio

import uvloop
from aiohttp import web

_REQUEST = b"KeepRecords"
_REPLY = b"KeptRecords"


async def answer(request: web.BaseRequest) -> web.Response:
    """POST: the same envelope with the reply's element. Anything else: 200, to say that the system is there."""
    if request.method != "POST":
        return web.Response(text="ready\n")
    octets = await request.content.read()
    first, last = octets.find(_REQUEST), octets.rfind(_REQUEST)
    if first in (-1, last):
        return web.Response(status=400, text="not a KeepRecords request\n")
    middle = octets[first + len(_REQUEST) : last]
    reply = b"".join((octets[:first], _REPLY, middle, _REPLY, octets[last + len(_REQUEST) :]))
    return web.Response(body=reply, content_type="text/xml", charset="utf-8")


async def serve(port: int) -> None:
    """Answer on loopback until the process is told to stop."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A SOAP system that sends records back.")
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()

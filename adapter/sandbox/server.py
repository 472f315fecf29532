"""The sandbox on a socket: SOAP requests, `?wsdl`, and a way to say what is played next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from adapter.envelope.description import ServiceDescription
from adapter.envelope.wsdl_publish import PublishedDescription, publish_plainly
from adapter.errors import AdapterError, CommandRefused
from adapter.sandbox.play import MEANING, PLAIN, Play, parse_play
from adapter.sandbox.system import SandboxSystem, SystemAnswer, SystemRequest

CONTROL_PATH: Final = "/play"
PLAY_HEADER: Final = "Sandbox-Play"
MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024
_MAX_PLAYS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """One request as the sandbox saw it. number: from 1. request: untrusted, and it may hold personal data."""

    number: int
    at: datetime
    sender: str
    request: SystemRequest
    answer: SystemAnswer
    play: Play


class Stage:
    """What is played next: the first play that concerns an operation, for as often as it says."""

    def __init__(self, plays: tuple[Play, ...] = ()) -> None:
        self._plays = deque(plays, maxlen=_MAX_PLAYS)

    @property
    def plays(self) -> tuple[Play, ...]:
        """What is to be played, in order."""
        return tuple(self._plays)

    def set(self, play: Play | None) -> None:
        """Play this from now on, or nothing but plain answers."""
        self._plays.clear()
        if play is not None:
            self._plays.append(play)

    def add(self, play: Play) -> None:
        """Play this after what is there."""
        self._plays.append(play)

    def current(self) -> Play:
        """The play for the next request. Nothing is counted yet: it may concern another operation."""
        return self._plays[0] if self._plays else PLAIN

    def played(self, play: Play) -> None:
        """Count one request; a play that has been given as often as it says goes."""
        if self._plays and self._plays[0] == play and play.times is not None:
            if play.times > 1:
                self._plays[0] = replace(play, times=play.times - 1)
            else:
                self._plays.popleft()


class SandboxServer:
    """An aiohttp handler. tell: what is called with every request, after it was judged and before it is answered."""

    def __init__(
        self,
        description: ServiceDescription,
        system: SandboxSystem,
        stage: Stage,
        *,
        clock: Callable[[], datetime],
        tell: Callable[[Arrival], None],
    ) -> None:
        self._description = description
        self._system = system
        self._stage = stage
        self._clock = clock
        self._tell = tell
        self._number = 0
        self._published: dict[str, PublishedDescription] = {}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        try:
            if request.path == CONTROL_PATH:
                return self._control(request)
            if request.method in ("GET", "HEAD"):
                return self._document(request)
            if request.method != "POST":
                return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"})
            return await self._soap(request)
        except AdapterError as refused:
            return _text(refused.reason, HTTPStatus.BAD_REQUEST)

    # --- SOAP --------------------------------------------------------------------------------------------------------

    async def _soap(self, request: web.BaseRequest) -> web.StreamResponse:
        play, is_own = self._play_of(request)
        octets = await _body(request)
        asked = SystemRequest(
            octets=octets,
            content_type=request.headers.get("Content-Type", ""),
            soap_action=request.headers.get("SOAPAction", ""),
        )
        answer = await asyncio.to_thread(self._system.answer, asked, play)
        concerned = not play.operation or play.operation == answer.operation
        if concerned and not is_own:
            self._stage.played(play)
        self._number += 1
        self._tell(
            Arrival(
                number=self._number,
                at=self._clock(),
                sender=request.remote or "",
                request=asked,
                answer=answer,
                play=play if concerned else PLAIN,
            )
        )
        if concerned and play.delay_s:
            await asyncio.sleep(play.delay_s)
        return await _respond(request, answer)

    def _play_of(self, request: web.BaseRequest) -> tuple[Play, bool]:
        """What this request asks to be played itself, by its URL or a header; else what is set for all."""
        own = request.query.get("play") or request.headers.get(PLAY_HEADER, "")
        return (parse_play(own), True) if own else (self._stage.current(), False)

    # --- documents and the control path ------------------------------------------------------------------------------

    def _document(self, request: web.BaseRequest) -> web.Response:
        if not {"wsdl", "xsd"} & {key.lower() for key in request.query}:
            return _text(f"A sandbox. Its WSDL: {_base(request)}?wsdl", HTTPStatus.OK)
        name = next((request.query[key] for key in ("xsd", "wsdl") if request.query.get(key)), "")
        base = _base(request)
        if base not in self._published:
            self._published.clear()
            self._published[base] = publish_plainly(self._description, address=base)
        return web.Response(body=self._published[base].document(name), content_type="text/xml", charset="utf-8")

    def _control(self, request: web.BaseRequest) -> web.Response:
        """GET shows what is played, POST sets it (`?play=`, or the body), PUT adds to it, DELETE ends it."""
        if request.method == "DELETE":
            self._stage.set(None)
        elif request.method in ("POST", "PUT"):
            play = parse_play(request.query.get("play", ""))
            if play == PLAIN:
                raise CommandRefused(f"say what to play, for example {CONTROL_PATH}?play=fault,times=1")
            (self._stage.set if request.method == "POST" else self._stage.add)(play)
        elif request.method != "GET":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST, PUT, DELETE"})
        return web.json_response(
            {
                "playing": [str(play) for play in self._stage.plays],
                "can_play": {part.value: text for part, text in MEANING.items()},
            }
        )


def _base(request: web.BaseRequest) -> str:
    return f"{request.scheme}://{request.host}{request.path}"


def _text(text: str, status: int) -> web.Response:
    return web.Response(text=text + "\n", status=status)


async def _body(request: web.BaseRequest) -> bytes:
    """The whole request. Raises CommandRefused past the bound."""
    octets = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        octets += chunk
        if len(octets) > MAX_REQUEST_BYTES:
            raise CommandRefused(f"the sandbox takes requests of at most {MAX_REQUEST_BYTES} octets")
    return bytes(octets)


async def _respond(request: web.BaseRequest, answer: SystemAnswer) -> web.StreamResponse:
    headers = {"Content-Type": answer.content_type} if answer.content_type else {}
    if not answer.breaks_off:
        return web.Response(body=answer.octets, status=answer.status, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    if answer.octets:
        # More is announced than comes, so that whoever reads notices.
        response.content_length = 2 * len(answer.octets)
        await response.prepare(request)
        await response.write(answer.octets)
    if request.transport is not None:
        request.transport.close()
    return response

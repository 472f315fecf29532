"""A small HTTP server in a thread that answers as it should, or plays one fault until it is told another."""

from __future__ import annotations

import os
import socket
import threading
from datetime import timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

GARBAGE_OCTETS = 200
ENDLESS_OCTETS = 64 * 1024 * 1024


class Fault(Enum):
    """What a service can do wrong. Each service says which of them it plays (`FaultyService.plays`)."""

    NONE = "none"
    DOWN = "down"
    """Nobody listens: the connection is refused."""
    SLOW = "slow"
    """The answer is good, but comes after `slow_s` seconds."""
    ERROR = "error"
    """HTTP 503."""
    TRY_LATER = "try later"
    """HTTP 200 with the protocol's own refusal."""
    GARBAGE = "garbage"
    """Random octets with the right media type."""
    EMPTY = "empty"
    ENDLESS = "endless"
    """64 MiB without a Content-Length."""
    WRONG_NONCE = "wrong nonce"
    NO_NONCE = "no nonce"
    STALE = "stale"
    """What the answer says was true two days ago and no longer."""
    WRONG_KEY = "wrong key"
    """Signed by somebody whom nobody authorised, in the name of the right one."""
    BAD_SIGNATURE = "bad signature"
    OTHER = "for another"
    """A good answer to a question about something else."""
    CLOCK_AHEAD = "clock an hour ahead"
    CLOCK_BEHIND = "clock an hour behind"


ON_THE_WIRE = frozenset((Fault.NONE, Fault.DOWN, Fault.SLOW, Fault.ERROR, Fault.GARBAGE, Fault.EMPTY, Fault.ENDLESS))
"""The faults that every service plays, because the server itself does."""

SIGNED_WRONG = frozenset(
    (
        Fault.TRY_LATER,
        Fault.WRONG_NONCE,
        Fault.NO_NONCE,
        Fault.STALE,
        Fault.WRONG_KEY,
        Fault.BAD_SIGNATURE,
        Fault.OTHER,
        Fault.CLOCK_AHEAD,
        Fault.CLOCK_BEHIND,
    )
)
"""The faults of whoever answers what is asked, with a signature."""

SHIFTS = {
    Fault.STALE: timedelta(days=-2),
    Fault.CLOCK_AHEAD: timedelta(hours=1),
    Fault.CLOCK_BEHIND: timedelta(hours=-1),
}
"""By how much the answer's time is wrong."""


class FaultyService:
    """Listens on a port of 127.0.0.1 while it is entered. `asked` counts requests, `address` is its URL.

    A service says what it answers in `answer`; media types are those of its protocol.
    """

    plays: frozenset[Fault] = ON_THE_WIRE
    media_type = "application/octet-stream"

    def __init__(self) -> None:
        self.asked = 0
        self.slow_s = 3.0
        self.fault = Fault.NONE
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = int(probe.getsockname()[1])

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._port}/"

    def play(self, fault: Fault) -> None:
        """From now on. Raises ValueError for a fault that this service cannot play."""
        if fault not in self.plays:
            raise ValueError(f"{type(self).__name__} does not play {fault.value!r}")
        self.fault = fault
        if fault is Fault.DOWN:
            self._stop()
        elif self._server is None:
            self._start()

    def answer(self, question: bytes) -> bytes:
        """The octets to a question: the body of a POST, empty for a GET. Plays `self.fault` if it is its own."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        self._stopping.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _stop(self) -> None:
        self._stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = None
        self._thread = None

    def wait_if_slow(self) -> None:
        """As long as the fault says, or until the service is stopped."""
        if self.fault is Fault.SLOW:
            self._stopping.wait(self.slow_s)


def _handler_of(service: FaultyService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _answer(self, question: bytes) -> None:
            service.asked += 1
            service.wait_if_slow()
            if service.fault is Fault.ERROR:
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", service.media_type)
            if service.fault is Fault.ENDLESS:
                self.end_headers()
                self._write_for_ever()
                return
            octets = _octets_of(service, question)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def _write_for_ever(self) -> None:
            try:
                for _ in range(ENDLESS_OCTETS // 65536):
                    self.wfile.write(bytes(65536))
            except OSError:
                return  # whoever asked has had enough

        def log_message(self, *args: object) -> None:
            """Quiet: a test's output is the test's."""

    return Handler


def _octets_of(service: FaultyService, question: bytes) -> bytes:
    if service.fault is Fault.GARBAGE:
        return os.urandom(GARBAGE_OCTETS)
    if service.fault is Fault.EMPTY:
        return b""
    return service.answer(question)

"""The listener for a CA that looks for the answer to its challenge (RFC 8555, 8.3, http-01). Open only meanwhile.

It knows a handful of paths and answers each with one line that is public; anything else is 404. It speaks plain HTTP,
because the CA does.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any, Final

from adapter.errors import SettingsInvalid

_MAX_CONNECTIONS: Final = 16
_IDLE_S: Final = 5.0


class _Listener(ThreadingHTTPServer):
    """At most _MAX_CONNECTIONS at a time; more are closed at once."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: str, port: int, answers: Mapping[str, str]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.answers = answers
        self._room = BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__((address, port), _Answerer)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  as socketserver has it
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A stranger's broken connection is nothing to say on standard error."""


class _Answerer(BaseHTTPRequestHandler):
    timeout = _IDLE_S
    server_version = "adapter"
    sys_version = ""
    server: _Listener

    def do_GET(self) -> None:
        """The line of a path that is known."""
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
            return
        octets = answer.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        """Nothing: the addresses of strangers are not ours to print."""


@contextmanager
def answering(address: str, port: int, answers: Mapping[str, str]) -> Iterator[int]:
    """Answer these paths until the block ends; gives the port. Raises SettingsInvalid: it cannot listen there.

    answers: may grow while it is open.
    """
    try:
        listener = _Listener(address, port, answers)
    except OSError as cause:
        raise SettingsInvalid(
            f"[acme] cannot listen on {address} port {port}: {cause.strerror}; choose another port and have port 80 "
            "led to it, or stop what listens there"
        ) from None
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield int(listener.server_address[1])
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()

"""An information system that a test holds in its hand: counts what it is asked, and answers when it is let."""

from __future__ import annotations

import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_PINFL = re.compile(rb"Pinfl>([0-9]{14})<")
ANSWER = """<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>\
<GetPersonResponse xmlns="urn:example:population-register:1"><Person><Pinfl>%s</Pinfl>\
<NameLatin><Surname>Doe</Surname><GivenName>Jane</GivenName></NameLatin>\
<NameCyrillic><Surname>Доу</Surname><GivenName>Джейн</GivenName></NameCyrillic>\
<Sex>female</Sex><BirthDate>1990-01-01</BirthDate>\
<Address><Soato>1726</Soato><Region>R</Region><District>D</District><Street>S</Street><House>1</House>\
<RegisteredSince>2001-01-01</RegisteredSince></Address></Person></GetPersonResponse></soap:Body></soap:Envelope>"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked was killed: that is what some tests do."""


class StubSystem:
    """A SOAP server on loopback, in threads of the test's own process.

    asked: how often it was asked about each PINFL, counted before it answers.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._arrived = threading.Semaphore(0)
        self._may_answer = threading.Event()
        self._may_answer.set()
        system = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                octets = system.answer(body)
                self.send_response(200)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._may_answer.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def hold(self) -> None:
        """From now on requests come in and wait."""
        while self._arrived.acquire(blocking=False):
            pass
        self._may_answer.clear()

    def release(self) -> None:
        """Answer what waits, and all that follows."""
        self._may_answer.set()

    def wait_asked(self) -> None:
        """Until a request has come in."""
        assert self._arrived.acquire(timeout=120), "the information system was not asked"

    def answer(self, request: bytes) -> bytes:
        found = _PINFL.search(request)
        assert found is not None
        pinfl = found.group(1).decode()
        with self._lock:
            self.asked[pinfl] += 1
        self._arrived.release()
        self._may_answer.wait(30)
        return (ANSWER % pinfl).encode()

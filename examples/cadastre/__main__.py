"""Run the cadastre as a process of its own.

    python -m examples.cadastre --port 8081 --mode-file mode.txt

Its WSDL is at /?wsdl. The word in the mode file, read again with each request, makes it misbehave: `ok`, `slow` (it
answers after --slow-s seconds), `nonsense` (an HTML page), `fault` (a SOAP fault).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from adapter.backends.spyne_compat import WsgiApplication
from examples.cadastre.service import application

Environment = dict[str, Any]
StartResponse = Callable[..., Any]

_NONSENSE = b"<html><body><h1>It works!</h1></body></html>"
_FAULT = b"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>\
<faultcode>soap:Server</faultcode><faultstring>The cadastre is being reindexed.</faultstring>\
</soap:Fault></soap:Body></soap:Envelope>"""


class Misbehaving:
    """The cadastre's application behind a switch."""

    def __init__(self, mode_file: Path | None, slow_s: float) -> None:
        self._application = WsgiApplication(application())
        self._mode_file = mode_file
        self._slow_s = slow_s

    def __call__(self, environment: Environment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one HTTP request (PEP 3333)."""
        mode = self._mode() if environment["REQUEST_METHOD"] == "POST" else "ok"
        if mode == "slow":
            time.sleep(self._slow_s)
        elif mode == "nonsense":
            start_response("200 OK", [("Content-Type", "text/html")])
            return [_NONSENSE]
        elif mode == "fault":
            start_response("500 Internal Server Error", [("Content-Type", "text/xml; charset=utf-8")])
            return [_FAULT]
        answer: Iterable[bytes] = self._application(environment, start_response)
        return answer

    def _mode(self) -> str:
        if self._mode_file is None or not self._mode_file.is_file():
            return "ok"
        return self._mode_file.read_text(encoding="utf-8").strip() or "ok"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: one line for each request helps nobody here."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="The cadastre, a SOAP information system.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--mode-file", type=Path, default=None)
    parser.add_argument("--slow-s", type=float, default=30.0)
    arguments = parser.parse_args()
    server = make_server(
        arguments.host,
        arguments.port,
        Misbehaving(arguments.mode_file, arguments.slow_s),
        server_class=_Server,
        handler_class=_QuietHandler,
    )
    print(f"cadastre at http://{arguments.host}:{server.server_port}/?wsdl", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

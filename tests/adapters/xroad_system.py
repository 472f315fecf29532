"""An information system made for X-Road, in a thread of the test's own process: it repeats the header fields."""

from __future__ import annotations

import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from lxml import etree

from adapter.envelope.names import SOAP11
from tests.adapters.document_system import parts_of, related, related_type

SOAP = f"{{{SOAP11}}}"


class XRoadSystem:
    """asked: the envelopes that came in. change: what it makes of its own answer before it sends it.

    parts: what came beside the last envelope. attachment: what goes beside its answers, as document_system.related has
    it; xop: whether as MTOM.
    """

    def __init__(self, body: str) -> None:
        self.asked: list[etree._Element] = []
        self.body = body
        self.parts: list[Message] = []
        self.attachment: tuple[str, str, bytes] | None = None
        self.xop = False
        self.change: Callable[[etree._Element], None] = lambda _envelope: None
        system = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                came = self.rfile.read(int(self.headers["Content-Length"]))
                system.parts = []
                if self.headers["Content-Type"].startswith("multipart/"):
                    first, *system.parts = parts_of(self.headers["Content-Type"], came)
                    came = bytes(first.get_payload(decode=True))
                envelope = etree.fromstring(came)
                system.asked.append(etree.fromstring(etree.tostring(envelope)))
                envelope[-1][:] = [etree.fromstring(system.body.encode())]
                system.change(envelope)
                octets = etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
                content_type = "text/xml; charset=utf-8"
                if system.attachment is not None:
                    octets = related(octets, system.attachment, xop=system.xop)
                    content_type = related_type(xop=system.xop)
                self.send_response(500 if envelope.find(f"{SOAP}Body/{SOAP}Fault") is not None else 200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def header(self) -> dict[str, str]:
        """The header fields of the last request, codes joined by slashes."""
        return {
            etree.QName(block).localname: "/".join(text.strip() for text in map(str, block.itertext()) if text.strip())
            for block in self.asked[-1][0]
        }

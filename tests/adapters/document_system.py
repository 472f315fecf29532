"""An information system that takes and gives documents: as base64, MTOM or SOAP with Attachments, as it is told.

It reads a body as it comes and keeps nothing of it but what a test asks for, so that it can be sent a gibibyte.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.one_operation import one_operation

NS = "urn:example:documents:1"
SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}"
    elementFormDefault="qualified">
  <xs:element name="Put"><xs:complexType><xs:sequence>
    <xs:element name="Title" type="xs:string"/>
    <xs:element name="Content" type="xs:base64Binary" minOccurs="0"/>
    <xs:element name="File" type="xs:anyURI" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="PutResponse"><xs:complexType><xs:sequence>
    <xs:element name="Size" type="xs:long"/><xs:element name="Sha256" type="xs:hexBinary"/>
    <xs:element name="Content" type="xs:base64Binary" minOccurs="0"/>
    <xs:element name="File" type="xs:anyURI" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
WSDL = one_operation(SCHEMA, namespace=NS, operation="Put", answer="PutResponse", name="Documents")
XOP = "http://www.w3.org/2004/08/xop/include"
PIECE = 1 << 20


def envelope(body: str) -> bytes:
    """A SOAP 1.1 envelope."""
    return (
        f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{body}</soap:Body>'
        "</soap:Envelope>"
    ).encode()


def put(content: str) -> str:
    """The element of a request. content: elements after the title."""
    return f'<d:Put xmlns:d="{NS}"><d:Title>one</d:Title>{content}</d:Put>'


def included(content_id: str, name: str = "Content") -> str:
    """An element whose base64 is a part."""
    return f'<d:{name}><xop:Include xmlns:xop="{XOP}" href="cid:{content_id}"/></d:{name}>'


def related(root: bytes, *parts: tuple[str, str, bytes], xop: bool = False, boundary: str = "b0undary") -> bytes:
    """A multipart/related body. parts: Content-ID, Content-Type, octets."""
    root_type = 'application/xop+xml; charset=UTF-8; type="text/xml"' if xop else "text/xml; charset=UTF-8"
    written = f"--{boundary}\r\nContent-Type: {root_type}\r\nContent-ID: <root>\r\n\r\n".encode() + root
    for content_id, content_type, octets in parts:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{content_id}>\r\n\r\n"
        )
        written += head.encode() + octets
    return written + f"\r\n--{boundary}--\r\n".encode()


def related_type(*, xop: bool = False, boundary: str = "b0undary") -> str:
    """Its Content-Type."""
    kind = 'type="application/xop+xml"; start-info="text/xml"' if xop else 'type="text/xml"'
    return f'multipart/related; boundary="{boundary}"; {kind}; start="<root>"'


def parts_of(content_type: str, body: bytes) -> list[Message]:
    """A multipart body read by the standard library, which is not our own reader."""
    return list(message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body).walk())[1:]


def octets_of(part: Message) -> bytes:
    """The content of a part."""
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


@dataclass
class Asked:
    """One request as it came: its Content-Type, its first octets, the size of all, and the body where it is kept."""

    content_type: str
    head: bytes
    size: int = 0
    body: bytearray = field(default_factory=bytearray)


class DocumentSystem:
    """keep: whether bodies are kept whole. packaging, content: how it answers, and with what.

    base64_in_xml: the content stands in the XML. stream_size: octets of a pattern instead of the content. break_after:
    octets after which the connection is closed in the middle of an answer.
    """

    def __init__(self) -> None:
        self.keep = True
        self.asked: list[Asked] = []
        self.content = b""
        self.packaging = "inline"
        self.base64_in_xml = False
        self.break_after: int | None = None
        self.stream_size: int | None = None
        system = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = Asked(content_type=self.headers["Content-Type"], head=b"")
                left = int(self.headers["Content-Length"])
                while left and (piece := self.rfile.read(min(PIECE, left))):
                    left -= len(piece)
                    asked.head = asked.head or piece[:4096]
                    asked.size += len(piece)
                    if system.keep:
                        asked.body += piece
                system.asked.append(asked)
                self._answer()

            def _answer(self) -> None:
                content_type, size, pieces = system.answer()
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                sent = 0
                for piece in pieces:
                    self.wfile.write(piece)
                    sent += len(piece)
                    if system.break_after is not None and sent >= system.break_after:
                        self.close_connection = True
                        return

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def answer(self) -> tuple[str, int, Iterator[bytes]]:
        """As the test set it up."""
        fixed = f"<d:Size>{len(self.content)}</d:Size><d:Sha256>{hashlib.sha256(self.content).hexdigest()}</d:Sha256>"
        xop = self.packaging == "mtom"
        named = "" if self.packaging == "inline" else included("answer@x") if xop else "<d:File>cid:answer@x</d:File>"
        if self.base64_in_xml:
            named = f"<d:Content>{base64.b64encode(self.content).decode()}</d:Content>"
        root = envelope(f'<d:PutResponse xmlns:d="{NS}">{fixed}{named}</d:PutResponse>')
        if self.packaging == "inline":
            return "text/xml; charset=utf-8", len(root), iter([root])
        octets = self.content if self.stream_size is None else b""
        body = related(root, ("answer@x", "application/pdf", octets), xop=xop)
        if self.stream_size is None:
            return related_type(xop=xop), len(body), iter([body])
        start, end = body[: -len("\r\n--b0undary--\r\n")], b"\r\n--b0undary--\r\n"
        return related_type(xop=xop), len(start) + self.stream_size + len(end), _streamed(start, self.stream_size, end)

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

    @property
    def last_parts(self) -> list[Message]:
        """The parts of the last request."""
        asked = self.asked[-1]
        return parts_of(asked.content_type, bytes(asked.body))


def pattern(size: int) -> Iterator[bytes]:
    """Octets that differ from mebibyte to mebibyte, without holding them."""
    block = hashlib.sha256(b"pattern").digest() * (PIECE // 32)
    at = 0
    while at < size:
        piece = at.to_bytes(8, "big") + block[8:]
        yield piece[: min(PIECE, size - at)]
        at += PIECE


def _streamed(start: bytes, size: int, end: bytes) -> Iterator[bytes]:
    yield start
    yield from pattern(size)
    yield end

"""What comes in pieces: multipart messages, and base64 within them."""

from __future__ import annotations

from adapter.envelope.multipart import Base64Stream, PartEnd, PartHead, RelatedReader, read_related_type
from adapter.errors import AttachmentsInvalid, LimitExceeded
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation

_PIECES = (1, 7, 64)
_ERRORS = (AttachmentsInvalid, LimitExceeded)


def run_multipart(octets: bytes) -> None:
    """First line: the Content-Type. The rest: the message, which says the same in whatever pieces it comes."""
    line, _, body = octets.partition(b"\n")
    related = read_related_type(line.decode("utf-8", "surrogateescape"), AttachmentsInvalid)
    refused, whole = _outcome(related.boundary, body, max(1, len(body)))
    for size in _PIECES:
        again, parts = _outcome(related.boundary, body, size)
        if parts != whole or (refused is None) != (again is None):
            raise AssertionError(f"another message when it comes in pieces of {size} octets")
    if refused is not None:
        raise refused


def _outcome(boundary: bytes, body: bytes, size: int) -> tuple[Exception | None, object]:
    """The refusal, or every part: its head, its octets, and these out of base64 where they are in it."""
    reader = RelatedReader(boundary, error=AttachmentsInvalid, max_parts=5, may_greet=True)
    parts: list[list[object]] = []
    content = bytearray()
    try:
        for at in range(0, len(body), size):
            for event in reader.feed(body[at : at + size]):
                if isinstance(event, PartHead):
                    parts.append([event])
                elif isinstance(event, PartEnd):
                    parts[-1] += [bytes(content), _decoded(parts[-1][0], bytes(content), size)]
                    content.clear()
                else:
                    content += event
        reader.finish()
    except _ERRORS as error:
        return error, None
    return None, parts


def _decoded(head: object, content: bytes, size: int) -> bytes:
    if not isinstance(head, PartHead) or not head.is_base64:
        return content
    stream = Base64Stream(AttachmentsInvalid)
    found = b"".join(stream.feed(content[at : at + size]) for at in range(0, len(content), size))
    stream.finish()
    return found


def _message(content_type: bytes, *parts: bytes, boundary: bytes = b"b") -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return content_type + b"\n" + body + b"--" + boundary + b"--\r\n"


_TYPE = b'multipart/related; boundary=b; type="application/xop+xml"; start="<root@a>"; start-info="text/xml"'
_ROOT = b'Content-Type: application/xop+xml; type="text/xml"\r\nContent-ID: <root@a>\r\n\r\n<a/>'

MULTIPART = Target(
    name="multipart",
    what="multipart/related in pieces of any size, and base64 in it",
    run=run_multipart,
    may_raise=_ERRORS,
    seeds=lambda: [
        _message(_TYPE, _ROOT, b"Content-ID: <a@b>\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x00\r\n--c"),
        _message(_TYPE, _ROOT, b"Content-ID: <a@b>\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\nRA=="),
        _message(_TYPE, _ROOT, b'Content-Disposition: attachment; filename="a/b.pdf"\r\n\r\n'),
        _message(_TYPE, _ROOT).replace(b"\n--b", b"\n\r\nThis is a multi-part message in MIME format...\r\n--b", 1),
    ],
    mutate=octet_mutation(
        b"\r\n--b", b"\r\n--b--", b"--b  \r\n", b"\r\n", b"\r", b"\n", b"\r\n ", b"Content-ID: <c@d>\r\n", b"boundary=",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: a; filename*0*=utf-8''%41\r\n",
        b"Content-Type: multipart/mixed\r\n", b"filename*=hex''00",
    ),
    max_bytes=4096,
)  # fmt: skip

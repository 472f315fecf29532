"""multipart/related (RFC 2387) as events, out of octets that come in pieces of any size. No input or output here.

Strict, because what one reader takes for a boundary and another does not is how parts are smuggled: lines end with
CRLF, a line that begins like a boundary is one or the message is refused, nothing stands before the first boundary or
after the last, no part is a multipart itself, no header that means something occurs twice. Every length has a bound.
"""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from enum import Enum, auto
from typing import Any, Final, NoReturn
from urllib.parse import quote, unquote

from adapter.attachments import MAX_ATTACHMENTS
from adapter.errors import AdapterError, LimitExceeded

MULTIPART: Final = "multipart/related"
MAX_HEAD_BYTES: Final = 8 * 1024
_MAX_HEADER_LINES: Final = 32
# RFC 2046, 5.1.1: bchars, at most 70, no space at the end.
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_CONTENT_ID: Final = re.compile(r"<?([!#-;=?-\[\]-~]{1,256})>?")
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")
_GREETING: Final = b"\r\nThis is a multi-part message in MIME format..."
_PADDING: Final = b" \t"
_MAX_LINE_PADDING: Final = 64
_MAX_EPILOGUE_BYTES: Final = 1024
_UNENCODED: Final = frozenset(("", "binary", "8bit", "7bit"))
_ONCE: Final = frozenset(
    ("content-type", "content-id", "content-transfer-encoding", "content-disposition", "content-location")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RelatedType:
    """A Content-Type of multipart/related. root_type, start, start_info: as the parameters say, empty without."""

    boundary: bytes
    root_type: str
    start: str
    start_info: str
    action: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PartHead:
    """The headers of a part that mean something. content_type: whole, with its parameters. name: of a file."""

    content_id: str
    content_type: str
    name: str
    is_base64: bool

    @property
    def media_type(self) -> str:
        """The type and subtype, in lower case."""
        return media_type_of(self.content_type)


class PartEnd(Enum):
    """The part whose octets came before has ended, and whether there may be another one."""

    MORE = auto()
    LAST = auto()


Event = PartHead | bytes | PartEnd


def media_type_of(content_type: str) -> str:
    """The type and subtype of a Content-Type, in lower case, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def read_related_type(content_type: str, error: type[AdapterError]) -> RelatedType:
    """The parameters of a multipart/related Content-Type (RFC 2387, 3). content_type: untrusted. Raises `error`."""
    found = _parameters(content_type, error)
    boundary = found.get("boundary", "")
    if media_type_of(content_type) != MULTIPART or not _BOUNDARY.fullmatch(boundary):
        raise error("the Content-Type is not multipart/related with a boundary")
    return RelatedType(
        boundary=boundary.encode("ascii"),
        root_type=found.get("type", "").strip().lower(),
        start=_content_id(found.get("start", ""), error),
        start_info=found.get("start-info", ""),
        action=found.get("action", ""),
    )


def parameter_of(content_type: str, name: str, error: type[AdapterError]) -> str:
    """One parameter of a Content-Type, empty when it is not there. Raises `error`."""
    return _parameters(content_type, error).get(name, "")


def _parameters(header: str, error: type[AdapterError]) -> dict[str, str]:
    """Every parameter, by its name in lower case. Two readers of `x` and `x*` side by side may differ: refused."""
    plain, extended = _both_forms(header, error)
    if plain.keys() & extended.keys():
        raise error("a parameter of a header occurs twice")
    return plain | extended


def _both_forms(header: str, error: type[AdapterError]) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters in their plain form `x`, and those in the extended form `x*` (RFC 2231, 4), each once."""
    if len(header) > MAX_HEAD_BYTES or not header.isprintable():
        raise error("a header of the multipart message is too long or not printable")
    message = Message()
    message["content-type"] = header
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    try:
        # Any, because the stubs do not know that the extended form comes as (charset, language, octets).
        listed: list[tuple[str, Any]] = [*(message.get_params() or [])]
        for key, value in listed[1:]:
            found = extended if isinstance(value, tuple) else plain
            if key.lower() in found:
                raise error("a parameter of a header occurs twice")
            found[key.lower()] = collapse_rfc2231_value(value)
    except (ValueError, TypeError):  # a codec that is none for text, a section number that is none (RFC 2231, 3 and 4)
        raise error("a parameter of a header cannot be decoded") from None
    return plain, extended


class RelatedReader:
    """Feed it octets, get events. error: what a malformed message is called where this is used.

    max_parts: the root part included. may_greet: the line that old mail libraries write before the first boundary may
    stand there, as SOAP::Lite sends it; it says nothing (RFC 2046, 5.1.1).
    """

    def __init__(
        self,
        boundary: bytes,
        *,
        error: type[AdapterError],
        max_parts: int = MAX_ATTACHMENTS + 1,
        may_greet: bool = False,
    ) -> None:
        self._delimiter = b"\r\n--" + boundary
        # As if a line had ended before the message began: then the first boundary is found like all others.
        self._waiting = bytearray(b"\r\n")
        self._read = self._preamble
        self._error = error
        self._max_parts = max_parts
        self._may_greet = may_greet
        self._parts = 0
        self._closed = False
        self._epilogue_octets = 0

    def feed(self, octets: bytes) -> Iterator[Event]:
        """The events that these octets complete. Raises `error`, LimitExceeded."""
        self._waiting += octets
        while (event := self._read()) is not None:
            yield event

    def finish(self) -> None:
        """The message has ended. Raises `error` when its last boundary has not come."""
        if not self._closed:
            self._refuse("the multipart message broke off before its last boundary")

    def _refuse(self, reason: str) -> NoReturn:
        raise self._error(reason)

    # --- the states: each returns an event, or None when it needs more octets ----------------------------------------

    def _preamble(self) -> Event | None:
        """Nothing but one empty line may stand before the first boundary, and the greeting before that."""
        waiting, delimiter = self._waiting, self._delimiter
        if len(waiting) < len(delimiter) + 4:
            return None
        if self._may_greet and waiting.startswith(_GREETING[:4]):
            if len(waiting) < len(_GREETING) + len(delimiter) + 4:
                return None
            self._may_greet = False
            if waiting.startswith(_GREETING):
                del waiting[: len(_GREETING)]
        if waiting.startswith(b"\r\n\r\n"):
            del waiting[:2]
        if not waiting.startswith(delimiter):
            self._refuse("the multipart message does not begin with its boundary")
        del waiting[: len(delimiter)]
        self._read = self._boundary_line
        return self._boundary_line()

    def _boundary_line(self) -> Event | None:
        """What follows a boundary: the end of its line and a part, or `--` and the end of the message."""
        waiting = self._waiting
        is_first = self._parts == 0
        if len(waiting) < 2:
            return None
        if waiting.startswith(b"--"):
            if is_first:
                self._refuse("a multipart message without a part")
            self._closed = True
            self._read = self._epilogue
            del waiting[:2]
            return PartEnd.LAST
        end = waiting.find(b"\r\n")
        if end < 0 and len(waiting) <= _MAX_LINE_PADDING:
            return None
        if end < 0 or end > _MAX_LINE_PADDING or waiting[:end].strip(_PADDING):
            self._refuse("a line that begins like a boundary and is none")
        self._parts += 1
        if self._parts > self._max_parts:
            raise LimitExceeded(f"more than {self._max_parts} parts")
        del waiting[:end]
        self._read = self._head
        return self._head() if is_first else PartEnd.MORE

    def _head(self) -> Event | None:
        waiting = self._waiting
        end = waiting.find(b"\r\n\r\n")
        if end > MAX_HEAD_BYTES or (end < 0 and len(waiting) > MAX_HEAD_BYTES + 4):
            raise LimitExceeded(f"the headers of a part have more than {MAX_HEAD_BYTES} octets")
        if end < 0:
            return None
        head = _part_head(bytes(waiting[2:end]), self._error)
        # The last line end of the headers may be the one before a boundary, when the part is empty.
        del waiting[: end + 2]
        self._read = self._content_start
        return head

    def _content_start(self) -> Event | None:
        if len(self._waiting) < len(self._delimiter):
            return None
        if not self._waiting.startswith(self._delimiter):
            del self._waiting[:2]
        self._read = self._content
        return self._content()

    def _content(self) -> Event | None:
        waiting = self._waiting
        at = waiting.find(self._delimiter)
        if at == 0:
            del waiting[: len(self._delimiter)]
            self._read = self._boundary_line
            return self._boundary_line()
        ready = at if at > 0 else len(waiting) - len(self._delimiter) + 1
        if ready <= 0:
            return None
        octets = bytes(waiting[:ready])
        del waiting[:ready]
        return octets

    def _epilogue(self) -> Event | None:
        self._epilogue_octets += len(self._waiting)
        if self._epilogue_octets > _MAX_EPILOGUE_BYTES or self._waiting.strip(b"\r\n"):
            self._refuse("something stands after the last boundary")
        self._waiting.clear()
        return None


def _part_head(octets: bytes, error: type[AdapterError]) -> PartHead:
    unfolded = octets.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").replace(b"\t", b" ")
    lines = unfolded.split(b"\r\n") if unfolded else []
    if len(lines) > _MAX_HEADER_LINES:
        raise LimitExceeded(f"a part has more than {_MAX_HEADER_LINES} headers")
    found: dict[str, str] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise error("a header of a part is malformed")
        name = match[1].decode().lower()
        if name in found and name in _ONCE:
            raise error("a header of a part occurs twice")
        found[name] = match[2].decode("utf-8", "replace").strip()
    content_type = found.get("content-type", "")
    if content_type and not _MEDIA_TYPE.fullmatch(media_type_of(content_type)):
        raise error("a part has a Content-Type that is none")
    if media_type_of(content_type).startswith(("multipart/", "message/")):
        raise error("a part is a message or a multipart itself")
    encoding = found.get("content-transfer-encoding", "").lower()
    if encoding not in _UNENCODED and encoding != "base64":
        raise error("a part has a Content-Transfer-Encoding other than binary, 8bit, 7bit or base64")
    return PartHead(
        content_id=_content_id(found.get("content-id", ""), error),
        content_type=content_type,
        name=_file_name(found.get("content-disposition", ""), error),
        is_base64=encoding == "base64",
    )


def _content_id(text: str, error: type[AdapterError]) -> str:
    """RFC 2392; not every stack writes the angle brackets, none may write half of them."""
    if not text:
        return ""
    match = _CONTENT_ID.fullmatch(text)
    if match is None or text.startswith("<") != text.endswith(">"):
        raise error("a Content-ID that is none")
    return match[1]


def _file_name(disposition: str, error: type[AdapterError]) -> str:
    """The last segment of what the sender calls the file, `filename*` before `filename` (RFC 6266, 4.3).

    A path means nothing here.
    """
    plain, extended = _both_forms(disposition, error)
    name = extended.get("filename", plain.get("filename", ""))
    name = re.split(r"[/\\]", name)[-1][:255]
    return name if name.isprintable() and name.strip(". ") else ""


class Base64Stream:
    """Content-Transfer-Encoding: base64 in pieces (RFC 2045, 6.8). Raises `error` for what is not base64."""

    def __init__(self, error: type[AdapterError]) -> None:
        self._error = error
        self._digits = b""
        self._ended = False

    def feed(self, octets: bytes) -> bytes:
        """The octets that are complete."""
        digits = self._digits + octets.translate(None, b" \t\r\n")
        if self._ended and digits:
            raise self._error("base64 goes on after its end")
        whole = len(digits) - len(digits) % 4
        self._digits = digits[whole:]
        # A piece of white space alone does not open again what had ended.
        self._ended = self._ended or digits[:whole].endswith(b"=")
        try:
            return binascii.a2b_base64(digits[:whole], strict_mode=True)
        except binascii.Error:
            raise self._error("a part is not base64") from None

    def finish(self) -> None:
        """Raises `error` when the last group is not complete."""
        if self._digits:
            raise self._error("a part breaks off in the middle of base64")


# --- the URI of a part -----------------------------------------------------------------------------------------------


def cid_uri(content_id: str) -> str:
    """The `cid:` URI of a part (RFC 2392, 2): percent-encoded, so that every reader decodes the same id."""
    return f"cid:{quote(content_id, safe='@._~-')}"


def content_id_of(uri: str, known: frozenset[str]) -> str | None:
    """Which of the known parts a `cid:` URI means; None when it is none of them.

    RFC 2392 says percent-encoded; some stacks write the id as it is, which then counts only when it is an id as it is.
    """
    if not uri.startswith("cid:"):
        return None
    decoded = unquote(uri[4:], errors="replace")
    return decoded if decoded in known else uri[4:] if uri[4:] in known else None


# --- writing ---------------------------------------------------------------------------------------------------------


def new_boundary() -> str:
    """A boundary that nobody can foresee, so that no content can contain it on purpose."""
    return f"part-{os.urandom(16).hex()}"


def related_content_type(boundary: str, *, root_type: str, start: str, start_info: str = "", more: str = "") -> str:
    """The Content-Type of a multipart/related message. more: further parameters, each with its semicolon before it."""
    info = f'; start-info="{start_info}"' if start_info else ""
    return f'{MULTIPART}; boundary="{boundary}"; type="{root_type}"; start="<{start}>"{info}{more}'


def part_start(boundary: str, *, content_type: str, content_id: str, name: str = "", is_first: bool = False) -> bytes:
    """A boundary and the headers of a part, up to its first octet."""
    disposition = ""
    if name:
        ascii_name = re.sub(r"[^ !#-\[\]-~]", "_", name)
        encoded = "" if ascii_name == name else f"; filename*=UTF-8''{quote(name, safe='')}"
        disposition = f'Content-Disposition: attachment; filename="{ascii_name}"{encoded}\r\n'
    line_end = "" if is_first else "\r\n"
    return (
        f"{line_end}--{boundary}\r\nContent-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{content_id}>\r\n{disposition}\r\n"
    ).encode()


def message_end(boundary: str) -> bytes:
    """The last boundary."""
    return f"\r\n--{boundary}--\r\n".encode()

"""XML documents in the encodings that old systems use, turned into the UTF-8 that `xmlsafe` takes."""

from __future__ import annotations

import codecs
import re
from typing import Final

from adapter.errors import AdapterError, Problem

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
# Each is a superset of ASCII or announced by a byte order mark: nothing in which `<` could hide.
_ACCEPTED: Final = _UTF8 | frozenset(
    {
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "koi8-r",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "iso-8859-1",
        "iso-8859-2",
        "iso-8859-5",
        "iso-8859-9",
        "iso-8859-15",
    }
)
_SELF_EVIDENT: Final = _UTF8 | {"utf-16", "utf-16-le", "utf-16-be"}
"""Octets that are in one of these are hardly ever valid in another encoding."""
_DECLARATION: Final = re.compile(r"\A\s*<\?xml\s[^>]*?\?>")
_DECLARED: Final = re.compile(rb"""\A\s*<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def as_utf8(octets: bytes, *, charset: str = "", error: type[AdapterError]) -> bytes:
    """The same document in UTF-8 and without a misleading XML declaration; UTF-8 comes back untouched.

    charset: from the Content-Type, empty if none. A byte order mark counts before it, and it before the document's own
    declaration (RFC 7303, 3), but for one case, which is refused because names would come out as other letters: the
    Content-Type says a one-octet encoding, and the octets are the UTF-8 that the document declares.

    Raises `error`, with a problem that says so: that case, an encoding that is not accepted, octets that are not in it.
    """
    encoding, octets = _encoding(octets, charset)
    if encoding not in _SELF_EVIDENT and _declared(octets) in _UTF8 and _is_utf8_beyond_ascii(octets):
        raise _refusal(error, "The Content-Type says another encoding than the document, which is in UTF-8.")
    if encoding in _UTF8:
        declared = _declared(octets)
        return octets if not declared or declared in _UTF8 else _transcode(octets, "utf-8", error)
    return _transcode(octets, encoding, error)


def _encoding(octets: bytes, charset: str) -> tuple[str, bytes]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if octets.startswith(mark):
            return encoding, octets[len(mark) :]
    return charset.strip().strip("\"'").lower() or _declared(octets) or "utf-8", octets


def _declared(octets: bytes) -> str:
    found = _DECLARED.match(octets[:200])
    return found.group(1).decode("ascii").lower() if found else ""


def _transcode(octets: bytes, encoding: str, error: type[AdapterError]) -> bytes:
    if encoding not in _ACCEPTED:
        raise _refusal(error, "The document is in an encoding that is not accepted.")
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError as cause:
        raise _refusal(error, f"Octet {cause.start} of the document is not {encoding}.") from None
    return _DECLARATION.sub("", text, count=1).encode("utf-8")


def _is_utf8_beyond_ascii(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not octets.isascii()


def _refusal(error: type[AdapterError], text: str) -> AdapterError:
    return error(text, problems=(Problem(line=0, column=0, element="", rule="encoding", text=text),))

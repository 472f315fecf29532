"""One document of a service description, as it was delivered, made readable for the one safe parser.

WSDL and XSD files come from an organisation's own tool, sometimes from twenty years ago: with a byte order mark, in
windows-1251, or with the DOCTYPE that the W3C gave its signature schema. `xmlsafe` takes UTF-8 without a DOCTYPE, so
what is read here is a copy; the octets themselves are published as they came.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from lxml import etree

from adapter import xmlsafe
from adapter.errors import DescriptionUnusable, LimitExceeded

DOCUMENT_LIMITS: Final = xmlsafe.XmlLimits(max_bytes=16 * 1024 * 1024)

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENCODINGS: Final = frozenset(
    {
        "utf-8", "us-ascii", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "windows-1250", "windows-1251",
        "windows-1252", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-15",
    }
)  # fmt: skip
_DECLARATION: Final = re.compile(r"""\A\s*<\?xml\s[^>]*?\?>""")
_DECLARED: Final = re.compile(rb"""\A\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# A DOCTYPE that only names its DTD and declares fixed attributes and plain entities: what the W3C's schemas have.
_DOCTYPE: Final = re.compile(
    r"""<!DOCTYPE\s+[\w:.-]+
        (?:\s+PUBLIC\s+"[^"<>&]*"\s*"[^"<>&]*" | \s+SYSTEM\s+"[^"<>&]*")?\s*
        (?:\[(?P<subset>(?:\s+ | <!--(?:(?!--).)*--> | <!(?:ENTITY|ATTLIST)\s[^<>\[\]]*>)*)\]\s*)?>""",
    re.VERBOSE | re.DOTALL,
)
_ENTITY: Final = re.compile(r"""<!ENTITY\s+([\w.-]+)\s+(?:"([^"<>&%]{0,256})"|'([^'<>&%]{0,256})')\s*>""")
_PROLOG: Final = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)


def read_document(octets: bytes, name: str) -> etree._Element:
    """Parse one WSDL or XSD document (untrusted) and return its root element.

    octets: in UTF-8, UTF-16 or a declared eight-bit encoding of the list above; a DOCTYPE is accepted only in the
    entity-free or plain-entity form, which is resolved without a DTD. name: for the reason of an error.
    Raises DescriptionUnusable.
    """
    text = _without_doctype(_decode(octets, name), name)
    try:
        return xmlsafe.parse(text.encode("utf-8"), DOCUMENT_LIMITS, error=DescriptionUnusable)
    except (DescriptionUnusable, LimitExceeded) as cause:
        raise DescriptionUnusable(f"{name}: {cause.reason}") from None


def _decode(octets: bytes, name: str) -> str:
    encoding = "utf-8"
    for mark, marked in _BYTE_ORDER_MARKS:
        if octets.startswith(mark):
            octets, encoding = octets[len(mark) :], marked
            break
    else:
        declared = _DECLARED.match(octets[:200])
        if declared:
            encoding = declared.group(1).decode("ascii").lower()
    if encoding not in _ENCODINGS:
        raise DescriptionUnusable(f"{name}: the encoding {encoding} is not supported")
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError as cause:
        raise DescriptionUnusable(f"{name}: octet {cause.start} is not {encoding}") from None
    return _DECLARATION.sub("", text, count=1)


def _without_doctype(text: str, name: str) -> str:
    """Cut a harmless DOCTYPE and write its plain entities out.

    Entities may hold no markup and no other entity, so nothing can grow: the result is bounded by the number of
    references times 256. Anything else in a DOCTYPE stays, and the parser refuses it.
    """
    prolog = _PROLOG.match(text)
    start = prolog.end() if prolog else 0
    found = _DOCTYPE.match(text, start)
    if not found:
        return text
    rest = text[found.end() :]
    for entity, double, single in _ENTITY.findall(found.group("subset") or ""):
        rest = rest.replace(f"&{entity};", double or single)
        if len(rest) > DOCUMENT_LIMITS.max_bytes:
            raise DescriptionUnusable(f"{name}: too large once its entities are written out")
    return text[:start] + rest

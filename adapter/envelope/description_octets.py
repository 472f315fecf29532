"""One document of a service description, as it was delivered, made readable for the one safe parser.

WSDL and XSD files come from an organisation's own tool, sometimes from twenty years ago: with a byte order mark, in
windows-1251, or with the DOCTYPE that the W3C gave its signature schema. `xmlsafe` takes UTF-8 without a DOCTYPE, so
what is read here is a copy; the octets themselves are published as they came.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from adapter import xmlsafe
from adapter.envelope.xml_encoding import as_utf8
from adapter.errors import DescriptionUnusable, LimitExceeded

DOCUMENT_LIMITS: Final = xmlsafe.XmlLimits(max_bytes=16 * 1024 * 1024)

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

    octets: in UTF-8, UTF-16 or a declared eight-bit encoding; a DOCTYPE is accepted only in the
    entity-free or plain-entity form, which is resolved without a DTD. name: for the reason of an error.
    Raises DescriptionUnusable.
    """
    try:
        text = _without_doctype(as_utf8(octets, error=DescriptionUnusable).decode("utf-8"))
        return xmlsafe.parse(text.encode("utf-8"), DOCUMENT_LIMITS, error=DescriptionUnusable)
    except UnicodeDecodeError as cause:
        raise DescriptionUnusable(f"{name}: octet {cause.start} is not UTF-8") from None
    except (DescriptionUnusable, LimitExceeded) as cause:
        raise DescriptionUnusable(f"{name}: {cause.reason}") from None


def _without_doctype(text: str) -> str:
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
            raise DescriptionUnusable("too large once its entities are written out")
    return text[:start] + rest

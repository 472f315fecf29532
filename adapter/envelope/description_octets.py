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
from adapter.envelope import names
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
_XML_SPACE: Final = " \t\r\n"
_NAMED: Final = tuple(names.qname(names.WSDL, local) for local in ("message", "part", "portType", "binding"))


def read_document(octets: bytes, name: str) -> etree._Element:
    """Parse one WSDL or XSD document (untrusted) and return its root element.

    octets: in UTF-8, UTF-16 or a declared eight-bit encoding; a DOCTYPE is accepted only in the
    entity-free or plain-entity form, which is resolved without a DTD. name: for the reason of an error.
    Raises DescriptionUnusable.
    """
    try:
        text = _without_doctype(as_utf8(octets, error=DescriptionUnusable).decode("utf-8"))
        return _with_names(xmlsafe.parse(text.encode("utf-8"), DOCUMENT_LIMITS, error=DescriptionUnusable))
    except UnicodeDecodeError as cause:
        raise DescriptionUnusable(f"{name}: octet {cause.start} is not UTF-8") from None
    except (DescriptionUnusable, LimitExceeded) as cause:
        raise DescriptionUnusable(f"{name}: {cause.reason}") from None


def _with_names(root: etree._Element) -> etree._Element:
    """What a document declares has a name that an element can have (WSDL 1.1, 2; XML Schema Part 1, 3.2.2).

    White space around a name is taken off here, as a schema processor does, so that all read the same name.
    """
    for found in root.iter(*_NAMED, f"{{{names.XSD}}}*"):
        if "name" not in found.attrib and found.tag not in _NAMED:
            continue
        written = found.get("name", "")
        plain = written.strip(_XML_SPACE)
        if not _is_ncname(plain):
            local = etree.QName(found).localname
            raise DescriptionUnusable(f"line {found.sourceline}: {local} without a name that XML allows")
        if plain != written:
            found.set("name", plain)
    return root


def _is_ncname(name: str) -> bool:
    """Namespaces in XML 1.0, production 4; judged by libxml2, which takes it for a tag or does not."""
    if not name or not name.isprintable() or any(character in name for character in ":{}"):
        return False
    try:
        etree.QName(None, name)
    except ValueError:
        return False
    return True


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

"""What stands around an encrypted part, as text: enough for canonicalisation to see what it saw at the sender's."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from adapter.envelope import names
from adapter.xmlsafe import canonical, escape_attribute


def _qualified_name(element: etree._Element) -> str:
    local = element.tag.rpartition("}")[2]
    return f"{element.prefix}:{local}" if element.prefix else local


def declarations(nsmap: Mapping[str | None, str]) -> str:
    """The namespace declarations of a start tag, default first, the rest by prefix."""
    return "".join(
        f' xmlns:{prefix}="{escape_attribute(uri)}"' if prefix else f' xmlns="{escape_attribute(uri)}"'
        for prefix, uri in sorted(nsmap.items(), key=lambda item: item[0] or "")
    )


def end_tag(body: etree._Element) -> bytes:
    """Body's end tag."""
    return f"</{_qualified_name(body)}>".encode()


def start_tag(body: etree._Element) -> bytes:
    """Body's start tag with every namespace in scope; canonical when nothing but env and wsu is in scope."""
    nsmap = body.nsmap
    id_prefixes = [prefix for prefix, uri in nsmap.items() if uri == names.WSU and prefix]
    if len(id_prefixes) == 1:
        own_id = escape_attribute(body.get(names.WSU_ID, ""))
        return f'<{_qualified_name(body)}{declarations(nsmap)} {id_prefixes[0]}:Id="{own_id}">'.encode()
    return _start_tag_with_spare_prefixes(body, nsmap)


def _start_tag_with_spare_prefixes(body: etree._Element, nsmap: dict[str | None, str]) -> bytes:
    """Two prefixes stand for the namespace of the id. lxml does not say which was written; canonical form does."""
    written = canonical(body)
    written = written[: written.index(b">")]
    missing = {
        prefix: uri
        for prefix, uri in nsmap.items()
        if (f" xmlns:{prefix}=" if prefix else " xmlns=").encode() not in written
    }
    return written + declarations(missing).encode() + b">"

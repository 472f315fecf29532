"""Decrypted text as XML in the namespaces of its place, in a document of its own.

Nodes are never moved between documents: lxml would rename prefixes, and the canonical octets with them. Instead, the
surroundings that canonicalisation can see are replayed as text around the plaintext.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate_structure import Ids
from adapter.envelope.surroundings import declarations
from adapter.errors import SecurityFailed
from adapter.stages import Surroundings
from adapter.xmlsafe import XmlLimits, XPathOfEachThread, parse, refuse_comments

_xpath_ids: Final = XPathOfEachThread("//@wsu:Id | //@xml:id | //ds:*/@Id", {"wsu": names.WSU, "ds": names.DS})
_is_encrypted: Final = XPathOfEachThread("boolean(//xenc:EncryptedData | //xenc:EncryptedKey)", {"xenc": names.XENC})


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The Body with its decrypted content, and the octets that it was parsed from."""

    element: etree._Element
    octets: bytes


def parse_element(plaintext: bytes, scope: Mapping[str | None, str], limits: XmlLimits) -> etree._Element:
    """Exactly one element, in the namespaces that are in scope where its EncryptedData stood. Raises SecurityFailed."""
    start = f"<fragment{declarations(scope)}>".encode()
    wrapper = parse(start + plaintext + b"</fragment>", limits, error=SecurityFailed)
    _refuse_comments(wrapper, plaintext)
    if len(wrapper) != 1 or wrapper.text or wrapper[0].tail:
        raise SecurityFailed("the plaintext is not exactly one element")
    return wrapper[0]


def parse_body(plaintext: bytes, surroundings: Surroundings, ids: Ids, limits: XmlLimits) -> Body:
    """A replica of the Body with the plaintext as its content: exactly one element. Raises SecurityFailed.

    ids: those of the outer document and of the fragments before; an id that occurs again is refused, and so is anything
    that is encrypted once more: it is opened one level deep, never deeper.
    """
    octets = surroundings.body_start + plaintext + surroundings.body_end
    replica = parse(octets, limits, error=SecurityFailed)
    _refuse_comments(replica, plaintext)
    if len(replica) != 1 or (replica.text or "").strip() or (replica[0].tail or "").strip():
        raise SecurityFailed("the Body is not exactly one element")
    if b"Encrypted" in plaintext and _is_encrypted(replica):
        raise SecurityFailed("the plaintext has encrypted parts")
    if b"Id" in plaintext or b"xml:id" in plaintext:
        for value in _ids_below(replica):
            ids.add(value)
    return Body(element=replica, octets=octets)


# The searches below are made only when the octets have what must stand in any match: a name has no character reference.


def _refuse_comments(root: etree._Element, plaintext: bytes) -> None:
    if b"<!" in plaintext or b"<?" in plaintext:
        refuse_comments(root, error=SecurityFailed)


def _ids_below(body: etree._Element) -> list[str]:
    """The ids in the payload that another stack could take for one of the envelope; an application's own `id` is none.

    The Body's own id comes first in document order, and was registered by the gate.
    """
    found = _xpath_ids(body)
    return [str(value) for value in found[1:]] if isinstance(found, list) else []

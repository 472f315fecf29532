"""XOP (XML-binary Optimized Packaging 1.0) in a payload: where base64 stands as a reference to a part.

A payload travels as its system wrote it: an xop:Include stays one and is signed as one, beside the signature over the
part that it names. What needs the base64 (the schema, a system that knows no MTOM) gets it from here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from lxml import etree
from pybase64 import b64encode

from adapter.attachments import Attachment
from adapter.envelope.multipart import content_id_of
from adapter.envelope.names import XOP_INCLUDE
from adapter.errors import AdapterError

_HREF: Final = ["href"]
# A value this long is as good as the true one for what a schema can say of base64: its length up to here.
_MAX_PLACEHOLDER_OCTETS: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Include:
    """An xop:Include that is the only content of its element, and the part that it names."""

    element: etree._Element
    parent: etree._Element
    content_id: str


def find_includes(
    payload: etree._Element, attachments: Sequence[Attachment], error: type[AdapterError]
) -> tuple[Include, ...]:
    """Every xop:Include of a payload (untrusted), in document order.

    Raises `error` for one that names no part, a part that another one names, or anything but a part by a `cid:` URI;
    that has an attribute or content of its own; or that is not the only content of its element (XOP 1.0, 2.1 and 3.1).
    """
    known = frozenset(attachment.content_id for attachment in attachments)
    found = tuple(_include(element, known, error) for element in payload.iter(XOP_INCLUDE))
    if len({include.content_id for include in found}) != len(found):
        raise error("two xop:Include name one part")
    return found


def _include(element: etree._Element, known: frozenset[str], error: type[AdapterError]) -> Include:
    parent = element.getparent()
    if element.keys() != _HREF or len(element) or (element.text or "").strip():
        raise error("an xop:Include must have an href and nothing else")
    if parent is None or len(parent) != 1 or (parent.text or "").strip() or (element.tail or "").strip():
        raise error("an xop:Include must be the only content of its element")
    content_id = content_id_of(element.get("href", ""), known)
    if content_id is None:
        raise error("an xop:Include names something that is not a part of the message")
    return Include(element=element, parent=parent, content_id=content_id)


@contextmanager
def replaced(includes: Sequence[Include], text_of: Callable[[Include], str]) -> Iterator[None]:
    """The payload with a text in the place of each xop:Include, for as long as the context lasts.

    Done in place and undone: a copy would lose prefixes that are bound further up and used in values only.
    """
    for include in includes:
        include.parent.remove(include.element)
        include.parent.text = text_of(include)
    try:
        yield
    finally:
        for include in includes:
            include.parent.text = None
            include.parent.append(include.element)


@contextmanager
def with_placeholders(includes: Sequence[Include], attachments: Sequence[Attachment]) -> Iterator[None]:
    """The payload as a schema has to see it: valid base64 of the right length, as far as that is short."""
    sizes = {attachment.content_id: attachment.size for attachment in attachments}

    def placeholder(include: Include) -> str:
        return b64encode(bytes(min(sizes[include.content_id], _MAX_PLACEHOLDER_OCTETS))).decode()

    with replaced(includes, placeholder):
        yield


def split_at_includes(includes: Sequence[Include], render: Callable[[], bytes]) -> list[bytes | str]:
    """What `render` writes of the payload, cut where base64 has to stand: octets and content ids in turn."""
    marks: Mapping[str, str] = {include.content_id: f"xop{os.urandom(16).hex()}" for include in includes}
    with replaced(includes, lambda include: marks[include.content_id]):
        rest = render()
    pieces: list[bytes | str] = []
    for include in includes:
        before, _, rest = rest.partition(marks[include.content_id].encode())
        pieces += [before, include.content_id]
    return [*pieces, rest]

"""Times on the wire: xs:dateTime in UTC, written with Z; and the wsu:Timestamp that holds two of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from adapter.envelope.gate_structure import check_attributes, children, leaf_text, refuse
from adapter.envelope.names import WSU, WSU_ID, qname

_INSTANT: Final = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z"
)
_IN_MILLISECONDS: Final = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"
_ID_ONLY: Final = frozenset((WSU_ID,))
_CREATED: Final = qname(WSU, "Created")
_EXPIRES: Final = qname(WSU, "Expires")


def read_instant(text: str) -> datetime:
    """An xs:dateTime in UTC, written with Z, with at most 6 fraction digits; no other zone, no leap second, no 24:00.

    Raises EnvelopeRefused.
    """
    if not _INSTANT.fullmatch(text):
        refuse("a time that is not written as UTC with Z and at most 6 fraction digits")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        refuse("a time that does not exist")


def write_instant(instant: datetime) -> str:
    """An aware time as xs:dateTime in UTC, to the millisecond, with Z."""
    if instant.tzinfo is None:
        raise ValueError("a time without a zone")
    if instant.tzinfo is not UTC:  # our own clock's are, and there are a dozen and a half of them in an exchange
        instant = instant.astimezone(UTC)
    return _IN_MILLISECONDS % (
        instant.year,
        instant.month,
        instant.day,
        instant.hour,
        instant.minute,
        instant.second,
        instant.microsecond // 1_000,
    )


def read_timestamp(element: etree._Element) -> tuple[datetime, datetime]:
    """Created and Expires of a wsu:Timestamp (WSS 1.1 SOAP Message Security, 10). Raises EnvelopeRefused."""
    check_attributes(element, _ID_ONLY)
    found = children(element)
    if [child.tag for child in found] != [_CREATED, _EXPIRES]:
        refuse("Timestamp must have Created and Expires")
    for child in found:
        check_attributes(child)
    return read_instant(leaf_text(found[0], max_chars=64)), read_instant(leaf_text(found[1], max_chars=64))


def render_timestamp(created: datetime, expires: datetime) -> bytes:
    """A wsu:Timestamp in exclusive canonical form."""
    return TIMESTAMP_TEMPLATE % (write_instant(created).encode(), write_instant(expires).encode())


TIMESTAMP_TEMPLATE: Final = (
    f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="timestamp">'
    "<wsu:Created>%s</wsu:Created><wsu:Expires>%s</wsu:Expires></wsu:Timestamp>"
).encode()

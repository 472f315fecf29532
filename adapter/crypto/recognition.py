"""The one spelling in which our own stack writes an envelope, recognised as octets.

Most messages come from another adapter, which writes every envelope by the templates of this package: always the same
elements, prefixes, order and ids, values without any markup. Such a message is a word of a regular language. What
matches it completely has the structure of the profile by construction, and each signed header block stands in it in
its exclusive canonical form: nothing has to be parsed, walked or canonicalised to know that. Whatever differs in one
octet is not refused here but goes to the general gate (envelope.gate), which judges all spellings.

The same values come out of both; tests hold the two against each other (tests/unit/crypto/test_recognition.py).
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from dataclasses import dataclass
from typing import Final

from adapter.crypto import templates
from adapter.envelope import names
from adapter.envelope.headers import EXCHANGE_START, exchange_of_texts
from adapter.envelope.instants import read_instant
from adapter.errors import EnvelopeRefused
from adapter.stages import EncryptedKeyInfo, ExchangeHeader, MessageKind, SignatureParts

# A value stands between two tags and has no markup; its own form is judged when it is read. Base64 is decoded
# strictly, texts are printable ASCII without what canonical XML would escape.
_VALUE: Final = rb"([^<>&]*)"
_TEXT: Final = rb"([!#-%'-;=?-~]+(?: [!#-%'-;=?-~]+)*)"


def _literal(text: str | bytes) -> bytes:
    return re.escape(text.encode() if isinstance(text, str) else text)


def _from_template(template: str | bytes) -> bytes:
    """A template with each %s replaced by a value."""
    octets = template.encode() if isinstance(template, str) else template
    return _VALUE.join(re.escape(piece) for piece in octets.split(b"%s"))


def _field(name: str, *, optional: bool = False) -> bytes:
    pattern = b"<ia:%s>%s</ia:%s>" % (name.encode(), _TEXT, name.encode())
    return b"(?:" + pattern + b")?" if optional else pattern


def _encrypted(cipher_id: str, content_type: str) -> bytes:
    start = templates.encrypted_data_start(cipher_id, content_type)
    return _literal(start) + _VALUE + _literal(templates.ENCRYPTED_DATA_END)


_EXCHANGE: Final = b"".join(
    (
        b"(",
        _literal(EXCHANGE_START),
        _field("MessageId"),
        _field("InReplyTo", optional=True),
        *(_field(name) for name in ("Consumer", "Service", "Operation", "Official", "Sent", "ReplyBy")),
        _field("Regulation", optional=True),
        _field("RecordNumber", optional=True),
        b"</ia:Exchange>)",
    )
)
_EXCHANGE_FIELDS: Final = (
    "MessageId",
    "InReplyTo",
    "Consumer",
    "Service",
    "Operation",
    "Official",
    "Sent",
    "ReplyBy",
    "Regulation",
    "RecordNumber",
)

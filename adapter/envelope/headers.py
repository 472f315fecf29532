"""The header blocks of the envelope as values, and values as header blocks (xsd/envelope.xsd).

What is rendered is in exclusive canonical form by construction: namespace declarations and attributes in canonical
order, no empty-element tags, canonical escapes. So the octets that are written are the octets that are digested.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NoReturn

from lxml import etree

from adapter.envelope.gate_structure import check_attributes, check_must_understand, children, leaf_text, refuse
from adapter.envelope.names import (
    ENVELOPE,
    EXCHANGE,
    PERSONAL_DATA,
    SOAP12,
    SOAP12_MUST_UNDERSTAND,
    TIMESTAMP,
    WSU,
    WSU_ID,
    qname,
)
from adapter.errors import EnvelopeRefused, InvalidIdentifier
from adapter.identifiers import MessageId, OfficialId, Purpose, RecordNumber, ServiceId, SubjectId, SubsystemId
from adapter.stages import ExchangeHeader, LegalBasis, PersonalData

_INSTANT: Final = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z"
)
_OPERATION: Final = re.compile(r"[^\W\d][\w.-]{0,127}")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
# Control characters, and those that change the direction of what a person reads.
_UNREADABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MAX_VALUE_CHARS: Final = 512
_MAX_SUBJECTS: Final = 1000

_BLOCK_ATTRIBUTES: Final = frozenset((WSU_ID, SOAP12_MUST_UNDERSTAND))
_ID_ONLY: Final = frozenset((WSU_ID,))
_KIND: Final = frozenset(("kind",))


# --- times -----------------------------------------------------------------------------------------------------------


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
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_timestamp(element: etree._Element) -> tuple[datetime, datetime]:
    """Created and Expires of a wsu:Timestamp (WSS 1.1 SOAP Message Security, 10). Raises EnvelopeRefused."""
    check_attributes(element, _ID_ONLY)
    found = children(element)
    if [child.tag for child in found] != [qname(WSU, "Created"), qname(WSU, "Expires")]:
        refuse("Timestamp must have Created and Expires")
    for child in found:
        check_attributes(child)
    return read_instant(leaf_text(found[0], max_chars=64)), read_instant(leaf_text(found[1], max_chars=64))


def render_timestamp(created: datetime, expires: datetime) -> bytes:
    """A wsu:Timestamp in exclusive canonical form."""
    return _TIMESTAMP % (write_instant(created).encode(), write_instant(expires).encode())


_TIMESTAMP: Final = (
    f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="timestamp">'
    "<wsu:Created>%s</wsu:Created><wsu:Expires>%s</wsu:Expires></wsu:Timestamp>"
).encode()
assert TIMESTAMP == qname(WSU, "Timestamp")  # noqa: S101  the template and the name must not part


# --- escaping --------------------------------------------------------------------------------------------------------


def escape_text(text: str) -> str:
    """Text as Canonical XML 1.0 (2.3) writes it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def escape_attribute(text: str) -> str:
    """An attribute value as Canonical XML 1.0 (2.3) writes it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


# --- Exchange --------------------------------------------------------------------------------------------------------


class Fields:
    """The children of a block that has each child at most once and in the order of its schema."""

    def __init__(self, element: etree._Element, namespace: str, order: tuple[str, ...]) -> None:
        self._texts: dict[str, str] = {}
        at = 0
        for child in children(element):
            name = child.tag.removeprefix(f"{{{namespace}}}")
            while at < len(order) and order[at] != name:
                at += 1
            if at == len(order):
                _misplaced(element)
            at += 1
            check_attributes(child)
            self._texts[name] = leaf_text(child, max_chars=_MAX_VALUE_CHARS)

    def required(self, name: str) -> str:
        """The child's text. Raises EnvelopeRefused when it is absent."""
        text = self._texts.get(name)
        if text is None:
            refuse(f"{name} is missing")
        return text

    def optional(self, name: str) -> str | None:
        """The child's text, or None."""
        return self._texts.get(name)


def _misplaced(element: etree._Element) -> NoReturn:
    refuse(f"{element.tag.rpartition('}')[2]} has a child that is unknown, repeated or out of order")


_EXCHANGE_ORDER: Final = (
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


def read_exchange_header(element: etree._Element) -> ExchangeHeader:
    """The Exchange block as a value. The element is as far trusted as the caller trusts it.

    Raises EnvelopeRefused, for an identifier of wrong form too: it is the peer's adapter that wrote it.
    """
    if element.tag != EXCHANGE:
        refuse("not an Exchange block")
    check_attributes(element, _BLOCK_ATTRIBUTES)
    check_must_understand(element)
    fields = Fields(element, ENVELOPE, _EXCHANGE_ORDER)
    regulation = fields.optional("Regulation")
    in_reply_to = fields.optional("InReplyTo")
    number = fields.optional("RecordNumber")
    try:
        return ExchangeHeader(
            message_id=MessageId(fields.required("MessageId")),
            in_reply_to=None if in_reply_to is None else MessageId(in_reply_to),
            claimed_consumer=SubsystemId.parse(fields.required("Consumer")),
            service=ServiceId.parse(fields.required("Service")),
            operation=_matching(_OPERATION, fields.required("Operation"), "Operation"),
            official=OfficialId(fields.required("Official")),
            sent=read_instant(fields.required("Sent")),
            reply_by=read_instant(fields.required("ReplyBy")),
            regulation=None if regulation is None else _readable(regulation, "Regulation"),
            record_number=None if number is None else RecordNumber(int(_matching(_NUMBER, number, "RecordNumber"))),
        )
    except InvalidIdentifier as cause:
        raise EnvelopeRefused(f"Exchange: {cause.reason}") from None


def _matching(pattern: re.Pattern[str], text: str, name: str) -> str:
    if not pattern.fullmatch(text):
        refuse(f"{name} has a wrong form")
    return text


def _readable(text: str, name: str) -> str:
    if not text or _UNREADABLE.search(text):
        refuse(f"{name} is empty or has a control character")
    return text


_EXCHANGE_START: Final = (
    f'<ia:Exchange xmlns:env="{SOAP12}" xmlns:ia="{ENVELOPE}" xmlns:wsu="{WSU}"'
    ' wsu:Id="exchange" env:mustUnderstand="true">'
)


def render_exchange(header: ExchangeHeader) -> bytes:
    """The Exchange block in exclusive canonical form. Raises EnvelopeRefused when a value has no place on the wire."""
    in_reply_to = "" if header.in_reply_to is None else f"<ia:InReplyTo>{header.in_reply_to}</ia:InReplyTo>"
    regulation = "" if header.regulation is None else _text_element("Regulation", header.regulation)
    number = "" if header.record_number is None else f"<ia:RecordNumber>{header.record_number}</ia:RecordNumber>"
    return (
        f"{_EXCHANGE_START}<ia:MessageId>{header.message_id}</ia:MessageId>{in_reply_to}"
        f"<ia:Consumer>{header.claimed_consumer}</ia:Consumer><ia:Service>{header.service}</ia:Service>"
        f"<ia:Operation>{_matching(_OPERATION, header.operation, 'Operation')}</ia:Operation>"
        f"<ia:Official>{header.official}</ia:Official>"
        f"<ia:Sent>{write_instant(header.sent)}</ia:Sent><ia:ReplyBy>{write_instant(header.reply_by)}</ia:ReplyBy>"
        f"{regulation}{number}</ia:Exchange>"
    ).encode()


def _text_element(name: str, text: str) -> str:
    if len(text) > _MAX_VALUE_CHARS:
        refuse(f"{name} is longer than {_MAX_VALUE_CHARS} characters")
    return f"<ia:{name}>{escape_text(_readable(text.strip(), name))}</ia:{name}>"


# --- PersonalData ----------------------------------------------------------------------------------------------------


def read_personal_data(element: etree._Element) -> PersonalData:
    """The decrypted PersonalData block as a value.

    Raises EnvelopeRefused for its structure, InvalidIdentifier for a subject with a wrong form or check digit.
    """
    if element.tag != PERSONAL_DATA:
        refuse("not a PersonalData block")
    check_attributes(element, _ID_ONLY, frozenset((SOAP12_MUST_UNDERSTAND,)))
    return read_statement(children(element), ENVELOPE, "PersonalData")


def read_statement(found: list[etree._Element], namespace: str, block: str) -> PersonalData:
    """Purpose, Subject*, LegalBasis?, Consent?: in this order, in one of our namespaces."""
    tags = [child.tag.removeprefix(f"{{{namespace}}}") for child in found]
    subject_count = tags.count("Subject")
    expected = ["Purpose", *["Subject"] * subject_count]
    expected += [name for name in ("LegalBasis", "Consent") if name in tags]
    if tags != expected:
        refuse(f"{block} has a child that is unknown, missing, repeated or out of order")
    if subject_count > _MAX_SUBJECTS:
        refuse(f"{block} has more than {_MAX_SUBJECTS} subjects")
    rest = dict(zip(tags[1 + subject_count :], found[1 + subject_count :], strict=True))
    return PersonalData(
        purpose=read_purpose(found[0]),
        subjects=tuple(read_subject(child) for child in found[1 : 1 + subject_count]),
        legal_basis=read_legal_basis(rest["LegalBasis"]) if "LegalBasis" in rest else None,
        consent=read_plain(rest["Consent"]) if "Consent" in rest else None,
    )


def read_purpose(element: etree._Element) -> Purpose:
    """A purpose by its code. Whether the directory lists it is another question. Raises EnvelopeRefused."""
    check_attributes(element)
    return Purpose(_matching(_CODE, leaf_text(element, max_chars=_MAX_VALUE_CHARS), "Purpose"))


def read_subject(element: etree._Element) -> SubjectId:
    """A subject with its kind. Raises EnvelopeRefused, InvalidIdentifier."""
    check_attributes(element, _KIND)
    return SubjectId(element.get("kind", ""), leaf_text(element, max_chars=_MAX_VALUE_CHARS))


def read_legal_basis(element: etree._Element) -> LegalBasis:
    """A legal basis: its kind's code and what it refers to. Raises EnvelopeRefused."""
    check_attributes(element, _KIND)
    return LegalBasis(
        kind=_matching(_CODE, element.get("kind", ""), "LegalBasis"),
        reference=_readable(leaf_text(element, max_chars=_MAX_VALUE_CHARS), "LegalBasis"),
    )


def read_plain(element: etree._Element) -> str:
    """A text without attributes and control characters. Raises EnvelopeRefused."""
    check_attributes(element)
    return _readable(leaf_text(element, max_chars=_MAX_VALUE_CHARS), element.tag.rpartition("}")[2])


_PERSONAL_DATA_START: Final = (
    f'<ia:PersonalData xmlns:env="{SOAP12}" xmlns:ia="{ENVELOPE}" xmlns:wsu="{WSU}"'
    ' wsu:Id="personal-data" env:mustUnderstand="true">'
)


def render_personal_data(data: PersonalData) -> bytes:
    """The PersonalData block in exclusive canonical form. Raises EnvelopeRefused when a value has no place there."""
    subjects = "".join(
        f'<ia:Subject kind="{subject.kind}">{escape_text(subject.value)}</ia:Subject>' for subject in data.subjects
    )
    basis = ""
    if data.legal_basis is not None:
        kind = _matching(_CODE, data.legal_basis.kind, "LegalBasis")
        text = _text_element("LegalBasis", data.legal_basis.reference)
        basis = text.replace("<ia:LegalBasis>", f'<ia:LegalBasis kind="{kind}">', 1)
    consent = "" if data.consent is None else _text_element("Consent", data.consent)
    return (
        f"{_PERSONAL_DATA_START}<ia:Purpose>{_matching(_CODE, data.purpose, 'Purpose')}</ia:Purpose>"
        f"{subjects}{basis}{consent}</ia:PersonalData>"
    ).encode()

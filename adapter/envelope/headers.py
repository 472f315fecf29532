"""The header blocks of the envelope as values, and values as header blocks (xsd/envelope.xsd).

What is rendered is in exclusive canonical form by construction: namespace declarations and attributes in canonical
order, no empty-element tags, canonical escapes. So the octets that are written are the octets that are digested.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn, Self

from lxml import etree
from pybase64 import b64encode

from adapter.envelope.gate_structure import check_attributes, check_must_understand, children, leaf_text, refuse
from adapter.envelope.instants import read_instant, read_timestamp, render_timestamp, write_instant
from adapter.envelope.names import ENVELOPE, EXCHANGE, PERSONAL_DATA, SOAP12, SOAP12_MUST_UNDERSTAND, WSU, WSU_ID
from adapter.envelope.request_context import RequestContext, read_request_context
from adapter.envelope.statements import (
    CODE,
    MAX_SUBJECTS,
    MAX_VALUE_CHARS,
    basis_names,
    matching,
    read_legal_basis,
    read_plain,
    read_purpose,
    read_represented_party,
    read_subject,
    readable,
)
from adapter.errors import EnvelopeRefused, InvalidIdentifier
from adapter.identifiers import MessageId, OfficialId, RecordNumber, ServiceId, SubsystemId
from adapter.stages import ExchangeHeader, PersonalData, RepresentedParty
from adapter.xmlsafe import decode_base64, escape_attribute, escape_text

__all__ = [
    "RequestContext",
    "read_exchange_header",
    "read_instant",
    "read_personal_data",
    "read_request_context",
    "read_timestamp",
    "render_exchange",
    "render_personal_data",
    "render_timestamp",
    "write_instant",
]

_OPERATION: Final = re.compile(r"[^\W\d][\w.-]{0,127}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_BLOCK_ATTRIBUTES: Final = frozenset((WSU_ID, SOAP12_MUST_UNDERSTAND))
_ID_ONLY: Final = frozenset((WSU_ID,))
_MUST_UNDERSTAND: Final = frozenset((SOAP12_MUST_UNDERSTAND,))
_BOOLEANS: Final = frozenset(("true", "false", "1", "0"))


# --- Exchange --------------------------------------------------------------------------------------------------------


class Fields:
    """The children of a block that has each child at most once and in the order of its schema."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    @classmethod
    def of(cls, element: etree._Element, namespace: str, order: tuple[str, ...]) -> Self:
        """Read them from the block. Raises EnvelopeRefused: unknown, repeated, out of order, with attributes."""
        texts: dict[str, str] = {}
        at = 0
        for child in children(element):
            name = child.tag.removeprefix(f"{{{namespace}}}")
            while at < len(order) and order[at] != name:
                at += 1
            if at == len(order):
                _misplaced(element)
            at += 1
            check_attributes(child)
            texts[name] = leaf_text(child, max_chars=max_chars(name))
        return cls(texts)

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


EXCHANGE_ORDER: Final = (
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
    "CertificateStatus",
    "Checkpoint",
)
MAX_STATUS_CHARS: Final = 16 * 1024
"""Base64 of an OCSP response."""
MAX_CHECKPOINT_CHARS: Final = 1368
"""Base64 of a signed checkpoint: 1 KiB."""
_MAX_CHARS: Final = {"CertificateStatus": MAX_STATUS_CHARS, "Checkpoint": MAX_CHECKPOINT_CHARS}
IN_BASE64: Final = frozenset(_MAX_CHARS)


def max_chars(name: str) -> int:
    """How long a child of Exchange may be."""
    return _MAX_CHARS.get(name, MAX_VALUE_CHARS)


def read_exchange_header(element: etree._Element) -> ExchangeHeader:
    """The Exchange block as a value. The element is as far trusted as the caller trusts it.

    Raises EnvelopeRefused, for an identifier of wrong form too: it is the peer's adapter that wrote it.
    """
    if element.tag != EXCHANGE:
        refuse("not an Exchange block")
    check_attributes(element, _BLOCK_ATTRIBUTES)
    check_must_understand(element)
    return exchange_of(Fields.of(element, ENVELOPE, EXCHANGE_ORDER))


def exchange_of(fields: Fields) -> ExchangeHeader:
    """The texts of an Exchange block as a value. Raises EnvelopeRefused."""
    regulation = fields.optional("Regulation")
    in_reply_to = fields.optional("InReplyTo")
    number = fields.optional("RecordNumber")
    status = fields.optional("CertificateStatus")
    checkpoint = fields.optional("Checkpoint")
    try:
        return ExchangeHeader(
            message_id=MessageId(fields.required("MessageId")),
            in_reply_to=None if in_reply_to is None else MessageId(in_reply_to),
            claimed_consumer=SubsystemId.parse(fields.required("Consumer")),
            service=ServiceId.parse(fields.required("Service")),
            operation=matching(_OPERATION, fields.required("Operation"), "Operation"),
            official=OfficialId(fields.required("Official")),
            sent=read_instant(fields.required("Sent")),
            reply_by=read_instant(fields.required("ReplyBy")),
            regulation=None if regulation is None else readable(regulation, "Regulation"),
            record_number=None if number is None else RecordNumber(int(matching(_NUMBER, number, "RecordNumber"))),
            certificate_status=None if status is None else _octets("CertificateStatus", status),
            checkpoint=None if checkpoint is None else _octets("Checkpoint", checkpoint),
        )
    except InvalidIdentifier as cause:
        raise EnvelopeRefused(f"Exchange: {cause.reason}") from None


def _octets(name: str, text: str) -> bytes:
    octets = decode_base64(text, max_chars=max_chars(name), error=EnvelopeRefused)
    if not octets:
        refuse(f"{name} is empty")
    return octets


EXCHANGE_START: Final = (
    f'<ia:Exchange xmlns:env="{SOAP12}" xmlns:ia="{ENVELOPE}" xmlns:wsu="{WSU}"'
    ' wsu:Id="exchange" env:mustUnderstand="true">'
)


def render_exchange(header: ExchangeHeader) -> bytes:
    """The Exchange block in exclusive canonical form. Raises EnvelopeRefused when a value has no place on the wire."""
    in_reply_to = "" if header.in_reply_to is None else f"<ia:InReplyTo>{header.in_reply_to}</ia:InReplyTo>"
    regulation = "" if header.regulation is None else _text_element("Regulation", header.regulation)
    number = "" if header.record_number is None else f"<ia:RecordNumber>{header.record_number}</ia:RecordNumber>"
    status, checkpoint = (
        "" if octets is None else f"<ia:{name}>{b64encode(octets).decode()}</ia:{name}>"
        for name, octets in (("CertificateStatus", header.certificate_status), ("Checkpoint", header.checkpoint))
    )
    return (
        f"{EXCHANGE_START}<ia:MessageId>{header.message_id}</ia:MessageId>{in_reply_to}"
        f"<ia:Consumer>{header.claimed_consumer}</ia:Consumer><ia:Service>{header.service}</ia:Service>"
        f"<ia:Operation>{matching(_OPERATION, header.operation, 'Operation')}</ia:Operation>"
        f"<ia:Official>{header.official}</ia:Official>"
        f"<ia:Sent>{write_instant(header.sent)}</ia:Sent><ia:ReplyBy>{write_instant(header.reply_by)}</ia:ReplyBy>"
        f"{regulation}{number}{status}{checkpoint}</ia:Exchange>"
    ).encode()


def _text_element(name: str, text: str) -> str:
    return f"<ia:{name}>{escape_text(readable(text, name))}</ia:{name}>"


# --- PersonalData ----------------------------------------------------------------------------------------------------


def read_personal_data(element: etree._Element) -> PersonalData:
    """The decrypted PersonalData block as a value.

    Raises EnvelopeRefused for its structure, InvalidIdentifier for a subject with a wrong form or check digit.
    """
    if element.tag != PERSONAL_DATA:
        refuse("not a PersonalData block")
    check_attributes(element, _ID_ONLY, _MUST_UNDERSTAND)
    if element.get(SOAP12_MUST_UNDERSTAND, "true").strip() not in _BOOLEANS:
        refuse("mustUnderstand of PersonalData is neither true nor false")
    return read_statement(children(element), ENVELOPE, "PersonalData")


_AFTER_SUBJECTS: Final = ("LegalBasis", "Consent", "Issue", "RepresentedParty", "Emergency")


def read_statement(found: list[etree._Element], namespace: str, block: str) -> PersonalData:
    """The elements of PersonalData (xsd/envelope.xsd) in their order, in one of our namespaces."""
    tags = [child.tag.removeprefix(f"{{{namespace}}}") for child in found]
    subject_count = tags.count("Subject")
    expected = ["Purpose", *["Subject"] * subject_count]
    expected += [name for name in _AFTER_SUBJECTS if name in tags]
    if tags != expected:
        refuse(f"{block} has a child that is unknown, missing, repeated or out of order")
    if subject_count > MAX_SUBJECTS:
        refuse(f"{block} has more than {MAX_SUBJECTS} subjects")
    rest = dict(zip(tags[1 + subject_count :], found[1 + subject_count :], strict=True))
    return PersonalData(
        purpose=read_purpose(found[0]),
        subjects=tuple(read_subject(child) for child in found[1 : 1 + subject_count]),
        legal_basis=read_legal_basis(rest["LegalBasis"]) if "LegalBasis" in rest else None,
        consent=read_plain(rest["Consent"]) if "Consent" in rest else None,
        issue=read_plain(rest["Issue"]) if "Issue" in rest else None,
        represented_party=read_represented_party(rest["RepresentedParty"]) if "RepresentedParty" in rest else None,
        emergency=read_plain(rest["Emergency"]) if "Emergency" in rest else None,
    )


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
        kind = matching(CODE, data.legal_basis.kind, "LegalBasis")
        text = _text_element("LegalBasis", data.legal_basis.reference)
        named = dict(basis_names(dict(data.legal_basis.names)), kind=kind)
        attributes = "".join(f' {name}="{escape_attribute(value)}"' for name, value in sorted(named.items()))
        basis = text.replace("<ia:LegalBasis>", f"<ia:LegalBasis{attributes}>", 1)
    consent = "" if data.consent is None else _text_element("Consent", data.consent)
    issue = "" if data.issue is None else _text_element("Issue", data.issue)
    emergency = "" if data.emergency is None else _text_element("Emergency", data.emergency)
    return (
        f"{_PERSONAL_DATA_START}<ia:Purpose>{matching(CODE, data.purpose, 'Purpose')}</ia:Purpose>"
        f"{subjects}{basis}{consent}{issue}{_represented(data.represented_party)}{emergency}</ia:PersonalData>"
    ).encode()


def _represented(party: RepresentedParty | None) -> str:
    if party is None:
        return ""
    text = _text_element("RepresentedParty", party.code)
    if party.party_class is None:
        return text
    class_ = matching(CODE, party.party_class, "RepresentedParty")
    return text.replace("<ia:RepresentedParty>", f'<ia:RepresentedParty class="{class_}">', 1)

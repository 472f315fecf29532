"""The header blocks as values and as octets: what is read, what is written, and what has no place on the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from lxml import etree

from adapter.contracts import contract_path
from adapter.envelope import names
from adapter.envelope.gate_encryption import read_encrypted_data
from adapter.envelope.gate_security import read_confirmation
from adapter.envelope.gate_structure import Ids, check_empty, line_of, read_prefix_list
from adapter.envelope.headers import read_exchange_header, read_personal_data, render_personal_data
from adapter.envelope.instants import write_instant
from adapter.envelope.request_context import read_request_context
from adapter.envelope.statements import MAX_SUBJECTS
from adapter.errors import EnvelopeRefused
from adapter.stages import LegalBasis, PersonalData, RepresentedParty
from adapter.xmlsafe import canonical
from tests.envelopes import personal_data


def personal_data_block(inner: str, tag: str = "PersonalData") -> etree._Element:
    return etree.fromstring(
        f'<ia:{tag} xmlns:env="{names.SOAP12}" xmlns:ia="{names.ENVELOPE}" xmlns:wsu="{names.WSU}"'
        f' wsu:Id="personal-data" env:mustUnderstand="true">{inner}</ia:{tag}>'
    )


PURPOSE = "<ia:Purpose>social-benefit</ia:Purpose>"
SUBJECT = '<ia:Subject kind="stir">200000004</ia:Subject>'


@pytest.mark.parametrize(
    "party", [None, RepresentedParty(party_class="COM", code="UZ-7"), RepresentedParty(party_class=None, code="UZ-7")]
)
def test_personal_data_that_is_written_is_read_again(party: RepresentedParty | None) -> None:
    data = replace(personal_data(), issue="case 4/26", represented_party=party, emergency="<fire> & smoke")
    assert read_personal_data(etree.fromstring(render_personal_data(data))) == data


def test_an_emergency_stands_where_the_schemas_have_it() -> None:
    data = replace(personal_data(), issue="case 4/26", emergency="a child is missing")
    peers, clients = (etree.XMLSchema(etree.parse(contract_path(f"xsd/{name}.xsd"))) for name in ("envelope", "client"))
    peers.assertValid(etree.fromstring(render_personal_data(data)))
    context = etree.fromstring(
        f'<RequestContext xmlns="{names.CLIENT}"><Purpose>social-benefit</Purpose><Issue>4/26</Issue>'
        "<Emergency>a child is missing</Emergency></RequestContext>"
    )
    clients.assertValid(context)
    assert read_request_context(context).emergency == data.emergency


def test_personal_data_may_be_a_purpose_alone() -> None:
    data = PersonalData(purpose=personal_data().purpose)
    assert read_personal_data(etree.fromstring(render_personal_data(data))) == data


@pytest.mark.parametrize(
    "inner",
    [
        "",
        SUBJECT,
        SUBJECT + PURPOSE,
        PURPOSE + PURPOSE,
        f'{PURPOSE}<ia:LegalBasis kind="law">395</ia:LegalBasis>{SUBJECT}',
        f"{PURPOSE}<ia:Issue>1</ia:Issue><ia:Consent>c</ia:Consent>",
        f"{PURPOSE}<ia:Consent>c</ia:Consent><ia:Consent>c</ia:Consent>",
        f"{PURPOSE}<ia:Emergency>now</ia:Emergency><ia:Emergency>now</ia:Emergency>",
        f"{PURPOSE}<ia:Emergency>now</ia:Emergency><ia:Issue>1</ia:Issue>",
        f'{PURPOSE}<Subject xmlns="urn:x" kind="stir">200000004</Subject>',
        f"{PURPOSE}<ia:Note>x</ia:Note>",
    ],
)
def test_personal_data_has_its_children_once_and_in_order(inner: str) -> None:
    with pytest.raises(EnvelopeRefused, match="unknown, missing, repeated or out of order"):
        read_personal_data(personal_data_block(inner))


def test_personal_data_about_more_subjects_than_the_bound_is_refused() -> None:
    assert len(read_personal_data(personal_data_block(PURPOSE + SUBJECT * MAX_SUBJECTS)).subjects) == MAX_SUBJECTS
    with pytest.raises(EnvelopeRefused, match="more than 1000 subjects"):
        read_personal_data(personal_data_block(PURPOSE + SUBJECT * (MAX_SUBJECTS + 1)))


def test_another_block_is_not_read_as_personal_data() -> None:
    with pytest.raises(EnvelopeRefused, match="not a PersonalData block"):
        read_personal_data(personal_data_block(PURPOSE, "Attachments"))


def test_a_value_that_has_no_place_on_the_wire_is_not_written() -> None:
    data = replace(personal_data(), legal_basis=LegalBasis(kind='x" y="', reference="395"))
    with pytest.raises(EnvelopeRefused, match="LegalBasis has a wrong form"):
        render_personal_data(data)


def test_another_block_is_not_read_as_exchange() -> None:
    with pytest.raises(EnvelopeRefused, match="not an Exchange block"):
        read_exchange_header(personal_data_block(PURPOSE))


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        write_instant(datetime(2026, 3, 2, 9, 0, 0))  # noqa: DTZ001  that is the mistake


def test_a_time_of_another_zone_is_written_as_utc() -> None:
    tashkent = timezone(timedelta(hours=5))
    assert write_instant(datetime(2026, 3, 2, 9, 0, 0, 999, tzinfo=tashkent)) == "2026-03-02T04:00:00.000Z"


# --- what only the second gate reads, after decryption ---------------------------------------------------------------


def confirmation(attributes: str, content: str = "", tag: str = "SignatureConfirmation") -> etree._Element:
    return etree.fromstring(
        f'<c:{tag} xmlns:c="{names.WSSE11}" xmlns:wsu="{names.WSU}" wsu:Id="c"{attributes}>{content}</c:{tag}>'
    )


def test_a_confirmation_repeats_the_value_of_a_signature() -> None:
    assert read_confirmation(confirmation(' Value="AQID"')) == b"\x01\x02\x03"


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (confirmation(' Value="AQID"', tag="Signature"), "where the SignatureConfirmation must be"),
        (confirmation(' Value=""'), "without a value"),
        (confirmation(""), "lacks the attribute Value"),
        (confirmation(' Value="A*"'), "base64"),
        (confirmation(' Value="AQID"', "<x/>"), "must be empty"),
        (confirmation(' Value="AQID"', "x"), "must be empty"),
        (confirmation(' Value="AQID" Id="c"'), "not allowed"),
    ],
)
def test_anything_else_is_no_confirmation(element: etree._Element, reason: str) -> None:
    with pytest.raises(EnvelopeRefused, match=reason):
        read_confirmation(element)


def test_what_is_not_encrypted_data_is_not_read_as_such() -> None:
    key = etree.fromstring(f'<x:EncryptedKey xmlns:x="{names.XENC}" Id="a" Type="{names.TYPE_ELEMENT}"/>')
    with pytest.raises(EnvelopeRefused, match="where EncryptedData must be"):
        read_encrypted_data(key, content_type=names.TYPE_ELEMENT, ids=Ids(), max_chars=100)


def prefix_list(value: str) -> etree._Element:
    element = etree.Element("InclusiveNamespaces")
    element.set("PrefixList", value)
    return element


def test_a_prefix_list_names_each_prefix_once() -> None:
    assert read_prefix_list(prefix_list("xs  xsi ds")) == ("xs", "xsi", "ds")
    assert read_prefix_list(prefix_list("")) == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a" * 1025, "longer than 1024"),
        (" ".join(f"p{at}" for at in range(17)), "more than 16"),
        ("xs ds xs", "twice"),
        ("#default", "not a prefix"),
        ("xs 1x", "not a prefix"),
    ],
)
def test_another_prefix_list_is_refused(value: str, reason: str) -> None:
    with pytest.raises(EnvelopeRefused, match=reason):
        read_prefix_list(prefix_list(value))


def test_an_element_that_no_document_has_is_on_no_line() -> None:
    element = etree.Element("a")
    check_empty(element)
    assert line_of(element) == 0
    assert line_of(etree.fromstring("<a>\n<b/></a>")[0]) == 2


NAMES = (("court", "Суд & <1>"), ("date", "2026-01-02"), ("number", '7 "a"'))


def test_what_a_legal_basis_names_apart_is_carried_in_canonical_form() -> None:
    data = replace(personal_data(), legal_basis=LegalBasis(kind="court-order", reference="r", names=NAMES))
    octets = render_personal_data(data)
    element = etree.fromstring(octets)
    assert read_personal_data(element) == data
    assert canonical(element) == octets


@pytest.mark.parametrize(
    "names", [(("date", "2026-02-30"),), (("until", "tomorrow"),), (("date", "20260102"),), (("court", ""),)]
)
def test_a_name_of_a_legal_basis_that_has_not_its_form_is_refused(names: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(EnvelopeRefused):
        render_personal_data(replace(personal_data(), legal_basis=LegalBasis(kind="law", reference="r", names=names)))

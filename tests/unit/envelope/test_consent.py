"""A person's consent as an element: what is written is read back, and whatever else it says is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.envelope.consent import Consent, Organisation, read_consent, render_consent
from adapter.errors import EnvelopeRefused
from adapter.identifiers import ServiceId, SubjectId, SubsystemId
from adapter.released_fields import ReleasedFields
from tests.get_person import PINFL

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SERVICE = "UZ/GOV/200000001/population/GetPerson/v1"
FIELDS = ReleasedFields(namespaces=(("p", "urn:person"),), released=("p:Person/p:Surname",))
GOOD = Consent(
    id="K-17",
    issuer=SubsystemId.parse("UZ/GOV/200000002/consents"),
    operator=Organisation(name="Social protection", stir="200000003"),
    subject=SubjectId("pinfl", PINFL),
    purposes=frozenset({"benefit"}),
    data=((ServiceId.parse(SERVICE), FIELDS),),
    issued=NOW,
    valid_from=NOW,
    valid_until=NOW + timedelta(days=30),
    third_parties=(Organisation(name="Bank", stir="300000001"),),
)
WRITTEN = render_consent(GOOD).decode()
FIELD = "<con:Field>p:Person/p:Surname</con:Field>"
NAMESPACE = '<con:Namespace prefix="p">urn:person</con:Namespace>'
ID = "<con:Id>K-17</con:Id>"
PURPOSE = "<con:Purpose>benefit</con:Purpose>"
DATA = f'<con:Data service="{SERVICE}">{NAMESPACE}{FIELD}</con:Data>'
STIR = "<con:Stir>200000003</con:Stir>"


def read(text: str) -> Consent:
    return read_consent(etree.fromstring(text))


def test_what_is_written_is_read_back() -> None:
    assert read(WRITTEN) == GOOD


def test_without_a_field_the_consent_is_for_the_whole_document() -> None:
    assert read(WRITTEN.replace(FIELD, "").replace(NAMESPACE, "")).data == ((ServiceId.parse(SERVICE), None),)


WRONG = {
    "another element": ("con:Consent ", "con:Other ", "not a Consent"),
    "an unknown child": (ID, f"<con:Other/>{ID}", "Consent has a child that is unknown or out of order"),
    "out of order": (PURPOSE + DATA, DATA + PURPOSE, "Consent has a child that is unknown or out of order"),
    "twice": (ID, ID + ID, "Consent has Id too seldom or too often"),
    "too seldom": (PURPOSE, "", "Consent has Purpose too seldom or too often"),
    "too often": (PURPOSE, PURPOSE * 33, "Consent has Purpose too seldom or too often"),
    "no term": ("2026-04-01T", "2026-03-02T", "the consent ends before it begins"),
    "neither true nor false": (">true</con:Revocable>", ">yes</con:Revocable>", "Revocable is neither true nor false"),
    "an organisation without a number": (STIR, "", "Operator must have exactly: Name, Stir"),
    "a number of another form": (STIR, STIR.replace("200000003", "20000000x"), "Stir has a wrong form"),
    "a service twice": (DATA, DATA + DATA, "Consent names a service twice"),
    "something else in the data": (FIELD, f"{FIELD}<con:Other/>", "Data has something else than Namespace and Field"),
    "a namespace behind a field": (
        NAMESPACE + FIELD,
        FIELD + NAMESPACE,
        "Data has something else than Namespace and Field",
    ),
    "a prefix twice": (NAMESPACE, NAMESPACE + NAMESPACE, "Data names a prefix twice"),
    "a prefix of nothing": (NAMESPACE, "", "Data: 'p:Person/p:Surname' uses a prefix that is not in the table: p"),
    "a field twice": (FIELD, FIELD + FIELD, "Data: a field is named twice"),
    "an id of another form": (ID, ID.replace("K-17", "K/17"), "Id has a wrong form"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_else_it_says_is_refused(wrong: str) -> None:
    there, instead, reason = WRONG[wrong]
    assert there in WRITTEN
    text = WRITTEN.replace(there, instead)
    if wrong == "another element":
        text = text.replace("</con:Consent>", "</con:Other>")
    with pytest.raises(EnvelopeRefused) as refusal:
        read(text)
    assert refusal.value.reason == reason


def test_names_of_the_elements_are_of_the_namespace() -> None:
    with pytest.raises(EnvelopeRefused, match="not a Consent"):
        read(WRITTEN.replace(names.CONSENT, "urn:other"))

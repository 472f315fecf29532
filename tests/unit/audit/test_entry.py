"""What entries say in the cases that hardly ever happen."""

import json
from dataclasses import replace

import pytest

from adapter.audit.admin import admin_entry
from adapter.audit.document import document_of
from adapter.audit.entry import INTERRUPTED, EntryMaker, interrupted_entry, turned_away_entry
from adapter.audit.subjects import subject_tag
from adapter.errors import EnvelopeRefused
from adapter.identifiers import MemberId, MessageId, Purpose, RecordNumber, SubsystemId
from adapter.ports import Entry
from adapter.stages import LegalBasis, Peer, PersonalData, ReceivedMessage, RepresentedParty, VerifiedMessage
from tests.pki import NOW
from tests.unit.policy.test_freshness import HEADER, trusted

OWN = MemberId.parse("UZ/GOV/200000001")
KEY = bytes(32)
MAKER = EntryMaker(own=OWN, subject_key=KEY)


def test_an_exchange_that_was_cut_off_is_found_by_its_id_and_its_outcome_is_unknown():
    message_id = MessageId.new(NOW)
    consumer = SubsystemId.parse("UZ/GOV/200000003/social")
    entry = interrupted_entry(OWN, consumer=consumer, message_id=message_id, request_number=RecordNumber(7), now=NOW)
    assert (entry.kind, entry.message_id, entry.consumer, entry.outcome) == (
        INTERRUPTED,
        str(message_id),
        str(consumer),
        "unknown",
    )
    assert json.loads(document_of(entry).text)["request_entry"] == 7


def test_an_administrative_act_names_the_officer_and_what_was_done():
    entry = admin_entry("access-granted", officer="officer-1", at=NOW, details={"rule": "r1"})
    assert (entry.kind, entry.outcome, entry.at) == ("admin", "access-granted", NOW)
    said = json.loads(document_of(entry).text)
    assert (said["officer"], said["details"]) == ("officer-1", {"rule": "r1"})


def test_what_was_turned_away_is_counted_and_is_of_no_exchange():
    entry = turned_away_entry(OWN, said={"peer": "192.0.2.1", "requests": 40}, now=NOW)
    assert (entry.kind, entry.outcome, entry.at) == ("turned-away", "turned away", NOW)
    assert (entry.message_id, entry.consumer, entry.service) == (None, None, None)
    said = json.loads(document_of(entry).text)
    assert (said["by"], said["peer"], said["requests"]) == (str(OWN), "192.0.2.1", 40)


@pytest.mark.parametrize("certificate", [None, b"\x01" * 32])
def test_a_refusal_on_a_plain_connection_names_no_certificate(certificate):
    peer = Peer(certificate_sha256=certificate, address="192.0.2.1")
    entry = MAKER.refused(
        ReceivedMessage(octets=b"<", received_at=NOW, peer=peer),
        claimed=HEADER,
        verified=None,
        request=None,
        fault=None,
        error=EnvelopeRefused("odd"),
        incident="i-1",
        now=NOW,
    )
    assert entry.body.get("tls_sha256") == (None if certificate is None else certificate.hex())
    assert entry.body["from"] == "192.0.2.1"
    assert entry.body["claimed"]["message_id"] == str(HEADER.message_id)
    assert "message_id" not in entry.body


def refusal_of(verified: VerifiedMessage) -> Entry:
    """The entry of a request that was verified and refused."""
    return MAKER.refused(
        verified.received,
        claimed=None,
        verified=verified,
        request=None,
        fault=None,
        error=EnvelopeRefused("odd"),
        incident="i-1",
        now=NOW,
    )


@pytest.mark.parametrize("party_class", [None, "COM"])
def test_a_represented_party_is_in_no_entry_in_clear(party_class):
    party = RepresentedParty(party_class=party_class, code="30101900000010")
    entry = refusal_of(
        replace(trusted().verified, personal_data=PersonalData(purpose=Purpose("benefit"), represented_party=party))
    )
    said = entry.body["represented_party"]
    assert said.get("class") == party_class
    assert said["code"] == subject_tag(KEY, f"party:{party_class or ''}", party.code)
    assert party.code not in document_of(entry).text


def test_the_reason_of_an_emergency_is_in_no_entry_in_clear():
    verified = replace(
        trusted().verified, personal_data=PersonalData(purpose=Purpose("benefit"), emergency="a child is missing")
    )
    entry = refusal_of(verified)
    assert entry.body["emergency"] == {"reason": subject_tag(KEY, "emergency:reason", "a child is missing")}
    assert "missing" not in document_of(entry).text
    assert "missing" not in repr(verified)
    assert MAKER._why(PersonalData(purpose=Purpose("benefit")))["emergency"] is None


def test_what_a_legal_basis_names_apart_is_in_the_entry_the_last_day_of_an_order_too():
    names = (("document", "order 7"), ("until", "2026-12-31"))
    basis = LegalBasis(kind="secret-inquiry", reference="inquiry 7", names=names)
    said = MAKER._why(PersonalData(subjects=(), legal_basis=basis, consent=None, purpose=Purpose("inquiry")))
    assert said["legal_basis"] == {"kind": "secret-inquiry", "reference": "inquiry 7", **dict(names)}

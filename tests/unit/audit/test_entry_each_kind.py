"""What the entry of each instant of an exchange says, and by what it is found afterwards."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import cast

import pytest
from lxml import etree

from adapter.attachments import Attachment, HeldAttachment, HeldAttachments, SealedOctets
from adapter.audit.entry import EntryMaker
from adapter.audit.subjects import subject_tag
from adapter.errors import AccessDenied, Problem, SchemaInvalid
from adapter.identifiers import MemberId, MessageId, RecordNumber
from adapter.policy.clients import ContextRule
from adapter.ports import Entry
from adapter.stages import (
    AuthorizedRequest,
    CorrelatedReply,
    FreshRequest,
    ProvenAttachments,
    RecordedCall,
    RecordedRequest,
    ReleasedAnswer,
    SealedMessage,
    ValidReply,
    ValidRequest,
)
from tests.unit.policy.test_decision import CONSUMER, FACTS, NOW, SERVICE, SUBJECT
from tests.unit.policy.test_freshness import ASKED, HEADER, trusted
from tests.unit.policy.test_outgoing import FIXED, authorized

KEY = bytes(range(32))
MAKER = EntryMaker(own=MemberId.parse("UZ/GOV/200000001"), subject_key=KEY)
SEEN = {"kind", "by", "at", "outcome", "v"}
SCAN = Attachment(content_id="scan@x", media_type="image/png", size=17, sha256=b"\x17" * 32, name="Karimova.png")
SCAN_SAID = [{"id": "scan@x", "media_type": "image/png", "size": 17, "sha256": "17" * 32}]
SEALED = SealedMessage(
    octets=b"<sealed/>", header=HEADER, signature_value=b"s" * 64, signed_digest=b"\x5e" * 32, content_key=b"k" * 16
)
WITH_SCAN = replace(
    SEALED,
    attachments=HeldAttachments(
        content_key=b"k" * 16, held=(HeldAttachment(said=SCAN, sealed=cast("SealedOctets", None)),)
    ),
)
REPLY = replace(HEADER, message_id=MessageId.new(NOW), in_reply_to=ASKED, record_number=RecordNumber(91))
CALL = authorized(ContextRule(**FIXED, official="inspector-7", subject_xpath=etree.XPath("whom")))
SENT = RecordedCall(authorized=CALL, sealed=SEALED, record_number=RecordNumber(6))
MESSAGE = replace(trusted(), verified=replace(trusted().verified, personal_data=FACTS.personal_data))
REQUEST = AuthorizedRequest(
    valid=ValidRequest(
        fresh=FreshRequest(message=MESSAGE, consumer=CONSUMER), operation="GetPerson", input_element="a"
    ),
    rule_id="r1",
    policy_version=7,
    fields=None,
)
WHOLE = ReleasedAnswer(payload=etree.Element("Answer"))
RELEASED = RecordedRequest(
    authorized=REQUEST,
    proven=ProvenAttachments(message=MESSAGE.verified, attachments=HeldAttachments(content_key=b"k" * 16, held=())),
    record_number=RecordNumber(4),
)


def digest(octets: bytes) -> str:
    return sha256(octets).hexdigest()


def found_by(entry: Entry) -> tuple[str | None, str | None, str | None]:
    return entry.message_id, entry.consumer, entry.service


EXCHANGE = (str(ASKED), str(CONSUMER), str(SERVICE))


# --- the consumer's side ---------------------------------------------------------------------------------------------


def test_a_call_that_leaves() -> None:
    call = replace(CALL, header=HEADER)
    entry = MAKER.request_sent(call, SEALED, NOW)
    assert (entry.kind, entry.outcome, found_by(entry)) == ("request-sent", "sent", EXCHANGE)
    said = entry.body
    assert (said["client"], said["octets_sha256"], said["signed_sha256"]) == ("old", digest(b"<sealed/>"), "5e" * 32)
    assert (said["purpose"], said["legal_basis"]) == ("benefit", {"kind": "law", "reference": ""})
    assert not {"client_message_id", "type_checked", "attachments", "represented_party", "consent"} & said.keys()


def test_a_call_that_leaves_with_all_that_may_be_said_of_it() -> None:
    parsed = replace(CALL.valid.parsed, client_message_id="old-17")
    call = replace(CALL, valid=replace(CALL.valid, parsed=parsed, type_checked=False), header=HEADER)
    said = MAKER.request_sent(call, WITH_SCAN, NOW).body
    assert (said["client_message_id"], said["type_checked"], said["attachments"]) == ("old-17", False, SCAN_SAID)
    assert "Karimova" not in str(said)


@pytest.mark.parametrize("outcome", ["answered", "AccessDenied"])
def test_a_reply_that_is_handed_over(outcome: str) -> None:
    verified = replace(trusted(REPLY).verified, attachments=(SCAN,))
    message = replace(trusted(REPLY), verified=verified, directory_version=12)
    reply = ValidReply(correlated=CorrelatedReply(message=message), is_fault=outcome != "answered")
    entry = MAKER.reply_received(reply, SENT, outcome, NOW)
    assert (entry.kind, entry.outcome, found_by(entry)) == ("reply-received", outcome, EXCHANGE)
    said = entry.body
    assert (said["message_id"], said["in_reply_to"]) == (str(REPLY.message_id), str(ASKED))
    assert (said["directory"], said["peer_record"], said["request_entry"]) == (12, 91, 6)
    assert (said["signed_sha256"], said["attachments"]) == ((b"d" * 32).hex(), SCAN_SAID)


def test_a_refused_call_says_all_that_was_known_by_then() -> None:
    received = replace(CALL.valid.parsed.identified.received, octets=b"<call/>")
    problems = tuple(Problem(line=at, column=1, element="a", rule="r", text="private") for at in range(30))
    known = {"error": SchemaInvalid("not what it should be", problems=problems), "incident": "i-1", "now": NOW}

    nothing = MAKER.call_refused(received, identified=None, authorized=None, sent=None, **known)  # type: ignore[arg-type]
    assert (nothing.kind, nothing.outcome, nothing.incident) == ("call-refused", SchemaInvalid.code, "i-1")
    assert found_by(nothing) == (None, None, str(SERVICE))
    assert (nothing.body["octets_sha256"], nothing.body["from"]) == (digest(b"<call/>"), "127.0.0.1")
    assert (nothing.body["reason"], nothing.body["service"]) == ("not what it should be", str(SERVICE))
    assert nothing.body["problems"] == [{"line": at, "column": 1, "element": "a", "rule": "r"} for at in range(20)]
    assert not {"client", "consumer", "message_id", "request_entry"} & nothing.body.keys()

    identified = CALL.valid.parsed.identified
    client = MAKER.call_refused(received, identified=identified, authorized=None, sent=None, **known)  # type: ignore[arg-type]
    assert (client.body["client"], found_by(client)) == ("old", (None, str(CONSUMER), str(SERVICE)))

    call = replace(CALL, header=HEADER)
    all_of_it = MAKER.call_refused(received, identified=identified, authorized=call, sent=SENT, **known)  # type: ignore[arg-type]
    assert (all_of_it.body["request_entry"], all_of_it.body["purpose"]) == (6, "benefit")
    assert found_by(all_of_it) == EXCHANGE


# --- the provider's side ---------------------------------------------------------------------------------------------


def test_a_request_that_is_released() -> None:
    entry = MAKER.request_received(REQUEST, NOW)
    assert (entry.kind, entry.outcome, found_by(entry)) == ("request-received", "released", EXCHANGE)
    said = entry.body
    assert (said["rule"], said["policy"], said["directory"]) == ("r1", 7, 1)
    assert said["subjects"] == [subject_tag(KEY, SUBJECT.kind, SUBJECT.value)]
    assert SUBJECT.value not in str(said)
    assert "type_checked" not in said
    unchecked = replace(REQUEST, valid=replace(REQUEST.valid, type_checked=False))
    assert MAKER.request_received(unchecked, NOW).body["type_checked"] is False


def test_a_legal_basis_that_was_not_given_is_not_made_up() -> None:
    assert FACTS.personal_data is not None
    data = replace(FACTS.personal_data, legal_basis=None)
    verified = replace(MESSAGE.verified, personal_data=data)
    fresh = replace(REQUEST.valid.fresh, message=replace(MESSAGE, verified=verified))
    said = MAKER.request_received(replace(REQUEST, valid=replace(REQUEST.valid, fresh=fresh)), NOW).body
    assert "legal_basis" not in said
    assert said["purpose"] == "benefit"


def test_an_answer_that_leaves() -> None:
    entry = MAKER.reply_sent(RELEASED, WHOLE, replace(WITH_SCAN, header=REPLY), NOW)
    assert (entry.kind, entry.outcome, found_by(entry)) == ("reply-sent", "answered", EXCHANGE)
    assert (entry.body["request_entry"], entry.body["attachments"]) == (4, SCAN_SAID)
    assert not {"subjects", "fields", "fields_replaced"} & entry.body.keys()


def test_an_answer_of_which_a_rule_lets_out_some_fields() -> None:
    answer = replace(WHOLE, released=("p:R/p:A", "p:R/p:B"), replaced=(("p:R/p:C", "year"),))
    entry = MAKER.reply_sent(RELEASED, answer, replace(WITH_SCAN, header=REPLY), NOW)
    assert entry.body["fields"] == ["p:R/p:A", "p:R/p:B"]
    assert entry.body["fields_replaced"] == [["p:R/p:C", "year"]]


def test_an_answer_of_which_nothing_was_let_out() -> None:
    entry = MAKER.reply_sent(RELEASED, replace(WHOLE, released=()), replace(WITH_SCAN, header=REPLY), NOW)
    assert entry.body["fields"] == []


@pytest.mark.parametrize("reply_entry", [5, None])
def test_a_retry_names_the_reply_that_it_got(reply_entry: int | None) -> None:
    entry = MAKER.retry_answered(MESSAGE.verified, reply_entry, NOW)
    assert (entry.kind, entry.outcome, found_by(entry)) == ("retry-answered", "answered again", EXCHANGE)
    assert entry.body.get("reply_entry") == reply_entry
    assert entry.body["signed_sha256"] == (b"d" * 32).hex()


def test_a_refused_message_of_which_nothing_is_known() -> None:
    entry = MAKER.refused(
        MESSAGE.verified.received,
        claimed=None,
        verified=None,
        request=None,
        fault=None,
        error=AccessDenied("x" * 600),
        incident="i-2",
        now=NOW,
    )
    assert (entry.kind, entry.outcome, entry.incident, found_by(entry)) == (
        "refused",
        AccessDenied.code,
        "i-2",
        (None, None, None),
    )
    assert entry.body.keys() == {*SEEN, "octets_sha256", "from", "reason", "blame", "incident"}
    assert entry.body["reason"] == "x" * 500


def test_a_refused_message_that_says_nothing_of_persons() -> None:
    entry = MAKER.refused(
        MESSAGE.verified.received,
        claimed=None,
        verified=replace(MESSAGE.verified, personal_data=None),
        request=None,
        fault=None,
        error=AccessDenied("the request has no PersonalData header"),
        incident="i-4",
        now=NOW,
    )
    assert found_by(entry) == EXCHANGE
    assert not {"purpose", "subjects", "legal_basis"} & entry.body.keys()


def test_a_refused_message_of_which_all_is_known() -> None:
    entry = MAKER.refused(
        MESSAGE.verified.received,
        claimed=replace(HEADER, operation="Claimed"),
        verified=MESSAGE.verified,
        request=RELEASED,
        fault=SEALED,
        error=AccessDenied("no rule"),
        incident="i-3",
        now=NOW,
    )
    said = entry.body
    assert found_by(entry) == EXCHANGE
    assert (said["operation"], said["request_entry"]) == ("GetPerson", 4)
    assert (said["reply_octets_sha256"], said["reply_signed_sha256"]) == (digest(b"<sealed/>"), "5e" * 32)
    assert "claimed" not in said

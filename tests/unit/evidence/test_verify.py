"""Evidence holds when nothing was changed, and falls, naming the file, whatever was."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.errors import EvidenceInvalid
from adapter.evidence.asic import MANIFEST, open_asic, render_asic, sign_files
from adapter.evidence.container import MIMETYPE, read_container
from adapter.evidence.contents import CHECKPOINT, CLAIMS, DIRECTORY_TARGETS, DIRECTORY_XML
from adapter.evidence.messages import SignedMessage, check_answers, open_message
from adapter.evidence.verify import verify_evidence
from adapter.evidence.xades import SIGNATURES
from adapter.identifiers import MessageId
from adapter.ports import KeptMessage
from adapter.stages import MessageKind
from tests.get_person import PINFL, emergency_call, get_person, soap
from tests.pki import NOW, Federation
from tests.repository import Repository
from tests.two_sides import TwoSides, fault_code, two_sides
from tests.unit.evidence.exchanges import OTHERS, Exported, exported_by, repacked, signing_key_of

ENTRY, PROOF = "record/entry-5.json", "record/proof-5.json"
FILES = (
    MIMETYPE,
    MANIFEST,
    SIGNATURES,
    CLAIMS,
    "messages/request.xml",
    "messages/request.key",
    "messages/request.cer",
    "messages/reply.xml",
    "messages/reply.key",
    "messages/reply.cer",
    ENTRY,
    PROOF,
    CHECKPOINT,
    DIRECTORY_XML,
    DIRECTORY_TARGETS,
    "directory/1.root.json",
)


def judge(federation: Federation, container: bytes):
    return verify_evidence(container, federation.anchor)


# --- what holds ------------------------------------------------------------------------------------------------------


def test_the_evidence_of_both_sides_holds_in_every_suite(in_each_suite: TwoSides) -> None:
    federation = in_each_suite.federation
    for member, record in (
        (federation.social, in_each_suite.consumer_record),
        (federation.population, in_each_suite.provider_record),
    ):
        judgement = judge(federation, exported_by(in_each_suite, member, record).container())
        assert judgement.exporter == member.id
        assert judgement.consumer == federation.social.subsystem
        assert judgement.service == federation.population.service
        assert "GetPerson" in judgement.request.decode()
        assert judgement.reply is not None
        assert "Каримов" in judgement.reply.decode()


def test_the_judgement_says_who_stands_behind_what(federation: Federation, of_provider: Exported) -> None:
    said = [(one.by, one.what, one.file) for one in judge(federation, of_provider.container()).statements]
    who = [by for by, _, _ in said]
    assert [re.findall(r"UZ/GOV/\d+", by) for by in who[:2]] == [["UZ/GOV/200000003"], ["UZ/GOV/200000001"]]
    assert "purpose “benefit”" in said[0][1]
    assert "legal basis “law”: “ZRU-395”" in said[0][1]
    assert "answers exactly this request" in said[1][1]
    assert "received, verified and allowed" in said[2][1]
    assert [file for _, _, file in said] == [
        "messages/request.xml",
        "messages/reply.xml",
        ENTRY,
        "record/entry-6.json",
        CHECKPOINT,
        DIRECTORY_XML,
        SIGNATURES,
    ]


async def test_the_judgement_says_that_it_was_an_emergency_and_not_why(federation: Federation) -> None:
    sides = two_sides(federation)
    sides.rules = (replace(sides.rules[0], emergency_officials=frozenset({"inspector-7"})),)
    assert fault_code(await sides.call(emergency_call("a child is missing"))) == "answered"
    for member, record in (
        (federation.social, sides.consumer_record),
        (federation.population, sides.provider_record),
    ):
        statements = judge(federation, exported_by(sides, member, record).container()).statements
        assert "“ZRU-395”, in an emergency" in statements[0].what
        assert "missing" not in repr(statements)


def test_the_statements_hold_no_identifier_of_the_person(federation: Federation, of_provider: Exported) -> None:
    assert PINFL not in repr(judge(federation, of_provider.container()).statements)


def test_equal_exports_are_equal_octets(of_provider: Exported) -> None:
    """What is signed; a signature itself differs, where its suite draws a random number."""
    files = of_provider.files()
    assert files == of_provider.files()
    signature = sign_files(files, signing_key_of(of_provider.member), NOW)
    assert render_asic(files, signature) == render_asic(files, signature)


def test_a_request_without_its_reply_is_evidence_too(federation: Federation, of_provider: Exported) -> None:
    judgement = judge(federation, of_provider.but(reply=None).container())
    assert judgement.reply is None


async def test_a_refused_request_is_evidence_of_the_refusal(federation: Federation) -> None:
    sides = two_sides(federation)
    sides.rules = ()
    assert fault_code(await sides.call()) == "AccessDenied"
    exported = exported_by(sides, federation.population, sides.provider_record).but(reply=None)
    judgement = judge(federation, exported.container())
    refusal = next(one.what for one in judgement.statements if "refused this request" in one.what)
    assert "(AccessDenied)" in refusal


def test_a_later_directory_says_that_it_is_later(federation: Federation, of_provider: Exported) -> None:
    draft = federation.draft(version=2)
    later = replace(draft, issued=draft.issued + timedelta(days=2))
    proof = federation.signed(later)
    judgement = judge(federation, of_provider.but(directory=proof).container())
    assert "issued after the request" in next(one.what for one in judgement.statements if one.file == DIRECTORY_XML)


# --- a changed octet -------------------------------------------------------------------------------------------------


def test_every_octet_of_the_container_counts(federation: Federation, of_provider: Exported) -> None:
    """Of long files every 97th octet; of everything else, headers of the ZIP file and all, every one."""
    container = of_provider.container()
    files = [path for path, octets in read_container(container).items() if len(octets) > 200]
    long = [range(start, end) for start, end in places(container, tuple(files))]
    spots = [at for at in range(len(container)) if at % 97 == 0 or not any(at in span for span in long)]
    for at in spots:
        with pytest.raises(EvidenceInvalid):
            judge(federation, container[:at] + bytes([container[at] ^ 1]) + container[at + 1 :])


def places(container: bytes, paths: tuple[str, ...]):
    files = read_container(container)
    for path in paths:
        start = container.index(files[path])
        yield start, start + len(files[path])


@pytest.mark.parametrize("path", FILES)
def test_a_changed_octet_is_named_by_its_file(federation: Federation, of_provider: Exported, path: str) -> None:
    container = of_provider.container()
    start, end = next(places(container, (path,)))
    for at in (start, (start + end) // 2, end - 1):
        with pytest.raises(EvidenceInvalid, match=re.escape(path)):
            judge(federation, container[:at] + bytes([container[at] ^ 1]) + container[at + 1 :])


@pytest.mark.parametrize("path", [path for path in FILES if path not in (MIMETYPE, MANIFEST, SIGNATURES)])
def test_an_exporter_who_lies_is_refused(federation: Federation, of_provider: Exported, path: str) -> None:
    """Thirty octets of each file changed in one bit, under a good signature of the exporter."""
    container = of_provider.container()
    octets = open_asic(container).files[path]
    step = max(1, len(octets) // 30)
    for at in (*range(0, len(octets), step), len(octets) - 1):
        changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
        with pytest.raises(EvidenceInvalid):
            judge(federation, repacked(container, {path: changed}, of_provider.member))


# --- other forgeries -------------------------------------------------------------------------------------------------


def test_refuses_another_authority(federation: Federation, of_provider: Exported) -> None:
    stranger = Repository.make(NOW).anchor
    with pytest.raises(EvidenceInvalid, match=DIRECTORY_XML):
        verify_evidence(of_provider.container(), stranger)


def test_refuses_a_checkpoint_of_another_key(federation: Federation, of_provider: Exported) -> None:
    with pytest.raises(EvidenceInvalid, match=CHECKPOINT):
        judge(federation, of_provider.but(record_signer=federation.cadastre).container())


def test_refuses_a_checkpoint_of_another_record(federation: Federation, of_provider: Exported) -> None:
    with pytest.raises(EvidenceInvalid, match="another record"):
        judge(federation, of_provider.but(origin="interagency-adapter/UZ/GOV/200000002").container())


def test_refuses_an_exporter_whose_record_key_the_directory_does_not_name(
    federation: Federation, of_provider: Exported
) -> None:
    draft = federation.draft()
    member = replace(draft.members[federation.population.id], record_vkey=None)
    proof = federation.signed(replace(draft, members={**draft.members, member.id: member}))
    with pytest.raises(EvidenceInvalid, match="no record key"):
        judge(federation, of_provider.but(directory=proof).container())


def test_refuses_a_signer_whom_the_directory_does_not_name(federation: Federation, of_provider: Exported) -> None:
    draft = federation.draft()
    others = {key: member for key, member in draft.members.items() if key != federation.social.id}
    proof = federation.signed(replace(draft, members=others, groups={}))
    with pytest.raises(EvidenceInvalid, match=r"request\.xml"):
        judge(federation, of_provider.but(directory=proof).container())


def test_refuses_a_directory_that_had_expired(federation: Federation, of_provider: Exported) -> None:
    proof = federation.signed(federation.draft(valid_for=timedelta(minutes=30)))  # the exchange was an hour later
    with pytest.raises(EvidenceInvalid, match="expired"):
        judge(federation, of_provider.but(directory=proof).container())


def test_refuses_the_key_of_another_message(federation: Federation, of_provider: Exported) -> None:
    assert of_provider.reply is not None
    swapped = KeptMessage(
        direction="request", octets=of_provider.request.octets, content_key=of_provider.reply.content_key
    )
    with pytest.raises(EvidenceInvalid, match=r"request\.key"):
        judge(federation, of_provider.but(request=swapped).container())


def test_refuses_a_reply_in_place_of_the_request(federation: Federation, of_provider: Exported) -> None:
    reply = of_provider.reply
    assert reply is not None
    key = f"{reply.content_key.hex()}\n".encode()
    swapped = {"messages/request.xml": reply.octets, "messages/request.key": key}
    with pytest.raises(EvidenceInvalid, match=r"request\.xml"):
        judge(federation, repacked(of_provider.container(), swapped, of_provider.member))


async def test_refuses_the_reply_of_another_exchange(federation: Federation, of_provider: Exported) -> None:
    sides = two_sides(federation)
    await sides.call()
    other = exported_by(sides, federation.population, sides.provider_record)
    with pytest.raises(EvidenceInvalid, match=r"reply\.xml"):
        judge(federation, of_provider.but(reply=other.reply).container())


@pytest.fixture
def pair(federation: Federation, of_provider: Exported) -> tuple[SignedMessage, SignedMessage]:
    """The opened request and the opened reply to it."""
    assert of_provider.reply is not None
    kept = ((of_provider.request, MessageKind.REQUEST), (of_provider.reply, MessageKind.REPLY))
    keys = [f"{message.content_key.hex()}\n".encode() for message, _ in kept]
    request, reply = (
        open_message(message.octets, key, kind, federation.directory())
        for (message, kind), key in zip(kept, keys, strict=True)
    )
    check_answers(request, reply)
    return request, reply


@pytest.mark.parametrize("changed", ["in_reply_to", "operation", "claimed_consumer", "service", "confirmation", "none"])
def test_refuses_a_reply_that_does_not_answer_the_request(
    federation: Federation, pair: tuple[SignedMessage, SignedMessage], changed: str
) -> None:
    request, reply = pair
    verified, header = reply.verified, reply.verified.header
    other = {
        "in_reply_to": replace(verified, header=replace(header, in_reply_to=MessageId.new(NOW))),
        "operation": replace(verified, header=replace(header, operation="Other")),
        "claimed_consumer": replace(verified, header=replace(header, claimed_consumer=federation.cadastre.subsystem)),
        "service": replace(verified, header=replace(header, service=federation.cadastre.service)),
        "confirmation": replace(verified, confirmation=bytes(64)),
        "none": replace(verified, confirmation=None),
    }[changed]
    with pytest.raises(EvidenceInvalid, match=r"reply\.xml"):
        check_answers(request, replace(reply, verified=other))


def test_refuses_a_proof_in_another_form(federation: Federation, of_provider: Exported) -> None:
    container = of_provider.container()
    proof = open_asic(container).files[PROOF]
    for changed in (proof + b"\n", proof.replace(b"\n", b""), proof.replace(b"[", b'["",'), b'"ab"', b"{}", b"\xff"):
        with pytest.raises(EvidenceInvalid, match="proof-5"):
            judge(federation, repacked(container, {PROOF: changed}, of_provider.member))


async def test_refuses_the_record_of_another_exchange(federation: Federation, of_provider: Exported) -> None:
    sides = two_sides(federation)
    await sides.call()
    other = exported_by(sides, federation.population, sides.provider_record)
    with pytest.raises(EvidenceInvalid, match="another exchange"):
        judge(federation, of_provider.but(entries=other.entries).container())


def test_refuses_another_message_id_in_the_claims(federation: Federation, of_provider: Exported) -> None:
    with pytest.raises(EvidenceInvalid, match="names"):
        judge(federation, of_provider.but(message_id=MessageId.new(NOW)).container())


def test_refuses_the_consumers_entries_in_the_providers_name(
    federation: Federation, of_provider: Exported, of_consumer: Exported
) -> None:
    with pytest.raises(EvidenceInvalid, match="not an entry"):
        judge(federation, of_provider.but(entries=of_consumer.entries).container())


@pytest.mark.parametrize("kept", [0, 1])
def test_refuses_a_message_that_no_entry_fixes(federation: Federation, of_provider: Exported, kept: int) -> None:
    with pytest.raises(EvidenceInvalid, match="no entry of the record fixes"):
        judge(federation, of_provider.but(entries=(of_provider.entries[kept],)).container())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (r'"octets_sha256":"[0-9a-f]', '"octets_sha256":"x', "fixes another"),
        (r'"signed_sha256":"[0-9a-f]', '"signed_sha256":"x', "fixes another"),
        (r'"by":"[^"]*"', '"by":"UZ/GOV/200000003"', "not an entry of"),
        (r'"consumer":"[^"]*"', '"consumer":"UZ/GOV/200000003/other"', "another exchange"),
        (r'"service":"[^"]*"', '"service":"UZ/GOV/200000001/population/Other/v1"', "another exchange"),
        (r'"kind":"(request|reply)-[a-z]*"', '"kind":"admin"', "not an entry"),
        (r'"kind":"(request|reply)-[a-z]*"', '"kind":"request-sent"', "not an entry"),
        (r'"kind":"(request|reply)-[a-z]*"', '"kind":["x"]', "no kind"),
        (r'"outcome":"[^"]*"', '"outcome":"good, says the court"', "no word"),
        (r'"at":"[^"]*"', '"at":"now"', "entry-5"),
        (r'"at":"[^"]*"', '"at":"2026-03-02T09:00:00"', "entry-5"),
        (r"^.*$", "[]", "entry-5"),
        (r"^.*$", "{", "entry-5"),
    ],
)
def test_refuses_a_record_that_says_something_else(
    federation: Federation, of_provider: Exported, old: str, new: str, reason: str
) -> None:
    """The exporter holds the record's key: what it says has to fit the messages, however well it is proved."""
    container = of_provider.container(change_entry=lambda text: re.sub(old, new, text, count=1))
    with pytest.raises(EvidenceInvalid, match=reason):
        judge(federation, container)


def test_refuses_an_entry_under_another_number(federation: Federation, of_provider: Exported) -> None:
    container = of_provider.container()
    files = open_asic(container).files
    renumbered = {ENTRY: None, PROOF: None, "record/entry-7.json": files[ENTRY], "record/proof-7.json": files[PROOF]}
    with pytest.raises(EvidenceInvalid, match="entry-7"):
        judge(federation, repacked(container, renumbered, of_provider.member))


def test_refuses_a_foreign_entry_although_it_is_in_the_record(federation: Federation, of_provider: Exported) -> None:
    with pytest.raises(EvidenceInvalid, match="not an entry"):
        judge(federation, of_provider.but(entries=(*of_provider.entries, OTHERS[0])).container())


async def test_refuses_a_message_of_a_client_system(federation: Federation, of_provider: Exported) -> None:
    plain = soap("", get_person()).encode()
    with pytest.raises(EvidenceInvalid, match=r"request\.xml"):
        judge(federation, repacked(of_provider.container(), {"messages/request.xml": plain}, of_provider.member))

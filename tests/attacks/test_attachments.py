"""What a hostile peer, or somebody on the way, does to attachments: nothing of it reaches the information system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from adapter.attachments import Attachment, HeldAttachments
from adapter.crypto import seal as sealing
from adapter.crypto import templates
from adapter.envelope import attachments_header
from adapter.errors import ScanUnavailable
from adapter.exchange.attachments import ScanRule
from adapter.exchange.parts import NO_ATTACHMENTS, AttachmentBounds
from adapter.stages import BackendAnswer, RecordedRequest
from adapter.store.spool import SpoolHolding
from tests.attachment_messages import BOUNDS, FILES, KEY, Spool, ciphertexts, held, post, sealed_with, takes_attachments
from tests.get_person import ANSWER
from tests.pki import Federation
from tests.two_sides import TwoSides, fault_code, two_sides

Parts = list[tuple[str, bytes]]


@pytest.fixture
def sides(federation: Federation) -> TwoSides:
    made = two_sides(federation)
    takes_attachments(made)
    return made


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[SpoolHolding]:
    spool = Spool(tmp_path / "spool", max_bytes=1 << 24)
    spool.prepare()
    made = spool.holding()
    yield made
    made.close()
    spool.close()


async def test_the_system_gets_exactly_what_was_signed(sides: TwoSides, holding: SpoolHolding):
    attachments = await held(holding, FILES)
    answer = await post(
        sides, sealed_with(sides, attachments).octets, list((await ciphertexts(attachments)).items()), holding
    )
    assert answer.status == 200
    (asked,) = sides.register.asked
    got = {
        one.said.content_id: b"".join([piece async for piece in one.sealed.plaintext(asked.attachments.content_key)])
        for one in asked.attachments.held
    }
    assert got == FILES
    assert {one.said.name for one in asked.attachments.held} == {"a.txt"}
    entry = sides.provider_record.log[0].entry.body
    assert [one["size"] for one in entry["attachments"]] == [len(octets) for octets in FILES.values()]
    assert "a.txt" not in str(entry)


def swapped(parts: Parts) -> Parts:
    (first, one), (second, two) = parts
    return [(first, two), (second, one)]


def flipped(at: int) -> Callable[[Parts], Parts]:
    def change(parts: Parts) -> Parts:
        content_id, octets = parts[1]
        changed = bytearray(octets)
        changed[at] ^= 1
        return [parts[0], (content_id, bytes(changed))]

    return change


CHANGES: dict[str, tuple[Callable[[Parts], Parts], str]] = {
    "ciphertexts swapped": (swapped, "SecurityFailed"),
    "a part is missing": (lambda parts: parts[:1], "EnvelopeRefused"),
    "all parts are missing": (lambda parts: [], "EnvelopeRefused"),
    "a part more": (lambda parts: [*parts, ("three@x", bytes(40))], "EnvelopeRefused"),
    "a part twice": (lambda parts: [*parts, parts[0]], "EnvelopeRefused"),
    "a part renamed": (lambda parts: [("uno@x", parts[0][1]), parts[1]], "EnvelopeRefused"),
    "one content twice": (lambda parts: [parts[0], (parts[1][0], parts[0][1])], "EnvelopeRefused"),
    "the last octet of a tag": (flipped(-1), "SecurityFailed"),
    "the first octet of an IV": (flipped(0), "SecurityFailed"),
    "an octet in the middle": (flipped(500), "SecurityFailed"),
    "an octet less": (lambda parts: [parts[0], (parts[1][0], parts[1][1][:-1])], "SecurityFailed"),
    "half of it": (lambda parts: [parts[0], (parts[1][0], parts[1][1][:2000])], "SecurityFailed"),
    "an octet more": (lambda parts: [parts[0], (parts[1][0], parts[1][1] + b"x")], "SecurityFailed"),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_changed_on_the_way(sides: TwoSides, holding: SpoolHolding, what: str):
    change, code = CHANGES[what]
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, change(list((await ciphertexts(attachments)).items())), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == [code]


async def test_a_retry_of_a_message_refused_for_its_attachment_gets_the_same_refusal(
    sides: TwoSides, holding: SpoolHolding
):
    """The signature over the message was good, so the refusal uses its id up, as that of any other member's message."""
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    parts = list((await ciphertexts(attachments)).items())
    refused = await post(sides, sealed.octets, flipped(-1)(parts), holding)
    again = await post(sides, sealed.octets, parts, holding)
    assert again.octets == refused.octets
    assert sides.provider_record.outcomes[0] == "SecurityFailed"
    assert not sides.register.asked


def without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the second attachment out of one of the three places that have to name it."""
    if name == "the signature":
        original = templates.render_attachment_reference
        monkeypatch.setattr(
            templates,
            "render_attachment_reference",
            lambda cid, digest: "" if cid == "two@x" else original(cid, digest),
        )
    elif name == "the description":
        original_header = attachments_header.render_attachments
        monkeypatch.setattr(sealing, "render_attachments", lambda described: original_header(described[:1]))
    else:
        original_data = templates.render_encrypted_attachment
        monkeypatch.setattr(
            templates, "render_encrypted_attachment", lambda at, cid: b"" if at == 2 else original_data(at, cid)
        )


@pytest.mark.parametrize(
    ("place", "code"),
    [("the signature", "SecurityFailed"), ("the description", "SecurityFailed"), ("EncryptedData", "EnvelopeRefused")],
)
async def test_a_part_that_one_of_three_places_does_not_name(
    sides: TwoSides, holding: SpoolHolding, monkeypatch: pytest.MonkeyPatch, place: str, code: str
):
    attachments = await held(holding, FILES)
    without(place, monkeypatch)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == [code]


@pytest.mark.parametrize("change", [{"size": 21}, {"sha256": bytes(32)}])
async def test_a_description_or_digest_of_something_else(
    sides: TwoSides, holding: SpoolHolding, change: dict[str, object]
):
    attachments = await held(holding, FILES)
    first, second = attachments.held
    lied = replace(first, said=replace(first.said, **change))  # type: ignore[arg-type]
    sealed = sealed_with(sides, HeldAttachments(content_key=KEY, held=(lied, second)))
    await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == ["SecurityFailed"]


@pytest.mark.parametrize(
    "uri", ["http://example.org/x", "file:///etc/passwd", "#body", "cid:", "cid:one%00x", "cid:one x", ""]
)
async def test_no_reference_but_a_part_is_followed(
    sides: TwoSides, holding: SpoolHolding, monkeypatch: pytest.MonkeyPatch, uri: str
):
    attachments = await held(holding, {"one@x": b"1"})
    monkeypatch.setattr(templates, "cid_uri", lambda _: uri)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == ["EnvelopeRefused"]


@pytest.mark.parametrize(
    "bounds",
    [
        NO_ATTACHMENTS,
        AttachmentBounds(max_count=1, max_bytes=1 << 20),
        AttachmentBounds(max_count=4, max_bytes=sum(map(len, FILES.values())) - 1),
    ],
    ids=["a service that takes none", "one too many", "an octet too many"],
)
async def test_bounds_of_the_service(sides: TwoSides, holding: SpoolHolding, bounds: AttachmentBounds):
    takes_attachments(sides, bounds)
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == ["LimitExceeded"]


async def test_beside_the_xml_where_the_system_takes_them_in_the_xml_only(sides: TwoSides, holding: SpoolHolding):
    takes_attachments(sides, replace(BOUNDS, only_in_xml=True))
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == ["AttachmentsInvalid"]


# --- at most once ----------------------------------------------------------------------------------------------------


async def test_a_retry_of_what_was_answered_without_attachments_gets_the_stored_reply(
    sides: TwoSides, holding: SpoolHolding
):
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    parts = list((await ciphertexts(attachments)).items())
    first = await post(sides, sealed.octets, parts, holding)
    again = await post(sides, sealed.octets, parts, holding)
    assert again.octets == first.octets
    assert len(sides.register.asked) == 1


async def test_a_retry_of_what_was_answered_with_attachments_is_told_so(sides: TwoSides, holding: SpoolHolding):
    async def answer(request: RecordedRequest) -> BackendAnswer:
        sides.register.asked.append(request)
        return BackendAnswer(payload=etree.fromstring(ANSWER.encode()), attachments=await held(holding, FILES))

    sides.register.answer = answer  # type: ignore[method-assign]
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    parts = list((await ciphertexts(attachments)).items())
    first = await post(sides, sealed.octets, parts, holding)
    assert first.attachments is not None
    await post(sides, sealed.octets, parts, holding)
    assert sides.provider_record.outcomes == ["released", "answered", "AnswerNotKept"]
    assert len(sides.register.asked) == 1


# --- malware ---------------------------------------------------------------------------------------------------------


class Suspicious:
    """ports.Scanner: finds one word, or is not there."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.is_there = is_there
        self.seen: list[bytes] = []

    async def scan(self, octets: object) -> str | None:
        if not self.is_there:
            raise ScanUnavailable("gone")
        self.seen.append(b"".join([piece async for piece in octets]))  # type: ignore[attr-defined]
        return "Test.Second" if b"second" in self.seen[-1] else None


async def test_what_the_scanner_finds_is_refused_and_recorded(sides: TwoSides, holding: SpoolHolding):
    sides.provider = replace(sides.provider, scan=ScanRule(scanner=Suspicious()))
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert not sides.register.asked
    assert sides.provider_record.outcomes == ["AttachmentInfected"]
    assert "Test.Second" in sides.provider_record.log[0].entry.body["reason"]


async def test_the_scanner_sees_nothing_that_is_not_proven(sides: TwoSides, holding: SpoolHolding):
    scanner = Suspicious()
    sides.provider = replace(sides.provider, scan=ScanRule(scanner=scanner))
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    await post(sides, sealed.octets, flipped(-1)(list((await ciphertexts(attachments)).items())), holding)
    assert not scanner.seen


@pytest.mark.parametrize(("deliver", "asked"), [(False, 0), (True, 1)])
async def test_without_the_scanner_it_is_as_the_settings_say(
    sides: TwoSides,
    holding: SpoolHolding,
    deliver: bool,  # noqa: FBT001  pytest passes it by name
    asked: int,
):
    rule = ScanRule(scanner=Suspicious(is_there=False), deliver_unscanned=deliver)
    sides.provider = replace(sides.provider, scan=rule)
    attachments = await held(holding, FILES)
    sealed = sealed_with(sides, attachments)
    answer = await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
    assert len(sides.register.asked) == asked
    assert (sides.provider_record.outcomes[0] == "ScanUnavailable") is not deliver
    assert fault_code(answer) == "answered" or not deliver


def test_an_attachment_does_not_show_its_key():
    said = Attachment(content_id="a", media_type="a/b", size=1, sha256=bytes(32))
    assert repr(KEY) not in repr(HeldAttachments(content_key=KEY, held=())) + repr(said)

"""Attacks on attachments in every suite, of requests and of answers, by whoever is on the way and by an insider.

And two at once: a recipe of the table for the envelope, and a change to the parts beside it, drawn from a seed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from lxml import etree

from adapter.crypto.suites import suite as suite_row
from adapter.dialects.model import ClientAnswer
from adapter.errors import InternalError
from adapter.stages import BackendAnswer, Peer, ReceivedMessage, RecordedCall, RecordedRequest
from adapter.store.spool import SpoolHolding
from tests.attachment_messages import (
    BOUNDS,
    FILES,
    Spool,
    ciphertexts,
    held,
    kept,
    post,
    sealed_with,
    takes_attachments,
)
from tests.attacks.conftest import Scenes
from tests.attacks.draft import Direction, Draft, Hand, Signing
from tests.attacks.test_attachments import CHANGES, Parts
from tests.attacks.test_pairs import CODES, NothingToChangeError, candidates, together
from tests.attacks.test_recipes import EVERY_CASE, UNTOUCHED
from tests.attacks.watch import Canary
from tests.get_person import ANSWER
from tests.pki import SUITE_NAMES
from tests.two_sides import TwoSides, fault_code, two_sides

pytestmark = pytest.mark.timeout(900 if EVERY_CASE else 120)
SUITES = pytest.mark.parametrize("suite", SUITE_NAMES)


@dataclass
class Way:
    """Both adapters in one suite, and a place for attachments."""

    sides: TwoSides
    holding: SpoolHolding

    async def request(self, change: Parts | None = None, octets: bytes | None = None) -> str:
        """The code in the provider's record of a request whose parts, or envelope, are these instead."""
        attachments = await held(self.holding, FILES)
        parts = list((await ciphertexts(attachments)).items()) if change is None else change
        envelope = sealed_with(self.sides, attachments).octets if octets is None else octets
        await post(self.sides, envelope, parts, self.holding)
        return str(self.sides.provider_record.outcomes[0])

    async def parts(self, files: dict[str, bytes] | None = None) -> Parts:
        """What goes beside the envelope, under the content key of every message here: an insider can make it too."""
        return list((await ciphertexts(await held(self.holding, files or FILES))).items())

    async def answer(self, parts: Parts) -> ClientAnswer:
        """What the client system gets when the parts of the answer are these instead."""

        async def answer(request: RecordedRequest) -> BackendAnswer:
            del request
            return BackendAnswer(payload=etree.fromstring(ANSWER.encode()), attachments=await held(self.holding, FILES))

        async def send(call: RecordedCall) -> ReceivedMessage:
            answered = await self.sides.wire.post(call.sealed.octets)
            assert answered.attachments is not None
            return ReceivedMessage(
                octets=answered.octets,
                received_at=self.sides.clock(),
                peer=Peer(certificate_sha256=self.sides.federation.population.tls_sha256, address="192.0.2.1"),
                parts=tuple([await kept(self.holding, *part) for part in parts]),
                holding=self.holding,
            )

        self.sides.register.answer = answer  # type: ignore[method-assign]
        self.sides.wire.send = send  # type: ignore[method-assign]
        return await self.sides.call()


@pytest.fixture
def way(suite: str, scenes: Scenes, tmp_path: Path) -> Iterator[Way]:
    sides = two_sides(scenes(suite, Direction.REQUEST).federation)
    takes_attachments(sides)
    sides.consumer = replace(sides.consumer, attachments=BOUNDS)
    spool = Spool(tmp_path / "spool", max_bytes=1 << 24)
    spool.prepare()
    with closing(spool), closing(spool.holding()) as holding:
        yield Way(sides, holding)


INSIDERS = {
    "another content of the same length": {"one@x": b"THE first attachment"},
    "another content": {"two@x": b"forged"},
    "nothing": {"one@x": b""},
    "the contents exchanged": dict(zip(FILES, reversed(FILES.values()), strict=True)),
}
"""An insider has the content key, so that every tag is good: what the signature says of each part decides."""


@SUITES
async def test_the_controls_are_taken(suite: str, way: Way) -> None:
    del suite
    assert await way.request() == "released"
    (asked,) = way.sides.register.asked
    assert asked.attachments.said == tuple(one.said for one in asked.attachments.held)
    answer = await way.answer(await way.parts())
    assert answer.streamed is not None
    octets = b"".join([piece async for piece in answer.streamed.stream()])
    assert "Каримов".encode() in octets
    assert all(content in octets for content in FILES.values())


@SUITES
@pytest.mark.parametrize("what", CHANGES)
async def test_a_request_changed_on_the_way(suite: str, way: Way, what: str) -> None:
    del suite
    change, code = CHANGES[what]
    sealed = await held(way.holding, FILES)
    parts = change(list((await ciphertexts(sealed)).items()))
    assert await way.request(parts, sealed_with(way.sides, sealed).octets) == code
    assert not way.sides.register.asked


@SUITES
@pytest.mark.parametrize("what", INSIDERS)
async def test_a_request_with_an_insiders_attachments(suite: str, way: Way, what: str) -> None:
    del suite
    assert await way.request(await way.parts({**FILES, **INSIDERS[what]})) == "SecurityFailed"
    assert not way.sides.register.asked


def assert_not_believed(way: Way, answer: ClientAnswer, code: str) -> None:
    """The client gets a fault and nothing of the answer; the reason is in the consumer's record, in one entry."""
    assert fault_code(answer) == "PeerAnswerInvalid"
    assert answer.streamed is None
    (_, entry) = [write.entry for write in way.sides.consumer_record.log]
    assert entry.outcome == "PeerAnswerInvalid"
    assert str(entry.body["reason"]).partition(":")[0] == code


@SUITES
@pytest.mark.parametrize("what", CHANGES)
async def test_an_answer_changed_on_the_way(suite: str, way: Way, what: str) -> None:
    del suite
    change, code = CHANGES[what]
    assert_not_believed(way, await way.answer(change(await way.parts())), code)


@SUITES
@pytest.mark.parametrize("what", INSIDERS)
async def test_an_answer_with_an_insiders_attachments(suite: str, way: Way, what: str) -> None:
    del suite
    assert_not_believed(way, await way.answer(await way.parts({**FILES, **INSIDERS[what]})), "SecurityFailed")


# --- two at once -----------------------------------------------------------------------------------------------------

SEED = int(os.environ.get("ATTACKS_SEED", "20260302"))
DRAWN = 600 if EVERY_CASE else 60
MOST_BYTES = 2_000_000


def outsiders_draft(way: Way, octets: bytes, canary: Canary) -> Draft:
    """The envelope in the hands of somebody who has neither a key of the two nor the content key."""
    federation = way.sides.federation
    return Draft(
        hand=Hand.OUTSIDER,
        direction=Direction.REQUEST,
        federation=federation,
        victim=federation.population,
        third=federation.cadastre,
        canary=canary,
        root=etree.fromstring(octets),
        captured=octets,
        other=octets,
        other_key=b"",
        opened={},
        signing=Signing(signer=federation.social, algorithm=suite_row(federation.social.suite).signature_algorithm),
        register=lambda _certificate: None,
    )


async def changed_envelope(way: Way, drawn: random.Random, canary: Canary) -> tuple[str, bytes, Parts]:
    """One recipe that could be carried out, and the parts that belong to the message as it was."""
    while True:
        attachments = await held(way.holding, FILES)
        name, variant = drawn.choice(candidates(way.sides.federation.social.suite, Direction.REQUEST, Hand.OUTSIDER))
        draft = outsiders_draft(way, sealed_with(way.sides, attachments).octets, canary)
        try:
            together(UNTOUCHED, variant).change(draft)
        except NothingToChangeError:
            continue
        octets = draft.octets()
        if len(octets) <= MOST_BYTES:
            return name, octets, list((await ciphertexts(attachments)).items())


@SUITES
async def test_pairs_of_a_recipe_and_a_change_to_the_parts(suite: str, way: Way, canary: Canary) -> None:
    drawn = random.Random(f"{SEED} attachments {suite}")
    untouched = outsiders_draft(way, sealed_with(way.sides, await held(way.holding, FILES)).octets, canary)
    assert await way.request(octets=untouched.octets()) == "released"
    way.sides.register.asked.clear()
    wrong, made = [], set()
    for _ in range(DRAWN):
        with canary.looking_away():
            name, octets, parts = await changed_envelope(way, drawn, canary)
        what = drawn.choice(["nothing", *CHANGES])
        way.sides.provider_record.log.clear()
        with canary.watching() as touched:
            code = await way.request(CHANGES[what][0](parts) if what in CHANGES else parts, octets)
        entries = len(way.sides.provider_record.log)
        made.add((name, what))
        if code not in CODES or code == InternalError.code or entries != 1 or way.sides.register.asked:
            wrong.append(f"{name} and {what}: {code}, {entries} entries, asked {len(way.sides.register.asked)} times")
        if outside := [one for one in touched if str(way.holding) not in one and "spool" not in one]:
            wrong.append(f"{name} and {what}: touched {outside}")
    assert not wrong, "\n".join(wrong)
    assert len(made) > DRAWN // 2

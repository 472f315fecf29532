"""No kind of broken message can be told from another by what is answered (promise 7).

Wrong key, wrong tag, bad padding, bad signature and the rest, many tries each: status and octets are the same but for
the incident id. `make attacks` tries ten thousand of each in p256 and prints how long the answers took; the times are
reported and not asserted, because a test on a busy machine cannot.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest

from tests.attacks.conftest import Scenes
from tests.attacks.draft import CIPHER_VALUE, Direction, Draft, Hand
from tests.attacks.recipes.encrypted_keys import damaged_key, wrapped_for
from tests.attacks.recipes.forging import in_place
from tests.attacks.recipes.keys import signed_by_third, token_of
from tests.attacks.recipes.model import Change, both
from tests.attacks.recipes.values import changed
from tests.attacks.scenes import Scene
from tests.attacks.test_recipes import EVERY_CASE
from tests.pki import SUITE_NAMES

TRIES = {"p256": 10_000, "ed25519": 2_000, "rsa": 2_000} if EVERY_CASE else {"p256": 60, "ed25519": 20, "rsa": 12}
FRESH_EVERY = 50
"""A new message is made for so many tries: what is broken in it differs each time."""

INCIDENT = re.compile(rb"[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}")
Break = Callable[[bytes, random.Random], bytes]


def turned(octets: bytes, place: int, bit: int) -> bytes:
    """One bit turned over."""
    changed_octets = bytearray(octets)
    changed_octets[place] ^= 1 << bit
    return bytes(changed_octets)


def in_cipher(cipher_id: str, first: int, last: int) -> Break:
    """One bit of the octets first to last (negative: from the end) of a CipherValue."""

    def change(octets: bytes, drawn: random.Random) -> bytes:
        match = CIPHER_VALUE.search(octets, octets.index(f'Id="{cipher_id}"'.encode()))
        if match is None:
            raise LookupError(cipher_id)
        value = b64decode(match[1])
        stop = len(value) + last if last <= 0 else last
        start = len(value) + first if first < 0 else first
        value = turned(value, drawn.randrange(start, stop), drawn.randrange(8))
        return octets[: match.start(1)] + b64encode(value) + octets[match.end(1) :]

    return change


def other_ski(octets: bytes, drawn: random.Random) -> bytes:
    """The key is named for somebody."""
    start = octets.index(b'#X509SubjectKeyIdentifier">') + len(b'#X509SubjectKeyIdentifier">')
    return octets[:start] + b64encode(drawn.randbytes(20)) + octets[octets.index(b"<", start) :]


PARTS = {name: f"{name}-cipher" for name in ("personal-data", "signature", "body")}
BROKEN_ON_THE_WIRE: dict[str, Break] = {
    "wrapped key": in_cipher("key", 0, 0),
    **{f"IV of {part}": in_cipher(cipher, 0, 12) for part, cipher in PARTS.items()},
    **{f"ciphertext of {part}": in_cipher(cipher, 12, -16) for part, cipher in PARTS.items()},
    **{f"tag of {part}": in_cipher(cipher, -16, 0) for part, cipher in PARTS.items()},
    "key named for somebody else": other_ski,
}


BROKEN_WITHIN: dict[str, tuple[Hand, Change]] = {
    "signature value": (Hand.MEMBER, changed(lambda value: turned(value, len(value) // 2, 0))),
    "digest": (Hand.INSIDER, in_place("body")),
    "another member's key": (Hand.MEMBER, signed_by_third),
    "another member": (Hand.MEMBER, both(signed_by_third, token_of(lambda draft: draft.third.signing_certificate))),
    "key for somebody else": (Hand.INSIDER, wrapped_for("third", said="victim")),
    "zeros for a key": (Hand.INSIDER, damaged_key(lambda octets: bytes(len(octets)))),
    "no Body within": (Hand.INSIDER, lambda draft: draft.in_plaintext.update(body=lambda _octets: b"x")),
}


async def answers_of(scene: Scene, name: str, drawn: random.Random) -> tuple[set[tuple[str, bytes]], list[float]]:
    """What is answered to many messages of one kind, without the incident ids; and the seconds that it took."""
    said: set[tuple[str, bytes]] = set()
    took: list[float] = []
    octets = b""
    for number in range(TRIES[scene.suite]):
        if number % FRESH_EVERY == 0:
            octets = await made(scene, name)
        broken = BROKEN_ON_THE_WIRE[name](octets, drawn) if name in BROKEN_ON_THE_WIRE else octets
        started = time.perf_counter()
        answer = await scene.sides.wire.post(broken)
        took.append(time.perf_counter() - started)
        said.add((str(answer.status), INCIDENT.sub(b"*", answer.octets)))
    scene.forget()
    return said, took


async def made(scene: Scene, name: str) -> bytes:
    """A good message, or one that is broken within."""
    hand, change = BROKEN_WITHIN.get(name, (Hand.OUTSIDER, _nothing))

    def attack(captured: bytes) -> bytes:
        draft = scene.draft(captured, hand)
        change(draft)
        return draft.octets()

    await scene.run(attack)
    scene.forget()
    return scene.sent


def _nothing(_draft: Draft) -> None:
    return None


@pytest.mark.timeout(7200 if EVERY_CASE else 120)
@pytest.mark.parametrize("suite", SUITE_NAMES)
async def test_failures_cannot_be_told_apart(
    suite: str, scenes: Scenes, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    scene = scenes(suite, Direction.REQUEST)
    drawn = random.Random(f"uniform {suite}")
    said: set[tuple[str, bytes]] = set()
    lines = []
    for name in (*BROKEN_ON_THE_WIRE, *BROKEN_WITHIN):
        answers, took = await answers_of(scene, name, drawn)
        assert len(answers) == 1, f"{name}: {len(answers)} different answers"
        said |= answers
        assert len(said) == 1, f"{name} is answered in another way than what was before it"
        tenths = [value * 1e6 for value in statistics.quantiles(took, n=10)]
        lines.append(f"{name:32} {tenths[0]:9.0f} {tenths[4]:9.0f} {tenths[8]:9.0f}")
        record_property(name, f"{tenths[4]:.0f} microseconds")
    assert b"SecurityFailed" in next(iter(said))[1]
    assert not scene.sides.register.asked
    if EVERY_CASE:
        head = f"{suite}, {TRIES[suite]} tries each, microseconds"
        with capsys.disabled():
            print(f"\n{head:32} {'10 %':>9} {'50 %':>9} {'90 %':>9}", *lines, sep="\n")  # noqa: T201 - the report

"""Whatever our verifier takes, libxmlsec verifies too, and the node that is used is the node that was signed.

What it takes: the untouched messages, what the table says is taken, and messages that other stacks would write in
their own way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lxml import etree

from adapter.envelope import names
from tests.attacks.conftest import Scenes
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.recipes.declarations import prefix_list
from tests.attacks.recipes.forging import in_place, replaced
from tests.attacks.recipes.model import (
    OPENED,
    OPENED_OR_NOT,
    SIGNED,
    TAKEN,
    Change,
    Variant,
    plaintext,
    wire,
)
from tests.attacks.recipes.octets import before, once
from tests.attacks.recipes.table import RECIPES
from tests.attacks.scenes import Scene
from tests.attacks.second_opinion import DiffersError, signed_payload
from tests.attacks.test_recipes import UNTOUCHED, wrong_with
from tests.pki import SUITE_NAMES

EVERY_HAND = (*OPENED_OR_NOT, *SIGNED)


def other_prefix(old: str, new: str) -> Change:
    """Another prefix for the same namespace, in tags, declarations and attributes, before it is signed."""
    pattern = re.compile(rb"(</?|\s|xmlns:)" + old.encode() + rb"(?=[:=])")

    def change(draft: Draft) -> None:
        draft.root = etree.fromstring(pattern.sub(rb"\g<1>" + new.encode(), etree.tostring(draft.root)))
        bound = f'<xenc:EncryptedKey xmlns:wsse="{names.WSSE}"'.encode()
        draft.in_key = once(b"<xenc:EncryptedKey", bound)

    return change


def own_ids(draft: Draft) -> None:
    """Ids as other stacks make them."""
    for name in draft.part_names:
        draft.part(name).set(names.WSU_ID, f"id-{name}-7F00")
    draft.signing.in_signature = once(b'URI="#token"', b'URI="#id-token-7F00"')


def in_other_order(draft: Draft) -> None:
    """Timestamp first, then the key, then the token."""
    security = draft.security
    for number, name in enumerate(("timestamp", "key", "token")):
        security.insert(number, draft.part(name))


def header_blocks_reversed(draft: Draft) -> None:
    """The header blocks in another order."""
    for block in list(draft.header)[:-1]:
        draft.header.append(block)


def spaced(part: str) -> Change:
    """White space between the elements of a part."""

    def change(draft: Draft) -> None:
        element = draft.part(part)
        element.text = "\n  "
        for child in element:
            child.tail = "\n  "

    return change


BENIGN = (
    UNTOUCHED,
    *(
        Variant(name=name, change=wire(change), expect=TAKEN, hands=EVERY_HAND)
        for name, change in {
            "declaration": before(b'<?xml version="1.0" encoding="UTF-8"?>\n'),
            "byte order mark": before(b"\xef\xbb\xbf"),
            "order of attributes": once(
                b'wsu:Id="exchange" env:mustUnderstand="true"', b'env:mustUnderstand="true" wsu:Id="exchange"'
            ),
            "1 for true": once(b'env:mustUnderstand="true">', b'env:mustUnderstand="true" >'),
            "single quotes": once(b'wsu:Id="timestamp"', b"wsu:Id='timestamp'"),
            "white space in tags": once(b"<env:Header>", b"<env:Header\n\t>"),
            "white space between blocks": once(b"<env:Header>", b"<env:Header>\r\n  \t"),
            "an unused namespace": once(b"<env:Envelope ", b'<env:Envelope xmlns:unused="urn:example:unused" '),
            "a default namespace": once(b"<env:Envelope ", b'<env:Envelope xmlns="urn:example:unused" '),
            "a declaration once more": once(b"<ia:Consumer>", f'<ia:Consumer xmlns:ia="{names.ENVELOPE}">'.encode()),
            "a character reference": once(b"inspector-7", b"inspector&#45;&#x37;"),
            "CDATA": once(b"inspector-7", b"<![CDATA[inspector-7]]>"),
            "the end tag": once(b"</ia:Exchange>", b"</ia:Exchange\n>"),
        }.items()
    ),
    *(
        Variant(name=name, change=change, expect=TAKEN, hands=SIGNED)
        for name, change in {
            "own ids": own_ids,
            "PrefixList": prefix_list("env wsu"),
            "spaced Exchange": spaced("exchange"),
            "spaced Timestamp": spaced("timestamp"),
            "spaced token": lambda draft: setattr(draft.part("token"), "text", f"\n{draft.part('token').text}\n"),
            "prefix of Exchange": other_prefix("ia", "exchange"),
            "prefix of Security": other_prefix("wsse", "sec"),
            "prefix of ids": other_prefix("wsu", "u"),
        }.items()
    ),
    Variant(name="another order", change=in_other_order, expect=TAKEN, hands=EVERY_HAND),
    Variant(name="blocks in another order", change=header_blocks_reversed, expect=TAKEN, hands=EVERY_HAND),
    Variant(
        name="CDATA in the payload",
        change=plaintext("body", lambda octets: octets.replace(b"1990-01-01", b"<![CDATA[1990-01-01]]>")),
        expect=TAKEN,
        hands=OPENED,
        directions=(Direction.REPLY,),
    ),
    Variant(
        name="white space around the payload",
        change=lambda draft: setattr(draft.part("body")[0], "tail", "\n"),
        expect=TAKEN,
        hands=SIGNED,
    ),
)


def taken_by_the_table() -> Iterator[tuple[str, Variant]]:
    for recipe in RECIPES:
        for variant in recipe.variants:
            if variant.expect == TAKEN:
                yield f"{recipe.id} {variant.name}", variant


TAKEN_VARIANTS = [*((variant.name, variant) for variant in BENIGN), *taken_by_the_table()]


async def compared(scene: Scene, variant: Variant, hand: Hand) -> list[str]:
    """One message that is taken; where the two opinions differ."""
    drafts: list[Draft] = []

    def attack(captured: bytes) -> bytes:
        drafts.append(scene.draft(captured, hand))
        variant.change(drafts[0])
        return drafts[0].octets()

    outcome = await scene.run(attack)
    wrong = wrong_with(outcome, TAKEN)
    if wrong:
        return wrong
    key = drafts[0].captured_key if hand is Hand.OUTSIDER else drafts[0].content_key
    try:
        signed = signed_payload(scene.sent, key, scene.signer.signing_certificate)
    except DiffersError as cause:
        return [str(cause)]
    if scene.direction is Direction.FAULT:  # a client gets a fault of its own form, not the element
        return []
    used = outcome.used if scene.direction is Direction.REQUEST else etree.fromstring(outcome.said)[-1][0]
    if used is None or etree.tostring(used, method="c14n", exclusive=True) != signed:
        return ["what was used is not what was signed"]
    return []


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize(("name", "variant"), TAKEN_VARIANTS, ids=[name for name, _ in TAKEN_VARIANTS])
async def test_two_opinions_are_one(suite: str, name: str, variant: Variant, scenes: Scenes) -> None:
    if suite not in variant.suites:
        pytest.skip(f"{name} is not for {suite}")
    wrong = [
        f"{name}, {direction.value}, {hand.value}: {one}"
        for direction in variant.directions
        for hand in variant.hands
        for one in await compared(scenes(suite, direction), variant, hand)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize(
    "change",
    [in_place("body"), in_place("exchange"), lambda draft: replaced(draft, "timestamp", None)],
    ids=["body", "exchange", "timestamp"],
)
async def test_the_second_opinion_means_something(suite: str, change: Change, scenes: Scenes) -> None:
    """The control: what was changed the second opinion refuses too."""
    scene = scenes(suite, Direction.REQUEST)
    drafts: list[Draft] = []

    def attack(captured: bytes) -> bytes:
        drafts.append(scene.draft(captured, Hand.INSIDER))
        change(drafts[0])
        return drafts[0].octets()

    assert (await scene.run(attack)).code != TAKEN
    with pytest.raises(DiffersError):
        signed_payload(scene.sent, drafts[0].content_key, scene.signer.signing_certificate)

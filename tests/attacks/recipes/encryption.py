"""W71 to W84, W94 to W99: what is encrypted, with what, for whom, and what comes out."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable

from lxml import etree

from adapter.crypto import templates
from adapter.crypto.content import ContentCipher
from adapter.envelope import names
from tests.attacks.draft import CIPHER_VALUE, ENCRYPTED_DATA, Draft, Hand, Octets
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import forged, in_place, replaced
from tests.attacks.recipes.model import (
    ANSWERS,
    ENVELOPE,
    EVERY_DIRECTION,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    SIGNED,
    WIRE,
    Change,
    Recipe,
    Variant,
    wire,
)
from tests.attacks.recipes.octets import once

PARTS = {name: f"{name}-cipher" for name in ("signature", "body", "personal-data", "confirmation")}
DIRECTIONS = {"personal-data": REQUESTS, "confirmation": ANSWERS}
_GCM = names.AES128_GCM.encode()


# --- EncryptedData --------------------------------------------------------------------------------------------------


def extra_data(plain: Callable[[Draft], bytes], *, first: bool) -> Change:
    """One more EncryptedData in Security, which the EncryptedKey names like the others."""

    def change(draft: Draft) -> None:
        octets = ContentCipher(draft.content_key).encrypt(os.urandom(12), plain(draft))
        data = templates.encrypted_data_start("extra-cipher", names.TYPE_ELEMENT) + b64encode(octets)
        element = etree.fromstring(data + templates.ENCRYPTED_DATA_END)
        (draft.part("timestamp").addprevious if first else draft.part("timestamp").addnext)(element)
        named = b'<xenc:DataReference URI="#extra-cipher"/></xenc:ReferenceList>'
        draft.in_key = once(b"</xenc:ReferenceList>", named)

    return change


def forged_octets(part: str) -> Callable[[Draft], bytes]:
    """A forged part as octets."""
    return lambda draft: etree.tostring(forged(draft, part))


def cipher_octets(part: str, change: Octets) -> Change:
    """The octets of IV, ciphertext and tag of a part, changed on the wire."""

    def on_wire(octets: bytes) -> bytes:
        start = octets.index(b'Id="' + PARTS[part].encode())
        match = CIPHER_VALUE.search(octets, start)
        if match is None:
            raise LookupError(part)
        return octets[: match.start(1)] + b64encode(change(b64decode(match[1]))) + octets[match.end(1) :]

    return wire(on_wire)


def bit(place: int) -> Octets:
    """One bit turned over."""

    def change(octets: bytes) -> bytes:
        turned = bytearray(octets)
        turned[place] ^= 1
        return bytes(turned)

    return change


def first_octets(count: int) -> Octets:
    """So many octets from the start; below zero so many less."""
    return lambda octets: octets[:count]


def from_other_message(part: str) -> Change:
    """The EncryptedKey, or the EncryptedData of a part, of an earlier message."""

    def change(draft: Draft) -> None:
        def found(octets: bytes) -> bytes:
            if part == "key":
                start, end = octets.index(b"<xenc:EncryptedKey"), octets.index(b"</xenc:EncryptedKey>")
                return octets[start:end]
            return next(one[0] for one in ENCRYPTED_DATA.finditer(octets) if PARTS[part].encode() in one[0])

        wire(lambda octets: octets.replace(found(octets), found(draft.other)))(draft)

    return change


def with_old_key(draft: Draft) -> None:
    """A forged Body under the content key of the captured message, whose EncryptedKey is sent once more."""
    replaced(draft, "body", None)
    draft.content_key = draft.captured_key
    captured = draft.captured
    start, end = captured.index(b"<xenc:EncryptedKey"), captured.index(b"</xenc:EncryptedKey>")
    draft.in_key = lambda _new: captured[start:end] + b"</xenc:EncryptedKey>"


def key_info_of_data(text: str) -> Change:
    """Every EncryptedData names its key in KeyInfo."""

    def change(draft: Draft) -> None:
        info = f'<ds:KeyInfo xmlns:ds="{names.DS}" xmlns:wsse="{names.WSSE}">{text}</ds:KeyInfo>'.encode()
        draft.in_data = lambda _part, octets: octets.replace(b"<xenc:CipherData>", info + b"<xenc:CipherData>", 1)

    return change


def data(change: Octets, *, of: str = "body") -> Change:
    """The octets of the EncryptedData of one part."""

    def apply(draft: Draft) -> None:
        draft.in_data = lambda part, octets: change(octets) if part == of else octets

    return apply


# --- EncryptedKey ---------------------------------------------------------------------------------------------------


# --- plaintexts -----------------------------------------------------------------------------------------------------


def _every_part(change: Octets, name: str, expect: str) -> tuple[Variant, ...]:
    return tuple(
        Variant(
            name=f"{name} of {part}",
            change=cipher_octets(part, change),
            expect=expect,
            hands=WIRE,
            directions=DIRECTIONS.get(part, EVERY_DIRECTION),
        )
        for part in PARTS
    )


XENC = "http://www.w3.org/2001/04/xmlenc#"

CONTENT = (
    Recipe(
        id="W71",
        done="one more EncryptedData in Security, with what somebody might take for a part",
        variants=(
            *(
                Variant(
                    name=f"{part}, {'first' if first else 'last'}",
                    change=extra_data(forged_octets(part), first=first),
                    expect=ENVELOPE,
                    fools=Naive(blocks="first" if first else "last"),
                )
                for part, first in (("timestamp", True), ("timestamp", False), ("exchange", False))
            ),
            Variant(name="token", change=extra_data(forged_octets("token"), first=False), expect=ENVELOPE),
        ),
    ),
    Recipe(
        id="W72",
        done="another Body, encrypted for the reader, under the Signature as it was",
        variants=(
            Variant(name="insider", change=in_place("body"), expect=SECURITY),
            Variant(
                name="in the clear",
                change=in_place("body"),
                expect=ENVELOPE,
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W73",
        done="a captured EncryptedKey with new content; a key named by its digest",
        variants=(
            Variant(name="forged Body", change=with_old_key, expect=SECURITY),
            *(
                Variant(name=name, change=key_info_of_data(text), expect=ENVELOPE)
                for name, text in {
                    "EncryptedKeySHA1": "<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="
                    '"http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#EncryptedKeySHA1">AAAA'
                    "</wsse:KeyIdentifier></wsse:SecurityTokenReference>",
                    "by name": "<ds:KeyName>session</ds:KeyName>",
                    "another key": '<wsse:SecurityTokenReference><wsse:Reference URI="#other"/>'
                    "</wsse:SecurityTokenReference>",
                }.items()
            ),
        ),
    ),
    Recipe(
        id="W74",
        done="key or content of an older message in a newer one",
        variants=tuple(
            Variant(
                name=part,
                change=from_other_message(part),
                expect=SECURITY,
                hands=WIRE,
                directions=DIRECTIONS.get(part, EVERY_DIRECTION),
            )
            for part in ("key", *PARTS)
        ),
    ),
    Recipe(
        id="W77",
        done="content encryption with an oracle",
        variants=tuple(
            Variant(
                name=algorithm,
                change=wire(once(_GCM, algorithm.encode())),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
            )
            for algorithm in (
                f"{XENC}aes128-cbc",
                f"{XENC}tripledes-cbc",
                f"{XENC}aes256-cbc",
                "http://www.w3.org/2009/xmlenc11#aes256-gcm",
                "http://www.w3.org/2009/xmlenc11#aes192-gcm",
                "",
            )
        ),
    ),
    Recipe(
        id="W80",
        done="a tag that was cut, a content that is too short for one",
        variants=(
            *(
                variant
                for octets in (1, 4, 8, 12)
                for variant in _every_part(first_octets(-octets), f"{octets} off the tag", SECURITY)
            ),
            *_every_part(first_octets(28), "28 octets", ENVELOPE),
            *_every_part(first_octets(12), "12 octets", ENVELOPE),
            *_every_part(first_octets(0), "no octets", ENVELOPE),
            *_every_part(first_octets(29), "29 octets", SECURITY),
        ),
    ),
    Recipe(
        id="W81",
        done="one bit changed in IV, ciphertext or tag",
        variants=(
            *_every_part(bit(0), "IV", SECURITY),
            *_every_part(bit(40), "ciphertext", SECURITY),
            *_every_part(bit(-1), "tag", SECURITY),
        ),
    ),
    Recipe(
        id="W82",
        done="one IV twice under one key",
        variants=(
            Variant(
                name="all",
                change=lambda draft: setattr(draft, "ivs", (b"0" * 12,) * 3),
                expect=ENVELOPE,
                hands=(Hand.INSIDER, Hand.MEMBER),
            ),
            Variant(
                name="two",
                change=lambda draft: setattr(draft, "ivs", (b"0" * 12, b"1" * 12, b"1" * 12)),
                expect=ENVELOPE,
                hands=SIGNED,
                directions=REQUESTS,
            ),
        ),
    ),
)

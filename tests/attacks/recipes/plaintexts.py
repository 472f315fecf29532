"""W94 to W100: what comes out of the encryption, and where it may stand."""

from __future__ import annotations

import os
from base64 import b64encode
from copy import deepcopy

from lxml import etree

from adapter.crypto import templates
from adapter.crypto.content import ContentCipher
from adapter.envelope import names
from tests.attacks.draft import Draft, Hand, Octets
from tests.attacks.naive import Naive
from tests.attacks.recipes.encryption import data
from tests.attacks.recipes.forging import forged_payload
from tests.attacks.recipes.model import (
    ANSWERS,
    ENVELOPE,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    WIRE,
    Change,
    Recipe,
    Variant,
    both,
    plaintext,
    wire,
)
from tests.attacks.recipes.octets import once


def reference_to_cipher(uri: str) -> Change:
    """A CipherReference in the place of the CipherValue."""

    def change(draft: Draft) -> None:
        said = uri.format(file=draft.canary.path.as_uri(), url=draft.canary.url)

        def octets_of(octets: bytes) -> bytes:
            start, end = octets.index(b"<xenc:CipherValue>"), octets.index(b"</xenc:CipherData>")
            return octets[:start] + f'<xenc:CipherReference URI="{said}"/>'.encode() + octets[end:]

        data(octets_of)(draft)

    return change


def other_parts_first(*order: str) -> Change:
    """The parts of Security in another order."""

    def change(draft: Draft) -> None:
        security = draft.security
        for part in reversed(order):
            security.insert(0, draft.part(part))

    return change


def closing_body(draft: Draft) -> None:
    """The plaintext closes Body and opens another: whoever pastes it as text has two."""
    payload = etree.tostring(forged_payload(draft))
    start = templates.BODY_START
    draft.in_plaintext["body"] = lambda genuine: payload + templates.BODY_END + start + genuine


def nested(times: int) -> Octets:
    """The plaintext as an EncryptedData around an EncryptedData … under a key that the attacker knows."""

    def change(octets: bytes) -> bytes:
        for _ in range(times):
            octets = b'<x:e xmlns:x="urn:x">' + octets + b"</x:e>"
        return octets

    return change


def own_encrypted_data(draft: Draft) -> None:
    """The plaintext of Body is an EncryptedData under the same key."""

    def encrypted(octets: bytes) -> bytes:
        inner = ContentCipher(draft.content_key).encrypt(os.urandom(12), octets)
        start = templates.encrypted_data_start("inner-cipher", names.TYPE_ELEMENT)
        return start + b64encode(inner) + templates.ENCRYPTED_DATA_END

    draft.in_plaintext["body"] = encrypted


def with_id(part: str, value: str) -> Change:
    """What was encrypted has the id of something else."""

    def change(draft: Draft) -> None:
        element = draft.part(part)
        (element[0] if part == "body" else element).set(names.WSU_ID, value)

    return change


def signature_id(value: str) -> Change:
    """The Signature has the id of something else."""

    def change(draft: Draft) -> None:
        draft.part("signature").set("Id", value)

    return change


def copied_security(draft: Draft) -> None:
    """A Security header within the encrypted Body."""
    draft.part("body").append(deepcopy(draft.security))


PLAINTEXTS = (
    Recipe(
        id="W94",
        done="content that is to be fetched from somewhere",
        variants=tuple(
            Variant(name=uri, change=reference_to_cipher(uri), expect=ENVELOPE)
            for uri in ("{file}", "{url}", "cid:unknown", "#body", "")
        ),
    ),
    Recipe(
        id="W95",
        done="a plaintext that is not one element",
        variants=(
            Variant(
                name="closes Body and opens another",
                change=closing_body,
                expect=SECURITY,
                fools=Naive(lookup="last"),
            ),
            *(
                Variant(name=name, change=plaintext(part, change), expect=SECURITY, directions=directions)
                for part, directions in (
                    ("body", ANSWERS + REQUESTS),
                    ("personal-data", REQUESTS),
                    ("signature", ANSWERS),
                )
                for name, change in (
                    (f"DOCTYPE, {part}", lambda octets: b"<!DOCTYPE x>" + octets),
                    (f"two elements, {part}", lambda octets: octets + b"<x/>"),
                    (f"not closed, {part}", lambda octets: octets[:-2]),
                    (f"closes more, {part}", lambda octets: octets + b"</x>"),
                    (f"closes and opens, {part}", lambda octets: octets + b"</fragment><fragment>"),
                    (f"text, {part}", lambda octets: octets + b"x"),
                    (f"text only, {part}", lambda _octets: b"x"),
                    (f"declaration, {part}", lambda octets: b'<?xml version="1.0"?>' + octets),
                    (f"instruction, {part}", lambda octets: b"<?x?>" + octets),
                    (f"comment, {part}", lambda octets: b"<!-- x -->" + octets),
                    (f"not UTF-8, {part}", lambda octets: octets + b"\xff"),
                    (f"NUL, {part}", lambda octets: octets + b"\x00"),
                )
            ),
        ),
    ),
    Recipe(
        id="W96",
        done="a plaintext that is encrypted once more, has a Security header, or is nested deep",
        variants=(
            Variant(name="Security", change=copied_security, expect=SECURITY),
            Variant(name="EncryptedData", change=own_encrypted_data, expect=SECURITY),
            Variant(name="150 deep", change=plaintext("body", nested(150)), expect=SECURITY),
            Variant(name="1,000 deep", change=plaintext("body", nested(1000)), expect=SECURITY),
            Variant(name="5,000 deep", change=plaintext("body", nested(5000)), expect=SECURITY, suites=("p256",)),
        ),
    ),
    Recipe(
        id="W97",
        done="EncryptedData of another Type, with an Encoding or a MimeType",
        variants=(
            Variant(
                name="Element for Content",
                change=data(once(names.TYPE_CONTENT.encode(), names.TYPE_ELEMENT.encode())),
                expect=ENVELOPE,
            ),
            Variant(
                name="Content for Element",
                change=data(once(names.TYPE_ELEMENT.encode(), names.TYPE_CONTENT.encode()), of="signature"),
                expect=ENVELOPE,
            ),
            *(
                Variant(name=attribute.decode(), change=data(once(b" Type=", attribute + b" Type=")), expect=ENVELOPE)
                for attribute in (
                    b' MimeType="application/gzip"',
                    b' Encoding="http://www.w3.org/2000/09/xmldsig#base64"',
                    b' Encoding="gzip"',
                )
            ),
            Variant(name="no Type", change=data(once(f' Type="{names.TYPE_CONTENT}"'.encode(), b"")), expect=ENVELOPE),
        ),
    ),
    Recipe(
        id="W98",
        done="what was encrypted has an id that something else has too",
        variants=(
            *(
                Variant(
                    name=f"payload has that of {value}",
                    change=with_id("body", value),
                    expect=SECURITY,
                    hands=(Hand.INSIDER, Hand.MEMBER),
                )
                for value in ("body", "exchange", "timestamp", "token", "key", "body-cipher")
            ),
            Variant(
                name="PersonalData has that of Body",
                change=with_id("personal-data", "body"),
                expect=SECURITY,
                hands=(Hand.INSIDER, Hand.MEMBER),
                directions=REQUESTS,
            ),
            *(
                Variant(name=f"Signature has that of {value}", change=signature_id(value), expect=SECURITY)
                for value in ("body", "token")
            ),
        ),
    ),
    Recipe(
        id="W99",
        done="the parts of Security in an order that could mean something else",
        variants=(
            Variant(
                name="Signature first", change=other_parts_first("signature"), expect=ENVELOPE, hands=OPENED_OR_NOT
            ),
            Variant(
                name="Signature before the key",
                change=other_parts_first("token", "signature"),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
            ),
            Variant(
                name="the two ciphers exchanged",
                change=both(
                    wire(once(b'Id="signature-cipher"', b'Id="x"')),
                    wire(once(b'Id="body-cipher"', b'Id="signature-cipher"')),
                    wire(once(b'Id="x"', b'Id="body-cipher"')),
                ),
                expect="answered",
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W100",
        done="thousands of broken messages, to compare what is answered and when",
        elsewhere="tests/attacks/test_uniformity.py: no kind of broken message can be told from another by its answer.",
    ),
)

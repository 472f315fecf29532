"""Signatures that an attacker makes or takes from elsewhere, as elements to put into a draft."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.crypto import templates
from adapter.crypto.suites import suite
from adapter.envelope import names
from adapter.xmlsafe import canonical
from tests.attacks.draft import Draft, in_the_clear
from tests.attacks.recipes.forging import replaced, taken
from tests.attacks.recipes.model import Change


def signature_by_third(draft: Draft, parts: list[etree._Element]) -> etree._Element:
    """A Signature over these elements by a member that has no part in the message, and its token put in Security."""
    third = draft.third
    token = etree.fromstring(templates.render_token(third.signing_certificate.public_bytes(Encoding.DER)))
    token.set(names.WSU_ID, "token-of-third")
    draft.part("token").addnext(token)
    row = suite(third.suite)
    references = [
        templates.render_reference(part.get(names.WSU_ID, ""), sha256(canonical(part)).digest()) for part in parts
    ]
    signed_info = templates.render_signed_info(row.signature_algorithm, references)
    octets = templates.render_signature(signed_info, row.sign(third.signing_key, signed_info))
    return etree.fromstring(octets.replace(b'URI="#token"', b'URI="#token-of-third"'))


def second_signature(part: str, *, first: bool) -> Change:
    """A forged part under another member's good signature; the genuine Signature stays."""

    def change(draft: Draft) -> None:
        replaced(draft, part)
        signature = draft.part("signature")
        second = signature_by_third(draft, [draft.part(part)])
        (signature.addprevious if first else signature.addnext)(second)

    return change


def signature_of_another_message(*, with_exchange: bool) -> Change:
    """The Signature of an earlier message of the same signer; beside ours with its Exchange, or in its place."""

    def change(draft: Draft) -> None:
        other = etree.fromstring(in_the_clear(draft.other, draft.other_key)[0])
        draft.part("signature").addnext(next(other.iter(names.SIGNATURE)))
        if with_exchange:
            draft.part("exchange").addnext(next(other.iter(names.EXCHANGE)))
        else:
            taken(draft, "signature")

    return change


def encoded(octets: bytes) -> str:
    """base64."""
    return b64encode(octets).decode()

"""W09 to W19: wrapping in the places that SOAP and WS-Security offer."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import Draft
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import FOREIGN, foreign, forged, replaced, taken
from tests.attacks.recipes.model import (
    ENVELOPE,
    OPENED_OR_NOT,
    SECURITY,
    WIRE,
    Change,
    Recipe,
    Variant,
)
from tests.attacks.recipes.resigning import second_signature, signature_of_another_message
from tests.attacks.recipes.wrapping import BLOCKS_LAST, FIRST, each, forged_first


def into_foreign_block(part: str, *, new_id: str | None = "forged", **attributes: str) -> Change:
    """The genuine part in a header that nobody knows, a forged one in its place."""

    def change(draft: Draft) -> None:
        draft.header.append(foreign(replaced(draft, part, new_id), **attributes))

    return change


def body_behind(draft: Draft) -> None:
    """A new Body first, the genuine one as the third child of Envelope."""
    draft.root.append(replaced(draft, "body"))


def into_foreign_in_security(draft: Draft) -> None:
    """The genuine Timestamp in a foreign element of Security."""
    draft.security.append(foreign(replaced(draft, "timestamp")))


def second_security(*, first: bool, role: str = "") -> Change:
    """Another Security with forged parts."""

    def change(draft: Draft) -> None:
        other = deepcopy(draft.security)
        for name, element in (("timestamp", names.TIMESTAMP), ("signature", names.SIGNATURE)):
            for old in other.findall(element):
                if name == "timestamp":
                    other.replace(old, forged(draft, "timestamp"))
                else:
                    other.remove(old)
        if role:
            other.set(f"{{{names.SOAP12}}}role", role)
        (draft.security.addprevious if first else draft.security.addnext)(other)

    return change


def all_for_another_role(draft: Draft) -> None:
    """The signed parts in a Security for somebody else; ours has the forged Timestamp only."""
    own = etree.Element(names.SECURITY, nsmap={"wsse": names.WSSE})
    own.set(names.SOAP12_MUST_UNDERSTAND, "true")
    own.append(forged(draft, "timestamp"))
    draft.security.set(f"{{{names.SOAP12}}}role", f"{FOREIGN}:role")
    draft.security.addprevious(own)


def signature_out(where: str) -> Change:
    """The Signature somewhere else than in Security."""

    def change(draft: Draft) -> None:
        signature = taken(draft, "signature")
        if where == "body":
            draft.part("body").append(signature)
        elif where == "header":
            draft.header.append(signature)
        elif where == "foreign":
            draft.header.append(foreign(signature))
        else:
            draft.part(where).append(signature)
        replaced(draft, "timestamp")

    return change


OF_SOAP = (
    Recipe(
        id="W09",
        done="Body in a foreign header, another one with another id in its place",
        variants=each(into_foreign_block, ENVELOPE, "body", fools=FIRST, hands=OPENED_OR_NOT),
    ),
    Recipe(
        id="W10",
        done="the same with one id on both",
        variants=each(
            lambda part: into_foreign_block(part, new_id=None), ENVELOPE, "body", fools=FIRST, hands=OPENED_OR_NOT
        ),
    ),
    Recipe(
        id="W11",
        done="the foreign header says that it need not be understood, for a role that nobody knows",
        variants=(
            Variant(
                name="not to be understood",
                change=into_foreign_block("body", mustUnderstand="0", role=f"{FOREIGN}:role"),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=FIRST,
            ),
            Variant(
                name="relay",
                change=into_foreign_block("body", relay="true"),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=FIRST,
            ),
        ),
    ),
    Recipe(
        id="W12",
        done="a new Body first, the genuine one as the third child of Envelope",
        variants=(
            Variant(name="behind", change=body_behind, expect=ENVELOPE, hands=OPENED_OR_NOT, fools=FIRST),
            Variant(
                name="before",
                change=lambda draft: draft.root.append(forged(draft, "body")),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=Naive(body="last child"),
            ),
        ),
    ),
    Recipe(
        id="W13",
        done="a fresh Timestamp, the signed one in a wrapper",
        variants=(
            *each(into_foreign_block, ENVELOPE, "timestamp", fools=FIRST, hands=OPENED_OR_NOT),
            Variant(
                name="wrapper in Security",
                change=into_foreign_in_security,
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=FIRST,
            ),
        ),
    ),
    Recipe(
        id="W14",
        done="two Timestamps, one of them signed",
        variants=(
            Variant(
                name="forged first", change=forged_first("timestamp"), expect=ENVELOPE, hands=OPENED_OR_NOT, fools=FIRST
            ),
            Variant(
                name="forged last",
                change=lambda draft: draft.part("timestamp").addnext(forged(draft, "timestamp")),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=BLOCKS_LAST,
            ),
        ),
    ),
    Recipe(
        id="W15",
        done="two Security headers for the same role",
        variants=(
            Variant(name="forged first", change=second_security(first=True), expect=ENVELOPE, fools=FIRST),
            Variant(name="forged last", change=second_security(first=False), expect=ENVELOPE, fools=BLOCKS_LAST),
            Variant(name="forged first, clear parts", change=second_security(first=True), expect=ENVELOPE, hands=WIRE),
        ),
    ),
    Recipe(
        id="W16",
        done="the signed parts in a Security for another role",
        variants=(
            Variant(name="all of them", change=all_for_another_role, expect=ENVELOPE, hands=OPENED_OR_NOT, fools=FIRST),
            Variant(
                name="a second one for another role",
                change=second_security(first=True, role=f"{FOREIGN}:role"),
                expect=ENVELOPE,
                fools=FIRST,
            ),
        ),
    ),
    Recipe(
        id="W17",
        done="a second Signature, by another member's valid key, over the forged part",
        variants=(
            Variant(
                name="after the genuine one",
                change=second_signature("body", first=False),
                expect=ENVELOPE,
                fools=Naive(signature="last"),
            ),
            Variant(name="before it", change=second_signature("body", first=True), expect=ENVELOPE, fools=FIRST),
            Variant(
                name="one of them is good",
                change=second_signature("body", first=True),
                expect=ENVELOPE,
                fools=Naive(signed_by_any_one=True),
            ),
        ),
    ),
    Recipe(
        id="W18",
        done="two Signatures of the same signer from two messages, the parts mixed",
        variants=(
            Variant(name="both", change=signature_of_another_message(with_exchange=True), expect=ENVELOPE),
            Variant(name="the other's", change=signature_of_another_message(with_exchange=False), expect=SECURITY),
        ),
    ),
    Recipe(
        id="W19",
        done="the Signature somewhere else than in Security",
        variants=tuple(
            Variant(name=where, change=signature_out(where), expect=ENVELOPE, hands=OPENED_OR_NOT)
            for where in ("body", "header", "foreign", "token", "exchange")
        ),
    ),
)

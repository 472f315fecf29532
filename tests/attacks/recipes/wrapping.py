"""W01 to W19: the genuine part is moved to where only the signature finds it, a forged one stands where it is read."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import FOREIGN, foreign, forged, replaced, taken
from tests.attacks.recipes.model import (
    ENVELOPE,
    EVERY_DIRECTION,
    HEADER,
    OPENED,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    WIRE,
    Change,
    Recipe,
    Variant,
)
from tests.attacks.recipes.resigning import second_signature, signature_of_another_message

FIRST, LAST = Naive(), Naive(lookup="last")
ANYWHERE = Naive(body="first descendant")
BLOCKS_LAST = Naive(blocks="last")


# --- the eight classic ones ------------------------------------------------------------------------------------------


def in_signature_inside_forged(part: str) -> Change:
    """The forged part holds the Signature, which holds the genuine part."""

    def change(draft: Draft) -> None:
        signature = taken(draft, "signature")
        genuine = replaced(draft, part)
        signature.append(genuine)
        draft.part(part).append(signature)

    return change


def in_signature(part: str, *, new_id: str | None = "forged", in_object: bool = False) -> Change:
    """The genuine part inside the Signature, which stays where it is."""

    def change(draft: Draft) -> None:
        genuine = replaced(draft, part, new_id)
        signature = draft.part("signature")
        holder = etree.SubElement(signature, f"{{{names.DS}}}Object") if in_object else signature
        holder.append(genuine)

    return change


def beside_signature(part: str, *, after: bool) -> Change:
    """The genuine part as a sibling of the Signature."""

    def change(draft: Draft) -> None:
        signature = draft.part("signature")
        genuine = replaced(draft, part)
        (signature.addnext if after else signature.addprevious)(genuine)

    return change


def forged_first(part: str, new_id: str | None = "forged") -> Change:
    """The forged part just before the genuine one."""

    def change(draft: Draft) -> None:
        draft.part(part).addprevious(forged(draft, part, new_id))

    return change


def around(part: str) -> Change:
    """The forged part with the genuine one as its last child."""

    def change(draft: Draft) -> None:
        genuine = replaced(draft, part)
        draft.part(part).append(genuine)

    return change


def signature_in_forged(part: str, *, genuine_in_signature: bool = False) -> Change:
    """The forged part carries the Signature; the genuine one is at the end of the parent, or in the Signature."""

    def change(draft: Draft) -> None:
        signature = taken(draft, "signature")
        genuine = replaced(draft, part)
        new = draft.part(part)
        new.append(signature)
        holder = signature if genuine_in_signature else new.getparent()
        if holder is not None:
            holder.append(genuine)

    return change


def same_id_in_foreign_block(part: str, **attributes: str) -> Change:
    """The forged part with the same id in a header that nobody knows; the genuine one stays."""

    def change(draft: Draft) -> None:
        draft.header.insert(0, foreign(forged(draft, part, None), **attributes))

    return change


def each(
    change: Callable[[str], Change],
    expect: str,
    *parts: str,
    fools: Naive | None = None,
    hands: tuple[Hand, ...] = OPENED,
    directions: tuple[Direction, ...] = EVERY_DIRECTION,
) -> tuple[Variant, ...]:
    """The same change to several parts."""
    return tuple(
        Variant(name=part, change=change(part), expect=expect, hands=hands, directions=directions, fools=fools)
        for part in parts
    )


# --- those of SOAP ---------------------------------------------------------------------------------------------------


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


CLASSIC = (
    Recipe(
        id="W01",
        done="a forged part in the place of the genuine one, which hangs inside the Signature",
        variants=(
            *each(in_signature_inside_forged, ENVELOPE, "body", "exchange", "timestamp", fools=None),
            *each(in_signature, SECURITY, "body", "exchange", "timestamp", fools=FIRST),
        ),
    ),
    Recipe(
        id="W02",
        done="the genuine part as a sibling just before or after the Signature",
        variants=(
            *each(lambda part: beside_signature(part, after=True), ENVELOPE, "body", "exchange", fools=FIRST),
            *each(lambda part: beside_signature(part, after=False), ENVELOPE, "body", "exchange", fools=FIRST),
            *each(
                lambda part: beside_signature(part, after=True),
                ENVELOPE,
                "body",
                "timestamp",
                fools=FIRST,
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W03",
        done="the forged part first, the genuine one as the next sibling",
        variants=(
            *each(forged_first, ENVELOPE, "body", "exchange", "timestamp", fools=FIRST, hands=OPENED_OR_NOT),
            *each(forged_first, ENVELOPE, "token", "encrypted-header", hands=WIRE, directions=REQUESTS),
        ),
    ),
    Recipe(
        id="W04",
        done="the forged part around the genuine one",
        variants=(
            Variant(name="body", change=around("body"), expect=SECURITY, fools=FIRST),
            Variant(name="body in the clear", change=around("body"), expect=ENVELOPE, hands=WIRE, fools=FIRST),
            *each(around, ENVELOPE, "exchange", "timestamp", fools=FIRST, hands=OPENED_OR_NOT),
        ),
    ),
    Recipe(
        id="W05",
        done="the forged part carries the Signature, the genuine one is at the end of the parent",
        variants=each(
            signature_in_forged, ENVELOPE, "body", "exchange", "timestamp", fools=FIRST, hands=OPENED_OR_NOT
        ),
    ),
    Recipe(
        id="W06",
        done="the forged part carries the Signature, and that the genuine part",
        variants=each(
            lambda part: signature_in_forged(part, genuine_in_signature=True),
            ENVELOPE,
            "body",
            "exchange",
            "timestamp",
            fools=FIRST,
        ),
    ),
    Recipe(
        id="W07",
        done="a forged part with the same id in a header that the schema leaves open; the genuine one stays",
        variants=(
            Variant(
                name="body",
                change=same_id_in_foreign_block("body"),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=Naive(lookup="last", body="first descendant"),
            ),
            *each(same_id_in_foreign_block, ENVELOPE, "exchange", "timestamp", fools=LAST, hands=OPENED_OR_NOT),
            Variant(
                name="must be understood",
                change=same_id_in_foreign_block("body", mustUnderstand="true"),
                expect=HEADER,
                hands=OPENED_OR_NOT,
            ),
        ),
    ),
    Recipe(
        id="W08",
        done="the genuine part in a ds:Object of the Signature",
        variants=(
            *each(lambda part: in_signature(part, in_object=True), SECURITY, "body", "exchange", fools=FIRST),
            Variant(
                name="body with the same id",
                change=in_signature("body", new_id=None, in_object=True),
                expect=SECURITY,
                fools=FIRST,
            ),
            Variant(
                name="exchange with the same id",
                change=in_signature("exchange", new_id=None, in_object=True),
                expect=SECURITY,
                fools=LAST,
            ),
        ),
    ),
)

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
            Variant(name="forged first", change=forged_first("timestamp"), expect=ENVELOPE, hands=OPENED_OR_NOT, fools=FIRST),
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

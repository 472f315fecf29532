"""W01 to W19: the genuine part is moved to where only the signature finds it, a forged one stands where it is read."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import foreign, forged, replaced, taken
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
        variants=each(signature_in_forged, ENVELOPE, "body", "exchange", "timestamp", fools=FIRST, hands=OPENED_OR_NOT),
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

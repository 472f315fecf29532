"""W28 to W34: which parts are signed, and which ids count."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import FOREIGN, foreign, forged, in_place, replaced, taken
from tests.attacks.recipes.model import (
    ANSWERS,
    ENVELOPE,
    LIMIT,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    SIGNED,
    WIRE,
    Change,
    Recipe,
    Variant,
    both,
)
from tests.attacks.recipes.resigning import signature_of_another_message


def unsigned_block(element: etree._Element) -> Change:
    """A header block that nobody signed, first and last."""

    def change(draft: Draft) -> None:
        draft.header.insert(0, deepcopy(element))

    return change


def block(namespace: str, name: str, text: str) -> etree._Element:
    """A header block with a text."""
    element = etree.Element(f"{{{namespace}}}{name}", nsmap={"h": namespace})
    element.text = text
    return element


def without(part: str) -> Change:
    """A part left out."""

    def change(draft: Draft) -> None:
        taken(draft, part)

    return change


def without_personal_data(draft: Draft) -> None:
    """The encrypted header left out, whole."""
    taken(draft, "encrypted-header")


def references(change: Callable[[Parts], Parts]) -> Change:
    """A member signs these References: a function from those that are right to those that are signed."""

    def apply(draft: Draft) -> None:
        draft.signing.references = lambda of: change(of.digested())

    return apply


Parts = list[tuple[str, bytes, tuple[str, ...]]]


def all_but(number: int) -> Callable[[Parts], Parts]:
    """One Reference left out."""
    return lambda parts: parts[:number] + parts[number + 1 :]


def with_attribute(part: str, name: str, value: str) -> Change:
    """One more attribute on a part."""

    def change(draft: Draft) -> None:
        draft.part(part).set(name, value)

    return change


def id_in_payload(name: str, value: str) -> Change:
    """The payload has an attribute that some take for an id."""

    def change(draft: Draft) -> None:
        draft.part("body")[0].set(name, value)

    return change


def spelled_id_on_wrapper(name: str) -> Change:
    """The genuine Body loses its place to a forged one; a foreign block has its id in another attribute."""

    def change(draft: Draft) -> None:
        genuine = replaced(draft, "body")
        wrapper = foreign(genuine)
        wrapper.set(name, "body")
        draft.header.append(wrapper)

    return change


def named_by_xml_id(draft: Draft) -> None:
    """Body has wsu:Id and xml:id; the Reference names the second."""
    draft.part("body").set(f"{{{names.XML}}}id", "other")
    digested = draft.digested
    draft.signing.references = lambda _draft: [
        ("other" if name == "body" else name, octets, prefixes) for name, octets, prefixes in digested()
    ]


MANIFEST = (
    f'<ds:Reference URI="#manifest"><ds:Transforms><ds:Transform Algorithm="{names.EXC_C14N}"></ds:Transform>'
    f'</ds:Transforms><ds:DigestMethod Algorithm="{names.SHA256}"></ds:DigestMethod>'
    "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>"
).encode()


def only_a_manifest(octets: bytes) -> bytes:
    """SignedInfo with a Reference to a Manifest and nothing else."""
    return octets[: octets.index(b"<ds:Reference")] + MANIFEST


WSA = "http://www.w3.org/2005/08/addressing"


COVERAGE = (
    Recipe(
        id="W28",
        done="header blocks that nobody signed, beside those that are",
        variants=(
            *(
                Variant(name=name, change=unsigned_block(element), expect=ENVELOPE, hands=OPENED_OR_NOT)
                for name, element in {
                    "ReplyTo": block(WSA, "ReplyTo", "http://192.0.2.7/"),
                    "To": block(WSA, "To", "urn:example:other"),
                    "routing": block(FOREIGN, "Route", "UZ/GOV/200000002"),
                    "service": block(names.ENVELOPE, "Service", "UZ/GOV/200000001/population/GetAll/v1"),
                }.items()
            ),
            Variant(
                name="Exchange",
                change=lambda draft: draft.header.insert(0, forged(draft, "exchange")),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                fools=Naive(),
            ),
        ),
    ),
    Recipe(
        id="W29",
        done="a part that must be signed is left out",
        variants=(
            *(
                Variant(name=part, change=without(part), expect=ENVELOPE, hands=OPENED_OR_NOT)
                for part in ("exchange", "timestamp", "token", "body", "signature", "key")
            ),
            Variant(name="confirmation", change=without("confirmation"), expect=ENVELOPE, directions=ANSWERS),
            Variant(
                name="personal data, its cipher still named",
                change=without_personal_data,
                expect=ENVELOPE,
                hands=WIRE,
                directions=REQUESTS,
            ),
            Variant(name="personal data", change=without_personal_data, expect=SECURITY, directions=REQUESTS),
        ),
    ),
    Recipe(
        id="W30",
        done="a good Signature of another message of the same signer, over parts of its own",
        variants=(
            Variant(name="in place", change=signature_of_another_message(with_exchange=False), expect=SECURITY),
            Variant(
                name="with a forged Body",
                change=both(
                    in_place("body"),
                    signature_of_another_message(with_exchange=False),
                ),
                expect=SECURITY,
            ),
        ),
    ),
    Recipe(
        id="W31",
        done="a Signature without References, or with one to a Manifest",
        variants=(
            Variant(name="none", change=references(lambda _parts: []), expect=SECURITY, hands=SIGNED),
            Variant(
                name="Manifest",
                change=lambda draft: setattr(draft.signing, "in_signed_info", only_a_manifest),
                expect=SECURITY,
                hands=SIGNED,
            ),
            *(
                Variant(
                    name=f"all but {number}",
                    change=references(all_but(number)),
                    expect=SECURITY,
                    hands=SIGNED,
                )
                for number in range(5)
            ),
        ),
    ),
    Recipe(
        id="W32",
        done="one Reference several times, or thousands",
        variants=(
            Variant(
                name="three times",
                change=references(lambda parts: parts + parts[:1] * 2),
                expect=SECURITY,
                hands=SIGNED,
            ),
            Variant(
                name="in the place of another",
                change=references(lambda parts: parts[:1] * 2 + parts[2:]),
                expect=SECURITY,
                hands=SIGNED,
            ),
            Variant(name="5,000", change=references(lambda parts: parts[:1] * 5000), expect=LIMIT, hands=SIGNED),
        ),
    ),
    Recipe(
        id="W33",
        done="one value in several attributes that somebody calls an id",
        variants=(
            *(
                Variant(
                    name=f"wrapper with {name}",
                    change=spelled_id_on_wrapper(name),
                    expect=ENVELOPE,
                    hands=OPENED_OR_NOT,
                )
                for name in ("Id", "ID", "id", f"{{{names.XML}}}id")
            ),
            *(
                Variant(
                    name=f"{name} on a part",
                    change=with_attribute("exchange", name, "body"),
                    expect=ENVELOPE,
                    hands=OPENED_OR_NOT,
                )
                for name in ("Id", "ID", "id", f"{{{names.XML}}}id", "wsu:id".replace("wsu:", f"{{{names.WSU}}}"))
            ),
            *(
                Variant(
                    name=f"{name} in the payload",
                    change=id_in_payload(name, "exchange"),
                    expect=SECURITY,
                    hands=SIGNED,
                    directions=(Direction.REQUEST, Direction.REPLY),
                )
                for name in (f"{{{names.XML}}}id", names.WSU_ID)
            ),
            *(
                Variant(
                    name=f"{name} in the payload, an application's own",
                    change=id_in_payload(name, "exchange"),
                    expect="SchemaInvalid",
                    hands=SIGNED,
                    directions=REQUESTS,
                )
                for name in ("Id", "ID", "id")
            ),
        ),
    ),
    Recipe(
        id="W34",
        done="a part with wsu:Id and xml:id, and a Reference to the second",
        variants=(
            Variant(name="body", change=named_by_xml_id, expect=ENVELOPE, hands=SIGNED),
            Variant(
                name="any other id that is not there",
                change=references(lambda parts: [("nowhere", *parts[0][1:]), *parts[1:]]),
                expect=SECURITY,
                hands=SIGNED,
            ),
        ),
    ),
)

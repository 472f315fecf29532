"""W35 to W41: declarations, prefixes, namespaces and versions that change what is read."""

from __future__ import annotations

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import forged, in_place
from tests.attacks.recipes.model import (
    ENVELOPE,
    LIMIT,
    OPENED,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    SIGNED,
    TAKEN,
    WIRE,
    Change,
    Recipe,
    Variant,
    wire,
)
from tests.attacks.recipes.octets import before, everywhere, once


def value_under_foreign_prefix(draft: Draft) -> None:
    """A name in a value whose prefix is declared outside of what is signed, so that anybody may bind it anew."""
    draft.part("body")[0].set(names.XSI_TYPE, "q:Type")
    wire(once(b"<env:Envelope ", b'<env:Envelope xmlns:q="urn:example:other" '))(draft)


def prefix_list(text: str) -> Change:
    """A member signs with this PrefixList in each Transform."""
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{names.EXC_C14N}" PrefixList="{text}"></ec:InclusiveNamespaces>'
    start = f'<ds:Transform Algorithm="{names.EXC_C14N}">'.encode()

    def change(draft: Draft) -> None:
        draft.signing.in_signed_info = once(start + b"</ds:Transform>", start + inclusive.encode() + b"</ds:Transform>")

    return change


def prefix_list_of_the_method(text: str) -> Change:
    """The same in CanonicalizationMethod."""
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{names.EXC_C14N}" PrefixList="{text}"></ec:InclusiveNamespaces>'
    end = b"</ds:CanonicalizationMethod>"

    def change(draft: Draft) -> None:
        draft.signing.in_signed_info = once(end, inclusive.encode() + end)

    return change


def body_of(namespace: str) -> Change:
    """Body in another namespace than its Envelope."""

    def change(draft: Draft) -> None:
        draft.part("body").tag = f"{{{namespace}}}Body"

    return change


def foreign_body_beside(draft: Draft) -> None:
    """A Body of another namespace beside the genuine one, with the forged payload."""
    body = forged(draft, "body")
    body.tag = "{urn:example:foreign}Body"
    draft.part("body").addprevious(body)


DOCTYPES = (
    b"<!DOCTYPE env:Envelope [<!ATTLIST env:Body foo ID #IMPLIED>]>",
    b'<!DOCTYPE env:Envelope [<!ATTLIST ia:Official id CDATA "body">]>',
    b"<!DOCTYPE x>",
    b'<?xml version="1.0"?>\n<!-- x --><!DOCTYPE x []>',
    b'\xef\xbb\xbf<!DOCTYPE x [<!ENTITY e "e">]>',
)


DECLARATIONS = (
    Recipe(
        id="W35",
        done="a DOCTYPE that declares another attribute as an id",
        variants=tuple(
            Variant(name=doctype.decode(), change=wire(before(doctype)), expect=ENVELOPE, hands=OPENED_OR_NOT)
            for doctype in DOCTYPES
        ),
    ),
    Recipe(
        id="W36",
        done="a DOCTYPE with default values for attributes",
        variants=tuple(
            Variant(
                name=default,
                change=wire(before(f"<!DOCTYPE env:Envelope [<!ATTLIST {default}>]>".encode())),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
            )
            for default in (
                'env:Body wsu:Id CDATA "body"',
                'wsse:Security env:role CDATA "urn:x"',
                'wsse:Security env:mustUnderstand CDATA "true"',
            )
        ),
    ),
    Recipe(
        id="W37",
        done="a prefix in a value is declared outside of what is signed",
        variants=(
            Variant(
                name="xsi:type",
                change=value_under_foreign_prefix,
                expect=SECURITY,
                hands=SIGNED,
                directions=(Direction.REQUEST, Direction.REPLY),
            ),
        ),
    ),
    Recipe(
        id="W38",
        done="PrefixLists of every odd kind; a short list of unknown prefixes changes nothing and is taken",
        variants=(
            *(
                Variant(name=name, change=kind(text), expect=expect, hands=SIGNED)
                for kind in (prefix_list, prefix_list_of_the_method)
                for name, text, expect in (
                    ("1,000", " ".join(f"p{at}" for at in range(1000)), SECURITY),
                    ("17", " ".join(f"p{at}" for at in range(17)), SECURITY),
                    ("10,000", " ".join(f"p{at}" for at in range(10_000)), LIMIT),
                    ("#default", "#default", SECURITY),
                    ("twice", "a a", SECURITY),
                    ("not a prefix", "a:b", SECURITY),
                    ("unknown", "a b", TAKEN),
                    ("empty", "", TAKEN),
                )
            ),
        ),
    ),
    Recipe(
        id="W39",
        done="Body in another namespace, or such a one beside it",
        variants=(
            Variant(name="in the place", change=body_of("urn:example:foreign"), expect=ENVELOPE, hands=OPENED_OR_NOT),
            Variant(name="no namespace", change=wire(everywhere(b"env:Body", b"Body")), expect=ENVELOPE, hands=WIRE),
            Variant(name="beside", change=foreign_body_beside, expect=ENVELOPE, hands=OPENED_OR_NOT, fools=Naive()),
            Variant(
                name="prefix rebound",
                change=wire(once(b"<env:Body", b'<env:Body xmlns:env="urn:example:foreign"')),
                expect=ENVELOPE,
                hands=OPENED,
            ),
        ),
    ),
    Recipe(
        id="W40",
        done="SOAP 1.1 and 1.2 mixed",
        variants=(
            Variant(name="Body of 1.1", change=body_of(names.SOAP11), expect=ENVELOPE, hands=OPENED_OR_NOT),
            Variant(
                name="all of 1.1",
                change=wire(everywhere(names.SOAP12.encode(), names.SOAP11.encode())),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
            ),
            Variant(
                name="actor",
                change=lambda draft: draft.security.set(f"{{{names.SOAP11}}}actor", "urn:x"),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
            ),
            Variant(
                name="mustUnderstand of 1.1",
                change=lambda draft: draft.security.set(names.SOAP11_MUST_UNDERSTAND, "1"),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
            ),
        ),
    ),
    Recipe(
        id="W41",
        done="a part of a message of another kind: InReplyTo in a request, a request sent back as the reply",
        variants=(
            Variant(
                name="InReplyTo in a request",
                change=wire(once(b"<ia:Consumer>", b"<ia:InReplyTo>urn:uuid:x</ia:InReplyTo><ia:Consumer>")),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                directions=REQUESTS,
            ),
            Variant(
                name="RecordNumber in a request",
                change=wire(once(b"</ia:Exchange>", b"<ia:RecordNumber>1</ia:RecordNumber></ia:Exchange>")),
                expect=ENVELOPE,
                hands=OPENED_OR_NOT,
                directions=REQUESTS,
            ),
            Variant(
                name="no InReplyTo in a reply",
                change=wire(once(b"ia:InReplyTo>", b"ia:MessageId>")),
                expect=ENVELOPE,
                hands=(Hand.INSIDER,),
                directions=(Direction.REPLY, Direction.FAULT),
            ),
            Variant(
                name="a forged answer under the reply's own id",
                change=in_place("body"),
                expect=SECURITY,
            ),
        ),
    ),
)

"""W20 to W34: what is doubled, hidden or spelled oddly in and around the Signature; which ids count."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy
from hashlib import sha256

from lxml import etree

from adapter.envelope import names
from adapter.xmlsafe import canonical
from tests.attacks.draft import Draft, Octets
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import foreign, replaced, signed_info_child
from tests.attacks.recipes.model import (
    ENVELOPE,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    TAKEN,
    WIRE,
    Change,
    Recipe,
    Variant,
    plaintext,
    wire,
)

DS = f"{{{names.DS}}}"


def forged_signed_info(draft: Draft) -> etree._Element:
    """SignedInfo with the digest of a forged Body, which takes the genuine one's place under the same id."""
    replaced(draft, "body", None)
    info = deepcopy(signed_info_child(draft, "SignedInfo"))
    info.tail = None
    for reference in info.iter(f"{DS}Reference"):
        if reference.get("URI") == "#body":
            octets = canonical(draft.part("body"), inclusive_prefixes=draft.prefix_lists.get("body", ()))
            digest = next(reference.iter(f"{DS}DigestValue"))
            digest.text = b64encode(sha256(octets).digest()).decode()
    return info


def two_signed_infos(*, forged_first: bool, within: bool = False) -> Change:
    """A forged SignedInfo before or after the genuine one, or in a foreign element before it."""

    def change(draft: Draft) -> None:
        info = forged_signed_info(draft)
        genuine = signed_info_child(draft, "SignedInfo")
        element = foreign(info) if within else info
        (genuine.addprevious if forged_first else genuine.addnext)(element)

    return change


def doubled(name: str) -> Change:
    """An element of the Signature twice."""

    def change(draft: Draft) -> None:
        element = signed_info_child(draft, name)
        element.addnext(deepcopy(element))

    return change


def comment_before_digest(draft: Draft) -> None:
    """The digest of a forged Body in a comment before the genuine digest: canonical form leaves comments out."""
    info = forged_signed_info(draft)
    digests = [
        (next(reference.iter(f"{DS}DigestValue")).text or "")
        for reference in info.iter(f"{DS}Reference")
        if reference.get("URI") == "#body"
    ]
    for reference in draft.part("signature").iter(f"{DS}Reference"):
        if reference.get("URI") == "#body":
            value = next(reference.iter(f"{DS}DigestValue"))
            comment = etree.Comment(digests[0])
            comment.tail, value.text = value.text, None
            value.insert(0, comment)


def in_text(tag: bytes, piece: bytes) -> Octets:
    """A piece put into the middle of the text of the first element of this name."""

    def change(octets: bytes) -> bytes:
        at = octets.index(b"<" + tag)
        start = octets.index(b">", at) + 1
        end = octets.index(b"<", start)
        middle = (start + end) // 2
        return octets[:middle] + piece + octets[middle:]

    return change


def respelled_official(spelled: bytes) -> Octets:
    """The official's name spelled in another way that a parser reads as the same."""

    def change(octets: bytes) -> bytes:
        if b">inspector-7<" not in octets:
            raise LookupError("inspector-7")
        return octets.replace(b">inspector-7<", b">" + spelled + b"<")

    return change


STRUCTURE = (
    Recipe(
        id="W20",
        done="two SignedInfo, a genuine and a forged one",
        variants=(
            Variant(
                name="forged first",
                change=two_signed_infos(forged_first=True),
                expect=SECURITY,
                fools=Naive(signed_info="last"),
            ),
            Variant(
                name="forged last",
                change=two_signed_infos(forged_first=False),
                expect=SECURITY,
                fools=Naive(referenced="last"),
            ),
        ),
    ),
    Recipe(
        id="W21",
        done="a forged SignedInfo in a foreign element of the Signature, before the genuine one",
        variants=(
            Variant(
                name="before",
                change=two_signed_infos(forged_first=True, within=True),
                expect=SECURITY,
                fools=Naive(signed_info="last"),
            ),
        ),
    ),
    Recipe(
        id="W22",
        done="an element that must occur once occurs twice",
        variants=tuple(
            Variant(name=name, change=doubled(name), expect=SECURITY)
            for name in (
                "SignatureValue",
                "DigestValue",
                "CanonicalizationMethod",
                "SignatureMethod",
                "KeyInfo",
                "Transform",
                "Transforms",
                "DigestMethod",
                "Reference",
            )
        ),
    ),
    Recipe(
        id="W23",
        done="another digest in a comment before the genuine one",
        variants=(
            Variant(
                name="comment",
                change=comment_before_digest,
                expect=SECURITY,
                fools=Naive(digest="first node"),
            ),
        ),
    ),
    Recipe(
        id="W24",
        done="a comment or an instruction in a value",
        variants=(
            *(
                Variant(
                    name=f"{piece.decode()} in {tag.decode()}",
                    change=plaintext("signature", in_text(tag, piece)),
                    expect=SECURITY,
                )
                for tag in (b"ds:SignatureValue", b"ds:DigestValue")
                for piece in (b"<!--x-->", b"<?x y?>")
            ),
            *(
                Variant(
                    name=f"{piece.decode()} in {tag.decode()}",
                    change=wire(in_text(tag, piece)),
                    expect=ENVELOPE,
                    hands=WIRE,
                )
                for tag in (b"wsse:BinarySecurityToken", b"xenc:CipherValue", b"wsse:KeyIdentifier", b"wsu:Created")
                for piece in (b"<!--x-->", b"<?x y?>")
            ),
        ),
    ),
    Recipe(
        id="W25",
        done="a comment in the text of a signed identifier",
        variants=(
            *(
                Variant(name=tag.decode(), change=wire(in_text(tag, b"<!---->")), expect=ENVELOPE, hands=OPENED_OR_NOT)
                for tag in (b"ia:Official", b"ia:Consumer", b"ia:Service", b"ia:MessageId")
            ),
            Variant(
                name="payload",
                change=plaintext("body", in_text(b"p:Pinfl", b"<!---->")),
                expect=SECURITY,
                directions=REQUESTS,
            ),
            Variant(
                name="subject",
                change=plaintext("personal-data", in_text(b"ia:Subject", b"<!---->")),
                expect=SECURITY,
                directions=REQUESTS,
            ),
        ),
    ),
    Recipe(
        id="W26",
        done="an instruction in the text of a signed identifier",
        variants=tuple(
            Variant(name=tag.decode(), change=wire(in_text(tag, b"<?x?>")), expect=ENVELOPE, hands=OPENED_OR_NOT)
            for tag in (b"ia:Official", b"ia:Consumer", b"ia:Service")
        ),
    ),
    Recipe(
        id="W27",
        done="CDATA and character references in an identifier: the same text after parsing, so the same digest",
        variants=(
            *(
                Variant(
                    name=spelled.decode(), change=wire(respelled_official(spelled)), expect=TAKEN, hands=OPENED_OR_NOT
                )
                for spelled in (
                    b"<![CDATA[inspector]]>-7",
                    b"&#105;nspector-7",
                    b"inspector&#x2D;7",
                    b"inspector&#x2d;7",
                    b"<![CDATA[inspector-7]]>",
                )
            ),
            *(
                Variant(
                    name=spelled.decode(),
                    change=wire(respelled_official(spelled)),
                    expect=SECURITY,
                    hands=OPENED_OR_NOT,
                )
                for spelled in (b"Inspector-7", b"inspector-&#x38;", b"inspecto&#114;-77")
            ),
        ),
    ),
)

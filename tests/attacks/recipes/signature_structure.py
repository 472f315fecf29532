"""W20 to W34: what is doubled, hidden or spelled oddly in and around the Signature; which ids count."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy
from hashlib import sha256

from lxml import etree

from adapter.envelope import names
from adapter.xmlsafe import canonical
from tests.attacks.draft import Direction, Draft, Octets
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import FOREIGN, foreign, forged, replaced, signed_info_child, taken
from tests.attacks.recipes.model import (
    ANSWERS,
    ENVELOPE,
    LIMIT,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    SIGNED,
    TAKEN,
    WIRE,
    Change,
    Recipe,
    Variant,
    both,
    plaintext,
    wire,
)
from tests.attacks.recipes.resigning import signature_of_another_message

DS = f"{{{names.DS}}}"
WSA = "http://www.w3.org/2005/08/addressing"


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


def references(change: object) -> Change:
    """A member signs these References: a function from those that are right to those that are signed."""

    def apply(draft: Draft) -> None:
        draft.signing.references = lambda of: change(of.digested())  # type: ignore[operator]

    return apply


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
                Variant(name=f"{piece.decode()} in {tag.decode()}", change=plaintext("signature", in_text(tag, piece)), expect=SECURITY)
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
                Variant(
                    name=tag.decode(), change=wire(in_text(tag, b"<!---->")), expect=ENVELOPE, hands=OPENED_OR_NOT
                )
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
                    lambda draft: replaced(draft, "body", None) and None,
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
                    change=references(lambda parts, number=number: parts[:number] + parts[number + 1 :]),
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
            Variant(name="three times", change=references(lambda parts: parts + parts[:1] * 2), expect=SECURITY, hands=SIGNED),
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

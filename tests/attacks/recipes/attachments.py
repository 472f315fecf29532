"""W101 to W114: attachments. A peer's message is one XML document so far; whatever is more than that is refused."""

from __future__ import annotations

import gzip

from lxml import etree

from tests.attacks.draft import Direction, Draft, Octets
from tests.attacks.recipes.model import ENVELOPE, REQUESTS, SIGNED, WIRE, Change, Recipe, Variant, wire

_NOT_YET = (
    "Attachments are not on this wire: nothing takes a multipart message apart, so there is no part to replace, add or "
    "name twice; the whole is refused (W107)."
)
_XOP = "http://www.w3.org/2004/08/xop/include"


def in_multipart(boundary: str = "b", *, end: str = "\r\n--b--\r\n", preamble: str = "") -> Octets:
    """The message as the root part of a multipart document."""

    def change(octets: bytes) -> bytes:
        head = f"{preamble}--{boundary}\r\nContent-Type: application/soap+xml\r\nContent-ID: <root>\r\n\r\n"
        return head.encode() + octets + end.encode()

    return change


def include(uri: str) -> Change:
    """An xop:Include where the payload has a value."""

    def change(draft: Draft) -> None:
        value = draft.part("body")[0][0]
        value.text = None
        said = uri.format(file=draft.canary.path.as_uri(), url=draft.canary.url)
        etree.SubElement(value, f"{{{_XOP}}}Include", nsmap={"xop": _XOP}).set("href", said)

    return change


ATTACHMENTS = (
    *(
        Recipe(id=f"W{number}", done=done, elsewhere=_NOT_YET)
        for number, done in (
            (101, "the content of an attachment replaced"),
            (102, "an attachment more, which nobody signed"),
            (103, "two parts with one Content-ID"),
            (104, "a Content-ID spelled in another way"),
            (105, "an attachment removed, or the parts in another order"),
            (106, "the headers of a part changed"),
        )
    ),
    Recipe(
        id="W107",
        done="multipart documents of every kind, where one XML document must be",
        variants=tuple(
            Variant(name=name, change=wire(change), expect=ENVELOPE, hands=WIRE)
            for name, change in (
                ("whole", in_multipart()),
                ("no end", in_multipart(end="")),
                ("preamble", in_multipart(preamble="<x/>\r\n")),
                ("boundary of XML", in_multipart("<!--", end="-->")),
            )
        ),
    ),
    *(
        Recipe(id=f"W{number}", done=done, elsewhere=_NOT_YET)
        for number, done in (
            (108, "two Content-Types, two boundaries"),
            (109, "start names another part as the root"),
        )
    ),
    Recipe(
        id="W110",
        done="xop:Include in the payload, to everywhere",
        variants=tuple(
            Variant(
                name=f"{uri} {direction.value}",
                change=include(uri),
                expect=expect,
                hands=SIGNED,
                directions=(direction,),
            )
            for direction, expect in ((Direction.REQUEST, "SchemaInvalid"), (Direction.REPLY, "PeerAnswerInvalid"))
            for uri in ("{file}", "{url}", "cid:root", "cid:unknown", "#body", "")
        ),
    ),
    Recipe(id="W111", done="parts that are nested, many, or huge", elsewhere=_NOT_YET),
    Recipe(
        id="W112",
        done="the message compressed, once and twice",
        variants=(
            Variant(name="gzip", change=wire(gzip.compress), expect=ENVELOPE, hands=WIRE),
            Variant(
                name="gzip in gzip",
                change=wire(lambda octets: gzip.compress(gzip.compress(octets))),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="a bomb",
                change=wire(lambda _octets: gzip.compress(bytes(20_000_000))),
                expect=ENVELOPE,
                hands=WIRE,
                directions=REQUESTS,
            ),
        ),
    ),
    Recipe(id="W113", done="a file name that leads somewhere else", elsewhere=_NOT_YET),
    Recipe(
        id="W114",
        done="two lengths, chunk extensions, trailers: requests hidden in requests",
        elsewhere="tests/attacks/test_framing.py: refused by the HTTP reader, or exactly one answer for one request.",
    ),
)

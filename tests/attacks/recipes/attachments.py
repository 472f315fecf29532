"""W101 to W114: attachments. Most are carried out where parts are at hand; the table says where."""

from __future__ import annotations

import gzip

from lxml import etree

from tests.attacks.draft import Direction, Draft, Octets
from tests.attacks.recipes.model import ENVELOPE, REQUESTS, SIGNED, WIRE, Change, Recipe, Variant, wire

_XOP = "http://www.w3.org/2004/08/xop/include"
_CHANGED = "tests/attacks/test_attachments.py::test_changed_on_the_way"
_READER = "tests/unit/envelope/test_multipart.py::test_refused"


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
    Recipe(
        id="W101",
        done="the content of an attachment replaced",
        elsewhere=f"{_CHANGED}; a description of something else: "
        "tests/attacks/test_attachments.py::test_a_description_or_digest_of_something_else.",
    ),
    Recipe(
        id="W102",
        done="an attachment more, which nobody signed",
        elsewhere=f"{_CHANGED}; named in two of three places only: "
        "tests/attacks/test_attachments.py::test_a_part_that_one_of_three_places_does_not_name.",
    ),
    Recipe(id="W103", done="two parts with one Content-ID", elsewhere=f"{_CHANGED} (a part twice)."),
    Recipe(
        id="W104",
        done="a Content-ID spelled in another way",
        elsewhere=f"{_CHANGED} (a part renamed), {_READER} (brackets, spaces, controls) and "
        "tests/unit/envelope/test_multipart.py::test_what_names_no_part.",
    ),
    Recipe(
        id="W105",
        done="an attachment removed, or contents exchanged between parts",
        elsewhere=f"{_CHANGED} (missing, swapped).",
    ),
    Recipe(
        id="W106",
        done="the headers of a part changed",
        elsewhere="What a part's headers say is not used: media type and name are in the signed and encrypted header "
        "Attachments. tests/attacks/test_attachments.py::test_the_system_gets_exactly_what_was_signed.",
    ),
    Recipe(
        id="W107",
        done="multipart documents as they are, where one XML document must be; odd boundaries: "
        "tests/unit/envelope/test_multipart.py::test_refused",
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
    Recipe(
        id="W108",
        done="two Content-Types, two boundaries",
        elsewhere=f"{_READER} and "
        "tests/unit/envelope/test_multipart.py::test_a_content_type_that_says_too_little_or_two_things.",
    ),
    Recipe(
        id="W109",
        done="start names another part as the root",
        elsewhere="The root is the first part and nothing else: "
        "tests/unit/exchange/test_parts.py::test_another_root_than_the_first_part.",
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
    Recipe(
        id="W111",
        done="parts that are nested, many, or huge",
        elsewhere=f"{_READER}, tests/unit/envelope/test_multipart.py::test_bounded and "
        "tests/attacks/test_attachments.py::test_bounds_of_the_service.",
    ),
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
    Recipe(
        id="W113",
        done="a file name that leads somewhere else",
        elsewhere="tests/unit/cli/test_call_attachments.py::test_a_name_that_leads_elsewhere_names_nothing; an adapter "
        "keeps parts under names of its own.",
    ),
    Recipe(
        id="W114",
        done="two lengths, chunk extensions, trailers: requests hidden in requests",
        elsewhere="tests/attacks/test_framing.py: refused by the HTTP reader, or exactly one answer for one request.",
    ),
)

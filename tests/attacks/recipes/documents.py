"""W35 to W41, W139 to W149: what a parser could be led to: declarations, prefixes, versions, encodings, sizes."""

from __future__ import annotations

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft, Octets
from tests.attacks.recipes.model import (
    ENVELOPE,
    LIMIT,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    TAKEN,
    WIRE,
    Change,
    Recipe,
    Variant,
    both,
    plaintext,
    wire,
)
from tests.attacks.recipes.octets import before, behind, instead, once, recoded

XS_TYPE = f' xmlns:xsi="{names.XSI}" xsi:type="q:Type"'.encode()


def bait(text: str) -> Change:
    """A prolog that names the bait: {file}, {url}."""

    def change(draft: Draft) -> None:
        said = text.format(file=draft.canary.path.as_uri(), url=draft.canary.url).encode()
        wire(before(said))(draft)

    return change


def bait_in(text: str, old: str) -> Change:
    """The same within the message: `old` with the text behind it."""

    def change(draft: Draft) -> None:
        said = text.format(file=draft.canary.path.as_uri(), url=draft.canary.url)
        wire(once(old.encode(), (old + said).encode()))(draft)

    return change


def shortened(percent: int) -> Octets:
    """The first part of the message."""
    return lambda octets: octets[: len(octets) * percent // 100]


LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>%s]>" % b"".join(
    b"<!ENTITY a%d '%s'>" % (at, b"&a%d;" % (at - 1) * 10) for at in range(1, 10)
)
COMPACT = 100_000


PARSERS = (
    Recipe(
        id="W139",
        done="entities that expand",
        variants=(
            Variant(name="a billion laughs", change=wire(before(LAUGHS)), expect=ENVELOPE, hands=OPENED_OR_NOT),
            Variant(
                name="used",
                change=both(wire(before(LAUGHS)), wire(once(b">inspector-7<", b">&a9;<"))),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="parameter entities",
                change=wire(before(b"<!DOCTYPE x [<!ENTITY % a '<!ENTITY b \"c\">'> %a;]>")),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="undeclared", change=wire(once(b">inspector-7<", b">&e;<")), expect=ENVELOPE, hands=OPENED_OR_NOT
            ),
            Variant(
                name="in what was encrypted",
                change=plaintext("body", lambda octets: b"<!DOCTYPE x [<!ENTITY e 'e'>]>" + octets),
                expect=SECURITY,
            ),
        ),
    ),
    Recipe(
        id="W140",
        done="what would make a parser open a file or a connection",
        variants=(
            *(
                Variant(name=text, change=bait(text), expect=ENVELOPE, hands=WIRE)
                for text in (
                    '<!DOCTYPE x SYSTEM "{file}">',
                    '<!DOCTYPE x SYSTEM "{url}">',
                    '<!DOCTYPE x [<!ENTITY e SYSTEM "{file}">]>',
                    '<!DOCTYPE x [<!ENTITY % e SYSTEM "{url}"> %e;]>',
                    '<?xml-stylesheet href="{file}" type="text/xsl"?>',
                    '<?xml-model href="{url}"?>',
                )
            ),
            Variant(
                name="external entity used",
                change=both(bait('<!DOCTYPE x [<!ENTITY e SYSTEM "{file}">]>'), wire(once(b">inspector-7<", b">&e;<"))),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="XInclude",
                change=bait_in('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{file}"/>', "<env:Header>"),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="schemaLocation",
                change=bait_in(
                    f' xmlns:xsi="{names.XSI}" xsi:schemaLocation="urn:x {{file}} {names.ENVELOPE} {{url}}"',
                    "<env:Envelope",
                ),
                expect=ENVELOPE,
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W141",
        done="thousands of attributes or namespace declarations on one element",
        variants=(
            Variant(
                name="attributes",
                change=wire(once(b"<env:Header", b"<env:Header" + b"".join(b' a%d="1"' % at for at in range(10_000)))),
                expect=LIMIT,
                hands=WIRE,
            ),
            Variant(
                name="declarations",
                change=wire(
                    once(b"<env:Header", b"<env:Header" + b"".join(b' xmlns:n%d="urn:n"' % at for at in range(10_001)))
                ),
                expect=LIMIT,
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W142",
        done="depth, text and names past every bound",
        variants=(
            Variant(
                name="depth 100,000",
                change=wire(once(b"<ia:Exchange", b"<x>" * COMPACT + b"</x>" * COMPACT + b"<ia:Exchange")),
                expect=LIMIT,
                hands=WIRE,
                directions=REQUESTS,
            ),
            Variant(
                name="depth 150",
                change=wire(once(b"<ia:Exchange", b"<x>" * 150 + b"</x>" * 150 + b"<ia:Exchange")),
                expect=LIMIT,
                hands=WIRE,
            ),
            Variant(
                name="text",
                change=wire(once(b">inspector-7<", b">" + b"i" * COMPACT + b"<")),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="element name",
                change=wire(once(b"<ia:Exchange", b"<" + b"x" * COMPACT + b"/><ia:Exchange")),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="33 MiB",
                change=wire(lambda octets: octets + b" " * (33 * 1024 * 1024)),
                expect=LIMIT,
                hands=WIRE,
                suites=("p256",),
                directions=REQUESTS,
            ),
            Variant(
                name="depth in what was encrypted",
                change=plaintext("body", lambda octets: b"<x>" * 1000 + octets + b"</x>" * 1000),
                expect=SECURITY,
            ),
        ),
    ),
    Recipe(
        id="W143",
        done="many elements that each declare many namespaces",
        variants=(
            Variant(
                name="a million",
                change=wire(
                    once(
                        b"<ia:Exchange",
                        b"".join(
                            b"<x%s>" % b"".join(b' xmlns:n%d="urn:n%d"' % (at, at) for at in range(200))
                            for _ in range(60)
                        )
                        + b"</x>" * 60
                        + b"<ia:Exchange",
                    )
                ),
                expect=LIMIT,
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W144",
        done="every encoding but UTF-8",
        variants=(
            *(
                Variant(name=encoding, change=wire(recoded(encoding)), expect=ENVELOPE, hands=WIRE)
                for encoding in ("utf-16", "utf-16-be", "utf-32", "cp500")
            ),
            *(
                Variant(
                    name=f"declared {declared}",
                    change=wire(recoded("utf-8", declared=declared)),
                    expect=ENVELOPE,
                    hands=WIRE,
                )
                for declared in ("UTF-16", "UTF-7", "windows-1251", "ISO-8859-1", "EBCDIC-CP-US")
            ),
            Variant(name="declared UTF-8", change=wire(recoded("utf-8", declared="UTF-8")), expect=TAKEN, hands=WIRE),
            Variant(name="a mark of UTF-8", change=wire(before(b"\xef\xbb\xbf")), expect=TAKEN, hands=WIRE),
            Variant(name="a wrong mark", change=wire(before(b"\xfe\xff")), expect=ENVELOPE, hands=WIRE),
            Variant(name="XML 1.1", change=wire(before(b'<?xml version="1.1"?>')), expect=ENVELOPE, hands=WIRE),
            *(
                Variant(name=repr(octets), change=wire(once(b"inspector-7", octets)), expect=ENVELOPE, hands=WIRE)
                for octets in (b"inspector\xc0\xad7", b"inspector\xed\xa0\x80", b"inspector\x00-7", b"inspector&#0;")
            ),
        ),
    ),
    Recipe(
        id="W145",
        done="line ends and tabs in signed text and attributes, by the rules of XML: the digest decides",
        variants=(
            Variant(
                name="CR LF between elements is LF",
                change=wire(once(b"<env:Header>", b"<env:Header>\r\n")),
                expect=TAKEN,
                hands=WIRE,
            ),
            *(
                Variant(name=repr(octets), change=wire(once(b"inspector-7<", octets)), expect=SECURITY, hands=WIRE)
                for octets in (b"inspector-7\r\n<", b"inspector-7&#13;<", b"inspector-7\t<")
            ),
            Variant(
                name="in an attribute",
                change=wire(once(b'wsu:Id="exchange"', b'wsu:Id="exchange\n"')),
                expect=ENVELOPE,
                hands=WIRE,
            ),
        ),
    ),
    Recipe(
        id="W146",
        done="what is not well-formed with namespaces; relative namespace names",
        variants=(
            Variant(
                name="an attribute twice",
                change=wire(once(b'wsu:Id="exchange"', b'wsu:Id="exchange" wsu:Id="exchange"')),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="unbound prefix",
                change=wire(once(b"<env:Header>", b"<env:Header><q:x/>")),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="xmlns:xml",
                change=wire(once(b"<env:Header>", b'<env:Header xmlns:xml="urn:x">')),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="xmlns:xmlns",
                change=wire(once(b"<env:Header>", b'<env:Header xmlns:xmlns="urn:x">')),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="relative name in what was encrypted",
                change=plaintext("body", lambda octets: octets.replace(b">", b' xmlns:r="relative" r:a="1">', 1)),
                expect=SECURITY,
                directions=(Direction.REPLY,),
            ),
        ),
    ),
    Recipe(
        id="W147",
        done="something behind the root element",
        variants=(
            *(
                Variant(name=repr(rest), change=wire(behind(rest)), expect=ENVELOPE, hands=WIRE)
                for rest in (b"<x/>", b"x", b"\x00", b"<!-- x -->", b"<?x?>", b"<!DOCTYPE x>", b"]]>")
            ),
            Variant(
                name="the message once more",
                change=wire(lambda octets: octets + octets),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(name="white space", change=wire(behind(b"\n \n")), expect=TAKEN, hands=WIRE),
        ),
    ),
    Recipe(
        id="W148",
        done="a message that ends early (the connection that stays open: tests/adapters/test_listeners.py)",
        variants=(
            *(
                Variant(
                    name=f"{percent} %",
                    change=wire(shortened(percent)),
                    expect=ENVELOPE,
                    hands=WIRE,
                )
                for percent in (0, 1, 25, 50, 75, 99)
            ),
            Variant(name="one octet less", change=wire(lambda octets: octets[:-1]), expect=ENVELOPE, hands=WIRE),
        ),
    ),
    Recipe(
        id="W149",
        done="what two parsers read differently; the adapter's two ways of reading judge alike",
        variants=(
            Variant(
                name="]]> in text",
                change=wire(once(b">inspector-7<", b">inspector-7]]><")),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(
                name="quotes", change=wire(once(b'wsu:Id="exchange"', b"wsu:Id='exchange'")), expect=TAKEN, hands=WIRE
            ),
            Variant(
                name="white space in a tag",
                change=wire(once(b"<env:Header>", b"<env:Header\n >")),
                expect=TAKEN,
                hands=WIRE,
            ),
            Variant(
                name="a comment that looks like a message",
                change=wire(lambda octets: b"<!--" + octets.replace(b"--", b"- -") + b"-->" + octets),
                expect=ENVELOPE,
                hands=WIRE,
            ),
            Variant(name="nothing", change=wire(instead(b"")), expect=ENVELOPE, hands=WIRE),
        ),
    ),
)

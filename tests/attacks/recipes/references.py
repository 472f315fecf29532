"""W42 to W53: a member signs References, transforms and key names that make a verifier read something else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

from adapter.envelope import names
from tests.attacks.draft import Draft
from tests.attacks.recipes.model import SECURITY, SIGNED, Change, Recipe, Variant
from tests.attacks.recipes.octets import once
from tests.attacks.watch import Canary

_TRANSFORM = f'<ds:Transform Algorithm="{names.EXC_C14N}"></ds:Transform>'
_TRANSFORMS = f"<ds:Transforms>{_TRANSFORM}</ds:Transforms>"
_ENVELOPED = '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
_XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
_XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
_STR_TRANSFORM = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"


def said_of(draft: Draft, text: str) -> str:
    """A text that may name the bait: {file}, {path}, {url}."""
    return text.format(file=draft.canary.path.as_uri(), path=draft.canary.path, url=draft.canary.url)


def reference_to(uri: str | None, *, transforms: str = _TRANSFORMS) -> Change:
    """The first Reference names something else, with the digest that the bait file would have."""
    digest = b64encode(sha256(Canary.CONTENT).digest()).decode()

    def change(draft: Draft) -> None:
        named = "" if uri is None else f' URI="{said_of(draft, uri)}"'
        first = (
            f"<ds:Reference{named}>{transforms}<ds:DigestMethod"
            f' Algorithm="{names.SHA256}"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
        )
        draft.signing.in_signed_info = _first_reference(lambda _old: first)

    return change


def _first_reference(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    end = b"</ds:Reference>"

    def apply(octets: bytes) -> bytes:
        start = octets.index(b"<ds:Reference")
        stop = octets.index(end) + len(end)
        return octets[:start] + change(octets[start:stop].decode()).encode() + octets[stop:]

    return apply


def transforms(text: str) -> Change:
    """The first Reference has these transforms."""

    def change(draft: Draft) -> None:
        said = said_of(draft, text)
        draft.signing.in_signed_info = _first_reference(
            lambda old: old.replace(_TRANSFORMS, f"<ds:Transforms>{said}</ds:Transforms>")
        )

    return change


def transform(algorithm: str, inside: str = "") -> str:
    """One Transform."""
    return f'<ds:Transform Algorithm="{algorithm}">{inside}</ds:Transform>'


def canonicalised_by(algorithm: str) -> Change:
    """SignedInfo is canonicalised in another way."""
    start = "<ds:CanonicalizationMethod Algorithm="

    def change(draft: Draft) -> None:
        draft.signing.in_signed_info = once(f'{start}"{names.EXC_C14N}"'.encode(), f'{start}"{algorithm}"'.encode())

    return change


def key_info(text: str) -> Change:
    """KeyInfo says something else."""

    def change(draft: Draft) -> None:
        said = said_of(draft, text).encode()

        def apply(octets: bytes) -> bytes:
            start = octets.index(b"<ds:KeyInfo>") + len(b"<ds:KeyInfo>")
            return octets[:start] + said + octets[octets.index(b"</ds:KeyInfo>") :]

        draft.signing.in_signature = apply

    return change


def _rows(make: Callable[[str], Change], texts: tuple[str, ...]) -> tuple[Variant, ...]:
    return tuple(Variant(name=text[:60], change=make(text), expect=SECURITY, hands=SIGNED) for text in texts)


_STYLESHEET = (
    '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0">'
    '<xsl:template match="/">{inside}</xsl:template></xsl:stylesheet>'
)


def _xslt(inside: str) -> str:
    return transform(_XSLT, _STYLESHEET.replace("{inside}", inside))


_ELSEWHERE = (
    f'<wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}"><wsse:Reference URI="{{url}}"/>'
    "</wsse:SecurityTokenReference>"
)

REFERENCES = (
    Recipe(
        id="W42",
        done="a Reference to a file",
        variants=_rows(
            reference_to,
            ("{file}", "{path}", "canary.xml", "../canary.xml", "file:canary.xml", r"\\192.0.2.1\x", "//{path}"),
        ),
    ),
    Recipe(
        id="W43",
        done="a Reference to another host",
        variants=_rows(
            reference_to,
            ("{url}", "{url}#body", "https://127.0.0.1/", "ftp://127.0.0.1/x", "jar:{url}!/x", "data:,x", "cid:x"),
        ),
    ),
    Recipe(
        id="W44",
        done="a Reference to the whole document, without its Signature",
        variants=(
            Variant(
                name="enveloped",
                change=reference_to("", transforms=f"<ds:Transforms>{_ENVELOPED}{_TRANSFORM}</ds:Transforms>"),
                expect=SECURITY,
                hands=SIGNED,
            ),
            Variant(name="empty URI", change=reference_to(""), expect=SECURITY, hands=SIGNED),
            Variant(name="only #", change=reference_to("#"), expect=SECURITY, hands=SIGNED),
        ),
    ),
    Recipe(
        id="W45",
        done="a Reference without a URI",
        variants=(Variant(name="none", change=reference_to(None), expect=SECURITY, hands=SIGNED),),
    ),
    Recipe(
        id="W46",
        done="XPointers of every kind",
        variants=_rows(
            reference_to,
            (
                "#xpointer(/)",
                "#xpointer(id('body'))",
                "#element(/1/2)",
                "#xpointer(//*)",
                "#body/",
                "#body%20",
                "# body",
            ),
        ),
    ),
    Recipe(
        id="W47",
        done="an id that closes a quoted string",
        variants=_rows(reference_to, ("#a'] or @x='", "#a&quot;] | //*[&quot;", "#body' or '1'='1", "#*", "#.")),
    ),
    Recipe(
        id="W48",
        done="an XSLT transform that opens, calls or loops",
        variants=_rows(
            transforms,
            (
                _xslt("<xsl:copy-of select=\"document('{file}')\"/>"),
                _xslt("<xsl:copy-of select=\"document('{url}')\"/>"),
                _xslt('<xsl:apply-templates select="/"/>'),
                _xslt('<e:document xmlns:e="http://exslt.org/common" href="{path}.out"/>') + _TRANSFORM,
            ),
        ),
    ),
    Recipe(
        id="W49",
        done="an XPath transform that selects nothing, or leaves out what was changed",
        variants=_rows(
            transforms,
            (
                transform(_XPATH, "<ds:XPath>false()</ds:XPath>"),
                transform(_XPATH, "<ds:XPath>not(ancestor-or-self::*[local-name()='Body'])</ds:XPath>") + _TRANSFORM,
                transform(_FILTER2, f'<f:XPath xmlns:f="{_FILTER2}" Filter="subtract">//*</f:XPath>'),
            ),
        ),
    ),
    Recipe(
        id="W50",
        done="transforms that are not on the list, or more than one",
        variants=_rows(
            transforms,
            (
                transform(f"{names.DS}base64"),
                transform("http://www.w3.org/2002/07/decrypt#XML"),
                transform("urn:example:unknown"),
                _TRANSFORM * 2,
                _TRANSFORM * 100,
                "",
                transform("http://www.w3.org/2006/12/xml-c14n11"),
            ),
        ),
    ),
    Recipe(
        id="W51",
        done="another canonicalisation",
        variants=(
            *_rows(
                canonicalised_by,
                (
                    names.EXC_C14N + "WithComments",
                    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
                    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
                    "http://www.w3.org/2006/12/xml-c14n11",
                    "http://www.w3.org/2010/xml-c14n2",
                    "",
                ),
            ),
            *_rows(transforms, (transform(names.EXC_C14N + "WithComments"),)),
        ),
    ),
    Recipe(
        id="W52",
        done="a transform that digests the token which a reference names, not the reference",
        variants=_rows(
            transforms,
            (
                transform(
                    _STR_TRANSFORM,
                    f'<wsse:TransformationParameters xmlns:wsse="{names.WSSE}"><ds:CanonicalizationMethod'
                    f' Algorithm="{names.EXC_C14N}"></ds:CanonicalizationMethod></wsse:TransformationParameters>',
                ),
                transform(_STR_TRANSFORM),
            ),
        ),
    ),
    Recipe(
        id="W53",
        done="a key to be fetched from somewhere",
        variants=_rows(
            key_info,
            (
                '<ds:RetrievalMethod URI="{url}"/>',
                '<ds:RetrievalMethod URI="{file}"/>',
                '<ds:RetrievalMethod URI="#token"/>',
                '<ds:RetrievalMethod Id="a" URI="#b"/><ds:RetrievalMethod Id="b" URI="#a"/>',
                "<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName></ds:X509Data>",
                _ELSEWHERE,
                "<ds:KeyName>population</ds:KeyName>",
                "",
            ),
        ),
    ),
)

"""W128 to W138: what SOAP and WS-Addressing would make a receiver do, and what the Body may hold."""

from __future__ import annotations

from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft
from tests.attacks.recipes.coverage import WSA, block, unsigned_block
from tests.attacks.recipes.forging import FOREIGN, foreign
from tests.attacks.recipes.model import (
    ENVELOPE,
    HEADER,
    OPENED_OR_NOT,
    REQUESTS,
    SECURITY,
    SIGNED,
    Change,
    Recipe,
    Variant,
    both,
    wire,
)
from tests.attacks.recipes.octets import once
from tests.attacks.recipes.times import doubled, field

_SOAP = f"{{{names.SOAP12}}}"
_IA = f"{{{names.ENVELOPE}}}"
_ROLE = "http://www.w3.org/2003/05/soap-envelope/role/"


def header_block(**attributes: str) -> Change:
    """A header that nobody knows."""
    return lambda draft: draft.header.append(foreign(**attributes))


def attribute(part: str, name: str, value: str) -> Change:
    """An attribute of a part, or of Security."""

    def change(draft: Draft) -> None:
        (draft.security if part == "security" else draft.part(part)).set(name, value)

    return change


def address(name: str, namespace: str, uri: str) -> Change:
    """A header of WS-Addressing with an endpoint; {url} is the bait."""

    def change(draft: Draft) -> None:
        element = etree.Element(f"{{{namespace}}}{name}", nsmap={"a": namespace})
        inside = etree.SubElement(element, f"{{{namespace}}}Address")
        inside.text = uri.format(url=draft.canary.url, file=draft.canary.path.as_uri())
        draft.header.append(element)

    return change


def in_security(octets: str) -> Change:
    """One more element in Security."""
    return lambda draft: draft.security.insert(0, etree.fromstring(octets))


def payload_attribute(name: str, value: str) -> Change:
    """An attribute of the payload."""

    def change(draft: Draft) -> None:
        draft.part("body")[0].set(name, value)

    return change


def plaintext_of_payload(text: str) -> Change:
    """Attributes written into the payload's start tag before the message is signed."""

    def change(draft: Draft) -> None:
        body = draft.part("body")
        octets = once(b" xmlns", text.encode() + b" xmlns")(etree.tostring(body[0]))
        body.replace(body[0], etree.fromstring(octets))

    return change


def with_prefix_list(*prefixes: str) -> Change:
    """Body is digested with these prefixes, as a sender must who uses them in values."""
    return lambda draft: draft.prefix_lists.update(body=prefixes)


def two_children(draft: Draft) -> None:
    """Two payloads."""
    body = draft.part("body")
    body.append(etree.fromstring(etree.tostring(body[0])))


def text_too(draft: Draft) -> None:
    """Text behind the payload."""
    draft.part("body")[0].tail = "text"


def nothing(draft: Draft) -> None:
    """No payload."""
    body = draft.part("body")
    body.remove(body[0])


def text_only(draft: Draft) -> None:
    """Text instead of a payload."""
    nothing(draft)
    draft.part("body").text = "text"


def payload_renamed(name: str) -> Change:
    """The payload under the name of another element of its namespace."""
    return lambda draft: setattr(draft.part("body")[0], "tag", f"{{urn:test:person}}{name}")


def service(name: str) -> Change:
    """The header names this service."""
    return field("exchange", f"{_IA}Service", name)


def _misdirected(name: str, change: Change, expect: str, directions: tuple[Direction, ...] = REQUESTS) -> Variant:
    """What a member signs and means for another operation or service."""
    return Variant(name=name, change=change, expect=expect, hands=SIGNED, directions=directions)


_NO_OPERATION = "UnknownOperation"
_XSI = f'xmlns:xsi="{names.XSI}" xmlns:t="urn:test:person" xsi:type="t:Evil"'
_USERNAME = (
    f'<wsse:UsernameToken xmlns:wsse="{names.WSSE}"><wsse:Username>admin</wsse:Username>'
    "<wsse:Password>x</wsse:Password></wsse:UsernameToken>"
)
_ASSERTION = '<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="body"/>'

PROCESSING = (
    Recipe(
        id="W128",
        done="a header that must be understood and is not",
        variants=tuple(
            Variant(name=value, change=header_block(mustUnderstand=value), expect=HEADER, hands=OPENED_OR_NOT)
            for value in ("true", "1", " true ")
        ),
    ),
    Recipe(
        id="W129",
        done="headers for other roles; ours for another one",
        variants=(
            *(
                Variant(name=f"foreign, {role}", change=header_block(role=role), expect=ENVELOPE, hands=OPENED_OR_NOT)
                for role in (
                    f"{_ROLE}next",
                    f"{_ROLE}ultimateReceiver",
                    f"{_ROLE}none",
                    f"{FOREIGN}:role",
                    "",
                    "relative",
                )
            ),
            *(
                Variant(
                    name=f"{part}, {role}",
                    change=attribute(part, f"{_SOAP}role", role),
                    expect=ENVELOPE,
                    hands=(*OPENED_OR_NOT, *SIGNED),
                )
                for part in ("security", "exchange")
                for role in (f"{_ROLE}none", f"{_ROLE}next", "")
            ),
            *(
                Variant(
                    name=f"{part} need not be understood",
                    change=attribute(part, names.SOAP12_MUST_UNDERSTAND, value),
                    expect=ENVELOPE,
                    hands=(*OPENED_OR_NOT, *SIGNED),
                )
                for part in ("security", "exchange")
                for value in ("false", "0", "yes")
            ),
        ),
    ),
    Recipe(
        id="W130",
        done="an address to which the answer is to go",
        variants=tuple(
            Variant(
                name=f"{name} {uri}", change=address(name, WSA, uri), expect=ENVELOPE, hands=(*OPENED_OR_NOT, *SIGNED)
            )
            for name in ("ReplyTo", "FaultTo")
            for uri in ("{url}", "http://169.254.169.254/", "{file}", "http://www.w3.org/2005/08/addressing/anonymous")
        ),
    ),
    Recipe(
        id="W131",
        done="the operation that the header names is not that of the Body (the HTTP action is not looked at)",
        variants=(
            _misdirected(
                "an operation that is not there", field("exchange", f"{_IA}Operation", "GetAll"), _NO_OPERATION
            ),
            _misdirected("another element", payload_renamed("GetPersonResponse"), _NO_OPERATION),
            _misdirected(
                "another element in the answer",
                payload_renamed("GetPerson"),
                "PeerAnswerInvalid",
                directions=(Direction.REPLY,),
            ),
        ),
    ),
    Recipe(
        id="W132",
        done="the message names a service of somebody else",
        variants=(
            _misdirected("of another member", service("UZ/GOV/200000002/cadastre/GetProperty/v1"), "NotForUs"),
            _misdirected("of nobody", service("UZ/GOV/200000001/population/GetAll/v1"), "UnknownService"),
            Variant(
                name="changed on the way",
                change=wire(once(b"/GetPerson/v1<", b"/GetPerson/v2<")),
                expect=SECURITY,
                hands=OPENED_OR_NOT,
            ),
        ),
    ),
    Recipe(
        id="W133",
        done="two addresses, actions or ids",
        variants=(
            *(
                Variant(
                    name=f"two {name}",
                    change=doubled("exchange", f"{_IA}{name}"),
                    expect=ENVELOPE,
                    hands=(*OPENED_OR_NOT, *SIGNED),
                )
                for name in ("MessageId", "Service", "Consumer", "Operation", "Official")
            ),
            *(
                Variant(
                    name=f"{name} {namespace}",
                    change=unsigned_block(block(namespace, name, "urn:x")),
                    expect=ENVELOPE,
                    hands=OPENED_OR_NOT,
                )
                for name in ("Action", "To", "MessageID")
                for namespace in (WSA, "http://schemas.xmlsoap.org/ws/2004/08/addressing")
            ),
        ),
    ),
    Recipe(
        id="W134",
        done="Body with two payloads, with text, or empty",
        variants=(
            *(
                Variant(name=name, change=change, expect=SECURITY, hands=SIGNED)
                for name, change in (("two", two_children), ("text too", text_too), ("text only", text_only))
            ),
            Variant(name="empty", change=nothing, expect=ENVELOPE, hands=SIGNED),
        ),
    ),
    Recipe(
        id="W135",
        done="types named in the message, references of SOAP encoding",
        variants=tuple(
            Variant(name=name, change=change, expect=expect, hands=SIGNED, directions=(direction,))
            for direction, expect in ((Direction.REQUEST, "SchemaInvalid"), (Direction.REPLY, "PeerAnswerInvalid"))
            for name, change in (
                (
                    "encodingStyle",
                    payload_attribute(f"{_SOAP}encodingStyle", "http://schemas.xmlsoap.org/soap/encoding/"),
                ),
                ("xsi:type", both(plaintext_of_payload(f" {_XSI}"), with_prefix_list("t"))),
                ("href", payload_attribute("href", "#body")),
                ("id", payload_attribute("id", "body")),
                ("xsi:nil", plaintext_of_payload(f' xmlns:xsi="{names.XSI}" xsi:nil="true"')),
            )
        ),
    ),
    Recipe(
        id="W136",
        done="Content-Type says something else than the message",
        elsewhere="The octets decide, by one rule (UTF-8, XML 1.0, SOAP 1.2), whatever Content-Type says: "
        "tests/attacks/test_at_the_doors.py::test_no_content_type_gets_past_or_breaks_anything, W40 and W144.",
    ),
    Recipe(
        id="W137",
        done="another token that grants an identity",
        variants=(
            Variant(
                name="UsernameToken", change=in_security(_USERNAME), expect=ENVELOPE, hands=(*OPENED_OR_NOT, *SIGNED)
            ),
            Variant(name="assertion", change=in_security(_ASSERTION), expect=ENVELOPE, hands=(*OPENED_OR_NOT, *SIGNED)),
        ),
    ),
    Recipe(
        id="W138",
        done="a flood of correctly signed messages",
        elsewhere="What one member may take, by whichever certificate: tests/attacks/test_quotas_over_tls.py"
        "::test_a_peer_is_its_member; how many requests at a time: tests/attacks/test_quotas.py"
        "::test_one_caller_that_holds_its_place_does_not_hold_anothers.",
    ),
)

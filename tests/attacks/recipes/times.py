"""W115 to W127: times, ids, and what a reply must say of the request that it answers."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy
from datetime import datetime, timedelta

from lxml import etree

from adapter.envelope import names
from adapter.envelope.faults import plain_fault_message, public_fault
from adapter.envelope.instants import write_instant
from adapter.errors import AccessDenied, Overloaded
from adapter.stages import SoapVersion
from tests.attacks.draft import Direction, Draft, Hand
from tests.attacks.recipes.forging import forged_payload
from tests.attacks.recipes.keys import signed_by_third, token_of
from tests.attacks.recipes.model import (
    ANSWERS,
    ENVELOPE,
    EVERY_DIRECTION,
    EXPIRED,
    LIMIT,
    REQUESTS,
    SECURITY,
    SIGNED,
    TAKEN,
    WIRE,
    Change,
    Recipe,
    Variant,
    both,
    wire,
)
from tests.attacks.recipes.octets import instead
from tests.pki import NOW

AT = NOW + timedelta(hours=1)
"""What the clocks say in a scene."""

_WSU = f"{{{names.WSU}}}"
_IA = f"{{{names.ENVELOPE}}}"


def field(part: str, name: str, text: str | None) -> Change:
    """A child of a part says something else, or is missing (None)."""

    def change(draft: Draft) -> None:
        element = draft.part(part)
        child = element.find(name)
        if child is None:
            raise LookupError(name)
        if text is None:
            element.remove(child)
        else:
            child.text = text

    return change


def times(created: str, expires: str) -> Change:
    """The Timestamp, as texts."""
    return both(field("timestamp", f"{_WSU}Created", created), field("timestamp", f"{_WSU}Expires", expires))


def seconds(created: float, expires: float) -> Change:
    """The Timestamp, in seconds from now; Sent as Created, so that nothing but the Timestamp is wrong."""
    stands = write_instant(AT + timedelta(seconds=created))
    return both(times(stands, _at(expires)), field("exchange", f"{_IA}Sent", stands))


def _at(offset: float) -> str:
    return write_instant(AT + timedelta(seconds=offset))


def doubled(part: str, name: str) -> Change:
    """A child of a part twice."""

    def change(draft: Draft) -> None:
        child = draft.part(part).find(name)
        if child is None:
            raise LookupError(name)
        child.addnext(deepcopy(child))

    return change


def more_in(part: str, element: str) -> Change:
    """One more child of a part."""

    def change(draft: Draft) -> None:
        draft.part(part).append(etree.fromstring(element))

    return change


def confirming(value: bytes) -> Change:
    """The reply confirms another signature."""

    def change(draft: Draft) -> None:
        draft.part("confirmation").set("Value", b64encode(value).decode())

    return change


def reported(draft: Draft) -> bytes:
    """A plain envelope with the forged answer, which nobody signed."""
    payload = etree.tostring(forged_payload(draft)).decode()
    return f'<e:Envelope xmlns:e="{names.SOAP12}"><e:Body>{payload}</e:Body></e:Envelope>'.encode()


def _signed(name: str, change: Change, expect: str, directions: tuple[Direction, ...] = EVERY_DIRECTION) -> Variant:
    return Variant(name=name, change=change, expect=expect, hands=SIGNED, directions=directions)


def _odd_times() -> tuple[Variant, ...]:
    good = AT.replace(tzinfo=None)
    end = _at(200)

    def odd(text: str, expect: str = ENVELOPE) -> Variant:
        return _signed(text, times(text, end), expect)

    return tuple(map(odd, _written_oddly(good)))


def _written_oddly(good: datetime) -> tuple[str, ...]:
    day, clock = good.date().isoformat(), good.time().isoformat()
    return (
        f"{day}T{clock}+05:00",
        f"{day}T{clock}+00:00",
        f"{day}T{clock}-00:00",
        f"{day}T{clock}",
        f"{day}t{clock}z",
        f"{day} {clock}Z",
        f"{day}T24:00:00Z",
        f"{day}",
        f"{day}T{clock[:5]}Z",
        f" {day}T{clock}Zx",
    )


_PLAIN = plain_fault_message(public_fault(AccessDenied(), "22222-22222"), SoapVersion.SOAP12)
_PLAIN_LATER = plain_fault_message(public_fault(Overloaded(), "22222-22222"), SoapVersion.SOAP12)

TIMES = (
    Recipe(
        id="W115",
        done="Created lies in the future beyond the skew",
        variants=(
            _signed("61 s", seconds(61, 200), EXPIRED),
            _signed("one millisecond too much", seconds(60.001, 200), EXPIRED),
            _signed("59 s", seconds(59, 200), TAKEN),
            _signed("a day", seconds(86_400, 86_500), EXPIRED),
        ),
    ),
    Recipe(
        id="W116",
        done="Expires is before Created, or equal to it",
        variants=(_signed("before", seconds(0, -10), EXPIRED), _signed("equal", seconds(0, 0), EXPIRED)),
    ),
    Recipe(
        id="W117",
        done="a lifetime of ten years, or one millisecond too long",
        variants=(
            _signed("ten years", seconds(0, 315_576_000), EXPIRED),
            _signed("one millisecond too long", seconds(0, 300.001), EXPIRED),
            _signed("as long as may be", seconds(0, 300), TAKEN),
        ),
    ),
    Recipe(id="W118", done="times in another zone, in none, or spelled in another way", variants=_odd_times()),
    Recipe(
        id="W119",
        done="leap seconds, days that are not, years of five digits, fractions of forty; all of them are refused",
        variants=tuple(
            _signed(text[:40], times(text, _at(200)), ENVELOPE)
            for text in (
                "2016-12-31T23:59:60Z",
                "2026-02-30T10:00:00Z",
                "2026-13-01T10:00:00Z",
                "0000-01-01T00:00:00Z",
                "10000-01-01T00:00:00Z",
                "-2026-03-02T10:00:00Z",
                f"2026-03-02T10:00:00.{'0' * 40}Z",
                "2026-03-02T10:00:00.Z",
                "2026-03-02T10:60:00Z",
                "٢٠٢٦-03-02T10:00:00Z",
                "",
            )
        ),
    ),
    Recipe(
        id="W120",
        done="a Timestamp with a child too few or too many",
        variants=(
            _signed("no Created", field("timestamp", f"{_WSU}Created", None), ENVELOPE),
            _signed("no Expires", field("timestamp", f"{_WSU}Expires", None), ENVELOPE),
            _signed("two Created", doubled("timestamp", f"{_WSU}Created"), ENVELOPE),
            _signed("two Expires", doubled("timestamp", f"{_WSU}Expires"), ENVELOPE),
            _signed("another child", more_in("timestamp", '<x xmlns="urn:x"/>'), ENVELOPE),
            _signed("Sent elsewhere", field("exchange", f"{_IA}Sent", _at(-61)), EXPIRED),
            _signed("ReplyBy over", field("exchange", f"{_IA}ReplyBy", _at(0)), EXPIRED, REQUESTS),
        ),
    ),
    *(
        Recipe(id=number, done=done, elsewhere=f"tests/attacks/test_replay.py: {where}")
        for number, done, where in (
            (
                "W121",
                "the message once more: at once, too late, after a restart, to another worker",
                "the stored reply.",
            ),
            ("W122", "the message once more, unsigned parts changed", "sender and id decide, not the octets."),
            ("W123", "one id for two contents, or for two members", "refused for the one, nothing to the other."),
        )
    ),
    Recipe(
        id="W124",
        done="a message id that is long, empty, or has anything but letters, digits, dots and hyphens",
        variants=(
            *(
                _signed(repr(text)[:40], field("exchange", f"{_IA}MessageId", text), ENVELOPE)
                for text in (
                    "",
                    "x" * 97,
                    "x" * 15,
                    "urn:uuid:line\nbreak-xxxxxxxxxx",
                    "urn:uuid:\u202eabcdefghijklmnop",
                    "x'; DROP TABLE entries; --xxxxx",
                    "<script>alert(1)</script>xxxxxxx",
                    "../../../../../../etc/passwd",
                    "жжжжжжжжжжжжжжжжжж",
                )
            ),
            _signed("1 MB", field("exchange", f"{_IA}MessageId", "x" * 1_000_000), ENVELOPE),
        ),
    ),
    Recipe(
        id="W125",
        done="many ids, to push one out of what is remembered",
        elsewhere="tests/attacks/test_replay.py: the ids are rows of the record's database, kept until they expire.",
    ),
    Recipe(
        id="W126",
        done="a reply that answers something else, or is signed by somebody else",
        variants=(
            _signed(
                "another request",
                field("exchange", f"{_IA}InReplyTo", "urn:uuid:" + "0" * 36),
                "PeerAnswerInvalid",
                ANSWERS,
            ),
            _signed("none", field("exchange", f"{_IA}InReplyTo", None), ENVELOPE, ANSWERS),
            _signed("two", doubled("exchange", f"{_IA}InReplyTo"), ENVELOPE, ANSWERS),
            _signed("another signature confirmed", confirming(b"x" * 64), "PeerAnswerInvalid", ANSWERS),
            _signed("no signature confirmed", confirming(b""), SECURITY, ANSWERS),
            _signed("another operation", field("exchange", f"{_IA}Operation", "GetAll"), "PeerAnswerInvalid", ANSWERS),
            _signed(
                "another consumer",
                field("exchange", f"{_IA}Consumer", "UZ/GOV/200000002/cadastre"),
                "PeerAnswerInvalid",
                ANSWERS,
            ),
            _signed(
                "another member",
                both(signed_by_third, token_of(lambda draft: draft.third.signing_certificate)),
                SECURITY,
                ANSWERS,
            ),
            _signed(
                "another member, and says so",
                both(
                    signed_by_third,
                    token_of(lambda draft: draft.third.signing_certificate),
                    field("exchange", f"{_IA}Service", "UZ/GOV/200000002/cadastre/GetProperty/v1"),
                ),
                "PeerMismatch",
                ANSWERS,
            ),
        ),
    ),
    Recipe(
        id="W127",
        done="an answer that nobody signed: a report of a fault at most, never a result",
        variants=(
            *(
                Variant(name=name, change=wire(instead(octets)), expect=expect, hands=WIRE, directions=ANSWERS)
                for name, octets, expect in (
                    ("a fault", _PLAIN, "PeerRefused"),
                    ("a fault, later", _PLAIN_LATER, "PeerUnreachable"),
                    ("a fault in SOAP 1.1", _PLAIN.replace(names.SOAP12.encode(), names.SOAP11.encode()), ENVELOPE),
                    ("a page", b"<html><body>502 Bad Gateway</body></html>", ENVELOPE),
                    ("nothing", b"", ENVELOPE),
                    ("too much", b"<x/>" + b" " * (33 * 1024 * 1024), LIMIT),
                )
            ),
            Variant(
                name="an answer",
                change=lambda draft: wire(instead(reported(draft)))(draft),
                expect=ENVELOPE,
                hands=(Hand.OUTSIDER,),
                directions=ANSWERS,
            ),
        ),
    ),
)

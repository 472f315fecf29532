"""What a row of the table of recipes says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.attacks.draft import Direction, Draft, Hand, Octets
from tests.attacks.naive import Naive
from tests.pki import SUITE_NAMES

Change = Callable[[Draft], None]

EVERY_DIRECTION = tuple(Direction)
ANSWERS = (Direction.REPLY, Direction.FAULT)
REQUESTS = (Direction.REQUEST,)

WIRE = (Hand.OUTSIDER,)
OPENED = (Hand.INSIDER,)
SIGNED = (Hand.MEMBER,)
OPENED_OR_NOT = (Hand.INSIDER, Hand.OUTSIDER)

# What the record says of the message, and so what is expected.
ENVELOPE = "EnvelopeRefused"
SECURITY = "SecurityFailed"
LIMIT = "LimitExceeded"
HEADER = "HeaderNotUnderstood"
EXPIRED = "MessageExpired"
TAKEN = "answered"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to carry a recipe out.

    expect: the code in the victim's record; `answered` where the message still says what was signed. fools: the naive
    verifier that takes this variant and goes on with what the attacker wrote.
    """

    name: str
    change: Change
    expect: str
    hands: tuple[Hand, ...] = OPENED
    directions: tuple[Direction, ...] = EVERY_DIRECTION
    suites: tuple[str, ...] = SUITE_NAMES
    fools: Naive | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One recipe by its number. elsewhere: where it does not apply to this wire, why; or which test has it."""

    id: str
    done: str
    variants: tuple[Variant, ...] = ()
    elsewhere: str = ""


def wire(change: Octets) -> Change:
    """A change to the octets of the whole message as they are sent."""

    def apply(draft: Draft) -> None:
        before = draft.on_wire
        draft.on_wire = lambda octets: change(before(octets))

    return apply


def plaintext(part: str, change: Octets) -> Change:
    """A change to the octets of a part before they are encrypted."""

    def apply(draft: Draft) -> None:
        draft.in_plaintext[part] = change

    return apply


def both(*changes: Change) -> Change:
    """One change after the other."""

    def apply(draft: Draft) -> None:
        for change in changes:
            change(draft)

    return apply

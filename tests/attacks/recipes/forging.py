"""What an attacker puts in the place of a genuine part, and how parts are moved. Marks say whose a part is."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import Direction, Draft
from tests.attacks.recipes.model import Change
from tests.get_person import OTHER_PINFL, PERSON, get_person

FOREIGN = "urn:example:foreign"
_FORGED_ANSWER = (
    f'<GetPersonResponse xmlns="{PERSON}"><Surname>Forged</Surname><Born>1990-01-01</Born></GetPersonResponse>'
)
_MARKED_TIME = ".777Z"
MARKS = (OTHER_PINFL.encode(), b"Forged", b"mallory", _MARKED_TIME.encode())
"""One of these stands in whatever the attacker wrote and in nothing that is genuine."""


def forged_payload(draft: Draft) -> etree._Element:
    """What the attacker wants to be done or believed."""
    return etree.fromstring(get_person(OTHER_PINFL) if draft.direction is Direction.REQUEST else _FORGED_ANSWER)


def forged(draft: Draft, part: str, new_id: str | None = "forged") -> etree._Element:
    """A part with the attacker's content; new_id None leaves the id as it is."""
    element = deepcopy(draft.part(part))
    element.tail = None
    if new_id is not None:
        element.set(names.WSU_ID, new_id)
    if part == "body":
        for child in list(element):
            element.remove(child)
        element.text = None
        element.append(forged_payload(draft))
    elif part == "exchange":
        _set(element, f"{{{names.ENVELOPE}}}Official", "mallory")
    elif part == "timestamp":
        for child in element:
            child.text = (child.text or "")[:19] + _MARKED_TIME
    elif part == "token":
        element.text = b64encode(draft.third.signing_certificate.public_bytes(Encoding.DER)).decode()
    elif part == "personal-data":
        _set(element, f"{{{names.ENVELOPE}}}Subject", OTHER_PINFL)
    elif part == "confirmation":
        element.set("Value", b64encode(b"forged").decode())
    return element


def _set(parent: etree._Element, name: str, text: str) -> None:
    child = parent.find(name)
    if child is not None:
        child.text = text


def foreign(*children: etree._Element, **attributes: str) -> etree._Element:
    """An element that nobody knows, around what it is given. must_understand, role: as SOAP 1.2 writes them."""
    wrapper = etree.Element(f"{{{FOREIGN}}}Wrapper", nsmap={"x": FOREIGN})
    for name, value in attributes.items():
        wrapper.set(f"{{{names.SOAP12}}}{name}", value)
    wrapper.extend(children)
    return wrapper


def taken(draft: Draft, part: str) -> etree._Element:
    """The genuine part, taken out of its place."""
    element = draft.part(part)
    parent = element.getparent()
    kept = draft.set_aside(element) if part == "body" else element
    if parent is not None:
        parent.remove(element)
    return kept


def replaced(draft: Draft, part: str, new_id: str | None = "forged") -> etree._Element:
    """The genuine part, with a forged one in its place."""
    element = draft.part(part)
    parent = element.getparent()
    kept = draft.set_aside(element) if part == "body" else element
    if parent is not None:
        parent.replace(element, forged(draft, part, new_id))
    return kept


def signed_info_child(draft: Draft, name: str) -> etree._Element:
    """The first element of this name in the Signature, which must be in the clear."""
    found = next(draft.part("signature").iter(f"{{{names.DS}}}{name}"), None)
    if found is None:
        raise LookupError(name)
    return found


def in_place(part: str, *, same_id: bool = True) -> Change:
    """The forged part where the genuine one was, which is nowhere any more."""

    def change(draft: Draft) -> None:
        replaced(draft, part, None if same_id else "forged")

    return change

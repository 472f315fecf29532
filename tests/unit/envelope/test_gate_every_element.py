"""Whatever element of an envelope gets an attribute, a child or a text more, the envelope is refused."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.gate_encryption import read_encrypted_key
from adapter.envelope.gate_structure import Ids
from adapter.errors import EnvelopeRefused, LimitExceeded
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import received, seal_reply, seal_request
from tests.pki import Federation
from tests.unit.envelope.test_gate_attachments import attachment_data, key_reference, with_attachments
from tests.unit.envelope.test_gate_each_step import encrypted_key

Judge = Callable[[bytes], object]
X25519_KEY = bytes.fromhex("302a300506032b656e032100") + bytes(32)


def through_the_gate(kind: MessageKind) -> Judge:
    return lambda octets: gate(parse_message(received(octets), DEFAULT_LIMITS), kind)


def as_x25519(message: bytes) -> bytes:
    """The same EncryptedKey in the other form of an agreement."""
    value = b64encode(X25519_KEY).decode()
    der = f'<dsig11:DEREncodedKeyValue xmlns:dsig11="{names.DSIG11}">{value}</dsig11:DEREncodedKeyValue>'.encode()
    changed, count = re.subn(rb"<ds:KeyValue.*</ds:KeyValue>", der, message)
    assert count == 1
    return changed.replace(names.ECDH_ES.encode(), names.X25519.encode())


def with_key_info(message: bytes) -> bytes:
    start = b'aes128-gcm"/><xenc:CipherData>'
    return message.replace(start, start[:13] + key_reference("#key").encode() + start[13:])


@pytest.fixture(scope="module")
def envelopes(federation: Federation) -> dict[str, tuple[bytes, Judge]]:
    request = seal_request(federation.social, federation.population)
    octets = request.octets
    reply = seal_reply(federation.population, federation.social, request, b"<a/>").octets
    of_request, of_reply = (through_the_gate(kind) for kind in (MessageKind.REQUEST, MessageKind.REPLY))
    return {
        "request": (octets, of_request),
        "reply": (reply, of_reply),
        "X25519": (as_x25519(octets), of_request),
        "naming the key": (with_key_info(octets), of_request),
        "attachments": (with_attachments(octets, attachment_data()), of_request),
        "RSA": (encrypted_key().encode(), lambda text: read_encrypted_key(etree.fromstring(text), Ids())),
    }


def more_attributes(element: etree._Element) -> None:
    element.set("x", "y")


def more_children(element: etree._Element) -> None:
    etree.SubElement(element, "x")


def more_text(element: etree._Element) -> None:
    if not element.text or element.text.isspace():
        element.text = "x"


def more_text_behind(element: etree._Element) -> None:
    if element.getparent() is not None:
        element.tail = "x"


CHANGES = {
    "attribute": more_attributes,
    "child": more_children,
    "text": more_text,
    "text behind": more_text_behind,
}


def changed_everywhere(octets: bytes, change: Callable[[etree._Element], None]) -> Iterator[tuple[str, bytes]]:
    for at, _ in enumerate(etree.fromstring(octets).iter()):
        root = etree.fromstring(octets)
        element = list(root.iter())[at]
        change(element)
        changed = etree.tostring(root)
        if changed != etree.tostring(etree.fromstring(octets)):
            yield f"{at} {element.tag}", changed


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["request", "reply", "X25519", "naming the key", "attachments", "RSA"])
def test_more_of_anything_anywhere_is_refused(
    envelopes: dict[str, tuple[bytes, Judge]], name: str, change: str
) -> None:
    octets, judge = envelopes[name]
    judge(octets)
    taken, tried = [], 0
    for place, changed in changed_everywhere(octets, CHANGES[change]):
        tried += 1
        try:
            judge(changed)
        except EnvelopeRefused:
            continue
        taken.append(place)
    assert tried > 5
    assert taken == []


LONGEST = {
    "KeyIdentifier": ("request", 128),
    "PublicKey": ("request", 256),
    "DEREncodedKeyValue": ("X25519", 256),
    "Salt": ("request", 512),
    "Info": ("request", 512),
    "KeyLength": ("request", 16),
}


@pytest.mark.parametrize("element", LONGEST)
def test_the_longest_text_of_an_element(envelopes: dict[str, tuple[bytes, Judge]], element: str) -> None:
    name, longest = LONGEST[element]
    octets, judge = envelopes[name]

    def padded(chars: int) -> bytes:
        root = etree.fromstring(octets)
        (found,) = root.iterfind(f".//{{*}}{element}")
        found.text = (found.text or "").ljust(chars)
        return etree.tostring(root)

    judge(padded(longest))
    with pytest.raises((EnvelopeRefused, LimitExceeded)):
        judge(padded(longest + 1))

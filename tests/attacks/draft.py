"""A captured message in the hands of an attacker, to be taken apart, changed, and put together again.

Three attackers are told apart, because the signature of a message is encrypted too (decision 0001): whoever cannot
open a message cannot move its parts where a verifier would look for them, and proves little.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from cryptography import x509
from lxml import etree

from adapter.crypto import templates
from adapter.crypto.certificates import ski
from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import WrappedKey
from adapter.crypto.suites import suite
from adapter.envelope import names
from adapter.xmlsafe import canonical
from tests.attacks.watch import Canary
from tests.pki import Federation, FederationMember

Octets = Callable[[bytes], bytes]
ENCRYPTED_DATA = re.compile(rb"<(?:[\w.-]+:)?EncryptedData\b.*?</(?:[\w.-]+:)?EncryptedData\s*>", re.DOTALL)
CIPHER_VALUE = re.compile(rb"<(?:[\w.-]+:)?CipherValue[^>]*>([^<]*)</")
_PLACEHOLDER = "placeholder"
_MOVED = "moved"
_SUITE_WORD = {"p256": "ECDSA", "ed25519": "EdDSA", "rsa": "RSA"}


class Hand(Enum):
    """Who the attacker is."""

    OUTSIDER = "outsider"
    """Has what went over the wire, and everybody's public keys."""
    INSIDER = "insider"
    """Could open this message (its rightful reader, or who broke into it), and encrypts it again for the victim."""
    MEMBER = "member"
    """Has a valid key of its own and signs whatever it likes."""


class Direction(Enum):
    """What the captured message is."""

    REQUEST = "request"
    REPLY = "reply"
    FAULT = "fault"


def same(octets: bytes) -> bytes:
    """No change."""
    return octets


@dataclass(kw_only=True)
class Signing:
    """How a MEMBER signs. references: for each part its id, the octets to digest, its PrefixList; None for all parts.

    in_signed_info changes what is signed, in_signature what stands around it.
    """

    signer: FederationMember
    algorithm: str
    references: Callable[[Draft], list[tuple[str, bytes, tuple[str, ...]]]] | None = None
    in_signed_info: Octets = same
    in_signature: Octets = same
    value: Octets | None = None


@dataclass(kw_only=True)
class Draft:
    """One message being changed: an element tree, and changes to octets where a tree cannot say it.

    root: the message with everything in the clear, or, for an outsider, as it stood on the wire. other: a second
    message between the same two. victim: whom the message is encrypted for. third: a member that has no part in it.
    """

    hand: Hand
    direction: Direction
    federation: Federation
    victim: FederationMember
    third: FederationMember
    canary: Canary
    root: etree._Element
    captured: bytes
    other: bytes
    other_key: bytes
    opened: dict[bytes, bytes]
    signing: Signing
    register: Callable[[x509.Certificate], None]
    content_key: bytes = field(default_factory=lambda: os.urandom(16))
    captured_key: bytes = b""
    ivs: tuple[bytes, ...] = ()
    wrap: Callable[[bytes], WrappedKey] | None = None
    prefix_lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    moved: list[bytes] = field(default_factory=list)
    in_key: Octets = same
    in_plaintext: dict[str, Octets] = field(default_factory=dict)
    in_ciphertext: dict[str, Octets] = field(default_factory=dict)
    in_data: Callable[[str, bytes], bytes] = lambda _part, octets: octets
    on_wire: Octets = same

    # --- where things are ---------------------------------------------------------------------------------------------

    @property
    def header(self) -> etree._Element:
        """env:Header."""
        return _one(self.root, names.SOAP12_HEADER)

    @property
    def security(self) -> etree._Element:
        """wsse:Security."""
        return _one(self.header, names.SECURITY)

    def part(self, name: str) -> etree._Element:
        """A part at its place, by the name that stands in the profile for its id. signature, key: of this message."""
        if name == "body":
            return _one(self.root, names.SOAP12_BODY)
        if name == "exchange":
            return _one(self.header, names.EXCHANGE)
        if name == "encrypted-header":
            return _one(self.header, names.ENCRYPTED_HEADER)
        if name == "personal-data":
            return _one(self.part("encrypted-header"), names.PERSONAL_DATA)
        if self.hand is Hand.OUTSIDER and name in ("signature", "confirmation"):
            return self.security.findall(names.ENCRYPTED_DATA)[-1 if name == "signature" else 0]
        return _one(self.security, _IN_SECURITY[name])

    @property
    def part_names(self) -> list[str]:
        """What the signature of this kind of message covers."""
        special = "personal-data" if self.direction is Direction.REQUEST else "confirmation"
        return ["exchange", "timestamp", "token", "body", special]

    # --- putting it together again ------------------------------------------------------------------------------------

    def octets(self) -> bytes:
        """The message as it is sent to the victim."""
        if self.hand is Hand.OUTSIDER:
            return self.on_wire(self._text(self.root))
        root = deepcopy(self.root)
        signature = self._signature_of_a_member() if self.hand is Hand.MEMBER else b""
        pieces: list[bytes] = []
        data_ids: list[str] = []
        cipher = ContentCipher(self.content_key[:16])
        for part, element in _to_encrypt(root):
            plaintext = signature if signature and part == "signature" else self._plaintext(part, element)
            plaintext = self.in_plaintext.get(part, same)(plaintext)
            data_id = f"{part}-cipher" if f"{part}-cipher" not in data_ids else f"{part}-cipher-{len(data_ids)}"
            iv = self.ivs[len(data_ids)] if self.ivs else os.urandom(12)
            octets = self.in_ciphertext.get(part, same)(cipher.encrypt(iv, plaintext))
            kind = names.TYPE_CONTENT if part == "body" else names.TYPE_ELEMENT
            start = templates.encrypted_data_start(data_id, kind)
            data = self.in_data(part, start + b64encode(octets) + templates.ENCRYPTED_DATA_END)
            _replace(element, len(pieces), content_only=part == "body")
            pieces.append(data)
            data_ids.append(data_id)
        for key in list(root.iter(names.ENCRYPTED_KEY))[:1]:
            _replace(key, len(pieces), content_only=False)
            pieces.append(self.in_key(self._encrypted_key(data_ids)))
        octets = self._text(root)
        for at, piece in enumerate(pieces):
            octets = octets.replace(f"<{_PLACEHOLDER}{at}/>".encode(), piece)
        return self.on_wire(octets)

    def _plaintext(self, part: str, element: etree._Element) -> bytes:
        """What an element said when it was captured, octet for octet, if it still says it."""
        known = self.opened.get(_with_comments(element))
        if known is not None:
            return known
        if part != "body":
            return self._text(element)
        return (element.text or "").encode() + b"".join(
            self._text(child) + (child.tail or "").encode() for child in element
        )

    def _encrypted_key(self, data_ids: list[str]) -> bytes:
        recipient = self.victim.agreement_certificate
        wrap = self.wrap or (lambda key: suite(self.victim.suite).wrap(recipient.public_key(), key))
        return templates.render_encrypted_key(self.victim.suite, wrap(self.content_key), ski(recipient), data_ids)

    def digested(self) -> list[tuple[str, bytes, tuple[str, ...]]]:
        """Every part at its place: id, canonical octets, PrefixList as in the captured message."""
        found = []
        for name in self.part_names:
            element = self.part(name)
            prefixes = self.prefix_lists.get(name, ())
            octets = canonical(element, inclusive_prefixes=prefixes)
            found.append((element.get(names.WSU_ID, ""), octets, prefixes))
        return found

    def set_aside(self, element: etree._Element) -> etree._Element:
        """A stand-in for a genuine part that is moved: lxml would give what it moves the prefixes of its new place."""
        self.moved.append(_text(element))
        return etree.Element(f"{_MOVED}{len(self.moved) - 1}")

    def _text(self, element: etree._Element) -> bytes:
        octets = _text(element)
        for at, piece in enumerate(self.moved):
            octets = re.sub(rb"<%s%d( [^>]*)?/>" % (_MOVED.encode(), at), lambda _: piece, octets)  # noqa: B023
        return octets

    def _signature_of_a_member(self) -> bytes:
        signing = self.signing
        parts = self.digested() if signing.references is None else signing.references(self)
        references = [templates.render_reference(name, sha256(octets).digest(), more) for name, octets, more in parts]
        signed_info = signing.in_signed_info(templates.render_signed_info(signing.algorithm, references))
        return signing.in_signature(templates.render_signature(signed_info, self.sign(signed_info)))

    def sign(self, signed_info: bytes) -> bytes:
        """The signature value that the signer of this draft makes."""
        signer = self.signing.signer
        if self.signing.value is not None:
            return self.signing.value(signed_info)
        return suite(signer.suite).sign(signer.signing_key, signed_info)


_IN_SECURITY = {
    "signature": names.SIGNATURE,
    "timestamp": names.TIMESTAMP,
    "token": names.BINARY_SECURITY_TOKEN,
    "confirmation": names.SIGNATURE_CONFIRMATION,
    "key": names.ENCRYPTED_KEY,
}


_ENCRYPTED_IN_SECURITY = {names.SIGNATURE: "signature", names.SIGNATURE_CONFIRMATION: "confirmation"}


def in_the_clear(octets: bytes, content_key: bytes) -> tuple[bytes, list[bytes]]:
    """The message with each EncryptedData replaced by its plaintext, as text; and the plaintexts in their order."""
    cipher = ContentCipher(content_key)
    plaintexts: list[bytes] = []

    def opened(match: re.Match[bytes]) -> bytes:
        value = CIPHER_VALUE.search(match[0])
        if value is None:
            raise ValueError("an EncryptedData without a CipherValue")
        plaintexts.append(cipher.decrypt(b64decode(value[1])))
        return plaintexts[-1]

    return ENCRYPTED_DATA.sub(opened, octets), plaintexts


def prefix_lists(signature: etree._Element) -> dict[str, tuple[str, ...]]:
    """For each part that a Signature names, its PrefixList."""
    found = {}
    for reference in signature.iter(f"{{{names.DS}}}Reference"):
        listed = next(reference.iter(f"{{{names.EXC_C14N}}}InclusiveNamespaces"), None)
        if listed is not None:
            found[reference.get("URI", "").removeprefix("#")] = tuple((listed.get("PrefixList") or "").split())
    return found


def known_plaintexts(clear: etree._Element, plaintexts: list[bytes]) -> dict[bytes, bytes]:
    """For the canonical form of each part that was encrypted, the octets in which it was."""
    return {_with_comments(element): plain for (_, element), plain in zip(_to_encrypt(clear), plaintexts, strict=True)}


def _to_encrypt(root: etree._Element) -> list[tuple[str, etree._Element]]:
    """What an adapter encrypts, where it stands: PersonalData, confirmation, Signature, the content of Body."""
    found = []
    for header in root.findall(names.SOAP12_HEADER):
        for block in header:
            if block.tag == names.ENCRYPTED_HEADER:
                found += [("personal-data", data) for data in block.findall(names.PERSONAL_DATA)]
            if block.tag == names.SECURITY:
                found += [(_ENCRYPTED_IN_SECURITY[one.tag], one) for one in block if one.tag in _ENCRYPTED_IN_SECURITY]
    return found + [("body", body) for body in root.findall(names.SOAP12_BODY)]


def _replace(element: etree._Element, number: int, *, content_only: bool) -> None:
    placeholder = etree.Element(f"{_PLACEHOLDER}{number}")
    if content_only:
        element.text = None
        for child in list(element):
            element.remove(child)
        element.append(placeholder)
        return
    placeholder.tail = element.tail
    parent = element.getparent()
    if parent is not None:
        parent.replace(element, placeholder)


def _with_comments(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=True)


def _text(element: etree._Element) -> bytes:
    return etree.tostring(element, encoding="UTF-8", with_tail=False)


def _one(parent: etree._Element, name: str) -> etree._Element:
    found = parent.find(name)
    if found is None:
        raise LookupError(f"no {name} in {parent.tag}")
    return found

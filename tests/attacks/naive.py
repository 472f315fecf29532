"""A verifier as it is often written, to show that what the recipes make are attacks.

It decrypts whatever it can, wherever that stands; takes the first Signature that it finds; looks ids up in any
attribute that is called so; verifies honestly what the References name; and then reads the message by position, as if
"the signature is valid" were a property of the document. Each habit is one seen in the field. Nothing here is used by
the adapter. The cryptography is right: a message that it takes has a genuine signature in it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lxml import etree

from adapter.crypto.content import ContentCipher
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.suites import by_signature_algorithm, suite
from adapter.envelope import names
from adapter.envelope.gate_encryption import read_encrypted_key
from adapter.envelope.gate_structure import Ids
from adapter.errors import AdapterError
from adapter.xmlsafe import canonical
from tests.attacks.draft import CIPHER_VALUE, ENCRYPTED_DATA

_DS = f"{{{names.DS}}}"
_ID_NAMES = frozenset(("id",))


class NaiveRefusesError(Exception):
    """Even this verifier does not take it."""


@dataclass(frozen=True, kw_only=True)
class Used:
    """What an application behind the naive verifier goes on with: octets and texts that it believes to be signed."""

    payload: bytes
    blocks: dict[str, bytes]
    official: str

    def has(self, *marks: bytes) -> bool:
        """Whether something that the attacker wrote is among it."""
        everything = b"\n".join((self.payload, *self.blocks.values(), self.official.encode()))
        return any(mark in everything for mark in marks)


@dataclass(frozen=True, kw_only=True)
class Naive:
    """A verifier with its habits; without an argument the most common ones.

    lookup: of two elements with one id the first or the last. body, blocks: of several elements of one name, by
    position: a child at its place or a descendant anywhere. signed_info, referenced: of two SignedInfo the one whose
    octets are verified, and the one whose References are. text: an element's text is its first node, as `.text` and
    `firstChild` have it. key: from the token, or from a KeyValue that came along.
    """

    lookup: str = "first"
    body: str = "first child"
    blocks: str = "first"
    signature: str = "first"
    signed_info: str = "first"
    referenced: str = "first"
    digest: str = "all text"
    key: str = "token"
    signed_by_any_one: bool = False

    def read(self, octets: bytes, keys: DecryptionKeys) -> Used:
        """What this verifier would go on with. Raises NaiveRefusesError."""
        try:
            root = etree.fromstring(_decrypted(octets, keys), etree.XMLParser(resolve_entities=False, no_network=True))
            self._verify(root)
            return self._used(root)
        except (AdapterError, etree.LxmlError, ValueError, LookupError) as cause:
            raise NaiveRefusesError(str(cause)) from None

    def _verify(self, root: etree._Element) -> None:
        signatures = list(root.iter(names.SIGNATURE))
        if not signatures:
            raise NaiveRefusesError("no signature")
        if self.signed_by_any_one:
            for signature in signatures:
                try:
                    return self._verify_one(root, signature)
                except (NaiveRefusesError, AdapterError):
                    continue
            raise NaiveRefusesError("none of the signatures is good")
        return self._verify_one(root, _pick(signatures, self.signature))

    def _verify_one(self, root: etree._Element, signature: etree._Element) -> None:
        infos = list(signature.iter(f"{_DS}SignedInfo"))
        signed, referenced = _pick(infos, self.signed_info), _pick(infos, self.referenced)
        algorithm = _first(signed, f"{_DS}SignatureMethod").get("Algorithm", "")
        value = base64.b64decode(_all_text(_first(signature, f"{_DS}SignatureValue")))
        row = by_signature_algorithm(algorithm)
        row.verify(self._key(root, signature), value, canonical(signed, inclusive_prefixes=_prefixes(signed[0])))
        for reference in referenced.iter(f"{_DS}Reference"):
            target = self._lookup(root, reference.get("URI", "").removeprefix("#"))
            octets = canonical(target, inclusive_prefixes=_prefixes(reference))
            if base64.b64encode(sha256(octets).digest()).decode() != self._digest(reference):
                raise NaiveRefusesError(f"digest of {reference.get('URI')}")

    def _digest(self, reference: etree._Element) -> str:
        value = _first(reference, f"{_DS}DigestValue")
        if self.digest == "first node":
            nodes = value.xpath("node()")
            node = nodes[0] if isinstance(nodes, list) else ""
            return str(node.text if isinstance(node, etree._Element) else node).strip()
        return _all_text(value)

    def _key(self, root: etree._Element, signature: etree._Element) -> PublicKeyTypes:
        if self.key == "key value":
            value = _first(signature, f"{{{names.DSIG11}}}DEREncodedKeyValue")
            return load_der_public_key(base64.b64decode(_all_text(value)))
        name = next((one.get("URI", "") for one in signature.iter(names.TOKEN_REFERENCE)), "")
        token = self._lookup(root, name.removeprefix("#"))
        return x509.load_der_x509_certificate(base64.b64decode(_all_text(token))).public_key()

    def _lookup(self, root: etree._Element, wanted: str) -> etree._Element:
        found = [
            element
            for element in root.iter(etree.Element)
            for name, value in element.items()
            if value == wanted and etree.QName(name).localname.lower() in _ID_NAMES
        ]
        return _pick(found, self.lookup)

    def _used(self, root: etree._Element) -> Used:
        bodies = list(root) if self.body.endswith("child") else list(root.iter(etree.Element))
        body = _pick([one for one in bodies if etree.QName(one).localname == "Body"], self.body.split()[0])
        blocks = {}
        for name in (names.EXCHANGE, names.TIMESTAMP, names.PERSONAL_DATA, names.BINARY_SECURITY_TOKEN):
            found = list(root.iter(name))
            if found:
                blocks[name] = canonical(_pick(found, self.blocks))
        official = _pick(list(root.iter(f"{{{names.ENVELOPE}}}Official")), self.blocks)
        return Used(
            payload=b"".join(canonical(child) for child in list(body)[:1]), blocks=blocks, official=official.text or ""
        )


def _decrypted(octets: bytes, keys: DecryptionKeys) -> bytes:
    """Everything that some EncryptedKey in the message opens, pasted into the document as text."""
    ciphers = []
    for element in etree.fromstring(octets).iter(names.ENCRYPTED_KEY):
        for reference in list(element.iter(f"{{{names.XENC}}}DataReference"))[1:]:
            reference.getparent().remove(reference)  # type: ignore[union-attr]
        try:
            info = read_encrypted_key(element, Ids()).info
            ciphers.append(ContentCipher(suite(info.suite).unwrap(info, keys.find(info.recipient_ski))))
        except AdapterError:
            continue
    for _ in range(4):
        before = octets
        for match in list(ENCRYPTED_DATA.finditer(octets)):
            octets = octets.replace(match[0], _opened(match[0], ciphers), 1)
        if octets == before:
            break
    return octets


def _opened(data: bytes, ciphers: list[ContentCipher]) -> bytes:
    value = CIPHER_VALUE.search(data)
    for cipher in ciphers:
        try:
            return cipher.decrypt(base64.b64decode(value[1] if value else b""))
        except (AdapterError, ValueError):
            continue
    return data


def _pick(found: list[etree._Element], which: str) -> etree._Element:
    if not found:
        raise NaiveRefusesError("not found")
    return found[0] if which == "first" else found[-1]


def _first(parent: etree._Element, name: str) -> etree._Element:
    return _pick(list(parent.iter(name)), "first")


def _all_text(element: etree._Element) -> str:
    """All text, comments left out."""
    texts = element.xpath("text()")
    return "".join(str(text) for text in texts).strip() if isinstance(texts, list) else ""


def _prefixes(element: etree._Element) -> tuple[str, ...]:
    for one in element.iter(f"{{{names.EXC_C14N}}}InclusiveNamespaces"):
        return tuple((one.get("PrefixList") or "").split())
    return ()

"""Another library's view of a message that our verifier took: is it signed, and what does the signature cover?

The message is put in the clear as text, so that libxmlsec sees all of it as the signer signed it, and finds every part
by its id itself. The wheel of libxmlsec has no Ed25519: there a second check of our own walks the whole document.
"""

from __future__ import annotations

import base64
from hashlib import sha256

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.envelope import names
from tests.attacks.draft import in_the_clear

_DS = f"{{{names.DS}}}"


class DiffersError(Exception):
    """The second opinion is another one."""


def signed_payload(octets: bytes, content_key: bytes, signer: x509.Certificate) -> bytes:
    """The canonical payload of the Body that the signature covers. Raises DiffersError.

    octets: a message that our verifier took. The element is the one that the Reference leads to, and the child of the
    Envelope at the same time.
    """
    root = etree.fromstring(in_the_clear(octets, content_key)[0])
    signature = _only(list(root.iter(names.SIGNATURE)))
    by_id = _by_id(root)
    covered = {uri.removeprefix("#") for uri in (one.get("URI", "") for one in signature.iter(f"{_DS}Reference"))}
    if isinstance(signer.public_key(), ed25519.Ed25519PublicKey):
        _verify_ed25519(signature, by_id, signer)
    else:
        _verify_by_libxmlsec(signature, by_id, signer)
    body = _only(root.findall(names.SOAP12_BODY))
    body_id = body.get(names.WSU_ID, "")
    if body_id not in covered or by_id[body_id] is not body:
        raise DiffersError("the Body at its place is not the one that is signed")
    for block in (*root.findall(f"{names.SOAP12_HEADER}/{names.EXCHANGE}"), *root.iter(names.PERSONAL_DATA)):
        if block.get(names.WSU_ID) not in covered:
            raise DiffersError(f"{block.tag} is not signed")
    return etree.tostring(body[0], method="c14n", exclusive=True)


def _by_id(root: etree._Element) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for element in root.iter(etree.Element):
        value = element.get(names.WSU_ID)
        if value is not None and found.setdefault(value, element) is not element:
            raise DiffersError("an id occurs twice")
    return found


def _verify_by_libxmlsec(signature: etree._Element, by_id: dict[str, etree._Element], signer: x509.Certificate) -> None:
    """KeyInfo is a SecurityTokenReference, which libxmlsec does not know: it is given the key."""
    key_info = signature.find(names.KEY_INFO)
    if key_info is not None:
        signature.remove(key_info)
    context = xmlsec.SignatureContext()
    for element in by_id.values():
        context.register_id(element, "Id", names.WSU)
    context.key = xmlsec.Key.from_memory(signer.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(signature)
    except xmlsec.Error as cause:
        raise DiffersError(f"libxmlsec: {cause}") from None


def _verify_ed25519(signature: etree._Element, by_id: dict[str, etree._Element], signer: x509.Certificate) -> None:
    info = _only(signature.findall(f"{_DS}SignedInfo"))
    key = signer.public_key()
    value = base64.b64decode("".join((signature.findtext(f"{_DS}SignatureValue") or "").split()))
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise DiffersError("not an Ed25519 key")
    key.verify(value, _canonical(info, info.find(f"{_DS}CanonicalizationMethod")))
    for reference in info.iter(f"{_DS}Reference"):
        target = by_id[reference.get("URI", "").removeprefix("#")]
        digest = sha256(_canonical(target, next(reference.iter(f"{_DS}Transform")))).digest()
        if base64.b64decode(reference.findtext(f"{_DS}DigestValue") or "") != digest:
            raise DiffersError(f"digest of {reference.get('URI')}")


def _canonical(element: etree._Element, method: etree._Element | None) -> bytes:
    listed = None if method is None else next(method.iter(f"{{{names.EXC_C14N}}}InclusiveNamespaces"), None)
    prefixes = [] if listed is None else (listed.get("PrefixList") or "").split()
    return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes or None)


def _only(found: list[etree._Element]) -> etree._Element:
    if len(found) != 1:
        raise DiffersError(f"{len(found)} where one must be")
    return found[0]

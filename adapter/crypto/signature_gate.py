"""The second gate: the decrypted ds:Signature has exactly the profile's structure, before anything in it is computed.

As strict as the first: no Object, no Manifest, no transform but one exclusive canonicalisation, no reference but #id,
no key but the token of this message (XML Signature 1.1, 4). Raises EnvelopeRefused, which crypto.open translates.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapter.attachments import MAX_ATTACHMENTS
from adapter.crypto.suites import SUITES
from adapter.envelope import names
from adapter.envelope.gate_attachments import read_cid
from adapter.envelope.gate_structure import (
    Ids,
    attribute,
    check_algorithm,
    check_attributes,
    check_empty,
    children,
    leaf_octets,
    local_reference,
    only_child,
    read_algorithm,
    read_prefix_list,
    refuse,
    sequence,
)
from adapter.envelope.names import qname
from adapter.errors import EnvelopeRefused
from adapter.stages import SignatureParts
from adapter.xmlsafe import canonical

_SIGNED_INFO: Final = qname(names.DS, "SignedInfo")
_SIGNATURE_VALUE: Final = qname(names.DS, "SignatureValue")
_CANONICALIZATION_METHOD: Final = qname(names.DS, "CanonicalizationMethod")
_SIGNATURE_METHOD: Final = qname(names.DS, "SignatureMethod")
_REFERENCE: Final = qname(names.DS, "Reference")
_TRANSFORMS: Final = qname(names.DS, "Transforms")
_TRANSFORM: Final = qname(names.DS, "Transform")
_DIGEST_VALUE: Final = qname(names.DS, "DigestValue")
_INCLUSIVE_NAMESPACES: Final = qname(names.EXC_C14N, "InclusiveNamespaces")

_ID: Final = frozenset(("Id",))
_URI: Final = frozenset(("URI",))
_VALUE_TYPE: Final = frozenset(("ValueType",))
_STR_OPTIONS: Final = frozenset((names.WSU_ID, qname(names.WSSE11, "TokenType")))
_ALGORITHMS: Final = frozenset(row.signature_algorithm for row in SUITES.values())
_MAX_REFERENCES: Final = 6
_MAX_VALUE_CHARS: Final = 2048


def read_signature(signature: etree._Element, *, token_id: str, ids: Ids) -> SignatureParts:
    """The values of a decrypted, unverified ds:Signature.

    token_id: the id of this message's BinarySecurityToken, the only key that KeyInfo may name. ids: those of the outer
    document; an id that occurs again is refused. Raises EnvelopeRefused.
    """
    if signature.tag != names.SIGNATURE:
        refuse("something else where the Signature must be")
    _check_own_id(signature, ids)
    signed_info, value, key_info = sequence(signature, _SIGNED_INFO, _SIGNATURE_VALUE, names.KEY_INFO)
    check_attributes(signed_info)
    found = children(signed_info)
    if [child.tag for child in found[:2]] != [_CANONICALIZATION_METHOD, _SIGNATURE_METHOD]:
        refuse("SignedInfo must begin with CanonicalizationMethod and SignatureMethod")
    prefixes = _exclusive_prefixes(found[0])
    algorithm = read_algorithm(found[1])
    check_empty(found[1])
    if algorithm not in _ALGORITHMS:
        refuse("SignatureMethod names an algorithm that is not on the list")
    attached = [reference for reference in found[2:] if reference.get("URI", "").startswith("cid:")]
    references = [reference for reference in found[2:] if reference not in attached] if attached else found[2:]
    if not 1 <= len(references) <= _MAX_REFERENCES or len(attached) > MAX_ATTACHMENTS:
        refuse("SignedInfo has no Reference or too many")
    digests = tuple(_read_reference(reference) for reference in references)
    attachment_digests = tuple(_read_attachment_reference(reference) for reference in attached)
    if len({part_id for part_id, _, _ in digests}) != len(digests):
        refuse("two References to one part")
    if len({content_id for content_id, _ in attachment_digests}) != len(attached):
        refuse("two References to one attachment")
    _check_own_id(value, ids)
    _check_key_info(key_info, token_id, ids)
    return SignatureParts(
        signed_info=canonical(signed_info, inclusive_prefixes=prefixes, error=EnvelopeRefused),
        algorithm=algorithm,
        value=leaf_octets(value, max_chars=_MAX_VALUE_CHARS),
        digests=digests,
        attachment_digests=attachment_digests,
    )


def _check_own_id(element: etree._Element, ids: Ids) -> None:
    check_attributes(element, optional=_ID)
    if (own_id := element.get("Id")) is not None:
        ids.add(own_id)


def _exclusive_prefixes(method: etree._Element) -> tuple[str, ...]:
    """An algorithm that must be exclusive canonicalisation without comments, with its PrefixList if it has one."""
    if read_algorithm(method) != names.EXC_C14N:
        refuse("a canonicalisation or transform that is not on the list")
    if not children(method):
        return ()
    return read_prefix_list(only_child(method, _INCLUSIVE_NAMESPACES))


def _read_reference(reference: etree._Element) -> tuple[str, bytes, tuple[str, ...]]:
    if reference.tag != _REFERENCE:
        refuse("SignedInfo may have nothing but Reference after SignatureMethod")
    check_attributes(reference, _URI)
    part_id = local_reference(attribute(reference, "URI"))
    transform, digest = _transform_and_digest(reference)
    return part_id, digest, _exclusive_prefixes(transform)


def _read_attachment_reference(reference: etree._Element) -> tuple[str, bytes]:
    """A Reference to the octets of an attachment, not to its headers (SwA Profile 1.1, 5.4.2)."""
    if reference.tag != _REFERENCE:
        refuse("SignedInfo may have nothing but Reference after SignatureMethod")
    check_attributes(reference, _URI)
    transform, digest = _transform_and_digest(reference)
    check_algorithm(transform, names.SWA_SIGNATURE_TRANSFORM)
    return read_cid(attribute(reference, "URI")), digest


def _transform_and_digest(reference: etree._Element) -> tuple[etree._Element, bytes]:
    transforms, method, value = sequence(reference, _TRANSFORMS, names.DIGEST_METHOD, _DIGEST_VALUE)
    check_attributes(transforms)
    transform = only_child(transforms, _TRANSFORM)
    check_algorithm(method, names.SHA256)
    check_attributes(value)
    digest = leaf_octets(value, max_chars=128)
    if len(digest) != 32:
        refuse("a digest that has not 32 octets")
    return transform, digest


def _check_key_info(key_info: etree._Element, token_id: str, ids: Ids) -> None:
    """KeyInfo names the signed token of this message directly (WSS 1.1 SOAP Message Security, 7.2)."""
    check_attributes(key_info, optional=_ID)
    if (own_id := key_info.get("Id")) is not None:
        ids.add(own_id)
    reference = only_child(key_info, names.SECURITY_TOKEN_REFERENCE)
    check_attributes(reference, optional=_STR_OPTIONS)
    if (own_id := reference.get(names.WSU_ID)) is not None:
        ids.add(own_id)
    direct = only_child(reference, names.TOKEN_REFERENCE)
    check_attributes(direct, _URI, _VALUE_TYPE)
    check_empty(direct)
    if direct.get("ValueType", names.X509_V3) != names.X509_V3:
        refuse("KeyInfo names a token of another kind")
    if local_reference(attribute(direct, "URI")) != token_id:
        refuse("KeyInfo names something else than the token of this message")

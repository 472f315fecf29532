"""Decrypt and verify: numbered checklists, each step with a rejecting test.

Whatever goes wrong in here is SecurityFailed, with one public text (promise 7); the reason goes to the record.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography import x509
from lxml import etree

from adapter.attachments import Attachment
from adapter.crypto.canonical_body import resolved_values
from adapter.crypto.certificates import parse_certificate
from adapter.crypto.content import ContentCipher
from adapter.crypto.fragments import parse_body, parse_element
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.recognition import NotCanonical, recognise_confirmation, recognise_signature
from adapter.crypto.signature_gate import read_signature
from adapter.crypto.suites import Suite, by_signature_algorithm, suite
from adapter.envelope.attachments_header import read_attachments
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.gate_security import read_confirmation
from adapter.envelope.gate_structure import Ids, attribute
from adapter.envelope.headers import read_personal_data
from adapter.envelope.names import ATTACHMENTS, PERSONAL_DATA, WSU_ID
from adapter.errors import EnvelopeRefused, LimitExceeded, MalformedMessage, SecurityFailed
from adapter.stages import (
    ConfirmationPart,
    DecryptedMessage,
    GatedMessage,
    SignatureParts,
    SignedPart,
    VerifiedMessage,
)
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits, canonical, parse

_STRUCTURE_ERRORS = (EnvelopeRefused, LimitExceeded, MalformedMessage)


def decrypt(gated: GatedMessage, keys: DecryptionKeys, *, limits: XmlLimits = DEFAULT_LIMITS) -> DecryptedMessage:
    """Open a gated message with our key. Raises SecurityFailed, whatever is wrong.

    1. The key is one of ours, by its identifier, and of the suite in whose form the EncryptedKey is.
    2. The content key comes out of agreement and unwrapping, or of OAEP.
    3. and on: as `decrypt_with_content_key`.
    """
    info = gated.encrypted_key
    key = keys.find(info.recipient_ski)
    if key.suite != info.suite:
        raise SecurityFailed("the EncryptedKey has the form of another suite than our key")
    return decrypt_with_content_key(gated, suite(info.suite).unwrap(info, key), limits=limits)


def decrypt_with_content_key(
    gated: GatedMessage, content_key: bytes, *, limits: XmlLimits = DEFAULT_LIMITS
) -> DecryptedMessage:
    """Open a gated message whose content key is known already (evidence). Raises SecurityFailed, whatever is wrong.

    3. The content key has 16 octets.
    4. Every tag is good, before any plaintext is looked at.
    5. The plaintext of the signature is exactly one element, and passes the second gate.
    6. The plaintext of the header is exactly one PersonalData block, that of the confirmation exactly one
       SignatureConfirmation, that of the description exactly one Attachments block.
    7. The plaintext of the Body is exactly one element, not encrypted once more.
    8. No id occurs twice over the outer document and all that was decrypted.
    """
    try:
        return _open_as_spelled(gated, content_key, limits)
    except _STRUCTURE_ERRORS as cause:
        raise SecurityFailed(f"after decryption: {cause.reason}") from None


def _open_as_spelled(gated: GatedMessage, content_key: bytes, limits: XmlLimits) -> DecryptedMessage:
    try:
        return _open_parts(gated, content_key, limits)
    except NotCanonical:  # the envelope is spelled as we would, the signature in it is not
        return _open_parts(gate(parse_message(gated.received, limits), gated.kind), content_key, limits)


def _open_parts(gated: GatedMessage, content_key: bytes, limits: XmlLimits) -> DecryptedMessage:
    cipher = ContentCipher(content_key)
    signature_octets = cipher.decrypt(gated.encrypted_signature)
    body_octets = cipher.decrypt(gated.encrypted_body)
    header_octets = None if gated.encrypted_personal_data is None else cipher.decrypt(gated.encrypted_personal_data)
    confirmed = None if gated.encrypted_confirmation is None else cipher.decrypt(gated.encrypted_confirmation)
    described = None if gated.encrypted_attachments is None else cipher.decrypt(gated.encrypted_attachments)
    ids = Ids(seen=set(gated.ids))
    signature = _read_signature(signature_octets, gated, ids, limits)
    personal_data = None
    if header_octets is not None:
        personal_data = parse_element(header_octets, gated.surroundings.personal_data, limits)
        if personal_data.tag != PERSONAL_DATA:
            raise SecurityFailed("the encrypted header is not PersonalData")
        ids.add(attribute(personal_data, WSU_ID))
    confirmation = None if confirmed is None else _read_confirmation(confirmed, gated, ids, limits)
    attachments = None if described is None else _read_attachments(described, gated, ids, limits)
    body = parse_body(body_octets, gated.surroundings, ids, limits)
    return DecryptedMessage(
        gated=gated,
        personal_data=personal_data,
        confirmation=confirmation,
        body=body.element,
        body_octets=body.octets,
        signature=signature,
        content_key=content_key,
        attachments=attachments,
    )


def _read_signature(octets: bytes, gated: GatedMessage, ids: Ids, limits: XmlLimits) -> SignatureParts:
    """Step 5. Raises NotCanonical when the general gate has to judge the whole message."""
    if gated.is_canonical:
        return recognise_signature(octets)
    signature = parse_element(octets, gated.surroundings.signature, limits)
    return read_signature(signature, token_id=gated.token.id, ids=ids)


def _read_confirmation(octets: bytes, gated: GatedMessage, ids: Ids, limits: XmlLimits) -> ConfirmationPart:
    """Step 6. Raises NotCanonical when the general gate has to judge the whole message."""
    if gated.is_canonical:
        confirmation = recognise_confirmation(octets)
    else:
        element = parse_element(octets, gated.surroundings.signature, limits)
        confirmation = ConfirmationPart(value=read_confirmation(element), part=_part(element))
    ids.add(confirmation.part.id)
    return confirmation


def _read_attachments(octets: bytes, gated: GatedMessage, ids: Ids, limits: XmlLimits) -> etree._Element:
    """Step 6."""
    element = parse_element(octets, gated.surroundings.attachments, limits)
    if element.tag != ATTACHMENTS:
        raise SecurityFailed("the encrypted header is not Attachments")
    ids.add(attribute(element, WSU_ID))
    return element


def verify(decrypted: DecryptedMessage, *, limits: XmlLimits = DEFAULT_LIMITS) -> VerifiedMessage:
    """Verify the signature over exactly the parts of this message, and hand on only what it covers.

    limits: those within which the message was decrypted, for the digested octets that step 6 may have to parse.

    1. The token is exactly one X.509 v3 certificate in DER.
    2. The signature algorithm is a row of the table, and the certificate's key is of that row.
    3. The signature value is good for the canonical SignedInfo under that key.
    4. The References name exactly the parts that stand at their places: none is missing, none is more.
    5. Every digest is that of the part at its place.
    6. What the Body says does not hang on a namespace declaration outside of what was digested.
    7. Every attachment that an EncryptedData names has one Reference and one description, and there are no others.
    8. The values are read from the elements that step 5 digested. (The gate read the Exchange header from its element
       already; nothing changes a tree between.)

    What the attachments themselves are is not looked at here: their digests are handed on as signed.
    Raises SecurityFailed for 1 to 7; for 8, with the signature good, EnvelopeRefused and InvalidIdentifier.
    """
    gated, signature = decrypted.gated, decrypted.signature
    signer, row = _check_signature_value(decrypted)
    parts = _parts_at_their_places(decrypted)
    if {part_id for part_id, _, _ in signature.digests} != parts.keys():
        raise SecurityFailed("the signature does not cover exactly the parts of the message")
    body_octets = b""
    for part_id, digest, prefixes in signature.digests:
        octets = _canonical(parts[part_id], prefixes)
        if not hmac.compare_digest(sha256(octets).digest(), digest):
            raise SecurityFailed(f"the digest of a part is wrong: {part_id}")
        if parts[part_id].element is decrypted.body:
            body_octets = octets
    payload = _signed_payload(decrypted, body_octets, limits)
    return VerifiedMessage(
        received=gated.received,
        kind=gated.kind,
        header=gated.claimed_header,
        personal_data=None if decrypted.personal_data is None else read_personal_data(decrypted.personal_data),
        created=gated.created,
        expires=gated.expires,
        signer=signer,
        suite=row.name,
        signature_value=signature.value,
        signed_digest=sha256(signature.signed_info).digest(),
        confirmation=None if decrypted.confirmation is None else decrypted.confirmation.value,
        payload=payload,
        content_key=decrypted.content_key,
        attachments=_signed_attachments(decrypted),
    )


def _signed_attachments(decrypted: DecryptedMessage) -> tuple[Attachment, ...]:
    """Step 7: in the order of the description."""
    digests = dict(decrypted.signature.attachment_digests)
    if decrypted.attachments is None:
        if digests:
            raise SecurityFailed("the signature names attachments that the message does not have")
        return ()
    described = read_attachments(decrypted.attachments)
    named = set(decrypted.gated.attachments)
    if digests.keys() != named or {one.content_id for one in described} != named:
        raise SecurityFailed("the signature does not cover exactly the attachments of the message")
    return tuple(
        Attachment(
            content_id=one.content_id,
            media_type=one.media_type,
            size=one.size,
            sha256=digests[one.content_id],
            name=one.name,
        )
        for one in described
    )


def _check_signature_value(decrypted: DecryptedMessage) -> tuple[x509.Certificate, Suite]:
    """Steps 1 to 3."""
    signer, key = parse_certificate(decrypted.gated.certificate)
    signature = decrypted.signature
    row = by_signature_algorithm(signature.algorithm)
    row.check_signing_key(key)
    row.verify(key, signature.value, signature.signed_info)
    return signer, row


def _parts_at_their_places(decrypted: DecryptedMessage) -> dict[str, SignedPart]:
    """Step 4: every part of this message by its id. The gates saw to it that no id occurs twice."""
    gated = decrypted.gated
    parts = [gated.exchange, gated.timestamp, gated.token, _part(decrypted.body)]
    if decrypted.personal_data is not None:
        parts.append(_part(decrypted.personal_data))
    if decrypted.confirmation is not None:
        parts.append(decrypted.confirmation.part)
    if decrypted.attachments is not None:
        parts.append(_part(decrypted.attachments))
    return {part.id: part for part in parts}


def _part(element: etree._Element) -> SignedPart:
    return SignedPart(id=element.get(WSU_ID, ""), element=element)


def _canonical(part: SignedPart, prefixes: tuple[str, ...]) -> bytes:
    """The octets to digest. A part without an element is canonical as it stands, and takes no prefixes."""
    if part.element is not None:
        return canonical(part.element, inclusive_prefixes=prefixes, error=SecurityFailed)
    if prefixes:
        raise SecurityFailed("a PrefixList for a part whose canonical form is settled")
    return part.octets


def _signed_payload(decrypted: DecryptedMessage, body_octets: bytes, limits: XmlLimits) -> etree._Element:
    """Step 6: the payload as the digested octets have it.

    What our own stack writes is canonical already: then the tree at hand is the parse of the digested octets. Else the
    tree may know prefixes of the unsigned Envelope that the digested octets do not have; so it is parsed from those,
    and a name in a value (xsi:type) that means something else there is refused.
    """
    if body_octets == decrypted.body_octets:
        return decrypted.body[0]
    try:
        signed = parse(body_octets, limits, error=SecurityFailed)
    except LimitExceeded as cause:
        raise SecurityFailed(cause.reason) from None
    if resolved_values(signed) != resolved_values(decrypted.body):
        raise SecurityFailed("a name in a value of the Body hangs on a namespace declaration that is not signed")
    return signed[0]

"""The one spelling in which our own stack writes an envelope, recognised as octets.

Most messages come from another adapter, which writes every envelope by the templates of this package: always the same
elements, prefixes, order and ids, around values without any markup. Such a message is a word of a regular language.
What matches it completely has the structure of the profile by construction, and each signed header block stands in it
in its exclusive canonical form: nothing has to be parsed, walked or canonicalised to know that. Whatever differs in one
octet is not refused here but goes to the general gate (envelope.gate), which judges all spellings.

Both give the same values for the same message; tests hold them against each other
(tests/unit/crypto/test_recognition.py, docs/decisions/0004-one-spelling-is-recognised.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from adapter.crypto import templates
from adapter.envelope import names
from adapter.envelope.gate import MAX_HEADER_CHARS, check_kind
from adapter.envelope.gate_security import MAX_CERTIFICATE_CHARS, MAX_CONFIRMATION_CHARS, MAX_SIGNATURE_CHARS
from adapter.envelope.headers import EXCHANGE_ORDER, EXCHANGE_START, IN_BASE64, Fields, exchange_of, max_chars
from adapter.envelope.instants import TIMESTAMP_TEMPLATE, read_instant
from adapter.errors import EnvelopeRefused
from adapter.stages import (
    ConfirmationPart,
    EncryptedKeyInfo,
    GatedMessage,
    MessageKind,
    ReceivedMessage,
    SignatureParts,
    SignedPart,
    Surroundings,
)
from adapter.xmlsafe import XmlLimits, decode_base64_digits

_Match = re.Match[bytes]


class NotCanonical(Exception):
    """The message is spelled in another way than ours, so the general gate has to judge it."""


# --- the language ----------------------------------------------------------------------------------------------------

# A value ends where the next tag begins, or at a quote. Base64 is decoded strictly afterwards, which leaves no markup;
# texts are printable ASCII without what canonical XML would escape, and begin and end with something visible.
_BASE64: Final = rb"[^<]*"
_TEXT: Final = rb"[!#-%'-;=?-~](?:[ !#-%'-;=?-~]*[!#-%'-;=?-~])?"
_BASE64_VALUE: Final = rb"[A-Za-z0-9+/]+={0,2}"
_INSTANT: Final = rb"[0-9TZ:.-]{20,27}"


def _group(name: str, pattern: bytes) -> bytes:
    return b"(?P<%s>%s)" % (name.encode(), pattern)


def _filled(template: str | bytes, *patterns: bytes) -> bytes:
    """A template in which each %s is replaced by a pattern."""
    octets = template.encode() if isinstance(template, str) else template
    first, *rest = octets.split(b"%s")
    return re.escape(first) + b"".join(
        pattern + re.escape(piece) for pattern, piece in zip(patterns, rest, strict=True)
    )


_OPTIONAL_FIELDS: Final = frozenset(("InReplyTo", "Regulation", "RecordNumber", *IN_BASE64))


def _field(name: str) -> bytes:
    pattern = _filled(f"<ia:{name}>%s</ia:{name}>", _group(name, _BASE64_VALUE if name in IN_BASE64 else _TEXT))
    return b"(?:%s)?" % pattern if name in _OPTIONAL_FIELDS else pattern


def _encrypted(name: str, cipher_id: str, content_type: str) -> bytes:
    start, end = templates.encrypted_data_start(cipher_id, content_type), templates.ENCRYPTED_DATA_END
    return re.escape(start) + _group(name, _BASE64) + re.escape(end)


def _keys() -> bytes:
    """The EncryptedKey in the form of each suite, up to its ReferenceList."""
    agreed = [
        _filled(
            templates.AGREED_KEY % (algorithm, "%s", "%s", originator, "%s", "%s"),
            *(_group(f"{suite}_{value}", _BASE64) for value in ("salt", "info", "public", "ski", "wrapped")),
        )
        for suite, (algorithm, originator, _) in templates.ORIGINATORS.items()
    ]
    transported = _filled(templates.TRANSPORTED_KEY, *(_group(f"rsa_{value}", _BASE64) for value in ("ski", "wrapped")))
    return b"(?:" + b"|".join([*agreed, transported]) + b")"


def _language(kind: MessageKind) -> re.Pattern[bytes]:
    exchange = re.escape(EXCHANGE_START.encode()) + b"".join(map(_field, EXCHANGE_ORDER)) + b"</ia:Exchange>"
    timestamp = _filled(TIMESTAMP_TEMPLATE, _group("created", _INSTANT), _group("expires", _INSTANT))
    is_request = kind is MessageKind.REQUEST
    personal_data = (
        re.escape(templates.ENCRYPTED_HEADER_START)
        + _encrypted("personal_data", templates.PERSONAL_DATA_CIPHER, names.TYPE_ELEMENT)
        + re.escape(templates.ENCRYPTED_HEADER_END)
    )
    confirmation = _encrypted("confirmation", templates.CONFIRMATION_CIPHER, names.TYPE_ELEMENT)
    third = templates.PERSONAL_DATA_CIPHER if is_request else templates.CONFIRMATION_CIPHER
    references = [third, templates.SIGNATURE_CIPHER, templates.BODY_CIPHER]
    return re.compile(
        b"".join(
            (
                re.escape(templates.ENVELOPE_START),
                _group("exchange", exchange),
                personal_data if is_request else b"",
                re.escape(templates.SECURITY_START),
                _group("token", _filled(templates.TOKEN, _group("certificate", _BASE64))),
                _keys(),
                re.escape(templates.render_reference_list(references)),
                _group("timestamp", timestamp),
                b"" if is_request else confirmation,
                _encrypted("signature", templates.SIGNATURE_CIPHER, names.TYPE_ELEMENT),
                re.escape(templates.SECURITY_END),
                re.escape(templates.BODY_START),
                _encrypted("body", templates.BODY_CIPHER, names.TYPE_CONTENT),
                re.escape(templates.BODY_END),
                re.escape(templates.ENVELOPE_END),
            )
        )
    )


_LANGUAGES: Final = {kind: _language(kind) for kind in MessageKind}

_COMMON_IDS: Final = (
    "exchange",
    "token",
    "key",
    "timestamp",
    "body",
    templates.SIGNATURE_CIPHER,
    templates.BODY_CIPHER,
)
_IDS: Final = {
    MessageKind.REQUEST: frozenset((*_COMMON_IDS, "encrypted-header", templates.PERSONAL_DATA_CIPHER)),
    MessageKind.REPLY: frozenset((*_COMMON_IDS, templates.CONFIRMATION_CIPHER)),
}
_ENCRYPTED_HEADER_SCOPE: Final[Mapping[str | None, str]] = {
    "env": names.SOAP12,
    "wsse11": names.WSSE11,
    "wsu": names.WSU,
}
_SURROUNDINGS: Final = {
    kind: Surroundings(
        personal_data=_ENCRYPTED_HEADER_SCOPE if kind is MessageKind.REQUEST else {},
        signature={"env": names.SOAP12, "wsse": names.WSSE},
        body_start=templates.BODY_START,
        body_end=templates.BODY_END,
    )
    for kind in MessageKind
}


# --- a message of the language ---------------------------------------------------------------------------------------


def recognise(received: ReceivedMessage, kind: MessageKind, limits: XmlLimits) -> GatedMessage | None:
    """The gated message, when it is spelled as our own stack spells it; None when the general gate has to judge.

    received: untrusted. Raises nothing: whatever is odd is the general gate's to name.
    """
    if len(received.octets) > limits.max_bytes or received.parts:
        return None
    match = _LANGUAGES[kind].fullmatch(received.octets)
    if match is None:
        return None
    try:
        return _gated(received, kind, match)
    except (NotCanonical, EnvelopeRefused):
        return None


def _gated(received: ReceivedMessage, kind: MessageKind, match: _Match) -> GatedMessage:
    fields = {name: match[name].decode() for name in EXCHANGE_ORDER if match[name] is not None}
    for name, text in fields.items():
        if len(text) > max_chars(name):
            raise NotCanonical
    header = exchange_of(Fields(fields))
    check_kind(header, kind)
    is_request = kind is MessageKind.REQUEST
    ciphers = [
        _octets(match["signature"], MAX_SIGNATURE_CHARS),
        decode_base64_digits(match["body"], error=EnvelopeRefused),
        _octets(match["personal_data"], MAX_HEADER_CHARS)
        if is_request
        else _octets(match["confirmation"], MAX_SIGNATURE_CHARS),
    ]
    if min(map(len, ciphers)) <= _GCM_MIN_OCTETS or len({cipher[:12] for cipher in ciphers}) != len(ciphers):
        raise NotCanonical
    return GatedMessage(
        received=received,
        kind=kind,
        is_canonical=True,
        claimed_header=header,
        created=read_instant(match["created"].decode()),
        expires=read_instant(match["expires"].decode()),
        certificate=_octets(match["certificate"], MAX_CERTIFICATE_CHARS),
        exchange=SignedPart(id="exchange", octets=match["exchange"]),
        timestamp=SignedPart(id="timestamp", octets=match["timestamp"]),
        token=SignedPart(id="token", octets=match["token"]),
        surroundings=_SURROUNDINGS[kind],
        encrypted_key=_encrypted_key(match),
        encrypted_personal_data=ciphers[2] if is_request else None,
        encrypted_confirmation=None if is_request else ciphers[2],
        encrypted_signature=ciphers[0],
        encrypted_body=ciphers[1],
        ids=_IDS[kind],
    )


_GCM_MIN_OCTETS: Final = 12 + 16
_WRAPPED_KEY_OCTETS: Final = 24
_P256_POINT_OCTETS: Final = 65
_X25519_KEY_OCTETS: Final = 32
_MAX_KEY_CHARS: Final = 512


def _octets(text: bytes, max_chars: int) -> bytes:
    """Base64 without white space to at least one octet. Raises NotCanonical, EnvelopeRefused."""
    if not 0 < len(text) <= max_chars:
        raise NotCanonical
    return decode_base64_digits(text, error=EnvelopeRefused)


def _encrypted_key(match: _Match) -> EncryptedKeyInfo:
    suite = next(suite for suite in ("p256", "ed25519", "rsa") if match[f"{suite}_wrapped"] is not None)
    wrapped = _octets(match[f"{suite}_wrapped"], 2 * _MAX_KEY_CHARS)
    ski = _octets(match[f"{suite}_ski"], 64)
    if suite == "rsa":
        return EncryptedKeyInfo(
            suite=suite, recipient_ski=ski, wrapped_key=wrapped, ephemeral_public=b"", hkdf_salt=b"", hkdf_info=b""
        )
    prefix = templates.ORIGINATORS[suite][2]
    public = _octets(match[f"{suite}_public"], _MAX_KEY_CHARS)
    point = public.removeprefix(prefix)
    good_point = (
        len(point) == _P256_POINT_OCTETS and point[0] == 0x04
        if suite == "p256"
        else len(point) == _X25519_KEY_OCTETS and public.startswith(prefix)
    )
    if len(wrapped) != _WRAPPED_KEY_OCTETS or not good_point:
        raise NotCanonical
    return EncryptedKeyInfo(
        suite=suite,
        recipient_ski=ski,
        wrapped_key=wrapped,
        ephemeral_public=point,
        hkdf_salt=_octets(match[f"{suite}_salt"], _MAX_KEY_CHARS),
        hkdf_info=_octets(match[f"{suite}_info"], _MAX_KEY_CHARS),
    )


# --- the signature in it, and the confirmation of a reply ------------------------------------------------------------

_REFERENCE_IDS: Final = (b"exchange", b"timestamp", b"token", b"body", b"personal-data|confirmation")
_SIGNATURE: Final = re.compile(
    _filled(
        templates.SIGNATURE,
        _group(
            "signed_info",
            _filled(templates.SIGNED_INFO_START, _group("algorithm", rb"[!#-%'-;=?-~]+"))
            + b"".join(
                _filled(templates.REFERENCE % ("%s", "", "%s"), _group(f"id{at}", ids), _group(f"digest{at}", _BASE64))
                for at, ids in enumerate(_REFERENCE_IDS)
            )
            + b"</ds:SignedInfo>",
        ),
        _group("value", _BASE64),
    )
)
_SHA256_OCTETS: Final = 32
_MAX_VALUE_BASE64_CHARS: Final = 2048


def recognise_signature(plaintext: bytes) -> SignatureParts:
    """The decrypted ds:Signature of a recognised message, spelled as ours. Raises NotCanonical when it is not.

    A PrefixList, an algorithm that is not on the list, or one Reference more or less is the second gate's to judge.
    """
    match = _SIGNATURE.fullmatch(plaintext)
    algorithm = "" if match is None else match["algorithm"].decode()
    if match is None or algorithm not in _ALGORITHMS:
        raise NotCanonical
    try:
        digests = tuple(
            (match[f"id{at}"].decode(), _octets(match[f"digest{at}"], 64), ()) for at in range(len(_REFERENCE_IDS))
        )
        value = _octets(match["value"], _MAX_VALUE_BASE64_CHARS)
    except EnvelopeRefused:
        raise NotCanonical from None
    for _, digest, _ in digests:
        if len(digest) != _SHA256_OCTETS:
            raise NotCanonical
    return SignatureParts(signed_info=match["signed_info"], algorithm=algorithm, value=value, digests=digests)


_CONFIRMATION: Final = re.compile(_filled(templates.CONFIRMATION, _group("confirmed", rb'[^"]*')))


def recognise_confirmation(plaintext: bytes) -> ConfirmationPart:
    """The decrypted SignatureConfirmation of a recognised reply, spelled as ours. Raises NotCanonical when not."""
    match = _CONFIRMATION.fullmatch(plaintext)
    if match is None:
        raise NotCanonical
    try:
        value = _octets(match["confirmed"], MAX_CONFIRMATION_CHARS)
    except EnvelopeRefused:
        raise NotCanonical from None
    return ConfirmationPart(value=value, part=SignedPart(id="confirmation", octets=plaintext))


_ALGORITHMS: Final = frozenset((names.ECDSA_SHA256, names.EDDSA_ED25519, names.RSA_SHA256))

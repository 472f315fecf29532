"""The first gate: one change to a good message for every rule, refused before any cryptography.

Each case is (what is replaced, by what, a word of the reason). The unchanged message passes.
"""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from adapter.envelope import names
from adapter.envelope.gate import gate, parse_message
from adapter.errors import AdapterError, EnvelopeRefused, HeaderNotUnderstood, LimitExceeded
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits
from tests.envelopes import gate_octets, received, replacing, seal_reply, seal_request
from tests.pki import Federation


@pytest.fixture(scope="module")
def message(federation: Federation) -> bytes:
    return seal_request(federation.social, federation.population).octets


@pytest.fixture(scope="module")
def reply(federation: Federation) -> bytes:
    request = seal_request(federation.social, federation.population)
    return seal_reply(federation.population, federation.social, request, b"<a/>").octets


def test_what_we_write_passes(message: bytes, reply: bytes) -> None:
    gated = gate_octets(message)
    assert gated.kind is MessageKind.REQUEST
    assert gated.encrypted_personal_data is not None
    assert gated.encrypted_confirmation is None
    assert str(gated.claimed_header.official) == "inspector-7"
    assert gated.encrypted_key.suite == "p256"
    assert {"exchange", "timestamp", "token", "body", "key", "encrypted-header"} <= gated.ids
    assert gate_octets(reply, MessageKind.REPLY).encrypted_confirmation is not None


def test_white_space_between_elements_is_allowed(message: bytes) -> None:
    spaced = message.replace(b"><", b">\n  <").replace(b"<xenc:CipherValue>", b"<xenc:CipherValue>\r\n ")
    assert gate_octets(spaced).encrypted_body == gate_octets(message).encrypted_body


def test_what_foreign_stacks_write_passes_too(message: bytes) -> None:
    wsse11 = f'xmlns:wsse11="{names.WSSE11}" wsse11:TokenType="x"'
    reference = (
        f'<ds:KeyInfo xmlns:ds="{names.DS}"><wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}" {wsse11}>'
        '<wsse:Reference URI="#key"/></wsse:SecurityTokenReference></ds:KeyInfo>'
    ).encode()
    start = b'aes128-gcm"/><xenc:CipherData>'
    changed = message.replace(start, b'aes128-gcm"/>' + reference + b"<xenc:CipherData>")
    assert gate_octets(changed).encrypted_body == gate_octets(message).encrypted_body
    other_prefix = message.replace(b"env:", b"soap:").replace(b"xmlns:env=", b"xmlns:soap=")
    assert gate_octets(other_prefix).ids == gate_octets(message).ids


Change = tuple[str, str, str | None]
"""What is replaced, by what, and a word of the reason; None where the reason is somebody else's to word."""

STRUCTURE: dict[str, Change] = {
    "SOAP 1.1": (names.SOAP12, names.SOAP11, "SOAP 1.2"),
    "attribute on Envelope": ("<env:Envelope ", '<env:Envelope id="x" ', "attribute"),
    "attribute on Header": ("<env:Header>", '<env:Header role="x">', "attribute"),
    "attribute on Body": ('wsu:Id="body"', 'wsu:Id="body" ID="b"', "attribute"),
    "xml:id on Body": ('wsu:Id="body"', 'wsu:Id="body" xml:id="b"', "attribute"),
    "Body without id": (' wsu:Id="body"', "", "lacks"),
    "two Bodies": ("</env:Envelope>", "<env:Body/></env:Envelope>", "exactly one"),
    "Header after Body": ("<env:Header>", "<env:Body/><env:Header>", "exactly one"),
    "text in Envelope": ("<env:Header>", "x<env:Header>", "text between"),
    "text in Header": ("<env:Header>", "<env:Header>x", "text between"),
    "comment": ("<env:Header>", "<env:Header><!-- -->", "comments"),
    "comment in a value": ("<ia:Operation>Get", "<ia:Operation>Get<!-- -->", "comments"),
    "processing instruction": ("<env:Header>", "<env:Header><?x y?>", "comments"),
    "comment before the root": ("<env:Envelope", "<!-- --><env:Envelope", "comments"),
    "comment after the root": ("</env:Envelope>", "</env:Envelope><!-- -->", "comments"),
    "stylesheet": ("<env:Envelope", "<?xml-stylesheet href='x'?><env:Envelope", "comments"),
    "DOCTYPE": ("<env:Envelope", "<!DOCTYPE env:Envelope><env:Envelope", "document type"),
    "trailing data": ("</env:Envelope>", "</env:Envelope><x/>", "well-formed"),
    "not closed": ("</env:Envelope>", "", "well-formed"),
    "unknown header": ("<env:Header>", '<env:Header><x:a xmlns:x="urn:x"/>', "no place"),
    "WS-Addressing": ("<env:Header>", '<env:Header><a:To xmlns:a="http://www.w3.org/2005/08/addressing"/>', "no place"),
    "role on Security": (
        'mustUnderstand="true"><wsse:Bin',
        'mustUnderstand="true" env:role="x"><wsse:Bin',
        "attribute",
    ),
    "Security need not be understood": ('env:mustUnderstand="true"><wsse:Bin', "><wsse:Bin", "mustUnderstand"),
    "Security may be ignored": ('Understand="true"><wsse:Bin', 'Understand="0"><wsse:Bin', "mustUnderstand"),
    "encrypted header that may be ignored": (
        'wsu:Id="encrypted-header" env:mustUnderstand="true"',
        'wsu:Id="encrypted-header" env:mustUnderstand="0"',
        "EncryptedHeader must be marked",
    ),
    "same id twice": ('wsu:Id="body"', 'wsu:Id="token"', "twice"),
    "ds id equal to a wsu id": ('Id="key"', 'Id="token"', "twice"),
    "id that is no NCName": ('wsu:Id="body"', "wsu:Id=\"a' or @x='\"", "NCName"),
    "id that is too long": ('wsu:Id="body"', f'wsu:Id="{"b" * 200}"', "NCName"),
}

EXCHANGE: dict[str, Change] = {
    "unknown child": ("<ia:Operation>", "<ia:Route>x</ia:Route><ia:Operation>", "unknown"),
    "child of another namespace": ("<ia:Operation>", '<Operation xmlns="urn:x">x</Operation><ia:Operation>', "unknown"),
    "child twice": ("</ia:Operation>", "</ia:Operation><ia:Operation>Other</ia:Operation>", "repeated"),
    "child missing": ("<ia:Official>inspector-7</ia:Official>", "", "missing"),
    "attribute on a child": ("<ia:Operation>", '<ia:Operation wsu:Id="x">', "attribute"),
    "element in a child": ("<ia:Operation>Get", "<ia:Operation><b/>Get", "text only"),
    "overlong value": ("<ia:Operation>", f"<ia:Operation>{'x' * 600}", "longer"),
    "operation that is no name": ("<ia:Operation>Get", "<ia:Operation>9 Get", "wrong form"),
    "service of wrong form": ("/GetPerson/v1<", "/GetPerson<script>/v1<", None),
    "service with too few segments": ("/GetPerson/v1<", "<", "Exchange"),
    "consumer with a bad character": ("/benefits<", "/bene\u00adfits<", "Exchange"),
    "not UTC": (".000Z</ia:Sent>", ".000+05:00</ia:Sent>", "UTC"),
    "no zone": (".000Z</ia:Sent>", ".000</ia:Sent>", "UTC"),
    "lower case z": (".000Z</ia:Sent>", ".000z</ia:Sent>", "UTC"),
    "30 February": ("2026-03-02T09:00:00.000Z</ia:Sent>", "2026-02-30T09:00:00.000Z</ia:Sent>", "exist"),
    "leap second": ("09:00:00.000Z</ia:Sent>", "23:59:60.000Z</ia:Sent>", "UTC"),
    "24:00": ("09:00:00.000Z</ia:Sent>", "24:00:00.000Z</ia:Sent>", "UTC"),
    "40 fraction digits": (".000Z</ia:Sent>", f".{'0' * 40}Z</ia:Sent>", "UTC"),
    "year 10000": ("2026-03-02T09:00:00.000Z</ia:Sent>", "10000-03-02T09:00:00.000Z</ia:Sent>", "UTC"),
    "InReplyTo in a request": (
        "<ia:Consumer>",
        "<ia:InReplyTo>urn:uuid:00000000-0000-0000-0000-000000000000</ia:InReplyTo><ia:Consumer>",
        "request",
    ),
    "need not be understood": (' wsu:Id="exchange" env:mustUnderstand="true"', ' wsu:Id="exchange"', "lacks"),
    "role": ('"exchange" env:must', '"exchange" env:role="urn:x" env:must', "attribute"),
    "no id": (' wsu:Id="exchange"', "", "lacks"),
}

SECURITY: dict[str, Change] = {
    "token of another type": ("#X509v3", "#X509PKIPathv1", "X.509"),
    "token in another encoding": ("#Base64Binary", "#HexBinary", "Base64Binary"),
    "token that is not base64": ('wsu:Id="token">', 'wsu:Id="token">*', "base64"),
    "token with an element": ('wsu:Id="token">', 'wsu:Id="token"><x/>', "text only"),
    "token with another id": ('wsu:Id="token"', 'wsu:Id="token" Id="t"', "attribute"),
    "overlong token": ('wsu:Id="token">', f'wsu:Id="token">{"A" * 20000}', "longer"),
    "two tokens": ("<xenc:EncryptedKey", "<wsse:BinarySecurityToken/><xenc:EncryptedKey", "once"),
    "two Timestamps": ("<wsu:Timestamp", f'<wsu:Timestamp xmlns:wsu="{names.WSU}"/><wsu:Timestamp', "once"),
    "UsernameToken": ("<xenc:EncryptedKey", "<wsse:UsernameToken/><xenc:EncryptedKey", "once"),
    "clear Signature": (
        "<xenc:EncryptedKey",
        f'<ds:Signature xmlns:ds="{names.DS}"/><xenc:EncryptedKey',
        "once",
    ),
    "SignatureConfirmation in a request": (
        "<wsu:Timestamp",
        f'<wsse11:SignatureConfirmation xmlns:wsse11="{names.WSSE11}" Value="QQ=="/><wsu:Timestamp',
        "once",
    ),
    "Timestamp without Expires": ("<wsu:Expires>2026-03-02T09:05:00.000Z</wsu:Expires>", "", "Created and Expires"),
    "two Created": ("<wsu:Created>", "<wsu:Created>2026-03-02T09:00:00Z</wsu:Created><wsu:Created>", "Created"),
    "Timestamp with more": ("</wsu:Timestamp>", "<x/></wsu:Timestamp>", "Created and Expires"),
    "attribute on Created": ("<wsu:Created>", '<wsu:Created ValueType="x">', "attribute"),
    "Created without zone": (".000Z</wsu:Created>", ".000</wsu:Created>", "UTC"),
}

KEY: dict[str, Change] = {
    "no ReferenceList": ("<xenc:ReferenceList>", "<xenc:Refs>", None),
    "reference to nothing": ("#body-cipher", "#elsewhere", "exactly once"),
    "reference missing": ('<xenc:DataReference URI="#signature-cipher"/>', "", "exactly once"),
    "one reference more, to what has one": (
        "</xenc:ReferenceList>",
        '<xenc:DataReference URI="#body-cipher"/></xenc:ReferenceList>',
        "exactly once",
    ),
    "reference twice": ("#signature-cipher", "#body-cipher", "exactly once"),
    "reference to a file": ("#body-cipher", "file:///etc/passwd", "not #id"),
    "reference to a server": ("#body-cipher", "http://127.0.0.1/", "not #id"),
    "XPointer": ("#body-cipher", "#xpointer(id('body-cipher'))", "not #id"),
    "KeyReference": ('<xenc:DataReference URI="#body', '<xenc:KeyReference URI="#body', "DataReference"),
    "rsa-1_5": (names.KW_AES128, f"{names.XENC}rsa-1_5", "not on the list"),
    "kw-aes256": (names.KW_AES128, f"{names.XENC}kw-aes256", "not on the list"),
    "kw-aes128-pad": (names.KW_AES128, f"{names.XENC11}kw-aes-128-pad", "not on the list"),
    "attribute on EncryptionMethod": (
        f'Algorithm="{names.KW_AES128}"',
        f'Algorithm="{names.KW_AES128}" x="y"',
        "no other",
    ),
    "KeySize": (
        f'Algorithm="{names.KW_AES128}"/>',
        f'Algorithm="{names.KW_AES128}"><xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>',
        "empty",
    ),
    "ECDH-ES by another name": (names.ECDH_ES, f"{names.XENC11}DH-ES", "not on the list"),
    "P-256 key as X25519": (names.ECDH_ES, names.X25519, "exactly these children"),
    "ConcatKDF": (names.HKDF, f"{names.XENC11}ConcatKDF", "not on the list"),
    "PBKDF2": (names.HKDF, f"{names.XENC11}pbkdf2", "not on the list"),
    "HKDF with SHA-1": (names.HMAC_SHA256, f"{names.DS}hmac-sha1", "on the list"),
    "KeyLength 32": ("KeyLength>16<", "KeyLength>32<", "16 octets"),
    "KeyLength 0": ("KeyLength>16<", "KeyLength>0<", "16 octets"),
    "KeyLength in bits": ("KeyLength>16<", "KeyLength>128<", "16 octets"),
    "KeyLength that is no number": ("KeyLength>16<", "KeyLength>0x10<", "16 octets"),
    "no KeyLength": ("<dsig-more:KeyLength>16</dsig-more:KeyLength>", "", "HKDFParams"),
    "overlong salt": ("<dsig-more:Salt>", f"<dsig-more:Salt>{'A' * 1000}", "longer"),
    "overlong info": ("<dsig-more:Info>", f"<dsig-more:Info>{'A' * 1000}", "longer"),
    "another curve": (names.CURVE_P256, "urn:oid:1.3.132.0.34", "curve"),
    "explicit curve": ("<dsig11:NamedCurve", "<dsig11:ECParameters/><dsig11:NamedCurve", "exactly these"),
    "recipient by thumbprint": ("#X509SubjectKeyIdentifier", "#ThumbprintSHA1", "X509SubjectKeyIdentifier"),
    "EncryptedKeySHA1": ("#X509SubjectKeyIdentifier", "#EncryptedKeySHA1", "X509SubjectKeyIdentifier"),
    "Recipient attribute": ('Id="key"', 'Id="key" Recipient="x"', "attribute"),
    "CarriedKeyName": ("</xenc:EncryptedKey>", "<xenc:CarriedKeyName/></xenc:EncryptedKey>", "exactly these"),
}

OTHER_KEY = (
    f'aes128-gcm"/><ds:KeyInfo xmlns:ds="{names.DS}"><wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}">'
    '<wsse:Reference URI="#other"/></wsse:SecurityTokenReference></ds:KeyInfo><xenc:CipherData>'
)
DATA: dict[str, Change] = {
    "aes128-cbc": (names.AES128_GCM, f"{names.XENC}aes128-cbc", "on the list"),
    "aes256-gcm": (names.AES128_GCM, f"{names.XENC11}aes256-gcm", "on the list"),
    "tripledes-cbc": (names.AES128_GCM, f"{names.XENC}tripledes-cbc", "on the list"),
    "CipherReference": (
        "<xenc:CipherValue>",
        '<xenc:CipherReference URI="http://127.0.0.1/"/><xenc:CipherValue>',
        "exactly",
    ),
    "MimeType": ('Id="body-cipher"', 'Id="body-cipher" MimeType="text/xml"', "attribute"),
    "Encoding": ('Id="body-cipher"', 'Id="body-cipher" Encoding="gzip"', "attribute"),
    "Body as Element": (names.TYPE_CONTENT, names.TYPE_ELEMENT, "another Type"),
    "no Type": (f' Type="{names.TYPE_CONTENT}"', "", "lacks"),
    "no Id": ('Id="body-cipher" ', "", "lacks"),
    "EncryptionProperties": (
        "</xenc:EncryptedData></env:Body>",
        "<xenc:EncryptionProperties/></xenc:EncryptedData></env:Body>",
        "must have",
    ),
    "attribute on CipherValue": ("<xenc:CipherValue>", '<xenc:CipherValue Id="x">', "attribute"),
    "URL alphabet": ("<xenc:CipherValue>", "<xenc:CipherValue>-_-_", "base64"),
    "comment in CipherValue": ("<xenc:CipherValue>", "<xenc:CipherValue>AAAA<!-- -->", "comments"),
    "second EncryptedData in Body": (
        "</env:Body>",
        "<xenc:EncryptedData xmlns:xenc='http://www.w3.org/2001/04/xmlenc#'/></env:Body>",
        "exactly",
    ),
    "clear element beside it": ("</env:Body>", "<x/></env:Body>", "exactly"),
    "text beside it": ("</env:Body>", "x</env:Body>", "text between"),
    "key by name": (
        'aes128-gcm"/><xenc:CipherData>',
        f'aes128-gcm"/><ds:KeyInfo xmlns:ds="{names.DS}"><ds:KeyName>x</ds:KeyName></ds:KeyInfo><xenc:CipherData>',
        "exactly these",
    ),
    "key of another message": ('aes128-gcm"/><xenc:CipherData>', OTHER_KEY, "another key"),
    "RetrievalMethod": (
        'aes128-gcm"/><xenc:CipherData>',
        f'aes128-gcm"/><ds:KeyInfo xmlns:ds="{names.DS}"><ds:RetrievalMethod/></ds:KeyInfo><xenc:CipherData>',
        "exactly these",
    ),
}

GROUPS: dict[str, dict[str, Change]] = {
    "structure": STRUCTURE,
    "Exchange": EXCHANGE,
    "Security": SECURITY,
    "EncryptedKey": KEY,
    "EncryptedData": DATA,
}
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}


@pytest.mark.parametrize("name", CASES)
def test_one_change_is_refused_with_its_reason(message: bytes, name: str) -> None:
    old, new, word = CASES[name]
    with pytest.raises((EnvelopeRefused, LimitExceeded)) as refused:
        gate_octets(replacing(old, new)(message))
    if word is not None:
        assert word in refused.value.reason


REPLY_CASES = {
    "something else than the confirmation": (
        b'Id="confirmation-cipher" Type',
        b'Id="confirmation-cipher" x',
        "attribute",
    ),
    "the confirmation is content": (
        f'"confirmation-cipher" Type="{names.TYPE_ELEMENT}'.encode(),
        f'"confirmation-cipher" Type="{names.TYPE_CONTENT}'.encode(),
        "another Type",
    ),
    "a key for another part": (b'URI="#confirmation-cipher"', b'URI="#exchange"', "exactly once"),
    "no InReplyTo": (b"ia:InReplyTo", b"ia:MessageId", "repeated"),
}


def test_a_reply_that_says_not_what_it_answers_is_refused(reply: bytes) -> None:
    start, end = reply.index(b"<ia:InReplyTo>"), reply.index(b"</ia:InReplyTo>") + len(b"</ia:InReplyTo>")
    with pytest.raises(EnvelopeRefused, match="which message it answers"):
        gate_octets(reply[:start] + reply[end:], MessageKind.REPLY)


@pytest.mark.parametrize("name", REPLY_CASES)
def test_one_change_to_a_reply_is_refused(reply: bytes, name: str) -> None:
    old, new, word = REPLY_CASES[name]
    with pytest.raises(EnvelopeRefused, match=word):
        gate_octets(reply.replace(old, new), MessageKind.REPLY)


def encrypted_confirmation(reply: bytes) -> bytes:
    start = reply.rindex(b"<xenc:EncryptedData", 0, reply.index(b'Id="confirmation-cipher"'))
    return reply[start : reply.index(b"</xenc:EncryptedData>", start) + len(b"</xenc:EncryptedData>")]


def test_a_confirmation_in_the_clear_is_refused(reply: bytes) -> None:
    clear = (
        f'<wsse11:SignatureConfirmation xmlns:wsse11="{names.WSSE11}" xmlns:wsu="{names.WSU}" Value="QQ==" wsu:Id="c"/>'
    )
    beside = replacing("</wsse:Security>", f"{clear}</wsse:Security>")(reply)
    instead = replacing(encrypted_confirmation(reply), clear)(reply)
    for octets in (beside, instead):
        with pytest.raises(EnvelopeRefused, match="nothing else"):
            gate_octets(octets, MessageKind.REPLY)


def test_a_reply_without_a_confirmation_or_with_two_is_refused(reply: bytes) -> None:
    confirmation = encrypted_confirmation(reply)
    second = confirmation.replace(b'"confirmation-cipher"', b'"second"')
    for octets in (replacing(confirmation, b"")(reply), replacing(confirmation, confirmation + second)(reply)):
        with pytest.raises(EnvelopeRefused, match="nothing else"):
            gate_octets(octets, MessageKind.REPLY)


def test_a_request_is_no_reply_and_the_other_way_round(message: bytes, reply: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        gate_octets(message, MessageKind.REPLY)
    with pytest.raises(EnvelopeRefused):
        gate_octets(reply, MessageKind.REQUEST)


@pytest.mark.parametrize("value", ["1", "true", " true "])
def test_a_foreign_header_that_must_be_understood_has_its_own_error(message: bytes, value: str) -> None:
    header = f'<env:Header><x:a xmlns:x="urn:x" env:mustUnderstand="{value}"/>'
    with pytest.raises(HeaderNotUnderstood):
        gate_octets(replacing("<env:Header>", header)(message))


def test_security_twice_is_refused(message: bytes) -> None:
    start, end = message.index(b"<wsse:Security "), message.index(b"</wsse:Security>") + 16
    doubled = message[:end] + message[start:end] + message[end:]
    with pytest.raises(EnvelopeRefused, match="occurs twice"):
        gate_octets(doubled)


def test_what_is_used_stands_before_what_uses_it(message: bytes) -> None:
    start, end = message.index(b"<xenc:EncryptedKey "), message.index(b"</xenc:EncryptedKey>") + 20
    key = message[start:end]
    moved = (message[:start] + message[end:]).replace(b"</wsse:Security>", key + b"</wsse:Security>")
    with pytest.raises(EnvelopeRefused, match="before what is encrypted"):
        gate_octets(moved)


def test_two_encrypted_keys_are_refused(message: bytes) -> None:
    start, end = message.index(b"<xenc:EncryptedKey "), message.index(b"</xenc:EncryptedKey>") + 20
    second = message[start:end].replace(b'Id="key"', b'Id="key2"')
    with pytest.raises(EnvelopeRefused, match="once"):
        gate_octets(message[:end] + second + message[end:])


def test_a_repeated_iv_is_refused(message: bytes) -> None:
    gated = gate_octets(message)
    body = base64.b64encode(gated.encrypted_body)
    forged = base64.b64encode(gated.encrypted_signature[:12] + gated.encrypted_body[12:])
    with pytest.raises(EnvelopeRefused, match="IV occurs twice"):
        gate_octets(replacing(body, forged)(message))


@pytest.mark.parametrize("length", [0, 11, 12, 27, 28])
def test_a_ciphertext_without_room_for_a_tag_is_refused(message: bytes, length: int) -> None:
    body = base64.b64encode(gate_octets(message).encrypted_body)
    with pytest.raises(EnvelopeRefused, match="too short"):
        gate_octets(replacing(body, base64.b64encode(bytes(length)))(message))


def test_limits_are_those_of_the_settings(message: bytes) -> None:
    for limits in (
        replace(DEFAULT_LIMITS, max_bytes=len(message) - 1),
        replace(DEFAULT_LIMITS, max_depth=5),
        XmlLimits(max_nodes=10),
    ):
        with pytest.raises(LimitExceeded):
            gate(parse_message(received(message), limits), MessageKind.REQUEST)


@pytest.mark.parametrize("name", CASES)
def test_a_reason_has_no_value_of_the_message(message: bytes, name: str) -> None:
    old, new, _ = CASES[name]
    with pytest.raises(AdapterError) as refused:
        gate_octets(replacing(old, new)(message))
    assert "inspector-7" not in refused.value.reason
    assert "benefits" not in refused.value.reason

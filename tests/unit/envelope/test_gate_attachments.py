"""The first gate on attachments: one EncryptedData and one part for each, in exactly one form.

Nothing is decrypted here, so the messages are made by writing what an attachment adds into a good one.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from adapter.attachments import MAX_ATTACHMENTS, Measured, ReceivedPart
from adapter.envelope import names
from adapter.envelope.gate_attachments import check_parts, names_attachments, read_cid
from adapter.errors import EnvelopeRefused, LimitExceeded
from adapter.stages import GatedMessage, MessageKind
from tests.envelopes import gate_octets, replacing, seal_reply, seal_request
from tests.pki import Federation

XENC = f'xmlns:xenc="{names.XENC}"'
GCM = f'<xenc:EncryptionMethod Algorithm="{names.AES128_GCM}"/>'
CONTENT_ID = "one@x"


def attachment_data(number: int = 1, content_id: str = CONTENT_ID) -> str:
    """The EncryptedData of an attachment, in wsse:Security."""
    return (
        f'<xenc:EncryptedData {XENC} Id="attachment-{number}" Type="{names.SWA_CONTENT_ONLY}"'
        f' MimeType="application/octet-stream">{GCM}<xenc:CipherData><xenc:CipherReference URI="cid:{content_id}">'
        f'<xenc:Transforms><ds:Transform xmlns:ds="{names.DS}" Algorithm="{names.SWA_CIPHERTEXT_TRANSFORM}"/>'
        "</xenc:Transforms></xenc:CipherReference></xenc:CipherData></xenc:EncryptedData>"
    )


def described() -> str:
    """The encrypted header that says what the attachments are."""
    octets = base64.b64encode(b"d" * 60).decode()
    return (
        f'<wsse11:EncryptedHeader xmlns:wsse11="{names.WSSE11}" xmlns:wsu="{names.WSU}" xmlns:env="{names.SOAP12}"'
        f' env:mustUnderstand="true" wsu:Id="described"><xenc:EncryptedData {XENC} Id="described-cipher"'
        f' Type="{names.TYPE_ELEMENT}">{GCM}<xenc:CipherData><xenc:CipherValue>{octets}</xenc:CipherValue>'
        "</xenc:CipherData></xenc:EncryptedData></wsse11:EncryptedHeader>"
    )


def with_attachments(message: bytes, *attached: str, ids: tuple[str, ...] = ("attachment-1",)) -> bytes:
    """The message with these EncryptedData after the key, and each named in the ReferenceList."""
    refs = "".join(f'<xenc:DataReference URI="#{name}"/>' for name in ("described-cipher", *ids))
    listed = replacing("</xenc:ReferenceList>", f"{refs}</xenc:ReferenceList>")(message)
    headed = replacing("<wsse:Security ", f"{described()}<wsse:Security ")(listed)
    return replacing("</xenc:EncryptedKey>", f"</xenc:EncryptedKey>{''.join(attached)}")(headed)


@pytest.fixture(scope="module")
def plain(federation: Federation) -> bytes:
    return seal_request(federation.social, federation.population).octets


@pytest.fixture(scope="module")
def message(plain: bytes) -> bytes:
    return with_attachments(plain, attachment_data())


def test_an_attachment_is_named_by_its_content_id(message: bytes) -> None:
    gated = gate_octets(message)
    assert gated.attachments == (CONTENT_ID,)
    assert gated.encrypted_attachments == b"d" * 60
    assert gated.encrypted_personal_data is not None
    assert names_attachments(message)


def test_the_description_is_read_in_the_namespaces_of_its_place(plain: bytes) -> None:
    own = replacing('wsu:Id="described"', 'wsu:Id="described" xmlns:own="urn:own"')
    found = gate_octets(own(with_attachments(plain, attachment_data()))).surroundings
    assert found.attachments["own"] == "urn:own"
    assert "own" not in found.personal_data
    assert gate_octets(plain).surroundings.attachments == {}


def test_a_message_without_attachments_names_none(plain: bytes) -> None:
    assert gate_octets(plain).attachments == ()
    assert not names_attachments(plain)


def test_a_reply_may_have_attachments_and_no_personal_data(federation: Federation, plain: bytes) -> None:
    request = seal_request(federation.social, federation.population)
    reply = seal_reply(federation.population, federation.social, request, b"<a/>").octets
    gated = gate_octets(with_attachments(reply, attachment_data()), MessageKind.REPLY)
    assert gated.attachments == (CONTENT_ID,)
    assert gated.encrypted_personal_data is None
    with pytest.raises(EnvelopeRefused, match="no place in this kind"):
        gate_octets(replacing("<wsse:Security ", f"{described()}<wsse:Security ")(reply), MessageKind.REPLY)


def key_reference(uri: str) -> str:
    return (
        f'<ds:KeyInfo xmlns:ds="{names.DS}"><wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}">'
        f'<wsse:Reference URI="{uri}"/></wsse:SecurityTokenReference></ds:KeyInfo>'
    )


def test_an_attachment_may_say_which_key_encrypts_it(message: bytes) -> None:
    named = replacing(
        f"{GCM}<xenc:CipherData><xenc:CipherReference",
        f"{GCM}{key_reference('#key')}<xenc:CipherData><xenc:CipherReference",
    )
    assert gate_octets(named(message)).attachments == (CONTENT_ID,)
    other = replacing('URI="#key"', 'URI="#other"')(named(message))
    with pytest.raises(EnvelopeRefused, match="another key"):
        gate_octets(other)


CBC = f'<xenc:EncryptionMethod Algorithm="{names.XENC}aes128-cbc"/>'
HELD_HERE = "<xenc:CipherValue>QQ==</xenc:CipherValue>"
REFERENCE = f'<xenc:CipherReference URI="cid:{CONTENT_ID}">'
CHANGES = {
    "an unknown attribute": (' MimeType="', ' Encoding="gzip" MimeType="', "attribute"),
    "another cipher": (f"{GCM}<xenc:CipherData>{REFERENCE}", f"{CBC}<xenc:CipherData>{REFERENCE}", "on the list"),
    "no method": (f"{GCM}<xenc:CipherData>{REFERENCE}", f"<xenc:CipherData>{REFERENCE}", "must have EncryptionMethod"),
    "attribute on CipherData": (f"<xenc:CipherData>{REFERENCE}", f'<xenc:CipherData Id="x">{REFERENCE}', "attribute"),
    "the octets in the envelope": (
        f"{REFERENCE}<xenc:Transforms>",
        f"{HELD_HERE}{REFERENCE}<xenc:Transforms>",
        "exactly",
    ),
    "no Transforms": ("<xenc:Transforms>", "<xenc:Other/><xenc:Transforms>", "exactly"),
    "another transform": (names.SWA_CIPHERTEXT_TRANSFORM, f"{names.DS}base64", "on the list"),
    "a server": (f'URI="cid:{CONTENT_ID}"', 'URI="http://127.0.0.1/"', "not a cid: URI"),
    "a file": (f'URI="cid:{CONTENT_ID}"', 'URI="file:///etc/passwd"', "not a cid: URI"),
    "same id as another part": ('Id="attachment-1"', 'Id="body-cipher"', "twice"),
    "not in the ReferenceList": ('<xenc:DataReference URI="#attachment-1"/>', "", "exactly once"),
    "the header not marked": ('env:mustUnderstand="true" wsu:Id="described"', 'wsu:Id="described"', "lacks"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_to_an_attachment_is_refused_with_its_reason(message: bytes, name: str) -> None:
    old, new, word = CHANGES[name]
    with pytest.raises(EnvelopeRefused, match=word):
        gate_octets(replacing(old, new)(message))


def test_attachments_that_nothing_describes_are_refused(plain: bytes) -> None:
    attached = replacing("</xenc:EncryptedKey>", f"</xenc:EncryptedKey>{attachment_data()}")(plain)
    start, end = attached.index(b"<wsse11:EncryptedHeader"), attached.index(b"</wsse11:EncryptedHeader>") + 25
    with pytest.raises(EnvelopeRefused, match="lacks the encrypted header"):
        gate_octets(attached[:start] + attached[end:])


def test_an_attachment_before_its_key_is_refused(plain: bytes) -> None:
    moved = replacing("<xenc:EncryptedKey ", f"{attachment_data()}<xenc:EncryptedKey ")(plain)
    with pytest.raises(EnvelopeRefused, match="before the EncryptedData of an attachment"):
        gate_octets(moved)
    one_behind = replacing("</xenc:EncryptedKey>", f"</xenc:EncryptedKey>{attachment_data(2, 'two@x')}")(moved)
    with pytest.raises(EnvelopeRefused, match="before the EncryptedData of an attachment"):
        gate_octets(one_behind)


def test_only_encrypted_data_is_about_an_attachment(plain: bytes) -> None:
    other = attachment_data().replace("xenc:EncryptedData", "xenc:EncryptedKey")
    with pytest.raises(EnvelopeRefused, match="each of these once"):
        gate_octets(with_attachments(plain, other))


def test_one_attachment_encrypted_twice_is_refused(plain: bytes) -> None:
    ids = ("attachment-1", "attachment-2")
    with pytest.raises(EnvelopeRefused, match="two EncryptedData of one attachment"):
        gate_octets(with_attachments(plain, attachment_data(1), attachment_data(2), ids=ids))


def test_more_attachments_than_the_bound_are_refused(plain: bytes) -> None:
    every = [attachment_data(at, f"c{at}") for at in range(MAX_ATTACHMENTS + 1)]
    with pytest.raises(LimitExceeded, match="64 attachments"):
        gate_octets(with_attachments(plain, *every, ids=("attachment-1",)))


@pytest.mark.parametrize(
    "uri", ["", "cid:", "CID:a", "#a", "cid:a b", "cid:%3Ca%3E", "cid:%0D%0A", f"cid:{'a' * 257}", "cid:\u0430"]
)
def test_a_reference_that_is_no_content_id_is_refused(uri: str) -> None:
    with pytest.raises(EnvelopeRefused, match="not a cid: URI"):
        read_cid(uri)


@pytest.mark.parametrize("uri", ["cid:%FF", "cid:%C3%28", "cid:a%80"])
def test_a_reference_that_is_no_utf8_is_refused_and_is_no_accident(uri: str) -> None:
    with pytest.raises(EnvelopeRefused, match="not a cid: URI"):
        read_cid(uri)


def test_a_message_whose_reference_is_no_utf8_is_refused(message: bytes) -> None:
    with pytest.raises(EnvelopeRefused, match="not a cid: URI"):
        gate_octets(replacing("cid:one", "cid:%FFone")(message))


def test_a_content_id_is_percent_decoded_once() -> None:
    assert read_cid("cid:a%2540x") == "a%40x"


# --- the parts that came ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Octets of an attachment at hand."""

    octets: bytes

    @property
    def size(self) -> int:
        return len(self.octets)

    @property
    def iv(self) -> bytes:
        return self.octets[:12]

    async def ciphertext(self) -> AsyncIterator[bytes]:
        yield self.octets

    async def plaintext(self, content_key: bytes) -> AsyncIterator[bytes]:
        yield self.octets

    async def measure(self, content_key: bytes) -> Measured:
        raise NotImplementedError


def with_parts(message: bytes, *parts: tuple[str, bytes]) -> GatedMessage:
    """The gated message as if these parts had come beside the envelope."""
    gated = gate_octets(message)
    came = tuple(ReceivedPart(content_id=name, sealed=Waiting(octets=octets)) for name, octets in parts)
    return replace(gated, received=replace(gated.received, parts=came))


def test_every_part_that_is_named_came_and_no_other(message: bytes) -> None:
    check_parts(with_parts(message, (CONTENT_ID, b"p" * 40)))
    for parts in ([], [("two@x", b"p" * 40)], [(CONTENT_ID, b"p" * 40), ("two@x", b"q" * 40)]):
        with pytest.raises(EnvelopeRefused, match="not those that its EncryptedData name"):
            check_parts(with_parts(message, *parts))


def test_two_parts_with_one_content_id_are_refused(message: bytes) -> None:
    with pytest.raises(EnvelopeRefused, match="two parts with one Content-ID"):
        check_parts(with_parts(message, (CONTENT_ID, b"p" * 40), (CONTENT_ID, b"q" * 40)))


@pytest.mark.parametrize("part", ["personal_data", "attachments", "signature", "body", "confirmation"])
def test_a_part_with_the_iv_of_something_else_is_refused(message: bytes, part: str) -> None:
    gated = replace(with_parts(message, (CONTENT_ID, b"i" * 12 + b"p" * 40)), encrypted_confirmation=b"c" * 40)
    check_parts(gated)
    same = replace(gated, **{f"encrypted_{part}": b"i" * 12 + b"q" * 40})  # type: ignore[arg-type]
    with pytest.raises(EnvelopeRefused, match="an IV occurs twice"):
        check_parts(same)

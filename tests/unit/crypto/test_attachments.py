"""What opening makes of attachments: each is named by the signature, by its EncryptedData and by the description."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from adapter.crypto import seal as sealing
from adapter.crypto import templates
from adapter.crypto.content import ContentCipher
from adapter.envelope import names
from adapter.envelope.attachments_header import Described, render_attachments
from adapter.errors import SecurityFailed
from adapter.store.spool import SpoolHolding
from tests.attachment_messages import FILES, KEY, Spool, held
from tests.envelopes import UnsafeEnvelope, open_octets, replacing, seal_request
from tests.pki import Federation
from tests.unit.crypto.test_signature_gate import refused

IV = b"5" * 12
REFERENCE = templates.render_attachment_reference("one@x", bytes(32))


@contextmanager
def kept_in(folder: Path) -> Iterator[SpoolHolding]:
    """Where the attachments of one message are held."""
    spool = Spool(folder / "spool", max_bytes=1 << 20)
    spool.prepare()
    with closing(spool), closing(spool.holding()) as holding:
        yield holding


@pytest.fixture
async def message(federation: Federation, tmp_path: Path) -> bytes:
    """A good request with two attachments, whose content key the test knows."""
    with kept_in(tmp_path) as holding:
        sealed = seal_request(federation.social, federation.population, attachments=await held(holding, FILES))
    return sealed.octets


def with_header(message: bytes, header: bytes, key: bytes = KEY) -> bytes:
    """The message with another plaintext under the cipher of its Attachments block."""
    start = message.index(templates.encrypted_data_start(templates.ATTACHMENTS_CIPHER, names.TYPE_ELEMENT))
    begin = message.index(b"<xenc:CipherValue>", start) + len(b"<xenc:CipherValue>")
    end = message.index(b"</xenc:CipherValue>", begin)
    return message[:begin] + b64encode(ContentCipher(key).encrypt(IV, header)) + message[end:]


def described(*sizes: tuple[str, int]) -> bytes:
    return render_attachments(
        tuple(Described(content_id=one, media_type="text/plain", size=size, name="a.txt") for one, size in sizes)
    )


GOOD = described(*((name, len(octets)) for name, octets in FILES.items()))


def test_what_is_handed_on_of_attachments_is_what_was_signed(federation: Federation, message: bytes) -> None:
    # The same description under another IV changes nothing, or the tests below would prove nothing.
    for octets in (message, with_header(message, GOOD)):
        opened = open_octets(octets, federation.population)
        assert [(one.content_id, one.size, one.name) for one in opened.attachments] == [
            (name, len(octets), "a.txt") for name, octets in FILES.items()
        ]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (GOOD.replace(b"ia:Attachments", b"ia:Enclosures"), "the encrypted header is not Attachments"),
        (GOOD.replace(b'wsu:Id="attachments"', b'wsu:Id="body"'), "twice"),
        (GOOD.replace(b' wsu:Id="attachments"', b""), "after decryption"),
        (GOOD.replace(b'name="a.txt"', b'name="b.txt"'), "the digest of a part is wrong: attachments"),
        (described(("one@x", 1)), "the digest of a part is wrong: attachments"),
    ],
)
def test_a_description_that_nobody_signed(federation: Federation, message: bytes, header: bytes, reason: str) -> None:
    with pytest.raises(SecurityFailed, match=reason):
        open_octets(with_header(message, header), federation.population)


def test_every_tag_is_checked_before_any_plaintext_is_looked_at(federation: Federation, message: bytes) -> None:
    """Of a message that is wrong in both ways the tag is named: nothing of the signature was read by then."""
    start = message.index(templates.encrypted_data_start(templates.SIGNATURE_CIPHER, names.TYPE_ELEMENT))
    begin = message.index(b"<xenc:CipherValue>", start) + len(b"<xenc:CipherValue>")
    end = message.index(b"</xenc:CipherValue>", begin)
    no_signature = message[:begin] + b64encode(ContentCipher(KEY).encrypt(b"6" * 12, b"<x/>")) + message[end:]
    with pytest.raises(SecurityFailed, match="something else where the Signature must be"):
        open_octets(no_signature, federation.population)
    other_key = with_header(no_signature, GOOD, key=bytes(16))
    with pytest.raises(SecurityFailed, match="tag"):
        open_octets(other_key, federation.population)


def unnamed(message: bytes) -> bytes:
    """Outside, which nobody signs, the second attachment is left out together with the reference to its cipher."""
    data = templates.render_encrypted_attachment(2, "two@x")
    reference = f'<xenc:DataReference URI="#{templates.attachment_cipher(2)}"/>'
    return replacing(reference, "")(replacing(data, "")(message))


@pytest.mark.parametrize("change", [unnamed, replacing("cid:two@x", "cid:uno@x")], ids=["left out", "renamed"])
def test_other_attachments_than_those_that_were_signed(
    federation: Federation, message: bytes, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(SecurityFailed, match="does not cover exactly the attachments"):
        open_octets(change(message), federation.population)


@pytest.mark.parametrize("told", [1, 3], ids=["one less", "one more"])
async def test_a_signed_description_of_other_attachments(
    federation: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    """The sender signs it, so that every digest is good: only the three lists differ."""
    signed = described(*[("one@x", 20), ("two@x", 5000), ("three@x", 1)][:told])
    monkeypatch.setattr(sealing, "render_attachments", lambda _: signed)
    with kept_in(tmp_path) as holding:
        sealed = seal_request(federation.social, federation.population, attachments=await held(holding, FILES))
    with pytest.raises(SecurityFailed, match="does not cover exactly the attachments"):
        open_octets(sealed.octets, federation.population)


@pytest.fixture(params=[False, True], ids=["our spelling", "foreign spelling"])
def envelope(federation: Federation, request: pytest.FixtureRequest) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population, foreign=request.param)


@pytest.mark.parametrize(
    ("references", "reason"),
    [
        (REFERENCE, "the signature names attachments that the message does not have"),
        (REFERENCE * 2, "two References to one attachment"),
        (REFERENCE * 65, "too many"),
        (REFERENCE.replace("ds:Reference", "ds:Manifest"), "nothing but Reference"),
        (REFERENCE.replace(names.SWA_SIGNATURE_TRANSFORM, names.EXC_C14N), "after decryption"),
        (REFERENCE.replace("cid:", "CID:"), "after decryption"),
    ],
)
def test_a_reference_to_an_attachment_that_has_no_place(envelope: UnsafeEnvelope, references: str, reason: str) -> None:
    envelope.in_signed_info = replacing("</ds:SignedInfo>", f"{references}</ds:SignedInfo>")
    assert reason in refused(envelope)

"""Attachments as streams: the same AES-128-GCM as for the XML, in whatever pieces, within its bounds."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapter.attachments import Measured
from adapter.crypto import octet_streams
from adapter.crypto.octet_streams import StreamOpener, StreamSealer, same_octets
from adapter.errors import LimitExceeded, SecurityFailed

KEY, IV = bytes(range(16)), bytes(range(12))
PLAIN = bytes(range(256)) * 3


@pytest.mark.parametrize("piece", [1, 7, 16, 1000])
def test_pieces_are_sealed_and_opened_as_the_whole_would_be(piece: int) -> None:
    sealer = StreamSealer(KEY, IV)
    ciphertext = b"".join(sealer.update(PLAIN[at : at + piece]) for at in range(0, len(PLAIN), piece))
    tag, measured = sealer.finish()
    assert ciphertext + tag == AESGCM(KEY).encrypt(IV, PLAIN, None)
    assert measured == Measured(size=len(PLAIN), sha256=sha256(PLAIN).digest())
    opener = StreamOpener(KEY, IV)
    assert b"".join(opener.update(ciphertext[at : at + piece]) for at in range(0, len(ciphertext), piece)) == PLAIN
    opener.finish(tag)


@pytest.mark.parametrize(("key", "iv"), [(bytes(15), IV), (bytes(32), IV), (KEY, bytes(11)), (KEY, bytes(16))])
def test_keys_of_16_octets_and_ivs_of_12_only(key: bytes, iv: bytes) -> None:
    for stream in (StreamSealer, StreamOpener):
        with pytest.raises(SecurityFailed):
            stream(key, iv)


def test_no_more_is_sealed_than_one_iv_may_encrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octet_streams, "MAX_PLAINTEXT_OCTETS", 32)
    sealer = StreamSealer(KEY, IV)
    sealer.update(bytes(32))
    with pytest.raises(LimitExceeded):
        sealer.update(b"x")


@pytest.mark.parametrize(
    "change", [lambda tag: tag[:-1], lambda tag: tag + b"\0", lambda tag: bytes(16), lambda _: b""]
)
def test_another_tag_is_refused(change) -> None:
    sealer = StreamSealer(KEY, IV)
    ciphertext = sealer.update(PLAIN)
    tag, _ = sealer.finish()
    opener = StreamOpener(KEY, IV)
    opener.update(ciphertext)
    with pytest.raises(SecurityFailed):
        opener.finish(change(tag))


def test_octets_are_the_same_in_size_and_digest() -> None:
    measured = Measured(size=1, sha256=sha256(b"x").digest())
    assert same_octets(measured, 1, sha256(b"x").digest())
    assert not same_octets(measured, 2, sha256(b"x").digest())
    assert not same_octets(measured, 1, sha256(b"y").digest())

"""The floor: the bare primitives of one exchange that no design can avoid, for both adapters together.

Measured as CPU time with the libraries that the adapter uses (cryptography, hashlib, lxml) on the messages that the
benchmark sends, in the same run. `primitives` is the whole of it; an exchange has every row twice, for request and
reply.
Not in it, although promised: base64, the parse of the plain SOAP, the signed and encrypted parts other than the Body,
certificates, validation, the record, TLS, HTTP.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from statistics import median
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from lxml import etree

from bench.messages import make_payload

_P256: Final = ec.SECP256R1()
_ECDSA: Final = ec.ECDSA(hashes.SHA256())
_SHA256: Final = hashes.SHA256()
_OAEP: Final = padding.OAEP(mgf=padding.MGF1(_SHA256), algorithm=_SHA256, label=None)
_PKCS1: Final = padding.PKCS1v15()
_RSA_BITS: Final = 3072
_SIGNED_INFO: Final = b"s" * 1500  # about as long as a SignedInfo with five References
_SALT: Final = b"S" * 32
_INFO: Final = b"interagency-adapter"
_KEY: Final = b"k" * 16
_MESSAGES: Final = 2
_SHORTEST_S: Final = 0.002
_ROUNDS: Final = 3
_PAUSE_S: Final = 0.02
_PAUSES_PER_WORK: Final = 20

Primitive = Callable[[], object]
_Key = tuple[int, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One primitive of one message. side: who must do it. CPU time alone and under load."""

    name: str
    side: str
    seconds: float
    under_load_s: float


def primitives(suite: str, payload: bytes, envelope: bytes) -> dict[tuple[str, str], Primitive]:
    """(name, side) to the bare primitive, for one message. envelope: with this payload, as it goes over the wire."""
    parser = etree.XMLParser(huge_tree=True)
    tree = etree.fromstring(payload, parser)
    cipher, nonce = AESGCM(_KEY), os.urandom(12)
    sealed = cipher.encrypt(nonce, payload, None)
    return _SUITES[suite]() | {
        ("AES-128-GCM of the body", "sender"): lambda: cipher.encrypt(nonce, payload, None),
        ("AES-128-GCM of the body", "recipient"): lambda: cipher.decrypt(nonce, sealed, None),
        ("SHA-256 of the body", "sender"): lambda: sha256(payload).digest(),
        ("SHA-256 of the body", "recipient"): lambda: sha256(payload).digest(),
        ("one parse: the envelope", "recipient"): lambda: etree.fromstring(envelope, parser),
        ("one parse: the decrypted body", "recipient"): lambda: etree.fromstring(payload, parser),
        ("one exclusive c14n of the body", "sender"): lambda: etree.tostring(tree, method="c14n", exclusive=True),
    }


def _derive(secret: bytes) -> bytes:
    return HKDF(algorithm=_SHA256, length=16, salt=_SALT, info=_INFO).derive(secret)


def _agreed() -> dict[tuple[str, str], Primitive]:
    """What follows an agreement on both sides: derivation, and the wrap of the content key."""
    wrapped = aes_key_wrap(_KEY, _KEY)
    return {
        ("HKDF-SHA-256", "sender"): lambda: _derive(_SALT),
        ("HKDF-SHA-256", "recipient"): lambda: _derive(_SALT),
        ("AES key wrap", "sender"): lambda: aes_key_wrap(_KEY, _KEY),
        ("AES key wrap", "recipient"): lambda: aes_key_unwrap(_KEY, wrapped),
    }


def _p256() -> dict[tuple[str, str], Primitive]:
    key, other = ec.generate_private_key(_P256), ec.generate_private_key(_P256)
    public, signature = key.public_key(), key.sign(_SIGNED_INFO, _ECDSA)
    return {
        ("signature", "sender"): lambda: key.sign(_SIGNED_INFO, _ECDSA),
        ("signature", "recipient"): lambda: public.verify(signature, _SIGNED_INFO, _ECDSA),
        ("ephemeral key", "sender"): lambda: ec.generate_private_key(_P256),
        ("agreement", "sender"): lambda: other.exchange(ec.ECDH(), public),
        ("agreement", "recipient"): lambda: other.exchange(ec.ECDH(), public),
    } | _agreed()


def _ed25519() -> dict[tuple[str, str], Primitive]:
    signing, key = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    verifying, public = signing.public_key(), x25519.X25519PrivateKey.generate().public_key()
    signature = signing.sign(_SIGNED_INFO)
    return {
        ("signature", "sender"): lambda: signing.sign(_SIGNED_INFO),
        ("signature", "recipient"): lambda: verifying.verify(signature, _SIGNED_INFO),
        ("ephemeral key", "sender"): x25519.X25519PrivateKey.generate,
        ("agreement", "sender"): lambda: key.exchange(public),
        ("agreement", "recipient"): lambda: key.exchange(public),
    } | _agreed()


def _rsa() -> dict[tuple[str, str], Primitive]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    public = key.public_key()
    signature, wrapped = key.sign(_SIGNED_INFO, _PKCS1, _SHA256), public.encrypt(_KEY, _OAEP)
    return {
        ("signature", "sender"): lambda: key.sign(_SIGNED_INFO, _PKCS1, _SHA256),
        ("signature", "recipient"): lambda: public.verify(signature, _SIGNED_INFO, _PKCS1, _SHA256),
        ("RSA-OAEP", "sender"): lambda: public.encrypt(_KEY, _OAEP),
        ("RSA-OAEP", "recipient"): lambda: key.decrypt(wrapped, _OAEP),
    }


_SUITES: Final[Mapping[str, Callable[[], dict[tuple[str, str], Primitive]]]] = {
    "p256": _p256,
    "ed25519": _ed25519,
    "rsa": _rsa,
}


class FloorMeter:
    """Measures the floor of one suite for some sizes, in two ways; the median of each row counts.

    Alone: each primitive repeated by itself, everything it needs in the nearest cache, as fast as it can be. Under
    load: each primitive once after the other, every now and then while the adapters work on the same processors.
    """

    def __init__(self, suite: str, envelopes: Mapping[int, bytes]) -> None:
        """envelopes: one for each size of the payload."""
        self._primitives = {
            size: primitives(suite, make_payload(size), envelope) for size, envelope in envelopes.items()
        }
        self._alone: dict[_Key, list[float]] = {}
        self._under_load: dict[_Key, list[float]] = {}

    def measure_alone(self) -> None:
        """Take some samples of every row."""
        gc.collect()
        gc.disable()
        try:
            for _ in range(_ROUNDS):
                for size, rows in self._primitives.items():
                    for (name, side), primitive in rows.items():
                        self._alone.setdefault((size, name, side), []).append(_repeated_s(primitive))
        finally:
            gc.enable()

    def measure_under_load(self, should_stop: Callable[[], bool]) -> None:
        """Take samples, with pauses that leave the processors to the adapters, until told to stop; one at least."""
        while True:
            for size, rows in self._primitives.items():
                begin = time.thread_time()
                for primitive in rows.values():
                    primitive()  # the price of having slept is not that of the primitives
                for (name, side), primitive in rows.items():
                    self._under_load.setdefault((size, name, side), []).append(_once_s(primitive))
                time.sleep(_PAUSE_S + (time.thread_time() - begin) * _PAUSES_PER_WORK)
                if should_stop() and len(self._under_load) >= len(self._primitives) * len(rows):
                    return

    def rows(self, size: int) -> list[Row]:
        """The rows of one message of this size."""
        return [
            Row(
                name=name,
                side=side,
                seconds=median(samples),
                under_load_s=median(self._under_load.get((of_size, name, side), samples)),
            )
            for (of_size, name, side), samples in self._alone.items()
            if of_size == size
        ]

    def exchange(self, size: int) -> tuple[float, float]:
        """CPU seconds of one exchange with a request and a reply of this size: alone, and under load."""
        rows = self.rows(size)
        return _MESSAGES * sum(row.seconds for row in rows), _MESSAGES * sum(row.under_load_s for row in rows)


def _repeated_s(primitive: Primitive) -> float:
    """CPU seconds of one call: repeated until the clock is fine enough."""
    primitive()
    times = 1
    while True:
        took_s = _cpu_s(primitive, times)
        if took_s >= _SHORTEST_S:
            return took_s / times
        times = max(times * 2, int(times * _SHORTEST_S / max(took_s, 1e-7)))


def _once_s(primitive: Primitive) -> float:
    return _cpu_s(primitive, 1)


def _cpu_s(primitive: Primitive, times: int) -> float:
    begin = time.thread_time()
    for _ in range(times):
        primitive()
    return time.thread_time() - begin

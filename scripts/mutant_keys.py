"""RSA keys that were made once: each of the processes below would make its own again, a second or two apiece."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_make: Final[Callable[..., rsa.RSAPrivateKey]] = rsa.generate_private_key


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key of a test (PKCS #8, DER), and what was asked for. It never leaves the processes of one run."""

    public_exponent: int
    key_size: int
    pkcs8: bytes


def note_keys() -> list[MadeKey]:
    """From now on every RSA key that is made is noted in this list, too."""
    made: list[MadeKey] = []

    def making(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        key = _make(public_exponent, key_size)
        pkcs8 = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made.append(MadeKey(public_exponent, key_size, pkcs8))
        return key

    _replace(making)
    return made


def use_keys_again(made: Sequence[MadeKey]) -> None:
    """From now on who asks for an RSA key gets these, each once; then, and for other sizes, new ones."""
    stock: defaultdict[tuple[int, int], list[rsa.RSAPrivateKey]] = defaultdict(list)
    for one in made:
        key = serialization.load_der_private_key(one.pkcs8, password=None)
        if isinstance(key, rsa.RSAPrivateKey):
            stock[one.public_exponent, one.key_size].append(key)

    def taking(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        left = stock[public_exponent, key_size]
        return left.pop() if left else _make(public_exponent, key_size)

    _replace(taking)


def _replace(maker: Callable[[int, int], rsa.RSAPrivateKey]) -> None:
    vars(rsa)["generate_private_key"] = maker

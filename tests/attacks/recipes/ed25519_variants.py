"""Ed25519 in the variants that are not allowed: with a context, and pre-hashed (RFC 8032, 5.1). For attacks only.

Written out because the library signs in the pure variant alone. Slow, and not of constant time.
"""

from __future__ import annotations

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int]


def _add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = _D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, P - 2, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, P - 2, P)
    return x % P, y % P


def _times(factor: int, point: Point) -> Point:
    result = (0, 1)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _base() -> Point:
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(_D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x if x % 2 == 0 else P - x), y


def _encoded(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _number(octets: bytes) -> int:
    return int.from_bytes(sha512(octets).digest(), "little") % ORDER


def sign(secret: bytes, octets: bytes, *, context: bytes = b"", prehashed: bool = False, pure: bool = False) -> bytes:
    """A signature value. secret: the 32 octets of the private key. pure: Ed25519 itself, for the control."""
    hashed = sha512(secret).digest()
    scalar = int.from_bytes(hashed[:32], "little") & (2**254 - 8) | 2**254
    dom = b"" if pure else b"SigEd25519 no Ed25519 collisions" + bytes((prehashed, len(context))) + context
    message = sha512(octets).digest() if prehashed else octets
    base = _base()
    nonce = _number(dom + hashed[32:] + message)
    commitment = _encoded(_times(nonce, base))
    challenge = _number(dom + commitment + _encoded(_times(scalar, base)) + message)
    return commitment + ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")

"""W63 to W67: the octets of the signature value itself."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256, sha512
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.attacks.draft import Draft
from tests.attacks.recipes import ed25519_variants
from tests.attacks.recipes.keys import right, token_of
from tests.attacks.recipes.model import LIMIT, SECURITY, SIGNED, TAKEN, Change, Recipe, Variant, both
from tests.pki import SIGNING_USAGE, issue

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_DIGEST_INFO_WITHOUT_NULL = bytes.fromhex("302f300b0609608648016503040201" + "0420")
_IDENTITY = b"\x01" + bytes(31)
_OTHER_VARIANTS: dict[str, dict[str, Any]] = {
    "Ed25519ph": {"prehashed": True},
    "Ed25519ctx": {"context": b"x"},
    "Ed25519ctx without a context": {},
}


def changed(value: Callable[[bytes], bytes]) -> Change:
    """The right value, changed."""

    def change(draft: Draft) -> None:
        draft.signing.value = lambda octets: value(right(draft, octets))

    return change


def changed_variant(**how: Any) -> Change:
    """A value that is right by another variant of Ed25519."""

    def change(draft: Draft) -> None:
        key = draft.signing.signer.signing_key
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise TypeError("no Ed25519 key")
        draft.signing.value = lambda octets: ed25519_variants.sign(key.private_bytes_raw(), octets, **how)

    return change


def _ecdsa(make: Callable[[int, int], tuple[int, int]]) -> Change:
    def value(octets: bytes) -> bytes:
        r, s = make(int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big"))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return changed(value)


def _der(octets: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big"))


def _not_reduced(octets: bytes) -> bytes:
    s = int.from_bytes(octets[32:], "little") + ED25519_ORDER
    return octets[:32] + s.to_bytes(32, "little")


def of_small_order(draft: Draft) -> x509.Certificate:
    """A certificate of our own CA for the neutral element: a key under which a fixed value is good for any text."""
    key = ed25519.Ed25519PublicKey.from_public_bytes(_IDENTITY)
    return issue(draft.federation.issuing_ca, public_key=key, subject="small", usage=SIGNING_USAGE)


def raw_rsa(padded: Callable[[bytes, int], bytes]) -> Change:
    """The private operation on octets that are padded in another way than PKCS #1 has it."""

    def change(draft: Draft) -> None:
        key = draft.signing.signer.signing_key
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("an RSA key is needed")
        numbers = key.private_numbers()
        size = key.key_size // 8

        def value(octets: bytes) -> bytes:
            block = int.from_bytes(padded(sha256(octets).digest(), size), "big")
            return pow(block, numbers.d, numbers.public_numbers.n).to_bytes(size, "big")

        draft.signing.value = value

    return change


def _pkcs1(info: bytes) -> Callable[[bytes, int], bytes]:
    def padded(digest: bytes, size: int) -> bytes:
        rest = info + digest
        return b"\x00\x01" + b"\xff" * (size - 3 - len(rest)) + b"\x00" + rest

    return padded


def _garbage_behind(digest: bytes, size: int) -> bytes:
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + _DIGEST_INFO + digest
    return start + b"\x01" * (size - len(start))


def _pss_like(digest: bytes, size: int) -> bytes:
    return b"\x00" + b"\x5a" * (size - 34) + digest + b"\xbc"


def spelled(change: Callable[[bytes], str]) -> Change:
    """The right value, spelled in another way than base64."""

    def apply(draft: Draft) -> None:
        def in_signature(octets: bytes) -> bytes:
            start = octets.index(b"<ds:SignatureValue>") + len(b"<ds:SignatureValue>")
            stop = octets.index(b"</ds:SignatureValue>")
            return octets[:start] + change(octets[start:stop]).encode() + octets[stop:]

        draft.signing.in_signature = in_signature

    return apply


def _row(name: str, change: Change, *suites: str, expect: str = SECURITY) -> Variant:
    more = {"suites": suites} if suites else {}
    return Variant(name=name, change=change, expect=expect, hands=SIGNED, **more)  # type: ignore[arg-type]


VALUES = (
    Recipe(
        id="W63",
        done="an ECDSA value that is not 64 octets with r and s in range",
        variants=(
            _row("DER", changed(_der), "p256"),
            _row("63 octets", changed(lambda octets: octets[:63]), "p256"),
            _row("65 octets", changed(lambda octets: octets + b"\0"), "p256"),
            _row("66 octets", changed(lambda octets: b"\0" + octets[:32] + b"\0" + octets[32:]), "p256"),
            _row("no octets", changed(lambda octets: octets[:0]), "p256"),
            _row("r = 0", _ecdsa(lambda _r, s: (0, s)), "p256"),
            _row("s = 0", _ecdsa(lambda r, _s: (r, 0)), "p256"),
            _row("both 0", _ecdsa(lambda _r, _s: (0, 0)), "p256"),
            _row("r = n", _ecdsa(lambda _r, s: (P256_ORDER, s)), "p256"),
            _row("s = n", _ecdsa(lambda r, _s: (r, P256_ORDER)), "p256"),
            _row("all ones", changed(lambda _octets: b"\xff" * 64), "p256"),
        ),
    ),
    Recipe(
        id="W64",
        done="n - s instead of s: as good as before, and still the same message (see test_replay.py)",
        variants=(_row("n - s", _ecdsa(lambda r, s: (r, P256_ORDER - s)), "p256", expect=TAKEN),),
    ),
    Recipe(
        id="W65",
        done="Ed25519 with S not reduced, points of small order, pre-hashed, or with a context",
        variants=(
            _row("S not reduced", changed(_not_reduced), "ed25519"),
            _row("small R", changed(lambda octets: _IDENTITY + octets[32:]), "ed25519"),
            _row(
                "small key",
                both(
                    token_of(of_small_order),
                    lambda draft: setattr(draft.signing, "value", lambda _octets: _IDENTITY + bytes(32)),
                ),
                "ed25519",
            ),
            _row(
                "pre-hashed",
                lambda draft: setattr(draft.signing, "value", lambda octets: right(draft, sha512(octets).digest())),
                "ed25519",
            ),
            *(_row(name, changed_variant(**how), "ed25519") for name, how in _OTHER_VARIANTS.items()),
            _row("63 octets", changed(lambda octets: octets[:63]), "ed25519"),
            _row("65 octets", changed(lambda octets: octets + b"\0"), "ed25519"),
        ),
    ),
    Recipe(
        id="W66",
        done="RSA values with a padding that a lenient reader takes",
        variants=(
            _row("garbage behind the digest", raw_rsa(_garbage_behind), "rsa"),
            _row("no NULL", raw_rsa(_pkcs1(_DIGEST_INFO_WITHOUT_NULL)), "rsa"),
            _row("no DigestInfo", raw_rsa(_pkcs1(b"")), "rsa"),
            _row("no padding", raw_rsa(lambda digest, size: bytes(size - 32) + digest), "rsa"),
            _row("another padding", raw_rsa(_pss_like), "rsa"),
            _row("one octet more", changed(lambda octets: b"\0" + octets), "rsa"),
            _row("one octet less", changed(lambda octets: octets[1:]), "rsa"),
            _row("1", changed(lambda octets: bytes(len(octets) - 1) + b"\1"), "rsa"),
            _row("0", changed(lambda octets: bytes(len(octets))), "rsa"),
        ),
    ),
    Recipe(
        id="W67",
        done="base64 with what does not belong there; white space is allowed within a bound",
        variants=(
            _row(
                "white space",
                spelled(lambda text: " \n".join(text.decode()[at : at + 60] for at in range(0, len(text), 60))),
                expect=TAKEN,
            ),
            _row("junk", spelled(lambda text: text.decode()[:10] + "*" + text.decode()[10:])),
            _row("no padding", spelled(lambda text: text.decode().rstrip("=") if b"=" in text else text.decode()[:-1])),
            _row("too much padding", spelled(lambda text: text.decode() + "====")),
            _row("padding in the middle", spelled(lambda text: "AA==" + text.decode())),
            _row("URL alphabet", spelled(lambda _text: urlsafe_b64encode(b"\xfb\xff" * 32).decode())),
            _row("unused bits", spelled(lambda text: text.decode()[:-2] + "B=" if text.endswith(b"=") else "AAB=")),
            _row("not ASCII", spelled(lambda text: text.decode() + "А")),
            _row("4,000 spaces", spelled(lambda text: text.decode() + " " * 4000)),
            _row("1 MiB of white space", spelled(lambda text: text.decode() + " " * 1024 * 1024), expect=LIMIT),
        ),
    ),
)

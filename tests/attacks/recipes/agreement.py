"""W85 to W93: points, keys and parameters of the key agreement."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto import templates
from adapter.crypto.key_encryption import HKDF_INFO, WrappedKey, derive_wrapping_key, wrap_p256, wrap_x25519
from adapter.envelope import names
from tests.attacks.draft import Draft, Octets
from tests.attacks.recipes.model import ENVELOPE, LIMIT, SECURITY, TAKEN, Change, Recipe, Variant
from tests.attacks.recipes.octets import once

_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
_SMALL_U = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
)


def with_public(make: Callable[[bytes], bytes]) -> Change:
    """The ephemeral public key, changed; the wrapped key as an attacker would have it who knows a zero secret."""

    def change(draft: Draft) -> None:
        def wrap(content_key: bytes) -> WrappedKey:
            recipient = draft.victim.agreement_key.public_key()
            good = (wrap_p256 if draft.victim.suite == "p256" else wrap_x25519)(recipient, content_key)
            known = derive_wrapping_key(bytes(32), salt=good.hkdf_salt, info=HKDF_INFO)
            return WrappedKey(
                wrapped=aes_key_wrap(known, content_key),
                ephemeral_public=make(good.ephemeral_public),
                hkdf_salt=good.hkdf_salt,
                hkdf_info=good.hkdf_info,
            )

        draft.wrap = wrap

    return change


def another(octets: str) -> Callable[[bytes], bytes]:
    """Another key altogether, in hexadecimal digits."""
    return lambda _key: bytes.fromhex(octets)


def in_key(change: Octets) -> Change:
    """The octets of the EncryptedKey."""

    def apply(draft: Draft) -> None:
        draft.in_key = change

    return apply


def _coordinates(x: int, y: int) -> Callable[[bytes], bytes]:
    return lambda _point: b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def compressed(point: bytes) -> bytes:
    """The compressed form of the same point."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _off_by_one(point: bytes) -> bytes:
    return point[:-1] + bytes((point[-1] ^ 1,))


def _p256_under_x25519(octets: bytes) -> bytes:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = b64encode(point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    start = octets.index(b">", octets.index(b"<dsig11:DEREncodedKeyValue")) + 1
    return octets[:start] + spki + octets[octets.index(b"</dsig11:DEREncodedKeyValue>") :]


def _x25519_spki_as_point(octets: bytes) -> bytes:
    public = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
    start = octets.index(b"<dsig11:PublicKey>") + len(b"<dsig11:PublicKey>")
    return octets[:start] + b64encode(templates.X25519_SPKI + public) + octets[octets.index(b"</dsig11:PublicKey>") :]


def _p256(name: str, change: Change, expect: str) -> Variant:
    return Variant(name=name, change=change, expect=expect, suites=("p256",))


def _x25519(name: str, change: Change, expect: str) -> Variant:
    return Variant(name=name, change=change, expect=expect, suites=("ed25519",))


def derivation(name: str, change: Octets, expect: str = ENVELOPE) -> Variant:
    """A change to what derives the wrapping key."""
    return Variant(name=name, change=in_key(change), expect=expect, suites=("p256", "ed25519"))


_HKDF = names.HKDF.encode()
_PARAMETERS_END = b"</xenc11:KeyDerivationMethod>"


def other_derivation(algorithm: str, parameters: str) -> Octets:
    """Another KeyDerivationMethod."""

    def change(octets: bytes) -> bytes:
        start = octets.index(b"<xenc11:KeyDerivationMethod")
        stop = octets.index(_PARAMETERS_END)
        new = f'<xenc11:KeyDerivationMethod xmlns:xenc11="{names.XENC11}" Algorithm="{algorithm}">{parameters}'.encode()
        return octets[:start] + new + octets[stop:]

    return change


def value_of(element: str, text: bytes) -> Octets:
    """A parameter of HKDF says something else."""

    def change(octets: bytes) -> bytes:
        start = octets.index(f"<dsig-more:{element}>".encode()) + len(element) + 12
        return octets[:start] + text + octets[octets.index(f"</dsig-more:{element}>".encode()) :]

    return change


def left_out(element: str) -> Octets:
    """A parameter of HKDF is missing."""

    def change(octets: bytes) -> bytes:
        start = octets.index(f"<dsig-more:{element}".encode())
        end = f"</dsig-more:{element}>".encode()
        stop = octets.index(end) + len(end) if end in octets else octets.index(b"/>", start) + 2
        return octets[:start] + octets[stop:]

    return change


def _concat(attributes: str) -> str:
    return (
        f'<xenc11:ConcatKDFParams {attributes}><ds:DigestMethod xmlns:ds="{names.DS}" Algorithm="{names.SHA256}"/>'
        "</xenc11:ConcatKDFParams>"
    )


_CONCAT = "http://www.w3.org/2009/xmlenc11#ConcatKDF"

POINTS = (
    Recipe(
        id="W85",
        done="a P-256 point that is not on the curve, at infinity, or not reduced",
        variants=(
            _p256("off the curve", with_public(_off_by_one), SECURITY),
            _p256("zero", with_public(_coordinates(0, 0)), SECURITY),
            _p256("x = p", with_public(_coordinates(_PRIME, 1)), SECURITY),
            _p256("all ones", with_public(_coordinates(2**256 - 1, 2**256 - 1)), SECURITY),
            _p256("infinity", with_public(lambda _point: b"\x00"), ENVELOPE),
            _p256("infinity, 65 octets", with_public(lambda _point: bytes(65)), ENVELOPE),
        ),
    ),
    Recipe(
        id="W86",
        done="a point compressed, hybrid, or of another curve",
        variants=(
            _p256("compressed", with_public(compressed), ENVELOPE),
            _p256("hybrid 6", with_public(lambda point: b"\x06" + point[1:]), ENVELOPE),
            _p256("hybrid 7", with_public(lambda point: b"\x07" + point[1:]), ENVELOPE),
            _p256("named P-384", in_key(once(names.CURVE_P256.encode(), b"urn:oid:1.3.132.0.34")), ENVELOPE),
            _p256("one octet more", with_public(lambda point: point + b"\x00"), ENVELOPE),
            _p256("an X25519 key", in_key(_x25519_spki_as_point), ENVELOPE),
        ),
    ),
    Recipe(
        id="W87",
        done="X25519 points of low order",
        variants=tuple(
            _x25519(octets[:8] + octets[-4:], with_public(another(octets)), SECURITY) for octets in _SMALL_U
        ),
    ),
    Recipe(
        id="W88",
        done="an X25519 key of another length, a P-256 key under its name",
        variants=(
            _x25519("31 octets", with_public(lambda key: key[:31]), ENVELOPE),
            _x25519("33 octets", with_public(lambda key: key + b"\x00"), ENVELOPE),
            _x25519("none", with_public(lambda _key: b""), ENVELOPE),
            _x25519("a P-256 key", in_key(_p256_under_x25519), ENVELOPE),
        ),
    ),
    Recipe(
        id="W89",
        done="another key derivation, with odd parameters",
        variants=(
            derivation("seven bits of padding", other_derivation(_CONCAT, _concat('AlgorithmID="07" PartyUInfo=""'))),
            derivation("half an octet", other_derivation(_CONCAT, _concat('AlgorithmID="0"'))),
            derivation("long", other_derivation(_CONCAT, _concat(f'PartyUInfo="{"00" * 100_000}"'))),
        ),
    ),
    Recipe(
        id="W90",
        done="the parties of another exchange; the profile has no such field",
        variants=(derivation("others", other_derivation(_CONCAT, _concat('PartyUInfo="00AA" PartyVInfo="00BB"'))),),
    ),
    Recipe(
        id="W91",
        done="PBKDF2 with two thousand million rounds, or one",
        variants=tuple(
            derivation(
                rounds,
                other_derivation(
                    "http://www.w3.org/2009/xmlenc11#pbkdf2",
                    "<xenc11:PBKDF2-params><xenc11:Salt><xenc11:Specified>AAAA</xenc11:Specified></xenc11:Salt>"
                    f"<xenc11:IterationCount>{rounds}</xenc11:IterationCount><xenc11:KeyLength>16</xenc11:KeyLength>"
                    f'<xenc11:PRF Algorithm="{names.HMAC_SHA256}"/></xenc11:PBKDF2-params>',
                ),
            )
            for rounds in ("2000000000", "1")
        ),
    ),
    Recipe(
        id="W92",
        done="a KeyLength that is not that of the key",
        variants=(
            *(
                derivation(repr(length), value_of("KeyLength", length))
                for length in (b"0", b"-1", b"1", b"31", b"32", b"2147483648", b"x", b"", b"16.0", b"0x10", b"9" * 16)
            ),
            derivation("missing", left_out("KeyLength")),
            derivation("white space", value_of("KeyLength", b" 16 "), TAKEN),
        ),
    ),
    Recipe(
        id="W93",
        done="salt and info that are huge or missing, another PRF",
        variants=(
            derivation("salt of 1 MB", value_of("Salt", b"A" * 1_000_000), LIMIT),
            derivation("info of 1 MB", value_of("Info", b"A" * 1_000_000), LIMIT),
            derivation("no salt", left_out("Salt")),
            derivation("no PRF", left_out("PRF")),
            derivation("another salt", value_of("Salt", b"AAAA"), SECURITY),
            derivation("no info, but it was used", left_out("Info"), SECURITY),
            derivation("SHA-1", once(names.HMAC_SHA256.encode(), f"{names.DS}hmac-sha1".encode())),
        ),
    ),
)

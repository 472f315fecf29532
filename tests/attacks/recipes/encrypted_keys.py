"""W75 to W84: for whom the content key is encrypted, and how."""

from __future__ import annotations

import os
from base64 import b64encode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from adapter.crypto import templates
from adapter.crypto.certificates import ski
from adapter.crypto.key_encryption import WrappedKey
from adapter.crypto.suites import suite
from adapter.envelope import names
from tests.attacks.draft import Draft, Hand, Octets
from tests.attacks.recipes.encryption import XENC, bit
from tests.attacks.recipes.model import (
    ENVELOPE,
    LIMIT,
    OPENED,
    OPENED_OR_NOT,
    SECURITY,
    WIRE,
    Change,
    Recipe,
    Variant,
    both,
)
from tests.attacks.recipes.octets import once


def in_key(change: Octets) -> Change:
    """The octets of the EncryptedKey."""

    def apply(draft: Draft) -> None:
        draft.in_key = change

    return apply


def wrapped_for(whom: str, *, said: str) -> Change:
    """The content key wrapped for one member and named for another: `victim` or `third`."""

    def change(draft: Draft) -> None:
        members = {"victim": draft.victim, "third": draft.third}
        row = suite(members[whom].suite)
        draft.wrap = lambda key: row.wrap(members[whom].agreement_certificate.public_key(), key)
        named = b64encode(ski(draft.victim.agreement_certificate)), b64encode(ski(members[said].agreement_certificate))
        draft.in_key = once(*named)

    return change


def more_keys(count: int) -> Change:
    """More EncryptedKeys for the same victim, with content keys of their own."""

    def change(draft: Draft) -> None:
        row = suite(draft.victim.suite)
        recipient = draft.victim.agreement_certificate
        for _ in range(count):
            wrapped = row.wrap(recipient.public_key(), os.urandom(16)) if count < 10 else WrappedKey(wrapped=b"0" * 24)
            octets = templates.render_encrypted_key(draft.victim.suite, wrapped, ski(recipient), ["body-cipher"])
            bound = f'<xenc:EncryptedKey xmlns:wsse="{names.WSSE}"'.encode()
            key = etree.fromstring(octets.replace(b"<xenc:EncryptedKey", bound, 1))
            key.set("Id", f"key-{os.urandom(4).hex()}")
            draft.part("key").addnext(key)

    return change


def damaged_key(change: Octets) -> Change:
    """The wrapped key, changed."""

    def apply(draft: Draft) -> None:
        row, recipient = suite(draft.victim.suite), draft.victim.agreement_certificate.public_key()

        def wrap(key: bytes) -> WrappedKey:
            good = row.wrap(recipient, key)
            return WrappedKey(
                wrapped=change(good.wrapped),
                ephemeral_public=good.ephemeral_public,
                hkdf_salt=good.hkdf_salt,
                hkdf_info=good.hkdf_info,
            )

        draft.wrap = wrap

    return apply


def oaep(digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm, label: bytes | None = None) -> Change:
    """Key transport with another OAEP, under the name that the profile has."""

    def change(draft: Draft) -> None:
        key = draft.victim.agreement_key.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("an RSA key is needed")
        scheme = padding.OAEP(mgf=padding.MGF1(mask), algorithm=digest, label=label)
        draft.wrap = lambda content_key: WrappedKey(wrapped=key.encrypt(content_key, scheme))

    return change


def content_key_of(octets: int) -> Change:
    """A content key of this length."""

    def change(draft: Draft) -> None:
        draft.content_key = os.urandom(octets)

    return change


def by_pkcs1(draft: Draft) -> None:
    """Key transport with the padding that has an oracle, under the name that the profile has."""
    key = draft.victim.agreement_key.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        draft.wrap = lambda content_key: WrappedKey(wrapped=key.encrypt(content_key, padding.PKCS1v15()))


def _key(name: str, change: Change, expect: str, *suites: str, hands: tuple[Hand, ...] = OPENED) -> Variant:
    more = {"suites": suites} if suites else {}
    return Variant(name=name, change=change, expect=expect, hands=hands, **more)  # type: ignore[arg-type]


_OAEP_METHOD = f'<ds:DigestMethod Algorithm="{names.SHA256}"/>'.encode()


_MGF = names.MGF1_SHA256.encode()


_AGREED = ("p256", "ed25519")


ENCRYPTED_KEYS = (
    Recipe(
        id="W75",
        done="more EncryptedKeys than one",
        variants=(
            _key("two", more_keys(1), ENVELOPE, hands=OPENED_OR_NOT),
            _key("500", more_keys(500), LIMIT, hands=WIRE),
        ),
    ),
    Recipe(
        id="W76",
        done="an EncryptedKey for somebody else",
        variants=(
            _key("named for the other", wrapped_for("third", said="third"), SECURITY),
            _key("named for us", wrapped_for("third", said="victim"), SECURITY),
            _key("ours, named for the other", wrapped_for("victim", said="third"), SECURITY),
        ),
    ),
    Recipe(
        id="W78",
        done="key transport with an oracle",
        variants=(
            _key(
                "by its name",
                both(by_pkcs1, in_key(once(names.RSA_OAEP.encode(), f"{XENC}rsa-1_5".encode()))),
                ENVELOPE,
                "rsa",
            ),
            _key("under another name", by_pkcs1, SECURITY, "rsa"),
        ),
    ),
    Recipe(
        id="W79",
        done="every other OAEP",
        variants=(
            _key("SHA-1", oaep(hashes.SHA1(), hashes.SHA1()), SECURITY, "rsa"),
            _key("MGF1 with SHA-1", oaep(hashes.SHA256(), hashes.SHA1()), SECURITY, "rsa"),
            _key("SHA-512", oaep(hashes.SHA512(), hashes.SHA512()), SECURITY, "rsa"),
            _key("a label", oaep(hashes.SHA256(), hashes.SHA256(), b"label"), SECURITY, "rsa"),
            *(
                _key(f"named {name}", in_key(once(old, new)), ENVELOPE, "rsa")
                for name, old, new in (
                    ("OAEPparams", _OAEP_METHOD, b"<xenc:OAEPparams>AAAA</xenc:OAEPparams>" + _OAEP_METHOD),
                    ("SHA-1", names.SHA256.encode(), f"{names.DS}sha1".encode()),
                    ("MGF1 with SHA-1", _MGF, b"http://www.w3.org/2009/xmlenc11#mgf1sha1"),
                    ("an unknown MGF", _MGF, b"urn:example:mgf"),
                    ("no DigestMethod", _OAEP_METHOD, b""),
                    ("the older name", names.RSA_OAEP.encode(), f"{XENC}rsa-oaep-mgf1p".encode()),
                )
            ),
        ),
    ),
    Recipe(
        id="W83",
        done="a wrapped key that is damaged or of another form",
        variants=(
            _key("one bit", damaged_key(bit(3)), SECURITY),
            _key("last bit", damaged_key(bit(-1)), SECURITY),
            _key("one octet less", damaged_key(lambda octets: octets[:-1]), ENVELOPE, *_AGREED),
            _key("one octet less", damaged_key(lambda octets: octets[:-1]), SECURITY, "rsa"),
            _key("7 octets", damaged_key(lambda octets: octets[:7]), ENVELOPE, *_AGREED),
            _key("9 octets", damaged_key(lambda octets: octets[:9]), ENVELOPE, *_AGREED),
            _key("none", damaged_key(lambda octets: octets[:0]), ENVELOPE, *_AGREED),
            _key("none", damaged_key(lambda octets: octets[:0]), SECURITY, "rsa"),
            _key("zeros", damaged_key(lambda octets: bytes(len(octets))), SECURITY),
            _key(
                "the name of the padded form",
                in_key(once(names.KW_AES128.encode(), b"http://www.w3.org/2009/xmlenc11#kw-aes-128-pad")),
                ENVELOPE,
                *_AGREED,
            ),
            _key("longer than any key", damaged_key(lambda octets: octets * 5), LIMIT, "rsa"),
        ),
    ),
    Recipe(
        id="W84",
        done="a content key of another length than the algorithm has",
        variants=(
            *(
                _key(
                    f"{octets} octets",
                    content_key_of(octets),
                    ENVELOPE,
                    *_AGREED,
                )
                for octets in (24, 32)
            ),
            *(
                _key(
                    f"{octets} octets",
                    content_key_of(octets),
                    SECURITY,
                    "rsa",
                )
                for octets in (17, 24, 32)
            ),
        ),
    ),
)

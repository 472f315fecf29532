"""Keys that stay in a PKCS #11 token, behind the same ports as those of files (ports.SigningKey, DecryptionKey).

Each is tried when it is loaded: that it does what it is for, that it is the certificate's key, and that the token lets
it do nothing else. So a key for two uses, one that could be taken out, or a token that lacks an algorithm is said at
start and not at the first message.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Final

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import KDF, MGF, Attribute, KeyType, Mechanism, PKCS11Error

from adapter.crypto.certificates import Purpose, check_purpose, public_key
from adapter.crypto.key_encryption import ECDH, OAEP
from adapter.crypto.keys import AGREEMENT_PURPOSES
from adapter.crypto.suites import SUITES, Suite, suite_of_agreement_key, suite_of_signing_key
from adapter.errors import KeyUnusable, SecurityFailed
from adapter.store.token import KeyName, PrivateKey, Token, is_set

_PROBE: Final = b"a signature made when the key is loaded, to see whether it is the certificate's"
_SECRET_BITS: Final = 256
_SECRET_TEMPLATE: Final = {
    Attribute.TOKEN: False,
    Attribute.SENSITIVE: False,
    Attribute.EXTRACTABLE: True,
}
_OAEP_PARAMETERS: Final = (Mechanism.SHA256, MGF.SHA256, None)

SIGNS: Final = (Attribute.SIGN, Attribute.SIGN_RECOVER)
OPENS: Final = (Attribute.DERIVE, Attribute.DECRYPT, Attribute.UNWRAP)
"""What a private key may do, in two halves: a key does something of one half and nothing of the other."""


class TokenSigningKey:
    """A signing key of a token, with its certificate (ports.SigningKey)."""

    def __init__(self, token: Token, name: KeyName, certificate: x509.Certificate) -> None:
        """Raises KeyUnusable: see the module."""
        self._token, self._name, self._certificate = token, name, certificate
        self._row = _row_of(certificate, signs=True)
        token.with_key(name, lambda key: check_apart(f"{token}, key {name}", key, may=SIGNS, may_not=OPENS))
        try:
            self._row.verify(public_key(certificate), self.sign(_PROBE), _PROBE)
        except SecurityFailed:
            raise KeyUnusable(f"{token}, key {name}: the certificate is for another key") from None

    @property
    def suite(self) -> str:
        """Name of the row in crypto.suites."""
        return self._row.name

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that goes into the BinarySecurityToken."""
        return self._certificate

    def sign(self, octets: bytes) -> bytes:
        """The XML Signature value of the octets, made in the token. Raises KeyUnusable: it is gone, or refuses."""
        return sign_in_token(self._token, self._name, self.suite, octets)


class TokenDecryptionKey:
    """A key of a token that opens what was encrypted for us, with its certificate (ports.DecryptionKey)."""

    def __init__(self, token: Token, name: KeyName, certificate: x509.Certificate) -> None:
        """Raises KeyUnusable: see the module."""
        self._token, self._name, self._certificate = token, name, certificate
        self._row = _row_of(certificate, signs=False)
        token.with_key(name, lambda key: check_apart(f"{token}, key {name}", key, may=OPENS, may_not=SIGNS))
        self._try(public_key(certificate))

    @property
    def suite(self) -> str:
        """Name of the row in crypto.suites."""
        return self._row.name

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that others encrypt to."""
        return self._certificate

    def agree(self, ephemeral: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> bytes:
        """The shared secret, 32 octets: CKM_ECDH1_DERIVE without a key derivation of the token's own.

        Raises SecurityFailed for another kind of key, KeyUnusable when the token is gone.
        """
        if self.suite != "p256" or not isinstance(ephemeral, ec.EllipticCurvePublicKey):
            raise SecurityFailed("an ephemeral key of another kind than ours")
        point = ephemeral.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        try:
            secret = self._token.with_key(self._name, lambda key: _derive(key, point))
        except PKCS11Error:
            raise SecurityFailed("the key agreement failed") from None
        if len(secret) != _SECRET_BITS // 8:
            raise SecurityFailed("the token's shared secret has not 32 octets")
        return secret

    def decrypt_oaep(self, wrapped: bytes) -> bytes:
        """RSA-OAEP, SHA-256, MGF1-SHA-256, no label, in the token. Raises SecurityFailed; KeyUnusable: it is gone."""
        if self.suite != "rsa":
            raise SecurityFailed("key transport to a key that is not RSA")
        try:
            return self._token.with_key(self._name, lambda key: _decrypt(key, wrapped))
        except PKCS11Error:
            raise SecurityFailed("the wrapped key is damaged or for another key") from None

    def _try(self, public: object) -> None:
        """Open something that was made for the certificate's key."""
        what = f"{self._token}, key {self._name}"
        try:
            if isinstance(public, ec.EllipticCurvePublicKey):
                ephemeral = ec.generate_private_key(ec.SECP256R1())
                good = self.agree(ephemeral.public_key()) == ephemeral.exchange(ECDH, public)
            elif isinstance(public, rsa.RSAPublicKey):
                content = os.urandom(16)
                wrapped = public.encrypt(content, OAEP)
                good = self._token.with_key(self._name, lambda key: _decrypt(key, wrapped)) == content
            else:
                good = False
        except (pkcs11.ArgumentsBad, pkcs11.MechanismInvalid, pkcs11.MechanismParamInvalid):
            raise KeyUnusable(
                f"{what}: this token does not know RSA-OAEP with SHA-256 and MGF1-SHA-256, which the suite rsa needs; "
                "keep the agreement key in an encrypted file, or take the suite p256"
            ) from None
        except (SecurityFailed, PKCS11Error):
            good = False
        if not good:
            raise KeyUnusable(f"{what}: the certificate is for another key, or the token does not agree as it should")


def sign_in_token(token: Token, name: KeyName, suite: str, octets: bytes) -> bytes:
    """The XML Signature value: p256 r||s over the SHA-256 made here, rsa PKCS #1 v1.5. Raises KeyUnusable."""
    try:
        if suite == "p256":
            digest = sha256(octets).digest()
            return bytes(token.with_key(name, lambda key: key.sign(digest, mechanism=Mechanism.ECDSA)))
        return bytes(token.with_key(name, lambda key: key.sign(octets, mechanism=Mechanism.SHA256_RSA_PKCS)))
    except PKCS11Error as cause:
        raise KeyUnusable(f"{token}, key {name} does not sign ({type(cause).__name__})") from None


def _derive(key: PrivateKey, point: bytes) -> bytes:
    secret = key.derive_key(
        KeyType.GENERIC_SECRET,
        _SECRET_BITS,
        mechanism=Mechanism.ECDH1_DERIVE,
        mechanism_param=(KDF.NULL, None, point),
        template=_SECRET_TEMPLATE,
    )
    try:
        return bytes(secret[Attribute.VALUE])
    finally:
        secret.destroy()


def _decrypt(key: PrivateKey, wrapped: bytes) -> bytes:
    return bytes(key.decrypt(wrapped, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_OAEP_PARAMETERS))


def _row_of(certificate: x509.Certificate, *, signs: bool) -> Suite:
    try:
        row = (suite_of_signing_key if signs else suite_of_agreement_key)(public_key(certificate))
        check_purpose(certificate, Purpose.SIGNING if signs else AGREEMENT_PURPOSES[row.agreement_usage])
    except SecurityFailed as cause:
        raise KeyUnusable(f"a key in a token: {cause.reason}") from None
    if row.name == "ed25519":
        raise KeyUnusable("a key in a token is of the suite p256 or rsa")
    return SUITES[row.name]


def check_apart(what: str, key: PrivateKey, *, may: tuple[Attribute, ...], may_not: tuple[Attribute, ...]) -> None:
    """One use, held by the token itself. Raises KeyUnusable."""
    if not any(is_set(key, attribute) for attribute in may):
        raise KeyUnusable(f"{what}: the token does not let it {_words(may)}")
    if also := [attribute.name for attribute in may_not if is_set(key, attribute)]:
        raise KeyUnusable(f"{what}: the token lets it {_words(may_not)} as well (CKA_{also[0]}); a key has one use")
    if is_set(key, Attribute.EXTRACTABLE) or not is_set(key, Attribute.SENSITIVE):
        raise KeyUnusable(f"{what} can be taken out of the token: make one that cannot")


def _words(half: tuple[Attribute, ...]) -> str:
    return "sign" if half is SIGNS else "open messages"

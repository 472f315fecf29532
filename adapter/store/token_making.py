"""Keys that are made inside a token and never leave it, their public halves, their requests, and their end.

A key is generated as a session object, signs its own certificate request there, and is kept by a copy that the token
lets do one thing only and whose permissions nobody can change any more (CKA_MODIFIABLE; PKCS #11 2.40, 4.1.2 and 4.7).
So an agreement key, which may not sign, has signed exactly once in its life: its request, before it was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import pkcs11
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, PKCS11Error
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

from adapter.errors import KeyUnusable
from adapter.store.token import KeyName, PrivateKey, Token

RSA_BITS: Final = 3072
_CURVE: Final = "secp256r1"
_OAEP: Final = (Mechanism.SHA256, pkcs11.MGF.SHA256, None)

RequestMaker = Callable[[PublicKeyTypes, Callable[[bytes], bytes]], bytes]
"""Takes the public key and what signs octets (DER ECDSA, or RSA PKCS #1 v1.5, with SHA-256); gives the request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeKey:
    """A key that is in the token now. request: what the maker of requests made."""

    public: PublicKeyTypes
    request: bytes


def make_in_token(token: Token, name: KeyName, *, suite: str, signs: bool, request: RequestMaker) -> MadeKey:
    """Make a key of this name for one use. token: opened for writing. Raises KeyUnusable: it exists, or cannot be.

    When anything fails, nothing of the key stays in the token.
    """
    if suite not in ("p256", "rsa"):
        raise KeyUnusable("a key in a token is of the suite p256 or rsa; keys of the suite ed25519 are files")

    def work(session: pkcs11.Session) -> MadeKey:
        _check_new(session, token, name)
        public, private = _generate(session, name, suite=suite, signs=signs)
        try:
            known = _public(public)
            made = request(known, lambda octets: _signature(private, octets))
            if not signs and suite == "rsa":
                _try_oaep(token, public, private)
            _keep(public, private, signs=signs)
        finally:
            private.destroy()
            public.destroy()
        return MadeKey(public=known, request=made)

    try:
        return token.with_session(work)
    except PKCS11Error as cause:
        raise KeyUnusable(f"{token} cannot make the key {name} ({type(cause).__name__})") from None


def public_key_in_token(token: Token, name: KeyName) -> PublicKeyTypes:
    """The public half of a key, of a suite of ours. Raises KeyUnusable: the token has none of this name."""

    def work(session: pkcs11.Session) -> PublicKeyTypes:
        return _public(session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=name.label, id=name.id))

    try:
        token.with_key(name, lambda _key: None)
        return token.with_session(work)
    except PKCS11Error as cause:
        raise KeyUnusable(f"{token} does not show the public key {name} ({type(cause).__name__})") from None


def destroy_in_token(token: Token, name: KeyName) -> None:
    """Destroy both halves. token: opened for writing. Raises KeyUnusable: the private key is not there, or stays."""

    def work(session: pkcs11.Session) -> None:
        searched = {Attribute.LABEL: name.label, Attribute.ID: name.id}
        named = {attribute: value for attribute, value in searched.items() if value is not None}
        if not list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, **named})):
            raise KeyUnusable(f"{token} has no private key {name}")
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for found in list(session.get_objects({Attribute.CLASS: kind, **named})):
                found.destroy()

    try:
        token.with_session(work)
    except PKCS11Error as cause:
        raise KeyUnusable(f"{token} does not destroy the key {name} ({type(cause).__name__})") from None


def _check_new(session: pkcs11.Session, token: Token, name: KeyName) -> None:
    if list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: name.label})):
        raise KeyUnusable(f"{token} has a key {name} already; a key is never overwritten")


def _generate(session: pkcs11.Session, name: KeyName, *, suite: str, signs: bool) -> tuple[Any, PrivateKey]:
    may = {
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.SIGN: True,
        Attribute.SIGN_RECOVER: False,
        Attribute.DERIVE: suite == "p256" and not signs,
        Attribute.DECRYPT: suite == "rsa" and not signs,
        Attribute.UNWRAP: False,
    }
    shown = {Attribute.VERIFY: signs, Attribute.ENCRYPT: suite == "rsa" and not signs, Attribute.WRAP: False}
    named: dict[str, Any] = {"store": False, "id": name.id, "label": name.label}
    templates: dict[str, Any] = {"private_template": may, "public_template": shown}
    if suite == "rsa":
        pair = session.generate_keypair(KeyType.RSA, RSA_BITS, **named, **templates)
    else:
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVE)}
        parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
        pair = parameters.generate_keypair(mechanism=Mechanism.EC_KEY_PAIR_GEN, **named, **templates)
    return pair


def _keep(public: Any, private: PrivateKey, *, signs: bool) -> None:  # noqa: ANN401  the library's own classes
    kept = public.copy({Attribute.TOKEN: True})
    try:
        private.copy({Attribute.TOKEN: True, Attribute.SIGN: signs, Attribute.MODIFIABLE: False})
    except PKCS11Error:
        kept.destroy()
        raise


def _public(public: Any) -> PublicKeyTypes:  # noqa: ANN401  the library's own classes
    """Of a suite of ours: what a token says is checked like what a file says. Raises KeyUnusable."""
    encode = encode_rsa_public_key if public.key_type is KeyType.RSA else encode_ec_public_key
    try:
        return load_der_public_key(encode(public))
    except ValueError:
        raise KeyUnusable("the token shows a public key that cannot be read") from None


def _signature(private: PrivateKey, octets: bytes) -> bytes:
    if private.key_type is KeyType.RSA:
        return bytes(private.sign(octets, mechanism=Mechanism.SHA256_RSA_PKCS))
    raw = bytes(private.sign(sha256(octets).digest(), mechanism=Mechanism.ECDSA))
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _try_oaep(token: Token, public: Any, private: PrivateKey) -> None:  # noqa: ANN401  the library's own classes
    """Before the key is kept: an agreement key that cannot open anything is of no use. Raises KeyUnusable."""
    try:
        wrapped = public.encrypt(b"probe", mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_OAEP)
        opened = bytes(private.decrypt(wrapped, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_OAEP))
    except PKCS11Error:
        opened = b""
    if opened != b"probe":
        raise KeyUnusable(
            f"{token} does not know RSA-OAEP with SHA-256 and MGF1-SHA-256, which the suite rsa needs; keep the "
            "agreement key in an encrypted file, or take the suite p256"
        )

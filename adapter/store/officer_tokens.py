"""Token files: where an officer's key in a PKCS #11 token is. No secret in them, and every command takes one for a key.

    purpose = "officer"              # of approvals; "authority": signs the directory
    key = "officer-dilnoza"          # CKA_LABEL
    public_key = "-----BEGIN PUBLIC KEY-----…" # PEM

    [token]                          # as in adapter.toml
    module = "/usr/lib/softhsm/libsofthsm2.so"
    label = "officers"
    pin_file = "prompt"

Only its owner may read or write it all the same: it names a library that is loaded.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from pydantic import Field

from adapter.errors import KeyUnusable
from adapter.secret_files import CREDENTIALS_VARIABLE, is_credential, read_secret
from adapter.settings.token_section import TokenSettings
from adapter.settings.toml_reading import Section, load_toml
from adapter.settings.types import TokenLabel
from adapter.store.keyfiles import PROMPT, KeyPurpose, write_secret
from adapter.store.token import KeyName, Token, TokenPlace
from adapter.store.token_keys import OPENS, SIGNS, check_apart, sign_in_token
from adapter.store.token_making import destroy_in_token, make_in_token

SUFFIX: Final = ".token"
_HALF: Final = 32


class OfficerTokenFile(Section):
    """The content of a token file."""

    purpose: Literal["authority", "officer"] = Field(description="What the key signs.")
    key: TokenLabel = Field(description="Its CKA_LABEL.")
    public_key: str = Field(max_length=4096, description="Its public half, PEM.")
    token: TokenSettings = Field(description="The token, as in adapter.toml.")


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficerTokenKey:
    """An officer's key that was tried: it signs, does nothing else, and is the one of the public half."""

    token: Token
    name: KeyName
    public: ec.EllipticCurvePublicKey

    def sign(self, octets: bytes) -> bytes:
        """DER ECDSA over the SHA-256 of the octets, made in the token. Raises KeyUnusable."""
        raw = sign_in_token(self.token, self.name, "p256", octets)
        return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))


def is_token_file(path: Path) -> bool:
    """By its name, so that an officer sees it too."""
    return path.suffix == SUFFIX


def load_officer_token(path: Path, purpose: KeyPurpose) -> OfficerTokenKey:
    """The key that a token file names, tried. Raises KeyUnusable (KeyUnreachable: no token), SettingsInvalid."""
    read_secret(path)
    said = load_toml(path, OfficerTokenFile)
    if said.purpose != purpose.value:
        raise KeyUnusable(f"{path} names a key for {said.purpose}, not for {purpose.value}")
    held = OfficerTokenKey(
        token=Token(TokenPlace.of(said.token)), name=KeyName(label=said.key), public=_read_public(path, said.public_key)
    )
    try:
        _try(held, path)
    except KeyUnusable:
        held.token.close()
        raise
    return held


def _try(held: OfficerTokenKey, path: Path) -> None:
    what, probe = f"{held.token}, key {held.name}", os.urandom(32)
    held.token.with_key(held.name, lambda key: check_apart(what, key, may=SIGNS, may_not=OPENS))
    try:
        held.public.verify(held.sign(probe), probe, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise KeyUnusable(f"{what}: it is not the key whose public half {path} has") from None


def make_officer_token(path: Path, purpose: KeyPurpose, place: TokenSettings) -> ec.EllipticCurvePublicKey:
    """Make a P-256 key in the token, and the token file; gives the public half. Raises KeyUnusable, SettingsInvalid.

    When the file cannot be written, the key does not stay in the token.
    """
    if not is_token_file(path):
        raise KeyUnusable(f"{path}: the file that names a key in a token ends in {SUFFIX}")
    name = KeyName(label=f"{purpose.value}-{path.stem}", id=f"{purpose.value}-{path.stem}".encode())
    token = Token(TokenPlace.of(place), writable=True)
    try:
        public = make_in_token(token, name, suite="p256", signs=True, request=lambda _public, _sign: b"").public
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise KeyUnusable(f"{token} made a key of another kind")
        try:
            write_secret(path, _rendered(purpose, name, public, place))
        except KeyUnusable:
            destroy_in_token(token, name)
            raise
    finally:
        token.close()
    load_officer_token(path, purpose).token.close()
    return public


def public_pem(public: ec.EllipticCurvePublicKey) -> bytes:
    """As it is handed over."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _rendered(purpose: KeyPurpose, name: KeyName, public: ec.EllipticCurvePublicKey, place: TokenSettings) -> bytes:
    pin = str(place.pin_file if place.pin_file == PROMPT else place.pin_file.absolute())
    if is_credential(place.pin_file):
        pin = f"${CREDENTIALS_VARIABLE}/{place.pin_file.name}"
    lines = [
        "# An officer's key in a PKCS #11 token. No secret is in this file.",
        f"purpose = {json.dumps(purpose.value)}",
        f"key = {json.dumps(name.label)}",
        f"public_key = {json.dumps(public_pem(public).decode())}",
        "",
        "[token]",
        f"module = {json.dumps(str(place.module))}",
        *(f"{key} = {json.dumps(value)}" for key in ("label", "serial") if (value := getattr(place, key)) is not None),
        f"pin_file = {json.dumps(pin)}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _read_public(path: Path, pem: str) -> ec.EllipticCurvePublicKey:
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(f"{path}: public_key is no public key in PEM") from None
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise KeyUnusable(f"{path}: an officer's key in a token is ECDSA on P-256")
    return public

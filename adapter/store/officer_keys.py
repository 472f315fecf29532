"""The keys that sign the directory's repository: officers' keys in encrypted files or tokens, online keys in files."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.signer import CryptoSigner, Key, SecretsHandler, Signature, Signer, SSlibKey

from adapter.directory.repository import public_key_of
from adapter.errors import KeyUnusable
from adapter.store.keyfiles import KeyPurpose, load_private_key, save_private_key
from adapter.store.token import KeyName, Token
from adapter.store.token_keys import sign_in_token

_HALF = 32


def make_repository_key(path: Path, purpose: KeyPurpose, *, passphrase_file: Path | None = None) -> bytes:
    """A new Ed25519 key in a file of its own; gives its public half in PEM. Raises KeyUnusable."""
    key = Ed25519PrivateKey.generate()
    save_private_key(path, key, purpose, passphrase_file=passphrase_file)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_repository_signer(path: Path, purpose: KeyPurpose, *, passphrase_file: Path | None = None) -> Signer:
    """The signer of a key file. Raises KeyUnusable."""
    key = load_private_key(path, purpose, passphrase_file=passphrase_file)
    public = public_key_of(key.public_key())
    if not isinstance(public, SSlibKey):
        raise KeyUnusable(f"{path} holds a key of another kind")
    return CryptoSigner(key, public)


def read_public_key(pem: bytes, name: str = "") -> Key:
    """An officer's public key as it was handed over. Raises KeyUnusable."""
    try:
        return public_key_of(load_pem_public_key(pem), name)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable("there is no public key in PEM in it") from None


class TokenSigner(Signer):
    """An officer's P-256 key in a PKCS #11 token. It never leaves the token."""

    def __init__(self, token: Token, name: KeyName, public: Key) -> None:
        """public: handed over with the token. Raises KeyUnusable: not a P-256 key."""
        if public.scheme != "ecdsa-sha2-nistp256":
            raise KeyUnusable(f"{token}: an officer's key in a token is ECDSA on P-256")
        self._token, self._name, self._public = token, name, public

    @property
    def public_key(self) -> Key:
        """The key that verifies."""
        return self._public

    def sign(self, payload: bytes) -> Signature:
        """The signature, made in the token, in the form that TUF wants (DER). Raises KeyUnusable."""
        raw = sign_in_token(self._token, self._name, "p256", payload)
        r, s = int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big")
        return Signature(self._public.keyid, encode_dss_signature(r, s).hex())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Not offered: a token is named by options, its PIN by a file."""
        del priv_key_uri, public_key, secrets_handler
        raise KeyUnusable("a token is not named by an address")

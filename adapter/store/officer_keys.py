"""The keys that sign the directory's repository: officers' keys in encrypted files or tokens, online keys in files."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.signer import CryptoSigner, Key, SecretsHandler, Signature, Signer, SSlibKey

from adapter.directory.repository import public_key_of
from adapter.errors import KeyUnusable
from adapter.store.keyfiles import KeyPurpose, load_private_key, save_private_key
from adapter.store.officer_tokens import OfficerTokenKey, is_token_file, load_officer_token


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


def load_officer_signer(path: Path, *, passphrase_file: Path | None = None) -> Signer:
    """Of an officer of the authority: by a key file, or by a token file (store.officer_tokens). Raises KeyUnusable."""
    if is_token_file(path):
        return TokenSigner(load_officer_token(path, KeyPurpose.AUTHORITY))
    return load_repository_signer(path, KeyPurpose.AUTHORITY, passphrase_file=passphrase_file)


def read_public_key(pem: bytes, name: str = "") -> Key:
    """An officer's public key as it was handed over. Raises KeyUnusable."""
    try:
        return public_key_of(load_pem_public_key(pem), name)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable("there is no public key in PEM in it") from None


class TokenSigner(Signer):
    """An officer's P-256 key in a PKCS #11 token. It never leaves the token."""

    def __init__(self, held: OfficerTokenKey) -> None:
        self._held, self._public = held, public_key_of(held.public)

    @property
    def public_key(self) -> Key:
        """The key that verifies."""
        return self._public

    def sign(self, payload: bytes) -> Signature:
        """The signature, made in the token, in the form that TUF wants (DER). Raises KeyUnusable."""
        return Signature(self._public.keyid, self._held.sign(payload).hex())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Not offered: a token is named by a token file, its PIN by another."""
        del priv_key_uri, public_key, secrets_handler
        raise KeyUnusable("a token is not named by an address")

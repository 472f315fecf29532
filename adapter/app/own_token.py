"""The adapter's own token, as the settings name it, and the keys in it."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.errors import KeyUnusable
from adapter.settings import Settings
from adapter.settings.token_section import TokenKeySettings
from adapter.store.keyfiles import load_certificate
from adapter.store.token import KeyName, Token, TokenPlace
from adapter.store.token_keys import TokenDecryptionKey, TokenSigningKey


def open_token(settings: Settings, *, writable: bool = False) -> Token:
    """The token of the settings; nothing is opened before it is used. Raises KeyUnusable: the settings name none."""
    named = settings.token
    if named is None:
        raise KeyUnusable("the settings name no token: add the table [token]")
    place = TokenPlace(module=named.module, pin_file=named.pin_file, label=named.label, serial=named.serial)
    return Token(place, writable=writable)


def key_name(key: TokenKeySettings) -> KeyName:
    """What the settings call a key, as the token knows it."""
    return KeyName(label=key.label, id=None if key.id is None else bytes.fromhex(key.id))


def load_token_key(token: Token, key: TokenKeySettings) -> TokenSigningKey | TokenDecryptionKey:
    """One key, tried. Raises KeyUnusable."""
    certificate = load_certificate(key.certificate_file)
    if key.purpose == "signing":
        return TokenSigningKey(token, key_name(key), certificate)
    return TokenDecryptionKey(token, key_name(key), certificate)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKeys:
    """The keys of the token that have a certificate; one without waits for it, as one of a file does."""

    signing: tuple[TokenSigningKey, ...] = ()
    decryption: tuple[TokenDecryptionKey, ...] = ()


def load_token_keys(settings: Settings) -> TokenKeys:
    """Every key that the settings name, tried, in one login. None without a token. Raises KeyUnusable."""
    if settings.token is None:
        return TokenKeys()
    token = open_token(settings)
    keys = [load_token_key(token, key) for key in settings.token.key if key.certificate_file.exists()]
    return TokenKeys(
        signing=tuple(key for key in keys if isinstance(key, TokenSigningKey)),
        decryption=tuple(key for key in keys if isinstance(key, TokenDecryptionKey)),
    )

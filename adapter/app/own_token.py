"""The adapter's own token, as the settings name it, and the keys in it."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.audit.key_life import LifeState, Lives, is_loaded
from adapter.crypto.certificates import public_key
from adapter.crypto.keys import key_id
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
    return Token(TokenPlace.of(named), writable=writable)


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


def all_token_keys(settings: Settings, token: Token, lives: Lives) -> list[TokenKeySettings]:
    """The keys that the settings name, and those that `adapter keys create --pkcs11` made in this token."""
    if settings.token is None:
        return []
    named = {key.label for key in settings.token.key}
    made = [
        TokenKeySettings(
            purpose="signing" if life.facts.purpose == "signing" else "agreement",
            label=life.facts.name,
            id=None,
            certificate_file=settings.adapter.keys_dir / f"{life.facts.name}.pem",
        )
        for life in lives.values()
        if life.facts.place == str(token) and life.facts.name not in named and life.state is not LifeState.DESTROYED
    ]
    return [*settings.token.key, *made]


def load_token_keys(settings: Settings, lives: Lives) -> TokenKeys:
    """Every key of the token that is in use, tried, in one login. None without a token. Raises KeyUnusable."""
    if settings.token is None:
        return TokenKeys()
    token = open_token(settings)
    certified = [key for key in all_token_keys(settings, token, lives) if key.certificate_file.exists()]
    keys = [
        load_token_key(token, key)
        for key in certified
        if is_loaded(key_id(public_key(load_certificate(key.certificate_file))), lives)
    ]
    return TokenKeys(
        signing=tuple(key for key in keys if isinstance(key, TokenSigningKey)),
        decryption=tuple(key for key in keys if isinstance(key, TokenDecryptionKey)),
    )

"""The keys in the token as the commands see them, beside those of the keys folder, and what the record says of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from adapter.app.keyring import own_lives
from adapter.app.own_token import all_token_keys, key_name, load_token_key, open_token
from adapter.audit.key_life import Lives
from adapter.cli.key_files import KeyFile, KeyState, state_of, survey
from adapter.cli.trust_faults import TrustFault
from adapter.crypto.certificates import public_key
from adapter.crypto.keys import key_id
from adapter.errors import AdapterError, KeyUnreachable, StoreUnusable
from adapter.settings import Settings
from adapter.settings.token_section import TokenKeySettings
from adapter.store.keyfiles import load_certificate
from adapter.store.token import Token
from adapter.store.token_making import public_key_in_token


def survey_all(settings: Settings, now: datetime) -> list[KeyFile]:
    """Those of the token first, then those of the folder. Never raises: what cannot be used is in the list too."""
    try:
        lives = own_lives(settings)
    except StoreUnusable:  # `doctor` says so; the keys are there all the same
        lives = {}
    return survey_with(settings, lives, now)


def survey_with(settings: Settings, lives: Lives, now: datetime) -> list[KeyFile]:
    """The same, when the lives were read already."""
    found = survey(settings.adapter.keys_dir, now, passphrase_file=settings.adapter.passphrase_file)
    if settings.token is not None:
        token = open_token(settings)
        found = [*(_look(token, key, now) for key in all_token_keys(settings, token, lives)), *found]
        token.close()
    return [replace(key, life=lives.get(key.key_id)) for key in found]


def _look(token: Token, key: TokenKeySettings, now: datetime) -> KeyFile:
    path, place = key.certificate_file, f"{token}: {key_name(key)}"
    label = key.label or path.stem
    found = KeyFile(path=path, purpose=key.purpose, state=KeyState.WAITING, in_token=place, label=label)
    try:
        if not path.exists():
            return replace(found, key_id=key_id(public_key_in_token(token, key_name(key))))
        found = replace(found, key_id=key_id(public_key(load_certificate(path))))
        loaded = load_token_key(token, key)
    except AdapterError as error:
        fault = TrustFault.TOKEN_UNREACHABLE if isinstance(error, KeyUnreachable) else TrustFault.TOKEN_KEY_UNUSABLE
        return replace(found, state=KeyState.UNUSABLE, reason=error.reason, fault=fault)
    return replace(found, suite=loaded.suite, certificate=loaded.certificate, state=state_of(loaded.certificate, now))

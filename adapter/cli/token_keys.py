"""The keys in the token as the commands see them, beside those of the keys folder."""

from __future__ import annotations

from datetime import datetime

from adapter.app.own_token import key_name, load_token_key, open_token
from adapter.cli.key_files import KeyFile, KeyState, state_of, survey
from adapter.errors import AdapterError
from adapter.settings import Settings
from adapter.settings.token_section import TokenKeySettings
from adapter.store.token import Token


def survey_all(settings: Settings, now: datetime) -> list[KeyFile]:
    """Those of the token first, then those of the folder. Never raises: what cannot be used is in the list too."""
    in_files = survey(settings.adapter.keys_dir, now, passphrase_file=settings.adapter.passphrase_file)
    if settings.token is None:
        return in_files
    token = open_token(settings)
    found = [_look(token, key, now) for key in settings.token.key]
    token.close()
    return [*found, *in_files]


def _look(token: Token, key: TokenKeySettings, now: datetime) -> KeyFile:
    path, place = key.certificate_file, f"{token}: {key_name(key)}"
    try:
        if not path.exists():
            token.with_key(key_name(key), lambda _key: None)
            return KeyFile(path=path, purpose=key.purpose, state=KeyState.WAITING, in_token=place)
        loaded = load_token_key(token, key)
    except AdapterError as error:
        return KeyFile(path=path, purpose=key.purpose, state=KeyState.UNUSABLE, reason=error.reason, in_token=place)
    return KeyFile(
        path=path,
        purpose=key.purpose,
        suite=loaded.suite,
        certificate=loaded.certificate,
        state=state_of(loaded.certificate, now),
        in_token=place,
    )

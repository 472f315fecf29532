"""One PKCS #11 token: found by its label or serial number, logged in, and opened again when it went away.

The only place that speaks to a PKCS #11 module. One session, one caller at a time: a module that is not safe between
threads is safe here. No key leaves the token, and no PIN is tried again after the token called it wrong, so that a
mistake in a file never locks the token.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import pkcs11
from pkcs11 import Attribute, ObjectClass, PKCS11Error
from pkcs11._pkcs11 import lib

from adapter.errors import KeyUnreachable, KeyUnusable
from adapter.settings.token_section import TokenSettings
from adapter.store.keyfiles import read_passphrase

Value = TypeVar("Value")
PrivateKey = Any
"""A private key as the library shows it: of a class that it makes for each key, from what the key may do."""

_LOST: Final = (
    pkcs11.DeviceError,
    pkcs11.DeviceRemoved,
    pkcs11.GeneralError,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.SessionHandleInvalid,
    pkcs11.TokenNotPresent,
    pkcs11.UserNotLoggedIn,
)
"""After these the session is worth nothing: the token was taken out, restarted, or somebody logged us out."""
_WRONG_PIN: Final = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked, pkcs11.PinExpired)
_NOT_INITIALISED: Final = "CRYPTOKI_NOT_INITIALIZED"
_TRIES: Final = 2

_initialised_in: dict[str, int] = {}
"""For each module the process that initialised it: a forked worker has to do it again (PKCS #11 2.40, 5.4)."""
_modules_lock: Final = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenPlace:
    """Where a token is. label or serial, or both; pin_file: see settings.types.SecretPlace."""

    module: Path
    pin_file: Path
    label: str | None = None
    serial: str | None = None

    @classmethod
    def of(cls, named: TokenSettings) -> Self:
        """As a settings file or an officer's token file names it."""
        return cls(module=named.module, pin_file=named.pin_file, label=named.label, serial=named.serial)

    def __str__(self) -> str:
        return f"token {self.label or self.serial}"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyName:
    """What a key is called in its token: CKA_LABEL, CKA_ID, or both."""

    label: str | None = None
    id: bytes | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.label, self.id.hex() if self.id else None)))


class Token:
    """A token that is opened when it is first needed, in the process that needs it. May be shared by threads."""

    def __init__(self, place: TokenPlace, *, writable: bool = False) -> None:
        """writable: keys can be made in it."""
        self.place = place
        self._writable = writable
        self._lock = threading.RLock()
        self._session: pkcs11.Session | None = None
        self._keys: dict[KeyName, PrivateKey] = {}
        self._process = os.getpid()
        self._pin_was_wrong = False

    def __str__(self) -> str:
        return str(self.place)

    def with_key(self, name: KeyName, work: Callable[[PrivateKey], Value]) -> Value:
        """What the work makes of the private key. Raises KeyUnusable (KeyUnreachable: no token), PKCS11Error.

        When the session turns out to be lost, the token is opened anew and the work done once more.
        """
        return self.with_session(lambda session: work(self._key(session, name)))

    def with_session(self, work: Callable[[pkcs11.Session], Value]) -> Value:
        """What the work makes of the session; otherwise like with_key."""
        lost = ""
        with self._lock:
            for _ in range(_TRIES):
                try:
                    return work(self._opened())
                except PKCS11Error as cause:
                    if not _is_lost(cause):
                        raise
                    lost = _name(cause)
                    self._forget()
        raise KeyUnreachable(f"{self} does not answer any more ({lost})")

    def close(self) -> None:
        """End the session, and with it the login."""
        with self._lock:
            self._forget()

    def _opened(self) -> pkcs11.Session:
        if self._process != os.getpid():  # the parent's session is not ours, and not ours to close
            self._session, self._keys, self._process = None, {}, os.getpid()
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> pkcs11.Session:
        if self._pin_was_wrong:
            raise KeyUnusable(f"{self} called its PIN wrong; it is not tried again, so that the token is not locked")
        pin = read_passphrase(self.place.pin_file, what="PIN").decode()
        try:
            token = self._find(_module(self.place.module))
            try:
                return token.open(rw=self._writable, user_pin=pin)
            except pkcs11.UserAlreadyLoggedIn:  # by another session of this process: the login is the process's
                return token.open(rw=self._writable)
        except _WRONG_PIN as cause:
            self._pin_was_wrong = True
            raise KeyUnusable(f"{self} does not take the PIN of {self.place.pin_file} ({_name(cause)})") from None
        except PKCS11Error as cause:
            raise KeyUnreachable(f"{self} cannot be opened ({_name(cause)})") from None

    def _find(self, module: lib) -> pkcs11.Token:
        serial = None if self.place.serial is None else self.place.serial.encode()
        found = list(module.get_tokens(token_label=self.place.label, token_serial=serial))
        if not found:
            raise KeyUnreachable(f"{self} is not there: is it plugged in, and is {self.place.module} its module?")
        if len(found) > 1:
            raise KeyUnusable(f"there are {len(found)} tokens like that: name the serial number as well as the label")
        token: pkcs11.Token = found[0]
        return token

    def _key(self, session: pkcs11.Session, name: KeyName) -> PrivateKey:
        if name not in self._keys:
            try:
                key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=name.label, id=name.id)
            except pkcs11.NoSuchKey:
                raise KeyUnusable(f"{self} has no private key {name}") from None
            except pkcs11.MultipleObjectsReturned:
                raise KeyUnusable(f"{self} has more than one private key {name}: name its id too") from None
            self._keys[name] = key
        return self._keys[name]

    def _forget(self) -> None:
        session, self._session = self._session, None
        self._keys.clear()
        if session is not None and self._process == os.getpid():
            with suppress(PKCS11Error):
                session.close()


def is_set(key: PrivateKey, attribute: Attribute) -> bool:
    """Whether the token says that the key has this property; what it does not say is no."""
    try:
        return bool(key[attribute])
    except PKCS11Error:
        return False


def _module(path: Path) -> lib:
    """The module, initialised in this process. Raises KeyUnusable, PKCS11Error."""
    with _modules_lock:
        if not path.is_file():
            raise KeyUnusable(f"{path} is missing: the PKCS #11 module of the token's vendor")
        try:
            module = pkcs11.lib(str(path))
        except PKCS11Error as cause:  # of this base class: the loader of the system does not take it
            if type(cause) is not PKCS11Error:
                raise
            raise KeyUnusable(f"{path} is not a PKCS #11 module that can be loaded") from None
        if _initialised_in.setdefault(str(path), os.getpid()) != os.getpid():
            with suppress(PKCS11Error):
                module.finalize()
            if not module.initialized:
                module.initialize()
            _initialised_in[str(path)] = os.getpid()
        return module


def _is_lost(cause: PKCS11Error) -> bool:
    return isinstance(cause, _LOST) or _NOT_INITIALISED in str(cause).upper()


def _name(cause: PKCS11Error) -> str:
    """What a security officer looks up in the token's manual. Never the text: a module could put anything into it."""
    return type(cause).__name__

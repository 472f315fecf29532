"""A sealed file that any two of its officers open together, and no one of them alone.

Each officer has a passphrase. From it comes the officer's secret (Argon2id; RFC 9106, 4, second recommended option,
with more passes). For each pair of officers the key of the file is wrapped (AES-KW, RFC 3394) under a key that is
derived (HKDF-SHA256, RFC 5869) from both secrets, so that it takes both. The content is encrypted by AES-256-GCM with
all that the file says in clear as associated data. Nothing here is of our own making but the order.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from adapter.errors import CommandRefused

FORM: Final = "interagency-adapter sealed for two officers, 1"
MIN_PASSPHRASE_CHARS: Final = 12
MAX_OFFICERS: Final = 8
MAX_SEALED_BYTES: Final = 16 * 1024 * 1024
_KEY_OCTETS: Final = 32
_SALT_OCTETS: Final = 16
_NONCE_OCTETS: Final = 12
_PASSES: Final = 4
_LANES: Final = 4
_MEMORY_KIB: Final = 64 * 1024


def seal_for_two(content: bytes, passphrases: Mapping[str, bytes], about: Mapping[str, str]) -> bytes:
    """The sealed file. passphrases: by officer, two to eight. about: public, signed along. Raises CommandRefused."""
    _check_passphrases(passphrases)
    salts = {name: os.urandom(_SALT_OCTETS) for name in passphrases}
    secrets = {name: _secret(passphrase, salts[name]) for name, passphrase in passphrases.items()}
    key = os.urandom(_KEY_OCTETS)
    header = {
        "form": FORM,
        "about": dict(about),
        "officers": {name: _text(salt) for name, salt in salts.items()},
        "wrapped": [
            {"by": list(pair), "key": _text(aes_key_wrap(_pair_key(secrets, pair, salts), key))}
            for pair in itertools.combinations(sorted(passphrases), 2)
        ],
    }
    nonce = os.urandom(_NONCE_OCTETS)
    sealed = AESGCM(key).encrypt(nonce, content, _canonical(header))
    return json.dumps({**header, "nonce": _text(nonce), "content": _text(sealed)}, indent=1).encode()


def read_about(octets: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """What a sealed file says of itself, not verified before it is opened, and its officers. Raises CommandRefused."""
    header, _, _ = _parse(octets)
    return {str(name): str(value) for name, value in header["about"].items()}, tuple(header["officers"])


def open_by_two(octets: bytes, passphrases: Mapping[str, bytes]) -> bytes:
    """The content. octets: untrusted. passphrases: of two of its officers. Raises CommandRefused.

    Refused without saying which passphrase was wrong: one officer learns nothing of the other's.
    """
    header, nonce, sealed = _parse(octets)
    pair = tuple(sorted(passphrases))
    if len(pair) != 2 or any(name not in header["officers"] for name in pair):
        raise CommandRefused(f"it takes two of its officers: {', '.join(header['officers'])}")
    try:
        salts = {name: _octets(header["officers"][name]) for name in pair}
        wrapped = next(_octets(one["key"]) for one in header["wrapped"] if tuple(one["by"]) == pair)
        secrets = {name: _secret(passphrases[name], salts[name]) for name in pair}
        key = aes_key_unwrap(_pair_key(secrets, pair, salts), wrapped)
        return AESGCM(key).decrypt(nonce, sealed, _canonical(header))
    except (InvalidUnwrap, InvalidTag, KeyError, TypeError, ValueError, StopIteration):
        raise CommandRefused("one of the two passphrases is wrong, or the file is damaged") from None


def _check_passphrases(passphrases: Mapping[str, bytes]) -> None:
    if not 2 <= len(passphrases) <= MAX_OFFICERS:
        raise CommandRefused(f"it takes two to {MAX_OFFICERS} officers")
    if len(set(passphrases.values())) != len(passphrases):
        raise CommandRefused("two officers have one passphrase: then one of them could open it alone")
    if any(len(one.decode(errors="replace")) < MIN_PASSPHRASE_CHARS for one in passphrases.values()):
        raise CommandRefused(f"an officer's passphrase has {MIN_PASSPHRASE_CHARS} characters or more")


def _secret(passphrase: bytes, salt: bytes) -> bytes:
    kdf = Argon2id(salt=salt, length=_KEY_OCTETS, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive(passphrase)


def _pair_key(secrets: Mapping[str, bytes], pair: tuple[str, ...], salts: Mapping[str, bytes]) -> bytes:
    both = b"".join(secrets[name] for name in pair)
    salt = b"".join(salts[name] for name in pair)
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_OCTETS, salt=salt, info=FORM.encode()).derive(both)


def _parse(octets: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """The header, the nonce and the sealed content of an untrusted file. Raises CommandRefused."""
    refusal = CommandRefused("this is not a file that was sealed for two officers")
    if len(octets) > MAX_SEALED_BYTES:
        raise refusal
    try:
        read = json.loads(octets)
        header = {name: read[name] for name in ("form", "about", "officers", "wrapped")}
        known = header["form"] == FORM and 2 <= len(header["officers"]) <= MAX_OFFICERS
        nonce, sealed = _octets(read["nonce"]), _octets(read["content"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise refusal from None
    shaped = isinstance(header["about"], dict) and isinstance(header["officers"], dict)
    if not (known and shaped and isinstance(header["wrapped"], list) and len(nonce) == _NONCE_OCTETS):
        raise refusal
    return header, nonce, sealed


def _canonical(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

"""A SoftHSM2 token for tests: the real PKCS #11 module with a token of our own in a folder that goes away."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute
from pkcs11._pkcs11 import lib
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.rsa import decode_rsa_private_key

from adapter.store.token import KeyName, Token, TokenPlace
from tests.pki import PrivateKey

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
)
MODULE = next((Path(path) for path in _MODULES if Path(path).exists()), None)
WHY_NOT = "no SoftHSM2 here (apt-get install softhsm2): keys in a token are not tried"
needs_softhsm = pytest.mark.skipif(MODULE is None or which("softhsm2-util") is None, reason=WHY_NOT)
PIN = "73190426"
LABEL = "agency"


@dataclass
class SoftToken:
    """One token, and the folder in which SoftHSM2 keeps it."""

    folder: Path
    place: TokenPlace

    @property
    def module(self) -> lib:
        return pkcs11.lib(str(self.place.module))

    def token(self, *, writable: bool = False) -> Token:
        return Token(self.place, writable=writable)

    def put(self, key: PrivateKey, name: KeyName, **flags: bool) -> None:
        """Put a key of ours into the token, with exactly these uses (SIGN, DERIVE, DECRYPT …)."""
        pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        decode = decode_rsa_private_key if hasattr(key, "private_numbers") and hasattr(key, "decrypt") else _ec
        uses = {use: flags.get(use.name, False) for use in (Attribute.SIGN, Attribute.DERIVE, Attribute.DECRYPT)}
        more = {
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: flags.get("SENSITIVE", True),
            Attribute.EXTRACTABLE: flags.get("EXTRACTABLE", False),
            Attribute.SIGN_RECOVER: False,
            Attribute.UNWRAP: False,
            Attribute.LABEL: name.label,
            Attribute.ID: name.id,
        }
        writer = self.token(writable=True)
        writer.with_session(lambda session: session.create_object({**decode(pkcs8), **uses, **more}))
        writer.close()

    def pull_out(self) -> None:
        """The token is gone, and every session with it."""
        self.folder.rename(self.folder.with_name("pulled-out"))
        self.folder.mkdir()
        self.module.reinitialize()

    def plug_in(self) -> None:
        """The same token is there again."""
        self.folder.rmdir()
        self.folder.with_name("pulled-out").rename(self.folder)
        self.module.reinitialize()


def _ec(der: bytes) -> dict[Attribute, object]:
    return decode_ec_private_key(der)


def make_token(folder: Path) -> SoftToken:
    """A fresh token below the folder; the environment variable by which SoftHSM2 finds it is the caller's to unset."""
    assert MODULE is not None
    tokens = folder / "tokens"
    tokens.mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "91823746", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    pin_file = folder / "token.pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{PIN}\n")
    made = SoftToken(tokens, TokenPlace(module=MODULE, pin_file=pin_file, label=LABEL))
    made.module.reinitialize()
    return made

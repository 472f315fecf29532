"""A SoftHSM2 token for tests: the real PKCS #11 module with a token of our own in a folder that goes away."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute
from pkcs11._pkcs11 import lib
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.rsa import decode_rsa_private_key

from adapter.store.keyfiles import KeyPurpose, load_private_key
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


@contextmanager
def soft_token(folder: Path) -> Iterator[SoftToken]:
    """A fresh, empty token below the folder; in the block SoftHSM2 finds it, and afterwards what it found before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        made = _make_token(folder)
        try:
            yield made
        finally:
            made.module.finalize()


def move_keys(home: Path, token: SoftToken) -> None:
    """From the files of an adapter's folder into the token, which its settings then name. Both keys are of P-256.

    The settings name the signing key by label and id, the agreement key by its label alone.
    """
    place = token.place
    tables = [f'[token]\nmodule = "{place.module}"\nlabel = "{place.label}"\npin_file = "{place.pin_file}"\n']
    for purpose, use in ((KeyPurpose.SIGNING, "SIGN"), (KeyPurpose.AGREEMENT, "DERIVE")):
        name, path = purpose.value, home / "keys" / f"{purpose.value}.key"
        key = load_private_key(path, purpose)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        token.put(key, KeyName(label=name, id=name.encode()), **{use: True})
        path.unlink()
        with_id = f'id = "{name.encode().hex()}"\n' if purpose is KeyPurpose.SIGNING else ""
        tables.append(
            f'[[token.key]]\npurpose = "{name}"\nlabel = "{name}"\n{with_id}certificate_file = "keys/{name}.pem"\n'
        )
    with (home / "adapter.toml").open("a") as file:
        file.write("\n" + "\n".join(tables))


def _make_token(folder: Path) -> SoftToken:
    assert MODULE is not None
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "91823746", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    pin_file = folder / "token.pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{PIN}\n")
    made = SoftToken(tokens, TokenPlace(module=MODULE, pin_file=pin_file, label=LABEL))
    made.module.reinitialize()
    return made

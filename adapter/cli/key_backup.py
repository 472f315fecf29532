"""`adapter keys backup` and `adapter keys restore`: all key files, sealed so that two officers are needed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from rich.text import Text

from adapter.cli.approval_gate import Asking, OfficerKeyOption, OfficerOption
from adapter.cli.files import confirm_overwrite, make_folder, read_octets, write_octets
from adapter.cli.key_files import OVER, key_paths
from adapter.cli.key_office import KeyOffice
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, now_utc, settings_from
from adapter.cli.output import Output, counted, good, when
from adapter.cli.own_record import ARCHIVE_KEY_FILE
from adapter.crypto.keys import key_id
from adapter.crypto.two_officers import MAX_SEALED_BYTES, open_by_two, read_about, seal_for_two
from adapter.errors import CommandRefused
from adapter.settings import Settings
from adapter.store.keyfiles import (
    KeyPurpose,
    ask_passphrase,
    load_archive_key,
    load_private_key,
    read_passphrase,
    save_private_key,
    write_secret,
)

_MAX_CERTIFICATE_BYTES = 1024 * 1024
_KEPT = (KeyPurpose.SIGNING, KeyPurpose.AGREEMENT, KeyPurpose.TLS, KeyPurpose.RECORD)

OfficersOption = Annotated[
    list[str],
    typer.Option("--by", metavar="OFFICER", help="An officer of the backup; named once for each.", show_default=False),
]
FilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--passphrase-file", help="Files with their passphrases, in the same order.", show_default="each is asked"
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """One key file of a backup. private: PKCS #8, DER, in the clear (the archive's key: its octets)."""

    name: str
    purpose: str
    private: bytes
    certificate: bytes | None
    key_id: str

    def value(self) -> dict[str, Any]:
        beside = None if self.certificate is None else base64.b64encode(self.certificate).decode()
        return {
            "name": self.name,
            "purpose": self.purpose,
            "private": base64.b64encode(self.private).decode(),
            "certificate": beside,
            "key_sha256": self.key_id,
        }


def backup(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The sealed file to write.", show_default=False)],
    *,
    by: OfficersOption,
    passphrase_file: FilesOption = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Seal all key files with their certificates, so that any two of the named officers open it, and no one alone.

    Each officer types a passphrase of 12 characters or more. Keys in a token are not in it: they never leave the token.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    kept = _kept(office.settings)
    names = [one.name for one in kept]
    mandate = office.mandate("key-export", {"keys": [one.key_id for one in kept], "by": sorted(by), "name": to.name})
    confirm_overwrite(to, yes=yes)
    about = {"member": str(office.settings.member), "made": when(now_utc()), "keys": ", ".join(names)}
    content = json.dumps([one.value() for one in kept]).encode()
    sealed = seal_for_two(content, _passphrases(by, passphrase_file, twice=True), about)
    write_octets(to, sealed, mode=0o600)
    digest = sha256(sealed).hexdigest()
    number = office.enter_act(
        "keys-backed-up", {"keys": [one.key_id for one in kept], "by": sorted(by), "sha256": digest}, mandate
    )
    output.result(
        {"file": str(to), "keys": names, "by": sorted(by), "sha256": digest, "record": number},
        Text.assemble(good("Sealed "), f"{counted(len(kept), 'key')} in {to}, record {number}"),
    )
    if any(key.in_token for key in office.all_keys()):
        output.remark("The keys in the token are not in it; the token's maker says how a second token is made.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `adapter keys backup` wrote.", show_default=False)],
    *,
    by: OfficersOption,
    passphrase_file: FilesOption = None,
    officer: OfficerOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Put the keys of a backup back, by two of its officers. What is there is never overwritten.

    They are encrypted anew with the passphrase file of the settings. A key that the record calls retired, revoked or
    destroyed stays away.
    """
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    octets = read_octets(file, what="backup", max_bytes=MAX_SEALED_BYTES)
    about, _ = read_about(octets)
    if about.get("member") != str(settings.member):
        raise CommandRefused(f"{file} is of {about.get('member')}, and this adapter is {settings.member}'s")
    kept = _read(open_by_two(octets, _passphrases(by, passphrase_file, twice=False)))
    lives = KeyOffice(settings, Asking(officer=officer)).lives
    over = [one.name for one in kept if one.key_id in lives and lives[one.key_id].state in OVER]
    folder = settings.adapter.keys_dir
    make_folder(folder, mode=0o700)
    restored = [one for one in kept if one.name not in over and not (folder / f"{one.name}.key").exists()]
    for one in restored:
        _put_back(one, settings)
    office = KeyOffice(settings, Asking(officer=officer))  # the record's key may be among what came back
    details = {"keys": [one.key_id for one in restored], "by": sorted(by), "sha256": sha256(octets).hexdigest()}
    number = office.enter_act("keys-restored", details, office.plain_mandate()) if office.has_record else None
    left = [one.name for one in kept if one not in restored]
    output.result(
        {"restored": [one.name for one in restored], "left": left, "record": number},
        *(Text.assemble(good("Restored "), one.name) for one in restored),
        *(Text(f"Left as it is: {name}") for name in left),
    )


def _kept(settings: Settings) -> list[_Kept]:
    """Every key file that can be read. Raises KeyUnusable: one cannot; a backup that lacks one is worse than none."""
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    found = []
    for purpose in _KEPT:
        for path in key_paths(folder, purpose.value):
            key = load_private_key(path, purpose, passphrase_file=passphrase_file)
            private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            beside = path.with_suffix(".pem")
            certificate = (
                read_octets(beside, what="certificate", max_bytes=_MAX_CERTIFICATE_BYTES) if beside.exists() else None
            )
            found.append(
                _Kept(
                    name=path.stem,
                    purpose=purpose.value,
                    private=private,
                    certificate=certificate,
                    key_id=key_id(key.public_key()),
                )
            )
    archive = folder / ARCHIVE_KEY_FILE
    if archive.exists():
        octets = load_archive_key(archive)
        name = archive.stem
        found.append(_Kept(name=name, purpose=name, private=octets, certificate=None, key_id=f"{name} key"))
    return found


def _read(content: bytes) -> list[_Kept]:
    """Verified by its seal; the form is still checked. Raises CommandRefused."""
    try:
        return [
            _Kept(
                name=_safe_name(one["name"]),
                purpose=one["purpose"],
                private=base64.b64decode(one["private"]),
                certificate=None if one["certificate"] is None else base64.b64decode(one["certificate"]),
                key_id=one["key_sha256"],
            )
            for one in json.loads(content)
        ]
    except (ValueError, KeyError, TypeError):
        raise CommandRefused("the backup holds something else than keys") from None


def _safe_name(name: str) -> str:
    if Path(name).name != name or name.startswith("."):
        raise ValueError(name)
    return name


def _put_back(one: _Kept, settings: Settings) -> None:
    """The key first, as with an import. Raises KeyUnusable, CommandRefused."""
    path = settings.adapter.keys_dir / f"{one.name}.key"
    if path.name == ARCHIVE_KEY_FILE:
        write_secret(path, one.private)
        return
    try:
        key = load_der_private_key(one.private, None)
        purpose = KeyPurpose(one.purpose)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CommandRefused(f"the backup's {one.name} is not a key") from None
    save_private_key(path, key, purpose, passphrase_file=settings.adapter.passphrase_file)
    if one.certificate is not None and not path.with_suffix(".pem").exists():
        write_octets(path.with_suffix(".pem"), one.certificate)


def _passphrases(by: list[str], files: list[Path] | None, *, twice: bool) -> dict[str, bytes]:
    """Each officer's, from a file, or typed by that officer; typed twice where nobody would notice a slip."""
    if len(set(by)) != len(by):
        raise CommandRefused("an officer is named twice")
    if files is None:
        return {name: ask_passphrase(f"passphrase of {name}", twice=twice) for name in by}
    if len(files) != len(by):
        raise CommandRefused("--passphrase-file is given once for each officer, in the same order")
    return {name: read_passphrase(path) for name, path in zip(by, files, strict=True)}

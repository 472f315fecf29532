"""`adapter keys import-p12`: a key that was made elsewhere, with its certificate, checked before it is kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from rich.text import Text

from adapter.cli.directory_source import own_directory
from adapter.cli.files import make_folder, read_octets, write_octets
from adapter.cli.key_files import key_path
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from
from adapter.cli.output import Output, good, when
from adapter.crypto.certificates import Purpose, check_chain, sha256
from adapter.crypto.keys import AGREEMENT_PURPOSES, FileDecryptionKey, FileSigningKey
from adapter.crypto.suites import suite_of_agreement_key, suite_of_signing_key
from adapter.directory.model import Directory
from adapter.errors import CommandRefused, KeyUnusable, SecurityFailed
from adapter.identifiers import MemberId
from adapter.settings import Settings
from adapter.store.keyfiles import PROMPT, KeyPurpose, read_passphrase, save_private_key
from adapter.store.pkcs12 import HandedOver, read_pkcs12

_MAX_BYTES: Final = 256 * 1024


class ImportedPurpose(StrEnum):
    """What an imported key is for."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    TLS = "tls"


EPILOG: Final = "adapter keys import-p12 signing.p12 --purpose signing --name 2027"


def import_p12(
    file: Annotated[Path, typer.Argument(help="The PKCS #12 file (.p12, .pfx).", show_default=False)],
    *,
    purpose: Annotated[ImportedPurpose, typer.Option(help="What the key is for.", show_default=False)],
    name: Annotated[str, typer.Option(help="Which key of that purpose: 2027, say.", show_default=False)] = "",
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="File with the passphrase of the PKCS #12 file.", show_default="asked for"),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Take a key and its certificate out of a PKCS #12 file; kept as encrypted PKCS #8, never in the clear.

    Checked first: that the certificate is for the key, for this purpose, issued by a CA of the directory and valid now,
    and this member's.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    if settings.adapter.passphrase_file is None:
        raise CommandRefused("the settings name no passphrase_file, and a key from elsewhere is only kept encrypted")
    octets = read_octets(file, what="PKCS #12 file", max_bytes=_MAX_BYTES)
    passphrase = read_passphrase(passphrase_file or PROMPT, what="passphrase of the PKCS #12 file")
    held = read_pkcs12(octets, passphrase)
    check_imported(held, KeyPurpose(purpose.value), settings.member, own_directory(settings), now_utc())
    path = _keep(held, settings, KeyPurpose(purpose.value), name)
    until = when(held.certificate.not_valid_after_utc)
    output.result(
        {"purpose": purpose.value, "file": str(path), "expires": until},
        Text.assemble(good("Imported "), f"as {path}, for {purpose.value}, certificate valid until {until}"),
    )
    output.remark(
        f"Next: `adapter registration`, so that the authority registers the certificate. Then destroy {file}: "
        "whoever has it and its passphrase has the key."
    )


def check_imported(
    held: HandedOver, purpose: KeyPurpose, member: MemberId, directory: Directory, now: datetime
) -> None:
    """The numbered checks of a key from elsewhere that fits its certificate. Raises KeyUnusable."""
    certificate = held.certificate
    try:
        # 1. Key and certificate are for this purpose and for no other, of a suite of the table.
        use = _use_of(held.private_key, certificate, purpose)
        # 2. A CA of the directory issued it, and every certificate of the chain is valid now.
        cas = directory.tls_cas if purpose is KeyPurpose.TLS else directory.signing_cas
        check_chain(certificate, cas, now, use)
    except SecurityFailed as cause:
        raise KeyUnusable(f"the certificate in the PKCS #12 file: {cause.reason}") from None
    # 3. It is this member's: registered so, or by the name that the profile in keys/ gives it.
    _check_member(certificate, member, directory)


def _use_of(key: PrivateKeyTypes, certificate: x509.Certificate, purpose: KeyPurpose) -> Purpose:
    """Raises KeyUnusable, SecurityFailed: the key does not fit the purpose."""
    if purpose is KeyPurpose.SIGNING:
        FileSigningKey(key, certificate, suite_of_signing_key(key.public_key()).name)
        return Purpose.SIGNING
    if purpose is KeyPurpose.AGREEMENT:
        row = suite_of_agreement_key(key.public_key())
        FileDecryptionKey(key, certificate, row.name)
        return AGREEMENT_PURPOSES[row.agreement_usage]
    return Purpose.TLS


def _check_member(certificate: x509.Certificate, member: MemberId, directory: Directory) -> None:
    fingerprint = sha256(certificate)
    for other in directory.members.values():
        known = (*other.signing, *other.agreement, *other.adapter.tls_certificates)
        if any(one.sha256 == fingerprint for one in known):
            if other.id == member:
                return
            raise KeyUnusable(f"the directory has this certificate as one of {other.id}, not of {member}")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(str(name.value).split(" ")[0] == str(member) for name in names):
        raise KeyUnusable(f"the certificate does not name {member}: its common name begins with another member's id")


def _keep(held: HandedOver, settings: Settings, purpose: KeyPurpose, name: str) -> Path:
    """The key first: a certificate without one would be taken for an accident. Raises CommandRefused, KeyUnusable."""
    folder = settings.adapter.keys_dir
    make_folder(folder, mode=0o700)
    path = key_path(folder, purpose.value, name)
    beside = path.with_suffix(".pem")
    if beside.exists():
        raise CommandRefused(f"{beside} exists already; --name makes another key beside it")
    save_private_key(path, held.private_key, purpose, passphrase_file=settings.adapter.passphrase_file)
    chain = (held.certificate, *held.others)
    write_octets(beside, b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    return path

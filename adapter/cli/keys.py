"""`adapter keys`: the private keys of this adapter and their certificates."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import RenderableType
from rich.text import Text

from adapter.cli.files import confirm_overwrite, make_folder, read_octets, write_octets
from adapter.cli.key_files import CERTIFIED, KeyFile, KeyState, create_key, fits, key_path, key_paths
from adapter.cli.key_import import EPILOG, import_p12
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    Suite,
    YesOption,
    now_utc,
    settings_from,
)
from adapter.cli.output import JsonValue, Output, bad, doubtful, good, table_of, when
from adapter.cli.own_record import ARCHIVE_KEY_FILE, record_signer
from adapter.cli.token_keys import survey_all
from adapter.contracts import read_contract
from adapter.crypto.certificates import UNREADABLE
from adapter.crypto.requests import RequestProfile, build_request
from adapter.errors import CommandRefused
from adapter.settings import Settings
from adapter.store.keyfiles import KeyPurpose, load_private_key

_MAX_CERTIFICATE_BYTES = 64 * 1024

app = typer.Typer(
    help="The adapter's keys: signing, agreement and TLS with certificates, record and archive without.",
    no_args_is_help=True,
)


class Purpose(StrEnum):
    """What a key is for."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    TLS = "tls"
    RECORD = "record"
    ARCHIVE = "archive"


class CertifiedPurpose(StrEnum):
    """What a key with a certificate is for."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    TLS = "tls"


NameOption = Annotated[
    str,
    typer.Option("--name", help="Which key of that purpose, when there are several: 2027, say.", show_default=False),
]


@app.command(epilog="adapter keys create --purpose signing --purpose agreement --name 2027 --suite p256")
def create(
    *,
    purpose: Annotated[
        list[Purpose] | None, typer.Option(help="What for; may be repeated.", show_default="every one that is missing")
    ] = None,
    suite: Annotated[Suite, typer.Option(help="Suite of signing and agreement keys.")] = Suite.P256,
    name: NameOption = "",
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Make keys. An existing key is never overwritten; a passphrase file is named in the settings."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    folder = settings.adapter.keys_dir
    wanted = purpose or [one for one in Purpose if not key_path(folder, one, name).exists()]
    paths = create_keys(folder, wanted, suite, name=name, passphrase_file=settings.adapter.passphrase_file)
    output.result([str(path) for path in paths], *(Text(f"Made {path}") for path in paths))
    if not paths:
        output.remark("Every key is there already; --name makes another one beside it.")
    elif any(one.value in {certified.value for certified in CertifiedPurpose} for one in wanted):
        output.remark("Next: `adapter keys csr PURPOSE`, send it to the CA, then `adapter keys import CERTIFICATE`.")


def create_keys(
    folder: Path, purposes: Sequence[Purpose], suite: Suite, *, name: str, passphrase_file: Path | None
) -> list[Path]:
    """Make the folder (0700) and these keys (0600). Raises KeyUnusable, CommandRefused."""
    make_folder(folder, mode=0o700)
    paths = []
    for purpose in purposes:
        archive = purpose is Purpose.ARCHIVE
        path = folder / ARCHIVE_KEY_FILE if archive else key_path(folder, purpose, name)
        create_key(path, None if archive else KeyPurpose(purpose.value), suite.value, passphrase_file=passphrase_file)
        paths.append(path)
    return paths


@app.command("list", epilog="adapter keys list --json")
def list_keys(settings_file: SettingsOption = DEFAULT_SETTINGS, *, as_json: JsonOption = False) -> None:
    """List the keys with suite, certificate, expiry, fingerprint and state."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    keys = survey_all(settings, now_utc())
    table = table_of(("File", "Purpose", "Suite", "Subject", "Expires", "Fingerprint", "State"), map(_row, keys))
    output.result([_value(key) for key in keys], table if keys else Text("No keys. `adapter keys create` makes them."))
    if any(key.purpose == "record" and key.state is KeyState.READY for key in keys) and not as_json:
        output.remark(
            f"Verifier key of the record, for those who keep its checkpoints:\n{record_signer(settings).vkey}"
        )


@app.command(epilog="adapter keys csr tls --organisation 'Ministry of Justice' --host adapter.example.uz -o tls.csr")
def csr(
    purpose: Annotated[CertifiedPurpose, typer.Argument(help="Which key.", show_default=False)],
    *,
    organisation: Annotated[str, typer.Option(help="Name of the organisation, for the subject.", show_default=False)],
    host: Annotated[list[str] | None, typer.Option(help="DNS name of the peer listener (TLS).")] = None,
    name: NameOption = "",
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
) -> None:
    """Write a certificate request by the profile in keys/: PKCS #10, or a signed note for an X25519 key.

    The certificate authority that the directory names decides what it issues.
    """
    output = Output.of()
    settings = settings_from(settings_file)
    path = key_path(settings.adapter.keys_dir, purpose, name)
    key = load_private_key(path, KeyPurpose(purpose.value), passphrase_file=settings.adapter.passphrase_file)
    request = _request(settings, key, purpose, organisation, tuple(host or ()))
    if to is None:
        output.results.file.write(request.decode())
        return
    confirm_overwrite(to, yes=yes)
    write_octets(to, request)
    output.remark(f"Written to {to}; send it to the certificate authority that the directory names.")


def _request(
    settings: Settings, key: PrivateKeyTypes, purpose: CertifiedPurpose, organisation: str, hosts: tuple[str, ...]
) -> bytes:
    return build_request(
        RequestProfile.parse(read_contract(f"keys/{purpose.value}.toml").decode()),
        private_key=key,
        member=settings.member,
        organisation=organisation,
        hosts=hosts,
        vouching_key=_vouching_key(settings) if isinstance(key, x25519.X25519PrivateKey) else None,
    )


def _vouching_key(settings: Settings) -> ed25519.Ed25519PrivateKey | None:
    """The signing key that stands up for a key that cannot sign."""
    for path in reversed(key_paths(settings.adapter.keys_dir, KeyPurpose.SIGNING.value)):
        key = load_private_key(path, KeyPurpose.SIGNING, passphrase_file=settings.adapter.passphrase_file)
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key
    return None


@app.command("import", epilog="adapter keys import signing.pem")
def import_certificate(
    file: Annotated[Path, typer.Argument(help="The certificate (PEM), with or without its chain.", show_default=False)],
    *,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a certificate beside the key that it is for; which one that is, is found out."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    octets = read_octets(file, what="certificate", max_bytes=_MAX_CERTIFICATE_BYTES)
    chain = _read_chain(octets, file)
    path, purpose = _key_for(chain[0], settings)
    beside = path.with_suffix(".pem")
    confirm_overwrite(beside, yes=yes)
    write_octets(beside, b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain))
    expires = chain[0].not_valid_after_utc
    output.result(
        {"purpose": purpose.value, "file": str(beside), "expires": when(expires)},
        Text.assemble(good("Imported "), f"as {beside}, for {purpose.value}, valid until {when(expires)}"),
    )
    output.remark("Next: `adapter registration`, so that the authority registers the certificate in the directory.")


def _read_chain(octets: bytes, file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(octets)
    except UNREADABLE:
        raise CommandRefused(f"{file} holds no certificate in PEM") from None


def _key_for(certificate: x509.Certificate, settings: Settings) -> tuple[Path, KeyPurpose]:
    """The key file that the certificate is for. Raises CommandRefused, KeyUnusable."""
    folder = settings.adapter.keys_dir
    for purpose in CERTIFIED:
        for path in key_paths(folder, purpose.value):
            key = load_private_key(path, purpose, passphrase_file=settings.adapter.passphrase_file)
            if fits(key, certificate):
                return path, purpose
    raise CommandRefused(f"the certificate is for none of the keys in {folder}")


app.command("import-p12", epilog=EPILOG)(import_p12)


def _row(key: KeyFile) -> tuple[RenderableType, ...]:
    certificate = key.certificate
    return (
        key.name,
        key.purpose,
        key.suite,
        "" if certificate is None else certificate.subject.rfc4514_string(),
        "" if certificate is None else when(certificate.not_valid_after_utc),
        key.fingerprint,
        _state_words(key),
    )


def _state_words(key: KeyFile) -> Text:
    match key.state:
        case KeyState.READY:
            return good(key.state.value)
        case KeyState.UNUSABLE:
            return bad(key.reason)
        case KeyState.EXPIRED:
            return bad(key.state.value)
        case _:
            return doubtful(key.state.value)


def _value(key: KeyFile) -> JsonValue:
    certificate = key.certificate
    return {
        "file": str(key.path),
        "token": key.in_token or None,
        "purpose": key.purpose,
        "suite": key.suite or None,
        "subject": None if certificate is None else certificate.subject.rfc4514_string(),
        "issuer": None if certificate is None else certificate.issuer.rfc4514_string(),
        "expires": None if certificate is None else when(certificate.not_valid_after_utc),
        "sha256": key.fingerprint or None,
        "state": key.state.value,
        "problem": key.reason or None,
    }

"""`adapter keys import` and `adapter keys export`: certificates that come, and public parts that go out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.text import Text

from adapter.audit.key_life import LifeState
from adapter.cli.approval_gate import NOBODY, Asking, OfficerKeyOption, OfficerOption
from adapter.cli.directory_source import own_directory
from adapter.cli.files import confirm_overwrite, read_octets, write_octets
from adapter.cli.key_files import CERTIFIED, KeyFile, KeyState
from adapter.cli.key_import import check_certificate
from adapter.cli.key_life import KeyArgument
from adapter.cli.key_office import KeyOffice
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, now_utc
from adapter.cli.output import Output, doubtful, good, when
from adapter.crypto.certificates import MAX_CHAIN, UNREADABLE, public_key
from adapter.crypto.keys import key_id
from adapter.directory.model import Directory
from adapter.errors import AdapterError, CommandRefused, KeyUnusable, SecurityFailed
from adapter.settings import Settings
from adapter.store.keyfiles import KeyPurpose, load_certificate

_MAX_CERTIFICATE_BYTES = 64 * 1024
_MAY_GET_ONE = frozenset({LifeState.MADE, LifeState.REQUESTED, LifeState.CERTIFIED})


def import_certificate(
    file: Annotated[Path, typer.Argument(help="The certificate (PEM), with or without its chain.", show_default=False)],
    *,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a certificate beside the key that it is for, in a file or in the token; which one that is, is found out.

    Checked first: that it is for one of our keys, for this purpose, issued by a CA of the directory and valid now, and
    this member's.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    octets = read_octets(file, what="certificate", max_bytes=_MAX_CERTIFICATE_BYTES)
    chain = _read_chain(octets, str(file))
    key = _key_for(chain[0], office)
    directory = _directory_if_any(office.settings, output)
    _check_state(office, key, chain[0], directory)
    check_certificate(chain[0], KeyPurpose(key.purpose), office.settings.member, directory, now_utc())
    beside = key.path.with_suffix(".pem")
    confirm_overwrite(beside, yes=yes)
    _keep(office, key, chain, directory)
    expires = chain[0].not_valid_after_utc
    output.result(
        {"purpose": key.purpose, "file": str(beside), "expires": when(expires)},
        Text.assemble(good("Imported "), f"as {beside}, for {key.purpose}, valid until {when(expires)}"),
    )
    output.remark("Next: `adapter registration`, so that the authority registers the certificate in the directory.")


def take_issued(
    office: KeyOffice, key: KeyFile, octets: bytes, directory: Directory, hosts: frozenset[str]
) -> x509.Certificate:
    """Keep what a CA sent for our order (untrusted), by the checks of `import`; gives the certificate.

    hosts: that were ordered. Raises KeyUnusable, CommandRefused: nothing was kept.
    """
    chain = _read_chain(octets, "what the CA sent")
    if len(chain) > MAX_CHAIN:
        raise CommandRefused(f"the CA sent {len(chain)} certificates; a chain has {MAX_CHAIN} at most")
    if not key.key_id or key_id(public_key(chain[0])) != key.key_id:
        raise KeyUnusable(f"the certificate that the CA sent is for another key than {key.title}")
    purpose, member = KeyPurpose(key.purpose), office.settings.member
    check_certificate(chain[0], purpose, member, directory, now_utc(), ordered_for=hosts)
    _keep(office, key, chain, directory)
    return chain[0]


def _keep(office: KeyOffice, key: KeyFile, chain: list[x509.Certificate], directory: Directory | None) -> None:
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
    write_octets(key.path.with_suffix(".pem"), pem)
    _enter_certified(office, key, chain[0], directory)


def _read_chain(octets: bytes, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(octets)
    except UNREADABLE:
        raise CommandRefused(f"{what} holds no certificate in PEM") from None


def _key_for(certificate: x509.Certificate, office: KeyOffice) -> KeyFile:
    """The key that the certificate is for. Raises CommandRefused, KeyUnusable."""
    try:
        wanted = key_id(public_key(certificate))
    except SecurityFailed as cause:
        raise KeyUnusable(cause.reason) from None
    keys = office.all_keys()
    certified = {purpose.value for purpose in CERTIFIED}
    for key in keys:
        if key.purpose in certified and key.key_id == wanted:
            return key
    unreadable = [key for key in keys if key.state is KeyState.UNUSABLE and not key.key_id]
    if unreadable:
        raise KeyUnusable(unreadable[0].reason)
    raise CommandRefused(f"the certificate is for none of the keys in {office.settings.adapter.keys_dir}")


def _directory_if_any(settings: Settings, output: Output) -> Directory | None:
    """The directory whose CAs count. While there is none, that is said, and the running adapter's peers will check."""
    try:
        return own_directory(settings)
    except AdapterError as cause:
        output.remark(doubtful(f"Who issued it could not be checked, there is no directory yet: {cause.reason}"))
        return None


def _check_state(office: KeyOffice, key: KeyFile, certificate: x509.Certificate, directory: Directory | None) -> None:
    """A key that peers know keeps its certificate: a new one would be refused by all who have not heard of it."""
    state = office.state(key, directory)
    if key.is_over:
        raise CommandRefused(
            f"{key.title} is {state.value} and takes no certificate any more: "
            f"`adapter keys rotate {key.purpose} --name NEW` makes another key"
        )
    beside = key.path.with_suffix(".pem")
    if state in _MAY_GET_ONE or (beside.exists() and load_certificate(beside) == certificate):
        return
    raise CommandRefused(
        f"{key.title} is {state.value} with another certificate, by which peers know it; a new certificate is for a "
        f"new key: `adapter keys rotate {key.purpose} --name NEW`"
    )


def _enter_certified(
    office: KeyOffice, key: KeyFile, certificate: x509.Certificate, directory: Directory | None
) -> None:
    if not office.has_record or office.state(key, directory) not in _MAY_GET_ONE:
        return
    found = office.find(key.title)
    step = office.step(
        key,
        LifeState.CERTIFIED,
        certificate=found.fingerprint,
        serial=f"{certificate.serial_number:x}",
        until=when(certificate.not_valid_after_utc),
    )
    office.enter(step, mandate=office.plain_mandate())


def export(
    key: KeyArgument,
    *,
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
) -> None:
    """Write the certificate of a key with its chain. Public; a private key leaves only by `adapter keys backup`."""
    output, office = Output.of(), KeyOffice.of(settings_file, NOBODY)
    chosen = office.find(key)
    beside = chosen.path.with_suffix(".pem")
    if chosen.certificate is None:
        raise CommandRefused(f"{chosen.title} has no certificate that fits it; `adapter keys csr` asks for one")
    octets = read_octets(beside, what="certificate", max_bytes=_MAX_CERTIFICATE_BYTES)
    if to is None:
        output.results.file.write(octets.decode())
        return
    confirm_overwrite(to, yes=yes)
    write_octets(to, octets)
    output.remark(f"Written to {to}.")

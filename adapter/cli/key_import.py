"""`adapter keys import-p12`: a key that was made elsewhere, with its certificate, checked before it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rich.text import Text

from adapter.audit.key_life import LifeState, check_step
from adapter.cli.approval_gate import Asking, OfficerKeyOption, OfficerOption
from adapter.cli.directory_source import own_directory
from adapter.cli.files import make_folder, read_octets, write_octets
from adapter.cli.key_files import key_path
from adapter.cli.key_office import KeyOffice
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from
from adapter.cli.output import Output, good, when
from adapter.crypto.certificates import (
    UNREADABLE,
    Purpose,
    check_chain,
    check_purpose,
    extended_key_usage,
    public_key,
    sha256,
)
from adapter.crypto.keys import AGREEMENT_PURPOSES, key_id
from adapter.crypto.suites import suite_of_agreement_key, suite_of_signing_key
from adapter.directory.model import Directory
from adapter.errors import CommandRefused, KeyUnusable, SecurityFailed
from adapter.identifiers import MemberId
from adapter.settings import Settings
from adapter.store.keyfiles import PROMPT, KeyPurpose, read_passphrase, save_private_key
from adapter.store.pkcs12 import HandedOver, read_pkcs12

_MAX_BYTES: Final = 256 * 1024
_BOTH_WAYS: Final = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH})


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
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
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
    check_certificate(held.certificate, KeyPurpose(purpose.value), settings.member, own_directory(settings), now_utc())
    office = KeyOffice(settings, Asking(officer=officer, key=officer_key))
    known = office.lives.get(key_id(public_key(held.certificate)))
    if known is not None:  # before anything is kept: one that was revoked does not come back by another way
        check_step(known.facts, known.state, LifeState.CERTIFIED)
    certificate = sha256(held.certificate).hex()
    what = {"purpose": purpose.value, "name": name, "certificate": certificate}
    mandate = office.mandate("key-create", what)
    path = _keep(held, settings, KeyPurpose(purpose.value), name)
    if office.has_record:
        step = office.step(office.find(path.stem), LifeState.CERTIFIED, certificate=certificate, source="PKCS #12")
        office.enter(replace(step, inferred=None), mandate=mandate)
    until = when(held.certificate.not_valid_after_utc)
    output.result(
        {"purpose": purpose.value, "file": str(path), "expires": until},
        Text.assemble(good("Imported "), f"as {path}, for {purpose.value}, certificate valid until {until}"),
    )
    output.remark(
        f"Next: `adapter registration`, so that the authority registers the certificate. Then destroy {file}: "
        "whoever has it and its passphrase has the key."
    )


def check_certificate(
    certificate: x509.Certificate,
    purpose: KeyPurpose,
    member: MemberId,
    directory: Directory | None,
    now: datetime,
    *,
    ordered_for: frozenset[str] = frozenset(),
) -> None:
    """The numbered checks of a certificate that fits its key. Raises KeyUnusable with a sentence for each.

    directory: None while this adapter has none; then no CA is known, and the second check is of the time alone.
    ordered_for: the hosts of our own order, where a CA knows hosts and no members (ACME); it must name exactly these.
    """
    try:
        # 1. It is for this purpose and for no other, of a suite of the table.
        use = _use_of(certificate, purpose)
        check_purpose(certificate, use)
        # 2. A CA of the directory issued it, and every certificate of the chain is valid now.
        if directory is None:
            _check_time(certificate, now)
        else:
            cas = directory.tls_cas if purpose is KeyPurpose.TLS else directory.signing_cas
            check_chain(certificate, cas, now, use)
    except SecurityFailed as cause:
        raise KeyUnusable(f"the certificate: {cause.reason}") from None
    # 3. It can be shown both ways: by who is called and by who calls.
    if purpose is KeyPurpose.TLS:
        _check_both_ways(certificate)
    # 4. It is this member's: registered so, by the name that the profile in keys/ gives it, or by our own order.
    _check_member(certificate, member, directory, ordered_for)


def _use_of(certificate: x509.Certificate, purpose: KeyPurpose) -> Purpose:
    """Raises SecurityFailed: the key is of no suite."""
    if purpose is KeyPurpose.SIGNING:
        suite_of_signing_key(public_key(certificate))
        return Purpose.SIGNING
    if purpose is KeyPurpose.AGREEMENT:
        return AGREEMENT_PURPOSES[suite_of_agreement_key(public_key(certificate)).agreement_usage]
    return Purpose.TLS


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SecurityFailed("it is not valid now")


def _check_both_ways(certificate: x509.Certificate) -> None:
    """OpenSSL lets nobody in who shows a certificate for servers only (RFC 5280, 4.2.1.12)."""
    usage = extended_key_usage(certificate)
    if usage and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in usage and not usage >= _BOTH_WAYS:
        raise KeyUnusable(
            "the certificate is not for servers and clients both, and an adapter shows it as either: its extended key "
            "usage has to name both"
        )


def hosts_of(certificate: x509.Certificate) -> frozenset[str]:
    """The names and addresses of its subjectAltName. Raises KeyUnusable: there are others, or it cannot be read."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = frozenset(str(name.value).lower() for name in names if isinstance(name, x509.DNSName | x509.IPAddress))
    except (x509.ExtensionNotFound, *UNREADABLE):
        raise KeyUnusable("the certificate names no host") from None
    if len(hosts) != len(names):
        raise KeyUnusable("the certificate names something else than hosts")
    return hosts


def _check_member(
    certificate: x509.Certificate, member: MemberId, directory: Directory | None, ordered_for: frozenset[str]
) -> None:
    fingerprint = sha256(certificate)
    for other in () if directory is None else directory.members.values():
        known = (*other.signing, *other.agreement, *other.adapter.tls_certificates)
        if any(one.sha256 == fingerprint for one in known):
            if other.id == member:
                return
            raise KeyUnusable(f"the directory has this certificate as one of {other.id}, not of {member}")
    names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if ordered_for:
        if hosts_of(certificate) != ordered_for:
            raise KeyUnusable("the certificate is for other hosts than those that were ordered")
        names = [name for name in names if name.lower() not in ordered_for]
        if not names:
            return
    if not any(name.split(" ")[0] == str(member) for name in names):
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

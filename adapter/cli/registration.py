"""`adapter registration`: what an agency hands to the authority, to be entered in the directory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
from rich.text import Text

from adapter.app.key_keeper import LOADED_WITHIN_S
from adapter.app.provided import load_service, service_folders
from adapter.audit.key_life import LifeState
from adapter.cli.files import confirm_overwrite, write_octets
from adapter.cli.key_files import KeyFile, KeyState
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, now_utc, settings_from
from adapter.cli.output import Output, counted, good, when
from adapter.cli.own_record import record_signer
from adapter.cli.token_keys import survey_all
from adapter.directory.model import (
    AdapterEntry,
    Directory,
    DirectoryService,
    Member,
    RegisteredCertificate,
    Registration,
)
from adapter.directory.rendering import render_registration
from adapter.envelope.description import make_bundle
from adapter.errors import CommandRefused, KeyUnusable
from adapter.settings import Settings

LANGUAGES: Final = ("en", "ru", "uz", "uz-Cyrl")
_USABLE: Final = frozenset({KeyState.READY, KeyState.EXPIRES_SOON, KeyState.NOT_YET})
_ONE_AT_A_TIME: Final = frozenset({"signing", "tls"})
"""Purposes of which an adapter uses one key of those that it has: the one that was activated last."""

app = typer.Typer()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Certificates:
    """The certificates that are registered, by use."""

    signing: tuple[RegisteredCertificate, ...]
    agreement: tuple[RegisteredCertificate, ...]
    tls: tuple[RegisteredCertificate, ...]


@app.command(
    epilog="adapter registration --name 'en=Population register' --name 'uz=Aholi reyestri' --stir 200000001 "
    "--address https://adapter.example.uz:8443 -o registration/"
)
def registration(
    *,
    name: Annotated[
        list[str],
        typer.Option(metavar="LANGUAGE=NAME", help="Name in en, ru, uz or uz-Cyrl; one each.", show_default=False),
    ],
    stir: Annotated[str, typer.Option(help="The organisation's STIR, 9 digits.", show_default=False)],
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where other adapters reach the peer listener.", show_default=False)
    ],
    subsystem: Annotated[
        list[str] | None, typer.Option(help="A subsystem that neither provides nor calls yet; may be repeated.")
    ] = None,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.")] = Path("registration"),
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write registration.xml and the bundles of the services' descriptions, for the authority.

    It holds public things only: names, address, certificates, services, the record's verifier key. After an agreement
    key was certified, or another key activated, it waits some seconds: until the running workers can open what is
    encrypted to the one, and use the other.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    _check_address(address)
    services, bundles = _services(settings)
    known = {service.service.subsystem.code for service in services}
    known |= {client.subsystem.code for client in settings.client} | set(subsystem or ())
    keys = survey_all(settings, now_utc())
    certificates = _certificates(keys)
    wait_for_workers(keys, output)
    member = Member(
        id=settings.member,
        names=_names(name),
        stir=stir,
        suite=certificates.signing[-1].suite,
        adapter=AdapterEntry(address=address, tls_certificates=certificates.tls),
        signing=certificates.signing,
        agreement=certificates.agreement,
        subsystems=frozenset(known),
        record_vkey=record_signer(settings).vkey,
    )
    file = to / "registration.xml"
    confirm_overwrite(file, yes=yes)
    write_octets(file, render_registration(Registration(member=member, services=services)))
    for digest, bundle in bundles.items():
        write_octets(to / "descriptions" / f"{digest}.zip", bundle)
    output.result(
        {
            "file": str(file),
            "member": str(member.id),
            "suite": member.suite,
            "subsystems": sorted(known),
            "services": [str(service.service) for service in services],
            "bundles": sorted(bundles),
        },
        Text.assemble(
            good("Written "),
            f"{file}: {member.id}, {counted(len(known), 'subsystem')}, {counted(len(services), 'service')}",
        ),
    )
    output.remark(f"Hand the folder {to} to the authority on a way by which it knows that it comes from you.")


def registration_with_tls(settings: Settings, directory: Directory) -> bytes | None:
    """What the directory says of this member, with the TLS certificates that it shall name now; None: it does already.

    Raises UnknownMember, KeyUnusable.
    """
    member = directory.member(settings.member)
    wanted = _registered(survey_all(settings, now_utc()), "tls")
    if {one.sha256 for one in wanted} == {one.sha256 for one in member.adapter.tls_certificates}:
        return None
    renewed = replace(member, adapter=replace(member.adapter, tls_certificates=wanted))
    services = tuple(one for one in directory.services.values() if one.service.subsystem.member == member.id)
    return render_registration(Registration(member=renewed, services=services))


def _names(texts: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for text in texts:
        language, equals, name = text.partition("=")
        if not equals or not name.strip() or language not in LANGUAGES:
            raise CommandRefused(f"a name is written LANGUAGE=NAME with one of {', '.join(LANGUAGES)}")
        names[language] = name.strip()
    return names


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise CommandRefused("--address is https://host:port of the peer listener, as other adapters reach it")


def _services(settings: Settings) -> tuple[tuple[DirectoryService, ...], dict[str, bytes]]:
    """The services provided and the bundles of their descriptions by SHA-256."""
    services, bundles = [], {}
    for folder in service_folders(settings.adapter.services_dir):
        said, description = load_service(folder)
        bundle = make_bundle(description)
        digest = hashlib.sha256(bundle).hexdigest()
        bundles[digest] = bundle
        services.append(
            DirectoryService(
                service=said.service_id(settings.member),
                titles={"en": said.title},
                personal_data=said.personal_data,
                description_sha256=digest,
            )
        )
    return tuple(services), bundles


def _certificates(keys: list[KeyFile]) -> _Certificates:
    """Every usable certificate of the keys folder; of each use there must be one. Raises KeyUnusable."""
    return _Certificates(
        signing=_registered(keys, "signing"), agreement=_registered(keys, "agreement"), tls=_registered(keys, "tls")
    )


def wait_for_workers(keys: list[KeyFile], output: Output) -> None:
    """Wait until each running worker does what peers expect of it as soon as they read what is written now.

    A peer encrypts to a new agreement key, and each worker must hold it by then; an adapter without any other agreement
    key answers nobody yet. And a peer refuses what a key that retires has signed, and who shows it: by then each worker
    must have gone over to the key that was activated, and what it sent before must have arrived.
    """
    agreement = [key for key in keys if key.purpose == "agreement" and key.certificate is not None]
    if len(agreement) > 1:
        _wait(_since(LifeState.CERTIFIED, agreement), "may not have the new agreement key yet", output)
    one_at_a_time = [key for key in keys if key.purpose in _ONE_AT_A_TIME]
    _wait(_since(LifeState.RETIRING, one_at_a_time), "may still use a key that retires", output)


def _since(state: LifeState, keys: list[KeyFile]) -> list[datetime]:
    """Since when those of the keys that are in this state are in it."""
    return [key.life.since for key in keys if key.life is not None and key.life.state is state]


def _wait(since: list[datetime], why: str, output: Output) -> None:
    """Until workers know of what was done last. A clock that was set back makes nobody wait longer."""
    if not since:
        return
    at = max(since) + timedelta(seconds=LOADED_WITHIN_S)
    left_s = (at - now_utc()).total_seconds()
    if left_s > 0:
        output.remark(f"Waiting until {when(at)}: running workers {why}.")
        sleep(min(left_s, LOADED_WITHIN_S))


def _is_leaving(key: KeyFile) -> bool:
    """Whether the directory shall name it no longer: another key has followed it, or it is not used any more."""
    return key.life is not None and (key.is_over or key.life.state is LifeState.RETIRING)


def _registered(keys: list[KeyFile], purpose: str) -> tuple[RegisteredCertificate, ...]:
    found = tuple(
        RegisteredCertificate.of(key.certificate, key.suite or "tls")
        for key in keys
        if key.purpose == purpose and key.state in _USABLE and key.certificate is not None and not _is_leaving(key)
    )
    if not found:
        raise KeyUnusable(
            f"there is no {purpose} key with a current certificate: `adapter keys csr {purpose}`, then `keys import`"
        )
    return found

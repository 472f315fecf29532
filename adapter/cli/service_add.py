"""`adapter service add`: a service from its WSDL, or a new contract of one that is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import requests
import typer
from rich.text import Text

from adapter.app.provided import DESCRIPTION_FOLDER, SETTINGS_FILE, load_service
from adapter.backends.usage import CODE as USAGE_CODE
from adapter.backends.usage import CONTRACT as USAGE_CONTRACT
from adapter.backends.usage import VERSION as USAGE_VERSION
from adapter.backends.usage import usage_description
from adapter.cli.files import confirm, make_folder, read_octets, write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, settings_from
from adapter.cli.output import Output, counted, good
from adapter.cli.service_changes import json_of_changes, words_of_changes
from adapter.cli.service_understood import json_of, words_of
from adapter.cli.toml_writing import toml_value
from adapter.cli.wsdl_download import Downloaded, Source, complete, download_description, host_of, is_web_address
from adapter.envelope.compatibility import compare
from adapter.envelope.compatibility_model import Change
from adapter.envelope.description import ServiceDescription, make_bundle
from adapter.envelope.description_bundle import unpack_bundle
from adapter.envelope.xroad import is_xroad
from adapter.errors import AdapterError, CommandRefused
from adapter.settings import load_service_settings

_MAX_CONFIG_BYTES: Final = 1024 * 1024
_USAGE_TITLE: Final = "Who got a person's data from here, and why"


class BuiltIn(StrEnum):
    """Services that the adapter answers by itself."""

    USAGE = "usage"


@dataclass(frozen=True, kw_only=True, slots=True)
class _NewService:
    """What a new service.toml says, as far as options say it."""

    subsystem: str
    code: str
    version: str
    title: str
    personal_data: bool
    soap: str
    is_xroad: bool

    @property
    def folder_name(self) -> str:
        """The service's folder below the services."""
        return f"{self.subsystem}.{self.code}.{self.version}"

    def toml(self, wsdl: str) -> bytes:
        backend = "soap" if self.soap else "usage"
        lines = [
            "# What each key means is said in docs/settings.md.",
            *(
                f"{key} = {toml_value(value)}"
                for key, value in (
                    ("subsystem", self.subsystem),
                    ("code", self.code),
                    ("version", self.version),
                    ("title", self.title),
                    ("wsdl", wsdl),
                    ("personal_data", self.personal_data),
                    ("backend", backend),
                )
            ),
            "",
            f"[{backend}]",
            *([f"address = {toml_value(self.soap)}"] if self.soap else []),
            *(['protocol = "xroad-4.0"'] if self.is_xroad else []),
            "",
        ]
        return "\n".join(lines).encode()


def add(
    wsdl: Annotated[
        str,
        typer.Argument(help="The WSDL: a file with what it imports, a folder, or its address.", show_default=False),
    ] = "",
    *,
    built_in: Annotated[
        BuiltIn | None,
        typer.Option(help="A service that the adapter answers by itself, instead of a WSDL; needs --subsystem."),
    ] = None,
    subsystem: Annotated[str, typer.Option(help="The subsystem that provides it.")] = "",
    code: Annotated[str, typer.Option(help="Code of the service.")] = "",
    version: Annotated[str, typer.Option(help="Version of the service.")] = "",
    title: Annotated[str, typer.Option(help="What it is for, for the directory.")] = "",
    personal_data: Annotated[
        bool, typer.Option(help="It transfers personal data: a legal basis and a subject are demanded.")
    ] = True,
    soap: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the information system takes SOAP requests.")
    ] = None,
    xroad: Annotated[
        bool, typer.Option("--xroad", help="The system was made for X-Road 4.0: tell it in X-Road's headers who asks.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            help="A service.toml written by hand (for SQL and Python backends); its keys win.", metavar="FILE"
        ),
    ] = None,
    entry: Annotated[str, typer.Option(metavar="NAME", help="Which WSDL of a folder to begin with.")] = "",
    allow_fetch: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Fetch from this host what is named by address; may be repeated."),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a service from its WSDL: say in words what was understood, ask, and write its folder.

    A service that is there is compared first: what changes, and which change breaks its consumers. Without --soap and
    --config its settings stay as they are. Nothing is fetched from a host that --allow-fetch does not name.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    if bool(wsdl) == (built_in is not None):
        raise CommandRefused("say what is added: either a WSDL or --built-in usage")
    new = _NewService(
        subsystem=subsystem,
        code=code,
        version=version,
        title=title or code,
        personal_data=personal_data,
        soap=soap or "",
        is_xroad=xroad,
    )
    if built_in is None:
        description = _described(wsdl, entry, frozenset(host.lower() for host in allow_fetch or ()), output)
        content = _settings_for(new, config, description, settings.adapter.services_dir)
    else:
        description, content = usage_description(), _of_usage(new, config)
    if not as_json:
        for part in words_of(description):
            output.remarks.print(part)
    installation = _Installation.of(settings.adapter.services_dir, content, description)
    changes = installation.changes(output)
    if not as_json and changes is not None:
        for part in words_of_changes(changes):
            output.remarks.print(part)
    installation.write(yes=yes, changes=changes)
    service = load_service_settings(installation.folder / SETTINGS_FILE).service_id(settings.member)
    output.result(
        {
            "service": str(service),
            "folder": str(installation.folder),
            "description": json_of(description),
            "changes": None if changes is None else json_of_changes(changes),
        },
        Text.assemble(good("Added "), f"{service} in {installation.folder}"),
    )
    if soap and not xroad and _declares_xroad(description):
        output.remark(
            'The WSDL declares X-Road\'s headers. For a system made for X-Road: protocol = "xroad-4.0" in [soap].'
        )
    output.remark("Next: `adapter registration` for the authority, `adapter access grant` for who may call it.")


def _of_usage(new: _NewService, config: Path | None) -> bytes:
    """What the service.toml of the built-in service is to say. Raises CommandRefused."""
    if new.soap or new.is_xroad or config is not None or not new.personal_data:
        raise CommandRefused("the adapter answers a built-in service by itself: it needs a subsystem, nothing else")
    if not new.subsystem:
        raise CommandRefused("with --built-in this is needed too: --subsystem")
    return replace(
        new, code=new.code or USAGE_CODE, version=new.version or USAGE_VERSION, title=new.title or _USAGE_TITLE
    ).toml(USAGE_CONTRACT)


def _declares_xroad(description: ServiceDescription) -> bool:
    headers = (header for operation in description.operations for header in operation.headers)
    return any(header.element is not None and is_xroad(header.element) for header in headers)


def _described(wsdl: str, entry: str, hosts: frozenset[str], output: Output) -> ServiceDescription:
    """The description in a file, a folder or at an address. Raises DescriptionUnusable, CommandRefused."""
    if is_web_address(wsdl) and host_of(wsdl) not in hosts:
        raise CommandRefused(f"{host_of(wsdl)} is not asked without --allow-fetch {host_of(wsdl)}")
    with requests.Session() as session:
        if is_web_address(wsdl):
            found = download_description(wsdl, session, hosts=hosts)
        else:
            found = complete(Source.at(Path(wsdl), entry), session, hosts=hosts)
    _say_what_was_fetched(found, output)
    return found.description()


def _say_what_was_fetched(found: Downloaded, output: Output) -> None:
    for address in found.fetched:
        output.remark(f"Fetched: {address}")
    for address in found.skipped:
        output.remark(
            f"Not fetched: {address}; --allow-fetch {host_of(address)} allows it, catalog.json can name a file"
        )


def _settings_for(new: _NewService, config: Path | None, description: ServiceDescription, services: Path) -> bytes:
    """What the service.toml is to say. Raises CommandRefused."""
    if new.soap and config is not None:
        raise CommandRefused("say where the answers come from: either --soap URL or --config service.toml")
    if config is not None:
        return read_octets(config, what="service settings", max_bytes=_MAX_CONFIG_BYTES)
    named = (("--subsystem", new.subsystem), ("--code", new.code), ("--version", new.version))
    missing = [option for option, value in named if not value]
    there = services / new.folder_name / SETTINGS_FILE
    if not new.soap and not missing and there.is_file():
        return read_octets(there, what="service settings", max_bytes=_MAX_CONFIG_BYTES)
    if not new.soap:
        raise CommandRefused("say where the answers come from: either --soap URL or --config service.toml")
    if missing:
        raise CommandRefused(f"with --soap these are needed too: {', '.join(missing)}")
    return new.toml(description.entry)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Installation:
    """What is to be written where. folder: the service's place, which may be taken."""

    folder: Path
    content: bytes
    description: ServiceDescription

    @classmethod
    def of(cls, services: Path, content: bytes, description: ServiceDescription) -> _Installation:
        """Which folder it is, by what the settings say. Raises SettingsInvalid, CommandRefused."""
        with _beside(services) as beside:
            write_octets(beside / SETTINGS_FILE, content)
            service = load_service_settings(beside / SETTINGS_FILE)
        if service.wsdl != description.entry:
            raise CommandRefused(f"the settings name wsdl {service.wsdl}, the one given is {description.entry}")
        folder = services / f"{service.subsystem}.{service.code}.{service.version}"
        return cls(folder=folder, content=content, description=description)

    def changes(self, output: Output) -> tuple[Change, ...] | None:
        """Against the contract that is there; None where there is none that can be read."""
        if not self.folder.exists():
            return None
        try:
            _, known = load_service(self.folder)
        except AdapterError as cause:
            output.remark(f"What is there cannot be read, so nothing is compared: {cause.reason}")
            return None
        return compare(known, self.description)

    def write(self, *, yes: bool, changes: tuple[Change, ...] | None) -> None:
        """Write the folder beside its place, read it back as `serve` will, ask, then move it there."""
        services = self.folder.parent
        try:
            with _beside(services) as beside:
                write_octets(beside / SETTINGS_FILE, self.content)
                _, files = unpack_bundle(make_bundle(self.description))
                for name, octets in files.items():
                    write_octets(beside / DESCRIPTION_FOLDER / name, octets)
                load_service(beside)
                if not yes:
                    confirm(_question(self.folder, changes), refusal="nothing was written; --yes answers the question")
                if self.folder.exists():
                    shutil.rmtree(self.folder)
                beside.rename(self.folder)
        except OSError as cause:
            raise CommandRefused(f"{services} cannot be written: {cause.strerror}") from None


@contextmanager
def _beside(services: Path) -> Iterator[Path]:
    """A folder beside the services, gone afterwards unless it was moved."""
    beside = services / f".new.{os.getpid()}"
    try:
        make_folder(beside)
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _question(folder: Path, changes: tuple[Change, ...] | None) -> str:
    if not folder.exists():
        return f"Write {folder}?"
    breaking = sum(change.breaking for change in changes or ())
    warning = f", though {counted(breaking, 'change')} may break its consumers" if breaking else ""
    return f"{folder} exists. Replace it{warning}?"

"""`adapter service`: the services that this adapter provides."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import requests
import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.app.provided import SETTINGS_FILE, load_service, service_folders
from adapter.cli.files import confirm, make_folder, read_octets, write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, settings_from
from adapter.cli.output import JsonValue, Output, bad, good, table_of
from adapter.cli.service_understood import json_of, words_of
from adapter.cli.toml_writing import toml_value
from adapter.cli.wsdl_download import download_description, is_web_address
from adapter.envelope.description import ServiceDescription, load_description, make_bundle
from adapter.envelope.description_bundle import unpack_bundle
from adapter.errors import AdapterError, CommandRefused
from adapter.settings import ServiceSettings, Settings, load_service_settings

DESCRIPTION_FOLDER: Final = "description"
_MAX_CONFIG_BYTES: Final = 1024 * 1024

app = typer.Typer(
    help="The services that this adapter provides: add one from its WSDL, list, remove, export.",
    no_args_is_help=True,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _NewService:
    """What a new service.toml says, as far as options say it."""

    subsystem: str
    code: str
    version: str
    title: str
    personal_data: bool
    soap: str

    def toml(self, wsdl: str) -> bytes:
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
                    ("backend", "soap"),
                )
            ),
            "",
            "[soap]",
            f"address = {toml_value(self.soap)}",
            "",
        ]
        return "\n".join(lines).encode()


@app.command(
    epilog="adapter service add cadastre.wsdl --subsystem register --code GetParcel --version v1 "
    "--soap http://10.0.0.5/cadastre"
)
def add(
    wsdl: Annotated[
        str, typer.Argument(help="The WSDL: a file with what it imports beside it, or its address.", show_default=False)
    ],
    *,
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
    config: Annotated[
        Path | None,
        typer.Option(
            help="A service.toml written by hand (for SQL and Python backends); its keys win.", metavar="FILE"
        ),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a service from its WSDL: say in words what was understood, ask, and write its folder."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    description = _described(wsdl, output)
    if (soap is None) == (config is None):
        raise CommandRefused("say where the answers come from: either --soap URL or --config service.toml")
    if config is not None:
        content = read_octets(config, what="service settings", max_bytes=_MAX_CONFIG_BYTES)
    else:
        missing = [
            name for name, value in (("--subsystem", subsystem), ("--code", code), ("--version", version)) if not value
        ]
        if missing:
            raise CommandRefused(f"with --soap these are needed too: {', '.join(missing)}")
        new = _NewService(
            subsystem=subsystem,
            code=code,
            version=version,
            title=title or code,
            personal_data=personal_data,
            soap=soap or "",
        )
        content = new.toml(description.entry)
    if not as_json:
        for part in words_of(description):
            output.remarks.print(part)
    folder = _install(settings, content, description, yes=yes)
    service = load_service_settings(folder / SETTINGS_FILE).service_id(settings.member)
    output.result(
        {"service": str(service), "folder": str(folder), "description": json_of(description)},
        Text.assemble(good("Added "), f"{service} in {folder}"),
    )
    output.remark("Next: `adapter registration` for the authority, `adapter access grant` for who may call it.")


def _described(wsdl: str, output: Output) -> ServiceDescription:
    """The description in a file or at an address. Raises DescriptionUnusable."""
    if not is_web_address(wsdl):
        return load_description(Path(wsdl).parent, Path(wsdl).name)
    with requests.Session() as session:
        downloaded = download_description(wsdl, session)
    for address in downloaded.skipped:
        output.remark(f"Not fetched, because it lies on another server: {address}")
    return downloaded.description()


def _install(settings: Settings, content: bytes, description: ServiceDescription, *, yes: bool) -> Path:
    """Write the folder beside its place, read it back as `serve` will, then move it there."""
    services = settings.adapter.services_dir
    beside = services / f".new.{os.getpid()}"
    try:
        make_folder(beside)
        write_octets(beside / SETTINGS_FILE, content)
        _, files = unpack_bundle(make_bundle(description))
        for name, octets in files.items():
            write_octets(beside / DESCRIPTION_FOLDER / name, octets)
        service = load_service_settings(beside / SETTINGS_FILE)
        if service.wsdl != description.entry:
            raise CommandRefused(f"the settings name wsdl {service.wsdl}, the one given is {description.entry}")
        load_service(beside)
        folder = services / f"{service.subsystem}.{service.code}.{service.version}"
        if not yes:
            question = f"{folder} exists. Replace it?" if folder.exists() else f"Write {folder}?"
            confirm(question, refusal="nothing was written; --yes answers the question")
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except OSError as cause:
        raise CommandRefused(f"{services} cannot be written: {cause.strerror}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


@app.command("list", epilog="adapter service list --json")
def list_services(settings_file: SettingsOption = DEFAULT_SETTINGS, *, as_json: JsonOption = False) -> None:
    """List the services that this adapter provides, and what is wrong with them."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    rows: list[tuple[RenderableType, ...]] = []
    values: list[JsonValue] = []
    for folder in service_folders(settings.adapter.services_dir):
        try:
            service, description = load_service(folder)
        except AdapterError as error:
            rows.append((folder.name, "", "", "", bad(error.reason)))
            values.append({"folder": folder.name, "problem": error.reason})
            continue
        operations = [operation.name for operation in description.operations]
        rows.append(
            (
                str(service.service_id(settings.member)),
                service.title,
                service.backend,
                ", ".join(operations),
                good("ready") if not description.notes else Text(f"ready, {len(description.notes)} remarks"),
            )
        )
        values.append(_value(settings, service, description, folder))
    table = table_of(("Service", "Title", "Backend", "Operations", "State"), rows)
    output.result(values, table if rows else Text("No services. `adapter service add` adds one."))


def _value(
    settings: Settings, service: ServiceSettings, description: ServiceDescription, folder: Path
) -> dict[str, JsonValue]:
    return {
        "service": str(service.service_id(settings.member)),
        "folder": folder.name,
        "title": service.title,
        "backend": service.backend,
        "personal_data": service.personal_data,
        "description_sha256": _sha256(make_bundle(description)),
        "description": json_of(description),
    }


@app.command(epilog="adapter service remove register.GetParcel.v1")
def remove(
    service: Annotated[str, typer.Argument(help="Folder (subsystem.code.version) or full id.", show_default=False)],
    *,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
) -> None:
    """Stop providing a service: delete its folder. Access rules stay until they are revoked."""
    output = Output.of()
    folder = _folder_of(settings_from(settings_file), service)
    if not yes:
        confirm(f"Delete {folder}?", refusal="nothing was deleted; --yes answers the question")
    try:
        shutil.rmtree(folder)
    except OSError as cause:
        raise CommandRefused(f"{folder} cannot be deleted: {cause.strerror}") from None
    output.result(str(folder), Text(f"Removed {folder}"))
    output.remark("The running adapter notices at its next start; tell the authority, so that the directory follows.")


@app.command(epilog="adapter service export register.GetParcel.v1 -o bundles/")
def export(
    service: Annotated[str, typer.Argument(help="Folder (subsystem.code.version) or full id.", show_default=False)],
    *,
    to: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write <sha256>.zip to.", show_default="here")
    ] = Path(),
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Write the service's description as the bundle that the directory publishes, and print its SHA-256."""
    output = Output.of(as_json=as_json)
    _, description = load_service(_folder_of(settings_from(settings_file), service))
    bundle = make_bundle(description)
    digest = _sha256(bundle)
    path = to / f"{digest}.zip"
    write_octets(path, bundle)
    output.result({"sha256": digest, "file": str(path), "bytes": len(bundle)}, Text(digest))
    output.remark(f"Written to {path}")


def _folder_of(settings: Settings, service: str) -> Path:
    """The folder that a person means. Raises CommandRefused."""
    folders = service_folders(settings.adapter.services_dir)
    wanted = ".".join(service.rsplit("/", 3)[-3:]) if "/" in service else service
    for folder in folders:
        if folder.name == wanted:
            return folder
    known = ", ".join(folder.name for folder in folders) or "none"
    raise CommandRefused(f"there is no service {service}; there are: {known}")


def _sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()

"""`adapter service`: the services that this adapter provides."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.app.provided import load_service, service_folders
from adapter.cli.access_fields import fields_in, json_of_fields, words_of_fields
from adapter.cli.files import confirm, write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, settings_from
from adapter.cli.output import JsonValue, Output, bad, good, table_of
from adapter.cli.service_add import add
from adapter.cli.service_understood import json_of, words_of
from adapter.contracts import read_contract
from adapter.envelope.description import ServiceDescription, make_bundle
from adapter.envelope.wsdl_peer import ENVELOPE_CONTRACTS, beside_each_other, publish_for_peers
from adapter.errors import AdapterError, CommandRefused
from adapter.settings import ServiceSettings, Settings

DESCRIPTION_FOLDER: Final = "description"
_MAX_CONFIG_BYTES: Final = 1024 * 1024

app = typer.Typer(
    help="The services that this adapter provides: add one from its WSDL, list, remove, export.",
    no_args_is_help=True,
)


app.command(
    epilog="adapter service add cadastre.wsdl --subsystem register --code GetParcel --version v1 "
    "--soap http://10.0.0.5/cadastre"
)(add)


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


@app.command(epilog="adapter service show register.GetParcel.v1")
def show(
    service: Annotated[str, typer.Argument(help="Folder (subsystem.code.version) or full id.", show_default=False)],
    *,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Say in words what a service's description says, and what of it cannot be checked."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    folder = _folder_of(settings, service)
    known, description = load_service(folder)
    output.result(_value(settings, known, description, folder), *words_of(description))


@app.command(epilog="adapter service fields population.GetPerson.v1")
def fields(
    service: Annotated[str, typer.Argument(help="Folder (subsystem.code.version) or full id.", show_default=False)],
    *,
    operation: Annotated[list[str] | None, typer.Option(help="Only of this operation; may be repeated.")] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the fields of a service's answers, as `adapter access grant --field` names them."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    known = fields_in(_folder_of(settings, service), operation)
    output.result(json_of_fields(known), *words_of_fields(known))


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


@app.command(
    epilog="adapter service peer-wsdl register.GetParcel.v1 --peer https://agency.example:8443/peer -o peer-wsdl"
)
def peer_wsdl(
    service: Annotated[str, typer.Argument(help="Folder (subsystem.code.version) or full id.", show_default=False)],
    *,
    peer: Annotated[str, typer.Option(metavar="URL", help="Where the provider listens for other members.")],
    to: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the WSDL and its schemas to.")],
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Write the service's description for another stack in an adapter's place, with its WS-SecurityPolicy.

    The services of other members are had at one's own adapter: their address with ?peer-wsdl.
    """
    output = Output.of(as_json=as_json)
    _, description = load_service(_folder_of(settings_from(settings_file), service))
    contracts = {name: read_contract(f"xsd/{name}") for name in ENVELOPE_CONTRACTS}
    published = publish_for_peers(description, location=beside_each_other, peer_address=peer, contracts=contracts)
    for name, octets in published.documents.items():
        write_octets(to / beside_each_other("", name), octets)
    entry = to / beside_each_other("", published.entry)
    output.result(
        {"wsdl": str(entry), "documents": len(published.documents)}, Text.assemble(good("Written "), str(entry))
    )
    output.remark(f"{len(published.documents) - 1} schemas beside it")


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

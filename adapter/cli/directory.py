"""`adapter directory`: the authority's signed list of who is who; and looking at one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric import ed25519
from rich.text import Text

from adapter.cli import directory_editing
from adapter.cli.authority import AuthorityFolder, certificates_from, registration_from
from adapter.cli.directory_server import serve_folder
from adapter.cli.directory_source import AnchorOption, DirectoryOption, directory_of
from adapter.cli.directory_words import directory_value, directory_words
from adapter.cli.files import make_folder, write_octets
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    Suite,
    YesOption,
    member_reader,
    now_utc,
    subsystem_reader,
    time_reader,
)
from adapter.cli.output import Output, counted, doubtful, good, when
from adapter.crypto.note import NoteSigner
from adapter.directory.authoring import (
    end_suite,
    new_directory,
    publish,
    put_group,
    put_member,
    remove_member,
)
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId, SubsystemId
from adapter.store.keyfiles import KeyPurpose, save_private_key

app = typer.Typer(
    help="The signed directory of members, keys and services: what the authority writes, and what everybody may read.",
    no_args_is_help=True,
)

app.add_typer(directory_editing.app)

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The authority's folder.", show_default=False)]
PassphraseOption = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Passphrase of the authority's key.")
]


@app.command(epilog="adapter directory init authority/ --instance UZ --signing-ca signing-ca.pem --tls-ca tls-ca.pem")
def init(
    folder: FolderArgument,
    *,
    instance: Annotated[str, typer.Option(help="First part of every member's id.", show_default=False)],
    signing_ca: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="CAs of signing and agreement certificates (PEM).", show_default=False),
    ],
    tls_ca: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="CAs of the adapters' TLS certificates (PEM).", show_default=False),
    ],
    name: Annotated[str, typer.Option(help="Name of the authority's key.")] = "directory-authority",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the authority's folder: its key, its anchor (the verifier key) and an empty draft."""
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    draft = new_directory(
        instance, signing_cas=certificates_from(signing_ca), tls_cas=certificates_from(tls_ca), now=now_utc()
    )
    make_folder(folder, mode=0o700)
    key = ed25519.Ed25519PrivateKey.generate()
    signer = NoteSigner(name, key)
    save_private_key(home.key_file, key, KeyPurpose.AUTHORITY, passphrase_file=passphrase_file)
    write_octets(home.anchor_file, f"{signer.vkey}\n".encode())
    make_folder(home.published)
    home.keep_draft(replace(draft, version=1))
    output.result(
        {"folder": str(folder), "anchor": str(home.anchor_file), "vkey": signer.vkey},
        Text.assemble(good("Ready: "), f"{folder}; every adapter needs {home.anchor_file}:"),
        Text(signer.vkey),
    )
    output.remark(f"Next: adapter directory add-member {folder} registration.xml, then adapter directory sign {folder}")


@app.command("add-member", epilog="adapter directory add-member authority/ registration/registration.xml")
def add_member(
    folder: FolderArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="registration.xml of an agency.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Enter a member in the draft as its agency registered it, or replace its earlier entry.

    Certificates, keys and services are checked. That the file comes from the agency is for you to know.
    """
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    registration = registration_from(file)
    home.keep_draft(put_member(home.draft(), registration, now=now_utc()))
    missing = home.put_bundles(file.parent, registration)
    member = registration.member
    output.result(
        {"member": str(member.id), "services": [str(one.service) for one in registration.services], "missing": missing},
        Text.assemble(good("Entered "), f"{member.id} in the draft: {counted(len(registration.services), 'service')}"),
    )
    for service in missing:
        output.remark(doubtful(f"The description of {service} is not beside the registration: ask for its bundle."))


@app.command("remove-member", epilog="adapter directory remove-member authority/ UZ/GOV/200000009")
def remove(
    folder: FolderArgument,
    member: Annotated[
        MemberId, typer.Argument(parser=member_reader, metavar="MEMBER", help="Whom.", show_default=False)
    ],
) -> None:
    """Strike a member off the draft, with its services. It is trusted until the next version is signed."""
    output = Output.of()
    home = AuthorityFolder(path=folder)
    home.keep_draft(remove_member(home.draft(), member))
    output.result(str(member), Text(f"Removed {member} from the draft"))
    output.remark(f"Now: adapter directory sign {folder}")


@app.command("set-group", epilog="adapter directory set-group authority/ one-window UZ/GOV/200000003/social")
def set_group(
    folder: FolderArgument,
    code: str,
    subsystems: Annotated[list[SubsystemId], typer.Argument(parser=subsystem_reader, metavar="SUBSYSTEM...")],
) -> None:
    """Name a set of subsystems, which access rules then call group:CODE."""
    home = AuthorityFolder(path=folder)
    home.keep_draft(put_group(home.draft(), code, subsystems))
    Output.of().result(code, Text(f"Group {code}: {', '.join(map(str, subsystems))}"))


@app.command("end-suite", epilog="adapter directory end-suite authority/ rsa 2030-01-01")
def set_suite_end(
    folder: FolderArgument,
    suite: Suite,
    end: Annotated[datetime, typer.Argument(parser=time_reader, metavar="TIME")],
) -> None:
    """Fix the time from which messages of a suite are refused everywhere."""
    home = AuthorityFolder(path=folder)
    home.keep_draft(end_suite(home.draft(), suite.value, end))
    Output.of().result(suite.value, Text(f"Suite {suite.value} ends at {when(end)}"))


@app.command(epilog="adapter directory sign authority/ --valid-days 7")
def sign(
    folder: FolderArgument,
    *,
    valid_days: Annotated[int, typer.Option(min=1, max=366, help="Days until the version expires.")] = 30,
    passphrase_file: PassphraseOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Sign the draft as the next version and put it into the published folder."""
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    draft = home.draft()
    missing = home.missing_bundles(draft)
    if missing and not yes:
        raise CommandRefused(
            f"the descriptions of these services are missing: {', '.join(missing)}; "
            "add the members again with their bundles, or sign all the same with --yes"
        )
    publication = publish(
        replace(draft, version=draft.version - 1),
        home.signer(passphrase_file),
        now=now_utc(),
        valid_for=timedelta(days=valid_days),
    )
    home.publish(publication, draft)
    output.result(
        {"version": publication.version, "folder": str(home.published), "valid_days": valid_days},
        Text.assemble(
            good(f"Signed version {publication.version}"), f", valid for {valid_days} days, in {home.published}"
        ),
    )
    output.remark(f"Publish {home.published} with any web server, or: adapter directory serve {folder}")


@app.command(epilog="adapter directory show --directory https://directory.example.uz --anchor authority.vkey")
def show(
    *,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    member: Annotated[
        MemberId | None, typer.Option(parser=member_reader, metavar="MEMBER", help="Only this member, in full.")
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Verify a directory and show it: the adapter's own, or the one at --directory."""
    output = Output.of(as_json=as_json)
    known = directory_of(directory, anchor, settings_file)
    output.result(directory_value(known, member), *directory_words(known, member, now_utc()))


@app.command(epilog="adapter directory serve authority/ --port 8090")
def serve(
    folder: FolderArgument,
    *,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 lets the system choose.")] = 8090,
) -> None:
    """Publish the folder over HTTP: directory.xml, directory.note and the descriptions, nothing else.

    Everything in it is signed or named by its digest, so plain HTTP is safe; any other web server does as well.
    """
    serve_folder(AuthorityFolder(path=folder).published, address, port, Output.of())

"""`adapter directory`: the authority's signed list of who is who; and looking at one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.cli import directory_editing
from adapter.cli.authority_folder import AuthorityFolder, registration_from
from adapter.cli.directory_source import AnchorOption, DirectoryOption, directory_of
from adapter.cli.directory_words import directory_value, directory_words
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    Suite,
    member_reader,
    now_utc,
    subsystem_reader,
    time_reader,
)
from adapter.cli.output import Output, counted, doubtful, good, when
from adapter.directory.authoring import (
    end_suite,
    put_group,
    put_member,
    remove_member,
)
from adapter.identifiers import MemberId, SubsystemId

app = typer.Typer(
    help="The directory of members, keys and services: what the authority writes, and what everybody may read.",
    no_args_is_help=True,
)

app.add_typer(directory_editing.app)

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The authority's folder.", show_default=False)]


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
    """Strike a member off the draft, with its services. It is trusted until the next version is published."""
    output = Output.of()
    home = AuthorityFolder(path=folder)
    home.keep_draft(remove_member(home.draft(), member))
    output.result(str(member), Text(f"Removed {member} from the draft"))
    output.remark(f"Now: adapter authority propose {folder}; at once, without the rest of the draft: authority revoke")


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


@app.command(epilog="adapter directory show --directory https://directory.example.uz --anchor anchor.json")
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

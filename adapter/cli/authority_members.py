"""`adapter authority add-member / remove-member`: who stands in the draft of the directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.cli.authority_folder import AuthorityFolder, registration_from
from adapter.cli.options import FolderArgument, JsonOption, member_reader, now_utc
from adapter.cli.output import Output, counted, doubtful, good
from adapter.directory.authoring import put_member, remove_member
from adapter.identifiers import MemberId

app = typer.Typer()


@app.command("add-member", epilog="adapter authority add-member authority/ registration/registration.xml")
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


@app.command("remove-member", epilog="adapter authority remove-member authority/ UZ/GOV/200000009")
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

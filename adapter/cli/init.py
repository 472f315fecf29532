"""`adapter init`: a new adapter's home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.cli.approval_gate import Asking
from adapter.cli.files import confirm, make_folder, read_octets, write_octets
from adapter.cli.key_office import KeyOffice
from adapter.cli.key_requests import Purpose, create_keys, enter_new_keys
from adapter.cli.options import JsonOption, Suite, YesOption, member_reader
from adapter.cli.output import Output, good
from adapter.cli.settings_template import adapter_toml
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId
from adapter.settings import load_settings
from adapter.store.migrate import prepare

app = typer.Typer()


@app.command(epilog="adapter init /srv/adapter --member UZ/GOV/200000001 --directory https://directory.example.uz")
def init(
    home: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.", show_default=False)],
    *,
    member: Annotated[
        MemberId,
        typer.Option(
            parser=member_reader, metavar="MEMBER", help="Whose adapter: instance/class/code.", show_default=False
        ),
    ],
    suite: Annotated[Suite, typer.Option(help="Suite of the signing and agreement keys.")] = Suite.P256,
    directory: Annotated[
        str, typer.Option(metavar="PLACE", help="Where the authority publishes: http(s) address or folder.")
    ] = "https://directory.example/",
    anchor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The authority's anchor. Default: anchor.json in DIR; may be put there later."
        ),
    ] = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make an adapter's home: adapter.toml with comments, folders, keys and an empty database.

    May be run again: keys and data stay, the database is brought up to date, and before adapter.toml is written anew
    you are asked (the old one is kept beside it).
    """
    output = Output.of(as_json=as_json)
    settings_file = home / "adapter.toml"
    make_folder(home, mode=0o750)
    written = _may_write(settings_file, output, yes=yes)
    if written:
        known_by = Path("anchor.json") if anchor is None else anchor.absolute()
        write_octets(settings_file, adapter_toml(member, directory=directory, anchor=known_by).encode(), mode=0o640)
    settings = load_settings(settings_file)
    if settings.member != member:
        raise CommandRefused(f"{settings_file} is for {settings.member}; choose another folder for {member}")
    for folder, mode in ((settings.adapter.data_dir, 0o700), (settings.adapter.services_dir, 0o755)):
        make_folder(folder, mode=mode)
    missing = [purpose for purpose in Purpose if not (settings.adapter.keys_dir / f"{purpose.value}.key").exists()]
    passphrase_file = settings.adapter.passphrase_file
    keys = create_keys(settings.adapter.keys_dir, missing, suite, name="", passphrase_file=passphrase_file)
    prepare(settings.database_url)
    enter_new_keys(KeyOffice(settings, Asking()))
    output.result(
        {
            "home": str(home),
            "settings": str(settings_file),
            "settings_written": written,
            "keys_made": [str(path) for path in keys],
            "database": settings.database_url,
        },
        Text.assemble(good("Ready: "), f"{home} for {member}"),
        *(Text(f"  made {path}") for path in keys),
    )
    output.remark(_next_steps(settings_file))


def _may_write(path: Path, output: Output, *, yes: bool) -> bool:
    """Whether the settings are written: when there are none, or when the answer is yes; the old ones are kept."""
    if not path.exists():
        return True
    if not yes:
        try:
            confirm(f"{path} exists. Write it anew?", refusal=f"{path} was left as it is; --yes writes it anew")
        except CommandRefused as kept:
            output.remark(kept.reason)
            return False
    write_octets(path.with_name(f"{path.name}.old"), read_octets(path, what="settings file"), mode=0o640)
    return True


def _next_steps(settings_file: Path) -> str:
    return "\n".join(
        (
            "Next:",
            f"  1. Put the authority's anchor.json beside {settings_file.name} and its address into [directory].",
            "  2. adapter keys csr signing|agreement|tls …, send them to the CA; adapter keys import CERTIFICATE",
            "  3. adapter registration …, hand the file to the authority",
            "  4. adapter service add WSDL …, adapter access grant …",
            "  5. adapter doctor, adapter serve",
        )
    )

"""`adapter keys rotate`: from one key to the next without a refused message, one step each time it is run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from adapter.audit.key_life import LifeState
from adapter.cli.approval_gate import Asking, OfficerKeyOption, OfficerOption
from adapter.cli.files import write_octets
from adapter.cli.key_files import KeyFile, key_path
from adapter.cli.key_life import WaitOption, activate_key, retire_key
from adapter.cli.key_office import KeyOffice
from adapter.cli.key_requests import (
    CertifiedPurpose,
    NewKeys,
    Purpose,
    enter_requested,
    make_keys,
    request_of,
)
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, Suite
from adapter.cli.output import Output, good
from adapter.errors import CommandRefused


def rotate(
    purpose: Annotated[CertifiedPurpose, typer.Argument(help="What the key is for.", show_default=False)],
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the new key: 2027, say.", show_default=False)],
    organisation: Annotated[
        str | None, typer.Option(help="Name of the organisation, for the request.", show_default=False)
    ] = None,
    host: Annotated[list[str] | None, typer.Option(help="DNS name of the peer listener (TLS).")] = None,
    suite: Annotated[Suite, typer.Option(help="Suite of a signing or agreement key.")] = Suite.P256,
    in_token: Annotated[bool, typer.Option("--pkcs11", help="Make it inside the token of the settings.")] = False,
    wait: WaitOption = False,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Take the next step from the key in use to a new one, and say what comes after. Run it as often as you like.

    Make the key and its request; after `import` and the authority's registration activate it when every peer knows it;
    when the directory no longer names the old one, retire that.
    """
    output, office = Output.of(as_json=as_json), KeyOffice.of(settings_file, Asking(officer=officer, key=officer_key))
    path = key_path(office.settings.adapter.keys_dir, purpose.value, name)
    key = next((one for one in office.all_keys() if one.title == path.stem), None)
    if key is None:
        if organisation is None:
            raise CommandRefused("--organisation is needed for the request of the new key")
        new = NewKeys(
            purposes=(Purpose(purpose.value),), suite=suite, name=name, in_token=in_token, organisation=organisation
        )
        make_keys(office, new)
        key = office.find(path.stem)
    if office.state(key) is LifeState.MADE:
        _request(office, key, organisation, tuple(host or ()))
    done, following = _advance(office, office.find(key.title), wait=wait, output=output)
    output.result({"key": key.title, "done": done, "next": following}, *(Text.assemble(good(one)) for one in done))
    output.remark(f"Next: {following}")


def _request(
    office: KeyOffice,
    key: KeyFile,
    organisation: str | None,
    hosts: tuple[str, ...],
) -> None:
    if organisation is None:
        raise CommandRefused("--organisation is needed for the request of the new key")
    request = request_of(office, key.path, CertifiedPurpose(key.purpose), organisation, hosts)
    write_octets(key.path.with_suffix(".csr"), request)
    enter_requested(office, key.title, request)


def _advance(office: KeyOffice, key: KeyFile, *, wait: bool, output: Output) -> tuple[list[str], str]:
    """What was done, and what comes next."""
    match office.state(key):
        case LifeState.REQUESTED:
            csr = key.path.with_suffix(".csr")
            return [f"Requested {csr}"], f"send {csr} to the CA, then `adapter keys import CERTIFICATE`"
        case LifeState.CERTIFIED | LifeState.REGISTERED:
            number, retiring = activate_key(office, key, wait=wait, output=output)
            done = [f"Activated {key.title}, record {number}", *(f"Retiring: {one}" for one in retiring)]
            return done, "`adapter registration`, hand it to the authority; then this command again"
        case LifeState.ACTIVE:
            return _retire_others(office, key, wait=wait, output=output)
        case state:
            raise CommandRefused(f"{key.title} is {state.value}; a rotation leads to a new key")


def _retire_others(office: KeyOffice, key: KeyFile, *, wait: bool, output: Output) -> tuple[list[str], str]:
    retiring = [
        one
        for one in office.all_keys()
        if one.purpose == key.purpose and one.life and one.life.state is LifeState.RETIRING
    ]
    done = []
    for one in retiring:
        number = retire_key(office, one, wait=wait, output=output)
        done.append(f"Retired {one.title}, record {number}")
    names = " and ".join(f"`adapter keys destroy {one.title}`" for one in retiring)
    return done, names or "nothing: the rotation is complete"

"""`adapter witness`: a neutral witness of records, for whoever the members agree on. It needs no adapter beside it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.text import Text

from adapter.app.one_worker import WorkerLock
from adapter.app.own_witness import WitnessDesk
from adapter.cli.directory_source import AnchorOption, DirectoryOption, open_directory
from adapter.cli.files import make_folder, read_octets, write_octets
from adapter.cli.options import JsonOption, now_utc, reader
from adapter.cli.output import JsonValue, Output, doubtful, facts_of, good, table_of
from adapter.crypto.cosignature import Cosigner
from adapter.crypto.note import NoteVerifier, check_name, split_vkey
from adapter.errors import AdapterError, CommandRefused, KeyUnusable
from adapter.logs import configure_logs
from adapter.store.keyfiles import KeyPurpose, load_private_key, save_private_key
from adapter.store.witness_states import WitnessStates
from adapter.transport.witness_listener import witness_application

_KEY: Final = "witness.key"
_VKEY: Final = "witness.vkey"
_LOGS: Final = "logs"
_STATES: Final = "states"
_LOCK: Final = "serving.lock"

app = typer.Typer(
    help="A neutral witness (C2SP tlog-witness): cosigns what no record can take back. Init, know, show, serve.",
    no_args_is_help=True,
)

WitnessFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The witness's folder.", show_default=False)]
PassphraseOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Passphrase of the witness's key; `prompt`: typed.")
]


@app.command(epilog="adapter witness init witness/ --name witness.example.uz")
def init(
    folder: WitnessFolder,
    *,
    name: Annotated[
        str,
        typer.Option(
            parser=reader(check_name), help="As it stands in cosignatures: a domain, maybe a path, no scheme."
        ),
    ],
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a witness's folder with a new key. A key is for one witness, and lives as long as its states do."""
    output = Output.of(as_json=as_json)
    make_folder(folder, mode=0o700)
    make_folder(folder / _STATES, mode=0o700)
    key = Ed25519PrivateKey.generate()
    save_private_key(folder / _KEY, key, KeyPurpose.WITNESS, passphrase_file=passphrase_file)
    write_octets(folder / _LOGS, b"")
    vkey = Cosigner(name, key).vkey
    write_octets(folder / _VKEY, f"{vkey}\n".encode())
    output.result({"folder": str(folder), "vkey": vkey}, Text.assemble(good("Ready: "), str(folder)), Text(vkey))
    output.remark(
        f"The verifier key is in {folder / _VKEY} too; the authority enters it: adapter authority set-witness"
    )
    if passphrase_file is None:
        output.remark(doubtful("The key is not encrypted: --passphrase-file encrypts it."))


@app.command(epilog="adapter witness know witness/ --directory https://directory.example.uz --anchor anchor.json")
def know(
    folder: WitnessFolder,
    vkeys: Annotated[
        list[str] | None, typer.Argument(metavar="[VKEY]...", help="Verifier keys of records.", show_default=False)
    ] = None,
    *,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take records among those that are witnessed: by their keys, or all those of a published directory.

    A record is known by the name in its key, which is its member's id. A key that it had before stays good.
    """
    output = Output.of(as_json=as_json)
    wanted = [*(vkeys or []), *_of_directory(directory, anchor)]
    if not wanted:
        raise CommandRefused("which records? Name verifier keys, or a directory and its anchor")
    for vkey in wanted:
        NoteVerifier.parse(vkey)
    listed = _listed(folder)
    new = [vkey for vkey in dict.fromkeys(wanted) if vkey not in listed]
    write_octets(folder / _LOGS, "".join(f"{vkey}\n" for vkey in [*listed, *new]).encode())
    output.result({"new": list(new)}, Text.assemble(good("Known: "), f"{len(new)} keys more, {len(listed)} before"))


@app.command(epilog="adapter witness show witness/")
def show(folder: WitnessFolder, *, passphrase_file: PassphraseOption = None, as_json: JsonOption = False) -> None:
    """Show the verifier key, and of each record how many entries were cosigned last."""
    output = Output.of(as_json=as_json)
    states = states_of(folder)
    vkey = cosigner_of(folder, passphrase_file).vkey
    found = [(origin, states.held(origin)) for origin in sorted(logs_of(folder))]
    value: JsonValue = {
        "vkey": vkey,
        "records": {
            origin: None if held is None else {"size": held.size, "root": held.root.hex()} for origin, held in found
        },
    }
    rows = [(origin, "none yet" if held is None else str(held.size)) for origin, held in found]
    output.result(value, facts_of([("Verifier key", vkey)]), table_of(("Record", "Entries cosigned"), rows))


@app.command(epilog="adapter witness serve witness/ --address 192.0.2.10 --port 8095")
def serve(
    folder: WitnessFolder,
    *,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 lets the system choose.")] = 8095,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Cosign checkpoints over HTTP (POST /add-checkpoint). What was cosigned is on disk before the answer goes out.

    Plain HTTP: checkpoints and cosignatures are signed, and hold nothing about any person. TLS is for a proxy in front.
    """
    output = Output.of()
    configure_logs(level="info", form="console")
    cosigner = cosigner_of(folder, passphrase_file)
    lock = WorkerLock(folder / _LOCK)
    if not lock.acquire():
        raise CommandRefused(f"another process serves {folder}: two could cosign what does not fit together")
    desk = WitnessDesk(logs=lambda: logs_of(folder), states=states_of(folder), cosigner=cosigner, clock=now_utc)
    try:
        asyncio.run(_serve(witness_application(desk), address, port, output))
    except OSError as cause:
        raise CommandRefused(f"cannot listen on {address}:{port}: {cause.strerror or cause}") from None
    finally:
        lock.release()


async def _serve(application: web.Application, address: str, port: int, output: Output) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        host, listening = runner.addresses[0][:2]
        url = f"http://[{host}]:{listening}" if ":" in host else f"http://{host}:{listening}"
        output.result({"url": url}, url)
        output.remark("Witnessing; Ctrl-C stops.")
        output.results.file.flush()
        await stopped.wait()
    finally:
        await runner.cleanup()


def _of_directory(place: str | None, anchor: Path | None) -> list[str]:
    if place is None:
        return []
    if anchor is None:
        raise CommandRefused("--directory needs --anchor: without the authority's root nothing can be believed")
    members = open_directory(place, anchor).members.values()
    return [member.record_vkey for member in members if member.record_vkey is not None]


def cosigner_of(folder: Path, passphrase_file: Path | None) -> Cosigner:
    """The witness's key and name. Raises KeyUnusable, CommandRefused."""
    key = load_private_key(folder / _KEY, KeyPurpose.WITNESS, passphrase_file=passphrase_file)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{folder / _KEY} is not an Ed25519 key, which a witness needs")
    vkey = read_octets(folder / _VKEY, what="verifier key").decode(errors="replace").strip()
    cosigner = Cosigner(split_vkey(vkey)[0], key)
    if cosigner.vkey != vkey:
        raise KeyUnusable(f"{folder / _KEY} and {folder / _VKEY} do not belong together")
    return cosigner


def states_of(folder: Path) -> WitnessStates:
    """What the witness cosigned last."""
    return WitnessStates(folder / _STATES)


def _listed(folder: Path) -> list[str]:
    return read_octets(folder / _LOGS, what="list of records").decode(errors="replace").split()


def logs_of(folder: Path) -> Mapping[str, Sequence[NoteVerifier]]:
    """By origin; a line that is no key is an error, not a record less. Raises CommandRefused."""
    found: dict[str, list[NoteVerifier]] = {}
    for vkey in _listed(folder):
        try:
            verifier = NoteVerifier.parse(vkey)
        except AdapterError as cause:
            raise CommandRefused(f"{folder / _LOGS}: {cause.reason}: {vkey}") from None
        found.setdefault(verifier.name, []).append(verifier)
    return found

"""`adapter approvals`: acts that wait for a second officer, and the officers' words about them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.text import Text

from adapter.audit.approvals import CHANGE_RULE, ApprovalState, Request, Verdict
from adapter.cli.approval_gate import (
    Desk,
    OfficerKeyOption,
    OfficerOption,
    approvals_of,
    officer_signer,
    rule_of,
)
from adapter.cli.files import read_octets, write_octets
from adapter.cli.officer_token_options import (
    PinFileOption,
    TokenLabelOption,
    TokenModuleOption,
    TokenSerialOption,
    token_settings,
)
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from
from adapter.cli.output import JsonValue, Output, bad, doubtful, facts_of, good, table_of, when
from adapter.cli.own_record import own_log
from adapter.crypto.note import NoteSigner
from adapter.crypto.note_ecdsa import officer_vkey
from adapter.errors import CommandRefused, SecurityFailed
from adapter.settings import Settings
from adapter.settings.officers import OFFICERS_NEEDED
from adapter.store.approvals import Approvals
from adapter.store.engine import open_database
from adapter.store.keyfiles import PROMPT, KeyPurpose, save_private_key
from adapter.store.officer_tokens import make_officer_token

_MAX_NOTE_BYTES = 64 * 1024

app = typer.Typer(
    help="Acts that need two officers: what waits, who signed, and an officer's own word. All of it is in the record.",
    no_args_is_help=True,
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As the list names it: a-1f2e3d4c.", show_default=False)]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", help="Your officer's key file, which asks for its passphrase, or token file."
    ),
]
NoteOption = Annotated[
    Path | None,
    typer.Option("--note", metavar="FILE", help="Instead: what `adapter approvals sign` wrote on your own machine."),
]
PassphraseOption = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File with the key's passphrase.", show_default="asked for")
]


@app.command("list", epilog="adapter approvals list --all")
def list_requests(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List what waits for officers, or for its asker to type the command again."""
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    approvals, now = _approvals(settings), now_utc()
    waiting = (ApprovalState.ASKED, ApprovalState.APPROVED)
    shown = [one for one in approvals.requests().values() if every or one.state(now) in waiting]
    table = table_of(
        ("Id", "Act", "What", "Asked by", "Until", "Signed by", "State"),
        [
            (
                one.id,
                one.act.kind,
                _brief(one),
                one.asked_by,
                when(one.until),
                ", ".join(one.approved_by),
                _words(one, now),
            )
            for one in shown
        ],
    )
    output.result([_value(one, now) for one in shown], table if shown else Text("Nothing waits for an approval."))
    if approvals.differs:
        output.remark(
            doubtful(
                "[approvals] in the settings is not what is in force: `adapter approvals adopt` asks for that change."
            )
        )


@app.command(epilog="adapter approvals show a-1f2e3d4c")
def show(id_: IdArgument, settings_file: SettingsOption = DEFAULT_SETTINGS, *, as_json: JsonOption = False) -> None:
    """Show one request: exactly what would be done, and who said what."""
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    request, now = _find(_approvals(settings), id_), now_utc()
    facts = (
        ("Act", request.act.kind),
        ("Exactly", request.act.text),
        ("Digest", request.act.digest),
        ("Asked by", request.asked_by),
        ("Asked at", when(request.asked_at)),
        ("Until", when(request.until)),
        ("Signed by", ", ".join(request.approved_by) or "nobody"),
        ("State", _words(request, now)),
    )
    output.result(_value(request, now), facts_of(facts))


@app.command(epilog="adapter approvals text a-1f2e3d4c -o to-sign.txt")
def text(
    id_: IdArgument,
    *,
    refusing: Annotated[bool, typer.Option("--refuse", help="The text that refuses it.")] = False,
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
) -> None:
    """Write what an officer signs, to be carried to the machine where the officer's key is."""
    output, settings = Output.of(), settings_from(settings_file)
    verdict = Verdict.REFUSE if refusing else Verdict.APPROVE
    statement = _find(_approvals(settings), id_).statement(str(settings.member), verdict)
    if to is None:
        output.results.file.write(statement)
        return
    write_octets(to, statement.encode())
    output.remark(f"Written to {to}; `adapter approvals sign {to}` signs it, on whichever machine.")


@app.command(epilog="adapter approvals sign to-sign.txt --key dilnoza.key -o signed.note")
def sign(
    file: Annotated[Path, typer.Argument(help="What `adapter approvals text` wrote.", show_default=False)],
    *,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Your officer's key.", show_default=False)],
    passphrase_file: PassphraseOption = None,
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")] = None,
) -> None:
    """Sign a request with an officer's key. Needs nothing of the adapter: the key never has to be on its machine."""
    output = Output.of()
    said = read_octets(file, what="text", max_bytes=_MAX_NOTE_BYTES).decode(errors="replace")
    note = officer_signer(key, passphrase_file).sign(said)
    if to is None:
        output.results.file.write(note)
        return
    write_octets(to, note.encode())
    output.remark(f"Written to {to}.")


@app.command(epilog="adapter approvals approve a-1f2e3d4c --key bek.key")
def approve(
    id_: IdArgument,
    *,
    key: KeyOption = None,
    note: NoteOption = None,
    passphrase_file: PassphraseOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Sign for an act as its second officer. Whoever asked for it cannot."""
    request = _decide(id_, Verdict.APPROVE, key, note, passphrase_file, settings_file, as_json=as_json)
    if len(request.approved_by) >= OFFICERS_NEEDED:
        Output.of().remark(
            "Approved by two officers. Now the same command carries it out, exactly as it was asked for."
        )
    else:
        Output.of().remark(f"Signed by {', '.join(request.approved_by)}; one more officer is needed.")


@app.command(epilog="adapter approvals refuse a-1f2e3d4c --key bek.key")
def refuse(
    id_: IdArgument,
    *,
    key: KeyOption = None,
    note: NoteOption = None,
    passphrase_file: PassphraseOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Refuse an act that was not carried out yet. One officer's refusal ends the request."""
    _decide(id_, Verdict.REFUSE, key, note, passphrase_file, settings_file, as_json=as_json)


def _decide(  # noqa: PLR0917  the options of two commands
    id_: str,
    verdict: Verdict,
    key: Path | None,
    note_file: Path | None,
    passphrase_file: Path | None,
    settings_file: Path,
    *,
    as_json: bool,
) -> Request:
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    approvals = _approvals(settings)
    statement = _find(approvals, id_).statement(str(settings.member), verdict)
    if (key is None) == (note_file is None):
        raise CommandRefused("--key FILE signs it here; --note FILE is what was signed elsewhere: give one of them")
    if key is not None:
        note = officer_signer(key, passphrase_file).sign(statement)
    else:
        assert note_file is not None  # noqa: S101  one of the two
        note = read_octets(note_file, what="note", max_bytes=_MAX_NOTE_BYTES).decode(errors="replace")
    now = now_utc()
    try:
        request = approvals.decide(id_, verdict, note, now=now)
    except SecurityFailed as cause:  # whose signature it is not is no secret at this desk
        raise CommandRefused(cause.reason) from None
    output.result(_value(request, now), Text.assemble(f"{id_}: ", _words(request, now)))
    return request


@app.command("officer-key", epilog="adapter approvals officer-key dilnoza")
def officer_key(
    name: Annotated[str, typer.Argument(help="The officer's name in the record.", show_default=False)],
    *,
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="Where the file goes.")] = Path(),
    passphrase_file: PassphraseOption = None,
    token_module: TokenModuleOption = None,
    token_label: TokenLabelOption = None,
    token_serial: TokenSerialOption = None,
    pin_file: PinFileOption = PROMPT,
    as_json: JsonOption = False,
) -> None:
    """Make an officer's own key, encrypted, as NAME.key, and print the verifier key for [approvals] officers.

    With --token-module it is made in a token and never leaves it; NAME.token says where it is.
    """
    output = Output.of(as_json=as_json)
    if token_module is None:
        private, path = Ed25519PrivateKey.generate(), folder / f"{name}.key"
        vkey = NoteSigner(name, private).vkey
        save_private_key(path, private, KeyPurpose.OFFICER, passphrase_file=passphrase_file or PROMPT)
    else:
        path = folder / f"{name}.token"
        place = token_settings(token_module, token_label, token_serial, pin_file)
        vkey = officer_vkey(name, make_officer_token(path, KeyPurpose.OFFICER, place))
    output.result({"file": str(path), "vkey": vkey}, Text(vkey))
    output.remark(f"Kept as {path}. The line above is public: it goes into [approvals] officers of the settings.")


@app.command(epilog="adapter approvals adopt --officer-key dilnoza.key")
def adopt(
    *,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Put [approvals] of the settings in force. Once there is such a rule, its officers have to approve the change."""
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    desk = Desk.of(settings, officer=officer, key=officer_key)
    approvals, wanted = approvals_of(settings, desk.database, desk.log), rule_of(settings)
    if not approvals.differs:
        output.remark("What the settings say is in force already.")
        return
    mandate = desk.mandate(CHANGE_RULE, wanted.described())
    number = approvals.adopt(officer=mandate.officer, approval=mandate.approval, now=now_utc())
    output.result(
        {"in_force": wanted.described(), "record": number}, Text.assemble(good("In force"), f", record {number}")
    )


def _approvals(settings: Settings) -> Approvals:
    return approvals_of(settings, open_database(settings.database_url), own_log(settings))


def _find(approvals: Approvals, id_: str) -> Request:
    found = approvals.requests().get(id_)
    if found is None:
        raise CommandRefused(f"there is no request {id_}: `adapter approvals list`")
    return found


def _brief(request: Request) -> str:
    what = request.act.what
    if "consumer" in what and "service" in what:
        return f"{what['consumer']}: {what['service']}"
    if what.get("purposes") and request.act.kind == "key-create":
        return ", ".join(f"{one}-{what['name']}" if what.get("name") else one for one in what["purposes"])
    return str(what.get("name") or what.get("rule") or what.get("id") or request.act.digest[:16])


def _words(request: Request, now: datetime) -> Text:
    state = request.state(now)
    match state:
        case ApprovalState.APPROVED:
            return good(state.value)
        case ApprovalState.REFUSED:
            return bad(f"{state.value} by {request.refused_by}")
        case ApprovalState.ASKED:
            return doubtful(state.value)
        case _:
            return Text(state.value)


def _value(request: Request, now: datetime) -> JsonValue:
    return {
        "id": request.id,
        "act": request.act.kind,
        "what": dict(request.act.what),
        "digest": request.act.digest,
        "asked_by": request.asked_by,
        "asked_at": when(request.asked_at),
        "until": when(request.until),
        "approved_by": list(request.approved_by),
        "refused_by": request.refused_by,
        "state": request.state(now).value,
    }

"""`adapter authority`: the officers' keys, the repository that adapters read, and its publication."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text
from securesystemslib.signer import Key, Signer

from adapter.cli import authority_codes, authority_editing, authority_log, authority_members, authority_signing
from adapter.cli import authority_publishing as publishing
from adapter.cli.authority_folder import AuthorityFolder, certificates_from, fingerprint_of
from adapter.cli.authority_signing import words
from adapter.cli.authority_waiting import saying_what_is_given_up, status_facts
from adapter.cli.files import make_folder, read_octets, write_octets
from adapter.cli.options import FolderArgument, JsonOption, YesOption, now_utc
from adapter.cli.output import JsonValue, Output, facts_of, good, when
from adapter.cli.timestamp_keeper import Renewal, serve_with_keeper
from adapter.directory.authoring import new_directory, remove_certificate, remove_member
from adapter.directory.draft import DirectoryDraft
from adapter.directory.repository import DEFAULT_THRESHOLD
from adapter.errors import CommandRefused, InvalidIdentifier
from adapter.identifiers import MemberId
from adapter.store.keyfiles import KeyPurpose
from adapter.store.officer_keys import load_officer_signer, make_repository_key, read_public_key

app = typer.Typer(
    help="The authority's side of the directory: its content, officers' keys and signatures, publication.",
    no_args_is_help=True,
)

app.add_typer(authority_members.app)
app.add_typer(authority_codes.app)
app.add_typer(authority_editing.app)

OFFICERS: Final = "officers"

PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="Passphrase of the officers' keys; `prompt`: typed."),
]
OnlinePassphraseOption = Annotated[
    Path | None, typer.Option("--online-passphrase-file", metavar="FILE", help="Passphrase of the online keys.")
]
SignWithOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--sign-with",
        metavar="FILE",
        help="Key file or token file of an officer who is here; repeat it.",
        show_default=False,
    ),
]
OfficersHereOption = Annotated[
    bool, typer.Option("--officers-here", help="Sign with all keys in DIR/officers: for trials, and small federations.")
]
ValidDaysOption = Annotated[int, typer.Option(min=1, max=366, help="Days until the version expires.")]
StampHoursOption = Annotated[
    int, typer.Option("--timestamp-hours", min=1, max=720, help="Hours that the time-stamp holds.")
]
OfficerOption = Annotated[
    list[str] | None,
    typer.Option("--officer", metavar="NAME=FILE", help="An officer and the public key (PEM); repeat it."),
]


app.command("officer-key", epilog="adapter authority officer-key karimova.key --passphrase-file prompt")(
    authority_signing.officer_key
)


@app.command(
    epilog="adapter authority init authority/ --instance UZ --signing-ca ca.pem --tls-ca tls-ca.pem --make-officers 3"
)
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
    officer: OfficerOption = None,
    make_officers: Annotated[
        int, typer.Option(min=0, max=20, help="Make this many officers' keys in DIR/officers, to be handed out.")
    ] = 0,
    threshold: Annotated[int, typer.Option(min=1, max=20, help="Officers who have to sign.")] = DEFAULT_THRESHOLD,
    passphrase_file: PassphraseOption = None,
    online_passphrase_file: OnlinePassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the authority's folder: online keys, an empty draft, and the first root for the officers to sign.

    Officers hand over their public keys (--officer), or their keys are made here (--make-officers): then the root is
    signed and anchor.json is there at once.
    """
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    if bool(officer) == bool(make_officers):
        raise CommandRefused("name the officers (--officer NAME=FILE), or have their keys made (--make-officers 3)")
    if home.draft_file.exists():
        raise CommandRefused(f"{home.draft_file} exists already: an authority is founded once")
    draft = new_directory(
        instance, signing_cas=certificates_from(signing_ca), tls_cas=certificates_from(tls_ca), now=now_utc()
    )
    make_folder(folder, mode=0o700)
    officers = _officers(officer) if officer else make_officers_here(home, make_officers, passphrase_file)
    publishing.found(home, officers, threshold, now=now_utc(), online_passphrase_file=online_passphrase_file)
    home.keep_draft(replace(draft, version=1))
    if make_officers:
        publishing.sign_here(home, signers_here(home, passphrase_file))
        publishing.publish(home, now=now_utc(), passphrase_file=online_passphrase_file)
    output.result(
        {"folder": str(folder), "anchor": str(home.anchor_file), "officers": sorted(officers), "threshold": threshold},
        Text.assemble(good("Ready: "), f"{folder}; {threshold} of {len(officers)} officers have to sign"),
    )
    if make_officers:
        output.remark(f"Every adapter needs {home.anchor_file}, on a safe way.")
        output.remark(f"Hand the keys in {folder / OFFICERS} out to the officers, and keep none of them here.")
    else:
        output.remark(f"Next: adapter authority request {folder} -o request.zip, and the officers sign it.")


def make_officers_here(home: AuthorityFolder, count: int, passphrase_file: Path | None = None) -> dict[str, Key]:
    """Officers' keys in the authority's own folder, by name. Raises KeyUnusable, CommandRefused."""
    folder = home.path / OFFICERS
    make_folder(folder, mode=0o700)
    officers = {}
    for number in range(1, count + 1):
        name = f"officer-{number}"
        public = make_repository_key(folder / f"{name}.key", KeyPurpose.AUTHORITY, passphrase_file=passphrase_file)
        write_octets(folder / f"{name}.pem", public)
        officers[name] = read_public_key(public, name)
    return officers


@app.command(epilog="adapter authority propose authority/ --valid-days 30")
def propose(folder: FolderArgument, *, valid_days: ValidDaysOption = 30, yes: YesOption = False) -> None:
    """Make the draft the next version and have it wait for the officers' signatures."""
    output = Output.of()
    home = AuthorityFolder(path=folder)
    _refuse_missing(home, yes=yes)
    with saying_what_is_given_up(home, output):
        version = publishing.propose(home, now=now_utc(), valid_for=timedelta(days=valid_days))
    output.result(str(version), Text.assemble(good(f"Proposed version {version}"), f", valid for {valid_days} days"))
    output.remark(f"Next: adapter authority request {folder} -o request.zip")


@app.command(epilog="adapter authority publish authority/")
def publish(
    folder: FolderArgument,
    *,
    timestamp_hours: StampHoursOption = 24,
    online_passphrase_file: OnlinePassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put what enough officers signed into the published folder."""
    _publish(folder, Output.of(as_json=as_json), timestamp_hours, online_passphrase_file)


@app.command(epilog="adapter authority release authority/ --sign-with stick/karimova.key --sign-with stick/saidov.key")
def release(
    folder: FolderArgument,
    *,
    sign_with: SignWithOption = None,
    officers_here: OfficersHereOption = False,
    valid_days: ValidDaysOption = 30,
    timestamp_hours: StampHoursOption = 24,
    passphrase_file: PassphraseOption = None,
    online_passphrase_file: OnlinePassphraseOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Propose, sign and publish in one go, where enough officers are at this machine."""
    home = AuthorityFolder(path=folder)
    _refuse_missing(home, yes=yes)
    output, valid_for = Output.of(as_json=as_json), timedelta(days=valid_days)
    with saying_what_is_given_up(home, output):
        publishing.propose(home, now=now_utc(), valid_for=valid_for)
    publishing.sign_here(home, _signers(home, sign_with, passphrase_file, here=officers_here))
    _publish(folder, output, timestamp_hours, online_passphrase_file)


@app.command(epilog="adapter authority revoke authority/ stick/lost.pem --sign-with a.key --sign-with b.key")
def revoke(
    folder: FolderArgument,
    whom: Annotated[
        str,
        typer.Argument(
            metavar="MEMBER|FILE|SHA256",
            help="A member, a certificate's file (PEM), or its SHA-256.",
            show_default=False,
        ),
    ],
    *,
    sign_with: SignWithOption = None,
    officers_here: OfficersHereOption = False,
    valid_days: ValidDaysOption = 30,
    timestamp_hours: StampHoursOption = 24,
    passphrase_file: PassphraseOption = None,
    online_passphrase_file: OnlinePassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Strike a member or a certificate off what is published, now. Nothing else of the draft is published with it.

    Adapters refuse it after their next look, within a minute. Without officers' keys here it waits for signatures.
    """
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    valid_for = timedelta(days=valid_days)
    with saying_what_is_given_up(home, output):
        publishing.propose_change(home, lambda draft: _without(draft, whom), now=now_utc(), valid_for=valid_for)
    if not sign_with and not officers_here:
        output.result(whom, Text.assemble(good("Proposed: "), f"{whom} is struck off"))
        output.remark(f"Now: adapter authority request {folder} -o request.zip")
        return
    publishing.sign_here(home, _signers(home, sign_with, passphrase_file, here=officers_here))
    _publish(folder, output, timestamp_hours, online_passphrase_file)


def _without(draft: DirectoryDraft, whom: str) -> DirectoryDraft:
    digits = fingerprint_of(whom)
    if len(digits) == 64 and not digits.strip("0123456789abcdef"):
        return remove_certificate(draft, bytes.fromhex(digits))
    try:
        return remove_member(draft, MemberId.parse(whom))
    except InvalidIdentifier as cause:
        raise CommandRefused(
            f"{whom} is neither a member, nor a certificate's file, nor its SHA-256: {cause.reason}"
        ) from None


@app.command(epilog="adapter authority rotate authority/ --remove-officer saidov --officer usmonov=usmonov.pem")
def rotate(
    folder: FolderArgument,
    *,
    officer: OfficerOption = None,
    remove_officer: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Who is one no longer.")] = None,
    threshold: Annotated[int | None, typer.Option(min=1, max=20, help="Officers who have to sign.")] = None,
    online_keys: Annotated[
        bool, typer.Option("--online-keys", help="Make new keys of snapshot and time-stamp.")
    ] = False,
    valid_days: ValidDaysOption = 30,
    online_passphrase_file: OnlinePassphraseOption = None,
) -> None:
    """Propose the next root: officers, threshold, online keys. As many of the officers until now have to sign it.

    A lost officer is removed with the signatures of the others; a stolen online key is replaced by --online-keys.
    """
    output = Output.of()
    home = AuthorityFolder(path=folder)
    rotation = publishing.Rotation(
        add=_officers(officer or []), remove=remove_officer or [], threshold=threshold, online=online_keys
    )
    valid_for = timedelta(days=valid_days)
    with saying_what_is_given_up(home, output):
        publishing.rotate(
            home, rotation, now=now_utc(), valid_for=valid_for, online_passphrase_file=online_passphrase_file
        )
    judged = publishing.reviewed(home)
    output.result(str(judged.root.version), Text.assemble(good(f"Proposed root {judged.root.version}")))
    for line in words(judged):
        output.remark(line)
    output.remark(f"Next: adapter authority request {folder} -o request.zip")


@app.command(epilog="adapter authority timestamp authority/")
def timestamp(
    folder: FolderArgument,
    *,
    timestamp_hours: StampHoursOption = 24,
    online_passphrase_file: OnlinePassphraseOption = None,
) -> None:
    """Renew the time-stamp: from cron, every hour. Needs the online keys only, and no officer."""
    output = Output.of()
    home = AuthorityFolder(path=folder)
    publishing.renew_timestamp(
        home,
        now=now_utc(),
        passphrase_file=online_passphrase_file,
        timestamp_valid=timedelta(hours=timestamp_hours),
    )
    stamped = home.timestamp()
    if stamped is not None:
        output.result(str(stamped.version), Text.assemble(good("Renewed"), f", valid until {when(stamped.expires)}"))


@app.command(epilog="adapter authority status authority/")
def status(folder: FolderArgument, *, as_json: JsonOption = False) -> None:
    """Say who may sign, what is published until when, and what waits for whose signature."""
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    facts = list(status_facts(home, now_utc()))
    value: dict[str, JsonValue] = dict(facts)
    output.result(value, facts_of(facts))


@app.command(epilog="adapter authority serve authority/ --port 8090")
def serve(
    folder: FolderArgument,
    *,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 lets the system choose.")] = 8090,
    renew: Annotated[
        bool, typer.Option("--renew-timestamp", help="Renew the time-stamp by itself, with the online keys of DIR.")
    ] = False,
    timestamp_hours: StampHoursOption = 24,
    online_passphrase_file: OnlinePassphraseOption = None,
) -> None:
    """Publish the folder over HTTP: the repository's metadata and targets, nothing else.

    Everything in it is signed or named by its digest, so plain HTTP is safe; any other web server does as well.
    The time-stamp is renewed when half of its time is over (--renew-timestamp), or its end is called out.
    """
    renewal = Renewal(valid_for=timedelta(hours=timestamp_hours), passphrase_file=online_passphrase_file)
    serve_with_keeper(AuthorityFolder(path=folder), address, port, renewal if renew else None, Output.of())


app.command("request", epilog="adapter authority request authority/ -o stick/request.zip")(authority_signing.request)
app.command("review", epilog="adapter authority review stick/request.zip --anchor anchor.json")(
    authority_signing.review_request
)
app.command(
    "sign",
    epilog="adapter authority sign stick/request.zip --key own.key --anchor anchor.json -o stick/own.signatures",
)(authority_signing.sign)
app.command(
    "refuse",
    epilog="adapter authority refuse stick/request.zip --key own.key --anchor anchor.json --reason 'no such member' "
    "-o stick/own.refusal",
)(authority_signing.refuse_request)
app.command("merge", epilog="adapter authority merge authority/ stick/karimova.signatures stick/saidov.signatures")(
    authority_signing.merge_files
)
app.command("log", epilog="adapter authority log authority/ --save-checkpoint stick/authority.note")(authority_log.show)


def _publish(folder: Path, output: Output, timestamp_hours: int, passphrase_file: Path | None) -> None:
    home = AuthorityFolder(path=folder)
    judged = publishing.publish(
        home, now=now_utc(), passphrase_file=passphrase_file, timestamp_valid=timedelta(hours=timestamp_hours)
    )
    version = 0 if judged.directory is None else judged.directory.version
    what = f"Published version {version}" if judged.directory else f"Published root {judged.root.version}"
    until = "" if judged.directory is None else f", valid until {when(judged.directory.expires)}"
    output.result(
        {"version": version, "root": judged.root.version, "folder": str(home.published)},
        Text.assemble(good(what), f"{until}, in {home.published}"),
    )
    output.remark(f"Publish {home.published} with any web server, or: adapter authority serve {folder}")


def _refuse_missing(home: AuthorityFolder, *, yes: bool) -> None:
    missing = home.missing_bundles(home.draft())
    if missing and not yes:
        raise CommandRefused(
            f"the descriptions of these services are missing: {', '.join(missing)}; "
            "add the members again with their bundles, or go on all the same with --yes"
        )


def _officers(given: list[str]) -> dict[str, Key]:
    officers = {}
    for one in given:
        name, equals, file = one.partition("=")
        if not equals or not name:
            raise CommandRefused(f"{one}: an officer is written NAME=FILE")
        officers[name] = read_public_key(read_octets(Path(file), what="public key"), name)
    return officers


def _signers(
    home: AuthorityFolder, files: list[Path] | None, passphrase_file: Path | None, *, here: bool
) -> list[Signer]:
    if not files and not here:
        raise CommandRefused("whose signature? --sign-with FILE for each officer who is here, or propose and request")
    return _load(files or [], passphrase_file) + (signers_here(home, passphrase_file) if here else [])


def signers_here(home: AuthorityFolder, passphrase_file: Path | None = None) -> list[Signer]:
    """Of the officers whose keys lie in the authority's own folder. Raises KeyUnusable."""
    return _load(sorted((home.path / OFFICERS).glob("*.key")), passphrase_file)


def _load(files: list[Path], passphrase_file: Path | None) -> list[Signer]:
    return [load_officer_signer(file, passphrase_file=passphrase_file) for file in files]

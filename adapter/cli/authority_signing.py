"""`adapter authority request, review, sign, merge`: what officers do, each on their own machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from securesystemslib.signer import Signer

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.authority_publishing import merge
from adapter.cli.authority_requests import read_request, write_request
from adapter.cli.files import confirm, confirm_overwrite, read_octets, write_octets
from adapter.cli.options import FolderArgument, JsonOption, YesOption
from adapter.cli.output import JsonValue, Output, doubtful, good
from adapter.directory.anchor import MAX_ANCHOR_BYTES, Anchor, read_anchor
from adapter.directory.authoring import new_directory
from adapter.directory.changes import change_lines, changes_between, validity_words
from adapter.directory.proposal import MAX_SIGNATURES_BYTES, Reviewed, review, sign_proposal
from adapter.directory.repository import signatures_on
from adapter.directory.root_changes import root_changes
from adapter.errors import CommandRefused
from adapter.store.keyfiles import KeyPurpose
from adapter.store.officer_keys import TokenSigner, load_repository_signer, read_public_key
from adapter.store.token import KeyName, Token, TokenPlace

RequestArgument = Annotated[Path, typer.Argument(metavar="REQUEST", help="What was brought.", show_default=False)]
OfficerAnchorOption = Annotated[
    Path | None, typer.Option("--anchor", metavar="FILE", help="The officer's own copy of anchor.json.")
]
FirstOption = Annotated[bool, typer.Option("--first", help="There is no anchor yet: this is the very first root.")]


def request(
    folder: FolderArgument,
    *,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.", show_default=False)],
    yes: YesOption = False,
) -> None:
    """Put what waits for signatures into one file, to be carried to the officers."""
    output = Output.of()
    confirm_overwrite(to, yes=yes)
    write_request(to, AuthorityFolder(path=folder).proposal())
    output.result(str(to), Text.assemble(good("Written "), str(to)))
    output.remark(
        f"Each officer: adapter authority sign {to} --key OFFICER.key --anchor anchor.json -o NAME.signatures"
    )


def review_request(
    file: RequestArgument,
    *,
    anchor: OfficerAnchorOption = None,
    first: FirstOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say in words what a request would change, after verifying what it follows from. Signs nothing."""
    output = Output.of(as_json=as_json)
    judged = review(read_request(file), _anchor(anchor, first=first))
    output.result(_value(judged), *(Text(line) for line in words(judged)))


def sign(
    file: RequestArgument,
    *,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to bring back.", show_default=False)],
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="The officer's key file.")] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its passphrase; `prompt`: typed at the terminal.")
    ] = None,
    token_module: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PKCS #11 module, instead of --key.")
    ] = None,
    token_label: Annotated[str | None, typer.Option(help="Label of the token.")] = None,
    token_key: Annotated[str | None, typer.Option(help="Label of the officer's P-256 key in it.")] = None,
    pin_file: Annotated[
        Path, typer.Option(metavar="FILE", help="PIN of the token; `prompt`: typed at the terminal.")
    ] = Path("prompt"),
    public: Annotated[Path | None, typer.Option(metavar="FILE", help="Public half of the token's key (PEM).")] = None,
    anchor: OfficerAnchorOption = None,
    first: FirstOption = False,
    yes: YesOption = False,
) -> None:
    """Show what a request changes, ask, and sign it: on the officer's own machine, which needs no network."""
    output = Output.of()
    judged = review(read_request(file), _anchor(anchor, first=first))
    for line in words(judged):
        output.remark(line)
    if not yes:
        confirm("Sign this?", refusal="nothing was signed")
    signer = _signer(key, passphrase_file, token_module, token_label, token_key, pin_file, public)
    write_octets(to, sign_proposal(judged, signer))
    output.result(str(to), Text.assemble(good("Signed: "), str(to)))


def merge_files(
    folder: FolderArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What officers brought.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Add the officers' signatures to what waits. Each is verified."""
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    judged = merge(home, [read_octets(file, what="signatures", max_bytes=MAX_SIGNATURES_BYTES) for file in files])
    said = list(signing_words(judged))
    output.result(dict(said), *(Text(f"{what}: {how}") for what, how in said))


def signing_words(judged: Reviewed) -> Iterator[tuple[str, str]]:
    """How far the signing of what waits is."""
    if judged.new_root is not None:
        yield "root", str(signatures_on(judged.new_root, judged.root))
        if judged.before is not None:
            yield "root, by the officers until now", str(signatures_on(judged.new_root, judged.before))
    if judged.new_targets is not None:
        yield "directory", str(signatures_on(judged.new_targets, judged.root))


def words(judged: Reviewed) -> Iterator[str]:
    """What would change."""
    if judged.new_root is not None:
        yield from root_changes(judged.before, judged.root)
    if judged.directory is not None:
        new = judged.directory
        nothing = new_directory(
            new.instance, signing_cas=(), tls_cas=(), now=new.issued, purposes={}, legal_basis_kinds={}
        )
        yield f"Directory {validity_words(new)}"
        yield from change_lines(changes_between(judged.current or nothing, new))


def _value(judged: Reviewed) -> JsonValue:
    return {"changes": list(words(judged)), "signatures": dict(signing_words(judged))}


def _anchor(file: Path | None, *, first: bool) -> Anchor | None:
    if file is not None:
        return read_anchor(read_octets(file, what="anchor", max_bytes=MAX_ANCHOR_BYTES))
    if not first:
        raise CommandRefused(
            "--anchor is needed: an officer judges from an own copy of anchor.json (--first: there is none yet)"
        )
    Output.of().remark(doubtful("No anchor: compare the officers' key ids with what each of them says theirs is."))
    return None


def _signer(  # noqa: PLR0917  one for each option
    key: Path | None,
    passphrase_file: Path | None,
    module: Path | None,
    label: str | None,
    token_key: str | None,
    pin_file: Path,
    public: Path | None,
) -> Signer:
    if (key is None) == (module is None):
        raise CommandRefused("name the officer's key: --key FILE, or --token-module with what belongs to it")
    if key is not None:
        return load_repository_signer(key, KeyPurpose.AUTHORITY, passphrase_file=passphrase_file)
    if module is None or label is None or token_key is None or public is None:
        raise CommandRefused("a token needs --token-module, --token-label, --token-key and --public")
    token = Token(TokenPlace(module=module, pin_file=pin_file, label=label))
    return TokenSigner(token, KeyName(label=token_key), read_public_key(read_octets(public, what="public key")))

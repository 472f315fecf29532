"""`adapter authority officer-key, request, review, sign, refuse, merge`: officers, each on their own machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.authority_publishing import merge, refuse
from adapter.cli.authority_requests import read_request, write_request
from adapter.cli.files import confirm, confirm_overwrite, read_octets, write_octets
from adapter.cli.officer_token_options import (
    PinFileOption,
    TokenLabelOption,
    TokenModuleOption,
    TokenSerialOption,
    token_settings,
)
from adapter.cli.options import FolderArgument, JsonOption, YesOption
from adapter.cli.output import JsonValue, Output, doubtful, good
from adapter.directory.anchor import MAX_ANCHOR_BYTES, Anchor, read_anchor
from adapter.directory.authoring import new_directory
from adapter.directory.changes import change_lines, changes_between, validity_words
from adapter.directory.proposal import MAX_SIGNATURES_BYTES, Reviewed, review, sign_proposal
from adapter.directory.refusal import is_refusal, refuse_proposal
from adapter.directory.repository import signatures_on
from adapter.directory.root_changes import root_changes
from adapter.errors import CommandRefused
from adapter.store.keyfiles import PROMPT, KeyPurpose
from adapter.store.officer_keys import load_officer_signer, make_repository_key, read_public_key
from adapter.store.officer_tokens import make_officer_token, public_pem

RequestArgument = Annotated[Path, typer.Argument(metavar="REQUEST", help="What was brought.", show_default=False)]
OfficerAnchorOption = Annotated[
    Path | None, typer.Option("--anchor", metavar="FILE", help="The officer's own copy of anchor.json.")
]
BroughtBackOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="File to bring back.", show_default=False)
]
SigningKeyOption = Annotated[
    Path, typer.Option(metavar="FILE", help="The officer's key file or token file.", show_default=False)
]
KeyPassphraseOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its passphrase; `prompt`: typed at the terminal.")
]
FirstOption = Annotated[bool, typer.Option("--first", help="There is no anchor yet: this is the very first root.")]


def officer_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to make, .key or .token.", show_default=False)],
    *,
    passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Passphrase of the key file; `prompt`: typed.")
    ] = None,
    token_module: TokenModuleOption = None,
    token_label: TokenLabelOption = None,
    token_serial: TokenSerialOption = None,
    pin_file: PinFileOption = PROMPT,
) -> None:
    """Make an officer's key, on the officer's own machine. The public half, FILE with .pem, goes to the authority.

    With --token-module it is made in a token and never leaves it; FILE, which ends in .token, says where it is.
    """
    output = Output.of()
    if token_module is None:
        public = make_repository_key(file, KeyPurpose.AUTHORITY, passphrase_file=passphrase_file)
    else:
        place = token_settings(token_module, token_label, token_serial, pin_file)
        public = public_pem(make_officer_token(file, KeyPurpose.AUTHORITY, place))
    write_octets(file.with_suffix(".pem"), public)
    output.result(str(file), Text.assemble(good("Made "), f"{file} and {file.with_suffix('.pem')}"))
    output.remark(f"Key id, to be compared over another way: {read_public_key(public).keyid}")
    if passphrase_file is None and token_module is None:
        output.remark(doubtful("It is not encrypted: --passphrase-file encrypts it."))


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
    to: BroughtBackOption,
    key: SigningKeyOption,
    passphrase_file: KeyPassphraseOption = None,
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
    write_octets(to, sign_proposal(judged, load_officer_signer(key, passphrase_file=passphrase_file)))
    output.result(str(to), Text.assemble(good("Signed: "), str(to)))


def refuse_request(
    file: RequestArgument,
    *,
    to: BroughtBackOption,
    key: SigningKeyOption,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: one line, for the record.", show_default=False)],
    passphrase_file: KeyPassphraseOption = None,
    anchor: OfficerAnchorOption = None,
    first: FirstOption = False,
) -> None:
    """Refuse what a request would change, signed: brought back and merged, it ends the request.

    One officer's refusal is enough. Nothing that is published changes by it.
    """
    output = Output.of()
    judged = review(read_request(file), _anchor(anchor, first=first))
    write_octets(to, refuse_proposal(judged, load_officer_signer(key, passphrase_file=passphrase_file), reason))
    output.result(str(to), Text.assemble(doubtful("Refused: "), str(to)))


def merge_files(
    folder: FolderArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What officers brought.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Add the officers' signatures to what waits. Each is verified. A refusal among them ends the request."""
    output = Output.of(as_json=as_json)
    home = AuthorityFolder(path=folder)
    brought = [read_octets(file, what="signatures", max_bytes=MAX_SIGNATURES_BYTES) for file in files]
    for one in filter(is_refusal, brought):
        refusal = refuse(home, one)
        output.result(
            {"refused_by": refusal.officer, "reason": refusal.reason},
            Text.assemble(doubtful(f"Refused by {refusal.officer}: "), refusal.reason),
        )
        output.remark("Nothing waits any more. The draft is as it was: change it, then `adapter authority propose`.")
        return
    judged = merge(home, brought)
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

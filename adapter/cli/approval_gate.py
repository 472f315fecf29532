"""Leave to do an act: one's own where that is enough, else two officers' for exactly this act.

The command is typed twice. The first time it asks and does nothing; when two officers have signed, the same command
does it. What is done is compared with what was approved by its digest, so another act needs another approval.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from adapter.audit.approvals import Act, ApprovalState, Request, Rule, Verdict, new_request
from adapter.cli.options import now_utc
from adapter.cli.own_record import note_signer, own_log
from adapter.crypto.note import SignsNotes
from adapter.crypto.note_ecdsa import EcdsaNoteSigner
from adapter.errors import ApprovalNeeded, CommandRefused, SecurityFailed
from adapter.secret_files import read_secret
from adapter.settings import Settings
from adapter.settings.officers import OFFICERS_NEEDED
from adapter.store.appending import Log
from adapter.store.approvals import Approvals
from adapter.store.engine import Database, open_database
from adapter.store.keyfiles import PROMPT, KeyPurpose
from adapter.store.officer_tokens import is_token_file, load_officer_token

OfficerOption = Annotated[
    str | None, typer.Option("--officer", help="In whose name it is entered.", show_default="your login")
]
OfficerKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--officer-key",
        metavar="FILE",
        help="Your officer's key or token file, for an act that needs two officers: signs as the first.",
    ),
]
_OPEN: Final = (ApprovalState.ASKED, ApprovalState.APPROVED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mandate:
    """In whose name an act is done. approval: by which request, None where none is asked for."""

    officer: str
    approval: str | None = None

    @property
    def details(self) -> dict[str, Any]:
        """What the act's entry says of it."""
        return {} if self.approval is None else {"approval": self.approval}

    def __str__(self) -> str:
        return self.officer if self.approval is None else f"{self.officer} ({self.approval})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Who types the command. officer: a name, which proves nothing. key: an officer's key, which does."""

    officer: str | None = None
    key: Path | None = None

    def alone(self) -> Mandate:
        """For an act that one may do alone."""
        return Mandate(officer=self.officer or getpass.getuser())

    def signer(self) -> SignsNotes | None:
        """Raises KeyUnusable."""
        return None if self.key is None else officer_signer(self.key, None)


NOBODY: Final = Asking()
"""For commands that do nothing that is entered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where an officer's act is done: the record that it is entered in, and who types the command."""

    settings: Settings
    database: Database
    log: Log
    asking: Asking

    @classmethod
    def of(cls, settings: Settings, *, officer: str | None, key: Path | None = None) -> Desk:
        """The desk of the adapter of these settings. key: as of Asking. Raises KeyUnusable, StoreUnusable."""
        return cls(
            settings=settings,
            database=open_database(settings.database_url),
            log=own_log(settings),
            asking=Asking(officer=officer, key=key),
        )

    @property
    def officer(self) -> str:
        """In whose name an act is entered that one may do alone."""
        return self.asking.alone().officer

    def mandate(self, kind: str, what: Mapping[str, Any]) -> Mandate:
        """Leave for exactly this act. what: all that decides what will be done; to be checked before, as far as it can.

        Raises ApprovalNeeded: it was asked for, and officers have to sign; CommandRefused.
        """
        return mandate_for(self.settings, Act(kind=kind, what=what), self.asking, self.database, self.log)


def officer_signer(path: Path, passphrase_file: Path | None) -> SignsNotes:
    """The signer of an officer's key file or token file, which has the officer's name. Raises KeyUnusable.

    An encrypted file asks for its passphrase, a token for its PIN if its file says so.
    """
    if is_token_file(path):
        held = load_officer_token(path, KeyPurpose.OFFICER)
        return EcdsaNoteSigner(path.stem, held.public, held.sign)
    if passphrase_file is None and b"ENCRYPTED" in read_secret(path):
        passphrase_file = PROMPT
    return note_signer(path.stem, path, KeyPurpose.OFFICER, passphrase_file)


def rule_of(settings: Settings) -> Rule:
    """What the settings say. Raises CommandRefused, KeyUnusable."""
    said = settings.approvals
    return Rule.of(said.acts, said.officers, said.lasts_h)


def approvals_of(settings: Settings, database: Database, log: Log) -> Approvals:
    """The approvals of this adapter."""
    return Approvals(database, log, member=settings.member, of_settings=rule_of(settings))


def mandate_for(settings: Settings, act: Act, asking: Asking, database: Database, log: Log) -> Mandate:
    """Leave to do exactly this act now; an approval is used up by it. Raises ApprovalNeeded, CommandRefused."""
    approvals, now = approvals_of(settings, database, log), now_utc()
    rule = approvals.begin(officer=asking.alone().officer, now=now)
    if not rule.asks_for(act.kind):
        return asking.alone()
    found = [one for one in approvals.requests().values() if one.act.digest == act.digest and one.state(now) in _OPEN]
    if not found:
        request = _ask(settings, approvals, act, asking, rule)
        raise ApprovalNeeded(
            f"{act.kind} needs {OFFICERS_NEEDED} officers. It was asked for as {request.id}: {_how(request)}"
        )
    request = found[0]
    if request.state(now) is not ApprovalState.APPROVED:
        raise ApprovalNeeded(f"{request.id} waits for {_missing(request)}: {_how(request)}")
    used = approvals.use(request.id, act, now=now)
    return Mandate(officer=" and ".join(used.approved_by), approval=used.id)


def _ask(settings: Settings, approvals: Approvals, act: Act, asking: Asking, rule: Rule) -> Request:
    now, signer = now_utc(), asking.signer()
    asked_by = asking.alone().officer if signer is None else signer.vkey.partition("+")[0]
    request = new_request(act, id_=f"a-{secrets.token_hex(4)}", asked_by=asked_by, rule=rule, now=now)
    note = None if signer is None else signer.sign(request.statement(str(settings.member), Verdict.APPROVE))
    try:
        approvals.ask(request, note, now=now)
    except SecurityFailed as cause:
        raise CommandRefused(cause.reason) from None
    return approvals.requests()[request.id]


def _missing(request: Request) -> str:
    missing = OFFICERS_NEEDED - len(request.approved_by)
    return "one more officer" if missing == 1 else f"{missing} officers"


def _how(request: Request) -> str:
    return f"`adapter approvals approve {request.id} --key FILE`, then the same command again"

"""The one handler of errors at the command line: a sentence, what to do, an exit code; never a traceback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Final

from adapter.cli.output import console_of
from adapter.envelope.texts import ENGLISH, text_in
from adapter.errors import (
    AdapterError,
    ApprovalNeeded,
    CertificateNotIssued,
    CommandRefused,
    ConsentInvalid,
    ConsentUnavailable,
    DescriptionUnusable,
    DirectoryExpired,
    DirectoryRefused,
    DirectoryUnavailable,
    EvidenceInvalid,
    InternalError,
    InvalidIdentifier,
    KeyUnreachable,
    KeyUnusable,
    PeerTimeout,
    PeerUnreachable,
    Problem,
    RecordBroken,
    SettingsInvalid,
    StatusOutdated,
    StatusUnavailable,
    StoreUnusable,
    UnknownMember,
    UnknownOperation,
    UnknownService,
)

DEBUG_VARIABLE: Final = "ADAPTER_DEBUG"
LANGUAGE_VARIABLE: Final = "ADAPTER_LANGUAGE"
UNEXPECTED_EXIT_CODE: Final = 70
"""EX_SOFTWARE of sysexits.h: a mistake in this program."""

ADVICE: Final[dict[type[AdapterError], str]] = {
    SettingsInvalid: "Mend the lines named above; `adapter doctor` then checks everything else.",
    KeyUnusable: "`adapter keys list` shows what is there; key files must be yours alone (chmod 600).",
    KeyUnreachable: "Is the token there and its PIN right? `adapter doctor` asks it; nothing has to be restarted.",
    CertificateNotIssued: "`adapter keys list` shows how far the key came; the same command again goes on from there.",
    ConsentInvalid: "Ask the issuer of the consent for the statement again; do not rely on this one.",
    ConsentUnavailable: "Ask again later; if it stays so, ask the issuer of the consent what is wrong.",
    StoreUnusable: "`adapter doctor` looks at the database and the disk; nothing that was acknowledged is lost.",
    DescriptionUnusable: "Put the WSDL and every file that it imports into one folder and name the WSDL.",
    RecordBroken: "Keep the database as it is, keep every checkpoint, and call whoever answers for the record.",
    EvidenceInvalid: "Do not rely on this file; ask its holder for the original and the authority for its anchor.",
    DirectoryUnavailable: "Check [directory] url in the settings and the network; `adapter doctor` says more.",
    DirectoryExpired: "The authority has to sign a new version; tell it, and look at the clock of this machine.",
    DirectoryRefused: "Do not replace the anchor to make this go away: ask the authority on another way.",
    StatusUnavailable: "Does the OCSP responder or the list answer that the directory names? docs/revocation.md.",
    StatusOutdated: "Is the clock of this machine right, and the CA's responder up to date? docs/revocation.md.",
    UnknownMember: "`adapter directory show` lists the members and their subsystems.",
    UnknownService: "`adapter service list` and `adapter directory show` list the services.",
    UnknownOperation: "`adapter service list` names the operations of each service.",
    InternalError: "The installation is damaged or this program has a mistake: install it again, or report it.",
    PeerUnreachable: "Is it running, and is the address right? `adapter doctor --online` asks its listeners.",
    PeerTimeout: "Wait and ask again, or give it more time with --timeout.",
    ApprovalNeeded: "`adapter approvals list` shows what waits, and who has signed.",
    InvalidIdentifier: "Check the identifier for a slip of the pen.",
}
"""What to do, where the reason alone does not say it."""


def run_guarded(command: Callable[[], None], arguments: list[str]) -> int:
    """Run a command and turn what it raises into words and an exit code.

    arguments: what was typed; with --json the error is a JSON object on standard error.
    """
    try:
        command()
    except AdapterError as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        _tell(error, as_json="--json" in arguments)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as unexpected:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        _tell(
            InternalError(
                f"this program made a mistake ({type(unexpected).__name__}); nothing was hidden, please report it"
            ),
            as_json="--json" in arguments,
            advice=f"{DEBUG_VARIABLE}=1 shows where it happened.",
        )
        return UNEXPECTED_EXIT_CODE
    return 0


def console_language() -> str:
    """The language of whoever sits at the console: ADAPTER_LANGUAGE, else LANG (`ru_RU.UTF-8`), else English."""
    wished = os.environ.get(LANGUAGE_VARIABLE) or os.environ.get("LANG") or ENGLISH
    return wished.partition(".")[0].replace("_", "-")


def _tell(error: AdapterError, *, as_json: bool, advice: str | None = None) -> None:
    advice = advice or advice_for(error)
    if as_json:
        content = {
            "error": error.code,
            "text": error.text,
            "reason": error.reason,
            "advice": advice,
            "problems": [_as_json(problem) for problem in error.problems],
        }
        sys.stderr.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        return
    console = console_of(sys.stderr)
    console.print(f"adapter: {error.reason}", style="bold red")
    translated = text_in(console_language(), error.text)
    if translated != error.text:
        console.print(translated)
    for problem in error.problems:
        if problem.text not in error.reason:
            console.print(f"  line {problem.line}, column {problem.column}: {problem.text}")
    if advice:
        console.print(advice)


def advice_for(error: AdapterError) -> str:
    """What to do about an error; empty when its reason says it already (CommandRefused)."""
    in_no_line = isinstance(error, SettingsInvalid) and not error.problems  # another file than the settings
    if isinstance(error, CommandRefused) or in_no_line:
        return ""
    return ADVICE.get(type(error), error.text if error.text != error.reason else "")


def _as_json(problem: Problem) -> dict[str, str | int]:
    return {
        "line": problem.line,
        "column": problem.column,
        "element": problem.element,
        "rule": problem.rule,
        "text": problem.text,
    }

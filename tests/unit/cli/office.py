"""Officers with keys of their own, and the commands as they type them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from adapter.audit.verify import verify_record
from adapter.cli.own_record import record_signer
from adapter.crypto.note import NoteVerifier
from adapter.settings import load_settings
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from tests.unit.cli.dialogue import Run

ACTS = ("key-create", "key-revoke", "access-grant", "access-revoke")
NAMES = ("dilnoza", "bek", "olim")


def write_rule(place: Path, acts: tuple[str, ...], vkeys: list[str], more: str = "") -> None:
    file = place / "register" / "adapter.toml"
    text = file.read_text().partition("\n[approvals]")[0]
    file.write_text(f"{text}\n[approvals]\nacts = {json.dumps(acts)}\nofficers = {json.dumps(vkeys)}\n{more}")


class Office:
    """The commands as officers type them."""

    def __init__(self, run: Run, place: Path) -> None:
        self.run, self.place = run, place

    def type(self, *words: str, code: int = 0) -> str:
        done = self.run(*words, "--settings", "register")
        assert done.code == code, done
        return done.out + done.err

    def ask(self, *words: str) -> str:
        """Type an act that needs approval; gives the id of the request."""
        said = self.type(*words, code=8)
        return next(word.strip(":.`") for word in said.split() if word.startswith("a-"))

    def approve(self, id_: str, name: str, code: int = 0) -> str:
        return self.type("approvals", "approve", id_, "--key", f"{name}.key", code=code)

    def pending(self, *more: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.run("approvals", "list", "--json", *more, "-s", "register").out)
        return listed

    def rules(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = json.loads(self.type("access", "list", "--json"))["rules"]
        return rules

    def newest(self) -> dict[str, Any]:
        """The body of the record's last entry."""
        return json.loads(self.type("log", "list", "--limit", "1", "--json"))[0]["entry"]  # type: ignore[no-any-return]

    def outcomes(self) -> list[str]:
        """Of the whole record, which must verify."""
        settings = load_settings(self.place / "register" / "adapter.toml")
        database, verifier = open_database(settings.database_url), NoteVerifier.parse(record_signer(settings).vkey)
        verify_record(LogReader(database), origin=str(settings.member), verifiers=(verifier,))
        with sqlite3.connect(database.path) as connection:
            return [row[0] for row in connection.execute("SELECT outcome FROM entries ORDER BY number")]

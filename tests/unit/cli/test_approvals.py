"""Two officers: what is asked for, what is signed, and that nothing else is carried out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.admin import admin_entry
from adapter.cli import approval_gate, approvals
from adapter.cli.own_record import own_log
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.settings import load_settings
from adapter.store.appending import append_entries
from adapter.store.engine import open_database
from adapter.store.keyfiles import KeyPurpose, save_private_key
from tests.pki import NOW
from tests.unit.cli.dialogue import Run
from tests.unit.cli.office import ACTS, NAMES, Office, write_rule
from tests.unit.store.test_reviews import emergency

GRANT = (
    "access",
    "grant",
    "--consumer",
    "UZ/GOV/200000003/social",
    "--service",
    "UZ/GOV/200000001/population/GetPerson/v1",
    "--all-fields",
)


def test_an_act_is_done_by_the_same_command_after_two_officers_and_all_is_in_the_record(office: Office) -> None:
    id_ = office.ask(*GRANT)
    assert office.rules() == []
    assert office.ask(*GRANT) == id_, "asking twice is one request"
    office.approve(id_, "dilnoza")
    assert office.ask(*GRANT) == id_, "one officer is not enough"
    office.approve(id_, "bek")
    office.type(*GRANT)
    (rule,) = office.rules()
    assert rule["granted_by"] == f"dilnoza and bek ({id_})"
    assert office.outcomes() == [
        "approvals-in-force",
        "approval-asked",
        "approval-given",
        "approval-given",
        "approval-used",
        "access-granted",
    ]
    assert office.pending() == []
    assert office.ask(*GRANT) != id_, "one approval, one act"


def test_the_list_says_what_of_in_words(office: Office) -> None:
    office.ask(*GRANT)
    office.ask("keys", "create", "--purpose", "signing", "--purpose", "tls", "--name", "2027")
    office.ask("keys", "create", "--purpose", "tls")
    listed = office.type("approvals", "list")
    assert "UZ/GOV/200000003/social: UZ/GOV/200000001/population/GetPerson/v1" in listed
    assert "signing-2027, tls-2027" in listed
    assert listed.count("tls") == 2


def test_whoever_asks_with_a_key_is_the_first_officer_and_not_the_second(office: Office) -> None:
    id_ = office.ask(*GRANT, "--officer-key", "dilnoza.key")
    assert office.pending()[0]["approved_by"] == ["dilnoza"]
    assert "it takes another officer" in office.approve(id_, "dilnoza", code=2)
    office.approve(id_, "bek")
    office.type(*GRANT)
    assert len(office.rules()) == 1


def test_the_asker_by_name_cannot_approve_either(office: Office) -> None:
    id_ = office.ask(*GRANT, "--officer", "bek")
    assert "it takes another officer" in office.approve(id_, "bek", code=2)


@pytest.mark.parametrize(
    "other",
    [
        ("--purpose", "social-benefit"),
        ("--until", "2030-01-01"),
        ("--note", "agreement 7"),
        ("--id", "rule-of-mine"),
    ],
)
def test_another_act_is_not_what_was_approved(office: Office, other: tuple[str, ...]) -> None:
    id_ = office.ask(*GRANT)
    office.approve(id_, "dilnoza")
    office.approve(id_, "bek")
    assert office.ask(*GRANT, *other) != id_
    assert office.rules() == []


def test_one_refusal_ends_a_request_even_an_approved_one(office: Office) -> None:
    id_ = office.ask(*GRANT)
    office.approve(id_, "dilnoza")
    office.approve(id_, "bek")
    office.type("approvals", "refuse", id_, "--key", "olim.key")
    assert office.pending("--all")[0]["refused_by"] == "olim"
    assert office.ask(*GRANT) != id_
    assert f"{id_} is refused" in office.approve(id_, "olim", code=2)


def test_a_request_expires_and_so_does_an_approval(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = office.ask(*GRANT)
    office.approve(id_, "dilnoza")
    office.approve(id_, "bek")
    later = datetime.now(UTC) + timedelta(hours=73)
    for module in (approval_gate, approvals):
        monkeypatch.setattr(module, "now_utc", lambda: later)
    assert office.pending() == []
    assert office.pending("--all")[0]["state"] == "expired"
    assert f"{id_} is expired" in office.approve(id_, "olim", code=2)
    assert office.ask(*GRANT) != id_


def test_a_stranger_and_a_key_of_another_use_sign_for_nothing(office: Office) -> None:
    id_ = office.ask(*GRANT)
    save_private_key(office.place / "stranger.key", Ed25519PrivateKey.generate(), KeyPurpose.OFFICER)
    office.type("approvals", "approve", id_, "--key", "stranger.key", code=2)
    save_private_key(office.place / "record.key", Ed25519PrivateKey.generate(), KeyPurpose.RECORD)
    said = office.type("approvals", "approve", id_, "--key", "record.key", code=3)
    assert "holds a key for record, not for officer" in said
    (office.place / "dilnoza.key").rename(office.place / "bek.key")
    office.type("approvals", "approve", id_, "--key", "bek.key", code=2)
    assert office.pending()[0]["approved_by"] == []


def test_an_officer_signs_on_another_machine_what_the_text_says(office: Office) -> None:
    id_ = office.ask(*GRANT)
    office.type("approvals", "text", id_, "-o", "to-sign.txt")
    assert '"consumer":"UZ/GOV/200000003/social"' in (office.place / "to-sign.txt").read_text()
    for name in ("dilnoza", "bek"):
        signed = office.run("approvals", "sign", "to-sign.txt", "--key", f"{name}.key", "-o", f"{name}.note")
        assert signed.code == 0, signed
        office.type("approvals", "approve", id_, "--note", f"{name}.note")
    office.type(*GRANT)
    changed = (office.place / "bek.note").read_text().replace("200000003", "200000002")
    (office.place / "bek.note").write_text(changed)
    second = office.ask(*GRANT, "--purpose", "social-benefit")
    office.type("approvals", "approve", second, "--note", "bek.note", code=2)


def test_an_entry_put_there_by_another_way_approves_nothing(office: Office) -> None:
    """Whoever writes into the database has no officer's key."""
    id_ = office.ask(*GRANT)
    settings = load_settings(office.place / "register" / "adapter.toml")
    (request,) = office.pending()
    forger = NoteSigner("dilnoza", Ed25519PrivateKey.generate())
    details = {"id": id_, "digest": request["digest"], "note": forger.sign("anything\n")}
    entries = [admin_entry("approval-given", officer=name, at=NOW, details=details) for name in ("dilnoza", "bek")]
    append_entries(open_database(settings.database_url), own_log(settings), entries)
    assert office.pending()[0]["approved_by"] == []
    assert office.ask(*GRANT) == id_


def test_the_rule_is_not_taken_back_by_one_who_edits_the_settings(office: Office, vkeys: list[str]) -> None:
    office.ask(*GRANT)
    write_rule(office.place, (), [])
    office.ask(*GRANT)
    assert office.rules() == []
    assert "is not what is in force" in office.type("approvals", "list")
    id_ = office.ask("approvals", "adopt")
    office.approve(id_, "dilnoza")
    office.approve(id_, "bek")
    office.type("approvals", "adopt")
    office.type(*GRANT)
    assert len(office.rules()) == 1
    write_rule(office.place, ACTS, vkeys)
    office.ask(*GRANT, "--id", "another")


def test_keys_are_made_and_revoked_by_two_as_well(office: Office) -> None:
    create = ("keys", "create", "--purpose", "signing", "--name", "2027")
    id_ = office.ask(*create, "--officer-key", "dilnoza.key")
    assert not (office.place / "register" / "keys" / "signing-2027.key").exists()
    office.approve(id_, "olim")
    office.type(*create)
    assert (office.place / "register" / "keys" / "signing-2027.key").exists()
    revoke = ("keys", "revoke", "signing", "--reason", "key-compromise")
    id_ = office.ask(*revoke, "--officer-key", "bek.key")
    office.approve(id_, "olim")
    office.ask("keys", "revoke", "signing", "--reason", "superseded")
    office.type(*revoke)
    assert "key-revoked" in office.outcomes()


def test_keys_are_exported_and_destroyed_by_two_as_well(office: Office, vkeys: list[str]) -> None:
    write_rule(office.place, ("key-export", "key-destroy"), vkeys)
    phrases = []
    for name in ("dilnoza", "bek"):
        file = office.place / f"{name}.pass"
        file.touch(mode=0o600)
        file.write_text(f"the phrase of {name}\n")
        phrases += ["--by", name, "--passphrase-file", str(file)]
    backup = ("keys", "backup", "all.sealed", *phrases)
    id_ = office.ask(*backup, "--officer-key", "dilnoza.key")
    assert not (office.place / "all.sealed").exists()
    office.approve(id_, "bek")
    office.type(*backup)
    assert (office.place / "all.sealed").exists()
    office.type("keys", "revoke", "signing", "--reason", "superseded")
    destroy = ("keys", "destroy", "signing", "--yes")
    id_ = office.ask(*destroy, "--officer-key", "bek.key")
    assert (office.place / "register" / "keys" / "signing.key").exists()
    office.type("approvals", "refuse", id_, "--key", "olim.key")
    again = office.ask(*destroy, "--officer-key", "bek.key")
    assert again != id_
    office.approve(again, "dilnoza")
    office.type(*destroy)
    assert not (office.place / "register" / "keys" / "signing.key").exists()
    acts = [one for one in office.outcomes() if one.startswith("key") or one == "approval-refused"]
    assert acts == ["keys-backed-up", "key-revoked", "approval-refused", "key-destroyed"]


def test_an_officers_key_is_made_encrypted(run: Run, place: Path) -> None:
    phrase = place / "phrase"
    phrase.touch(mode=0o600)
    phrase.write_text("correct horse\n")
    made = run("approvals", "officer-key", "aziza", "--passphrase-file", "phrase", "--json")
    vkey = json.loads(made.out)["vkey"]
    assert b"ENCRYPTED PRIVATE KEY" in (place / "aziza.key").read_bytes()
    (place / "text").write_text("said\n")
    signed = run("approvals", "sign", "text", "--key", "aziza.key", "--passphrase-file", "phrase")
    NoteVerifier.parse(vkey)
    assert signed.out.startswith("said\n\n— aziza ")


def test_two_officers_are_two(office: Office, vkeys: list[str]) -> None:
    write_rule(office.place, ACTS, vkeys[:1])
    assert "needs two that are named here" in office.type("approvals", "list", code=2)
    write_rule(office.place, ACTS, [vkeys[0], vkeys[0]])
    assert "have one name" in office.type("approvals", "list", code=2)


def test_one_key_under_two_names_is_one_officer(office: Office) -> None:
    private = Ed25519PrivateKey.generate()
    write_rule(office.place, ACTS, [NoteSigner(name, private).vkey for name in ("one", "two")])
    office.type(*GRANT, code=2)


def test_an_emergency_rule_is_approved_for_exactly_the_officials_whom_it_names(office: Office) -> None:
    rule = (*GRANT, "--emergency", "--official", "duty-3")
    id_ = office.ask(*rule)
    for name in NAMES[:2]:
        office.approve(id_, name)
    assert office.ask(*rule, "--official", "duty-4") != id_
    assert office.ask(*GRANT) != id_, "nor is it leave to grant an ordinary rule"
    office.type(*rule)
    assert [one["emergency_officials"] for one in office.rules()] == [["duty-3"]]


def test_closing_a_review_can_need_two_officers(office: Office, vkeys: list[str]) -> None:
    write_rule(office.place, (*ACTS, "access-review-close"), vkeys)
    settings = load_settings(office.place / "register" / "adapter.toml")
    append_entries(open_database(settings.database_url), own_log(settings), [emergency()])
    closing = ("access", "close-review", "0", "--finding", "justified", "--note", "duty log 7")
    id_ = office.ask(*closing)
    for name in NAMES[:2]:
        office.approve(id_, name)
    assert office.ask(*closing[:-1], "duty log 8") != id_
    assert "0 still open" in office.type(*closing)
    assert "closed already" in office.type(*closing, code=2)

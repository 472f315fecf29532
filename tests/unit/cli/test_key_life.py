"""The steps in the life of a key as an officer types them: what is refused, what is entered, what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.app.expiries import what_expires
from adapter.app.keyring import load_keyring
from adapter.errors import KeyUnusable
from adapter.settings import load_settings
from adapter.store.keyfiles import KeyPurpose, load_private_key
from tests.command_line import Typed
from tests.pki import SIGNING_USAGE, issue, make_ca
from tests.unit.cli.dialogue import Run

FUTURE = datetime(2090, 1, 1, tzinfo=UTC)
PAST = datetime(2025, 1, 1, tzinfo=UTC)


class Desk:
    """The officer's desk at the population register."""

    def __init__(self, run: Run, place: Path) -> None:
        self.run, self.place, self.keys = run, place, place / "register" / "keys"

    def type(self, *words: object, code: int = 0) -> Typed:
        done = self.run("keys", *words, "--settings", "register")
        assert done.code == code, done
        return done

    def listed(self) -> dict[str, dict[str, Any]]:
        return {key["key"]: key for key in json.loads(self.type("list", "--json").out)}

    def certificate(self, subject: str, **more: Any) -> Path:
        """A certificate of the directory's CA for signing-2027, or what is asked for instead."""
        key = load_private_key(self.keys / "signing-2027.key", KeyPurpose.SIGNING)
        said = {"public_key": key.public_key(), "subject": subject, "usage": SIGNING_USAGE, "now": datetime.now(UTC)}
        made: x509.Certificate = issue(**{"issuer": self.ca, **said, **more})
        path = self.place / "certificate.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM))
        return path

    ca: Any = None


@pytest.fixture
def desk(run: Run, place: Path) -> Desk:
    desk = Desk(run, place)
    desk.ca = make_ca("another CA", now=datetime.now(UTC))
    desk.type("create", "--purpose", "signing", "--name", "2027")
    return desk


def test_making_and_asking_are_entered_and_listed(desk: Desk) -> None:
    made = desk.listed()["signing-2027"]
    assert (made["state"], made["record"], made["validity"]) == ("made", 0, "no certificate yet")
    desk.type("csr", "signing", "--name", "2027", "--organisation", "Register", "-o", "signing.csr")
    assert x509.load_pem_x509_csr((desk.place / "signing.csr").read_bytes()).is_signature_valid
    assert desk.listed()["signing-2027"]["state"] == "requested"
    assert desk.run("log", "verify", "-s", "register").code == 0


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ({"subject": "UZ/GOV/200000001 signing"}, "no certificate of the authority issued this one"),
        ({"usage": ("key_agreement",)}, "not for signing"),
        ({"valid_from": PAST, "valid_until": PAST + timedelta(days=30)}, "has expired"),
        ({"valid_from": FUTURE, "valid_until": FUTURE + timedelta(days=30)}, "not valid yet"),
    ],
    ids=["another CA", "another use", "expired", "not yet valid"],
)
def test_each_mismatch_of_a_certificate_has_its_sentence(desk: Desk, instead: dict[str, Any], words: str) -> None:
    file = desk.certificate(**{"subject": "UZ/GOV/200000001 signing", **instead})
    refused = desk.type("import", file, code=3)
    assert words in refused.err
    assert not (desk.keys / "signing-2027.pem").exists()


def test_a_certificate_for_no_key_of_ours(desk: Desk) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    file = desk.certificate("UZ/GOV/200000001 signing", public_key=stranger)
    assert "is for none of the keys" in desk.type("import", file, code=2).err


def test_a_step_that_the_table_does_not_have_is_refused(desk: Desk) -> None:
    assert "signing-2027 cannot be used: no certificate yet" in desk.type("activate", "signing-2027", code=3).err
    assert "is made: it can become" in desk.type("retire", "signing-2027", code=2).err
    assert "is made: it can become" in desk.type("destroy", "signing-2027", "--yes", code=2).err
    assert "no key is called signing-2028" in desk.type("activate", "signing-2028", code=2).err


def test_a_key_in_use_keeps_the_certificate_by_which_peers_know_it(desk: Desk) -> None:
    assert desk.listed()["tls"]["state"] == "active"
    tls = load_private_key(desk.keys / "tls.key", KeyPurpose.TLS).public_key()
    another = desk.certificate("UZ/GOV/200000001 adapter", public_key=tls)
    refused = desk.type("import", another, "--yes", code=2)
    assert "tls is active with another certificate, by which peers know it" in refused.err
    desk.type("import", desk.keys / "tls.pem", "--yes")
    assert desk.listed()["tls"]["record"] is None, "the same certificate again is no step"


def test_revoking_ends_the_use_and_destroying_the_file(desk: Desk) -> None:
    settings = load_settings(desk.place / "register" / "adapter.toml")
    assert len(load_keyring(settings).signing) == 1
    said = desk.type("revoke", "signing", "--reason", "key-compromise")
    assert "There is no other signing key" in said.err
    with pytest.raises(KeyUnusable, match="every signing key was retired or revoked"):
        load_keyring(settings)
    assert "is revoked: it can become destroyed" in desk.type("revoke", "signing", "--reason", "superseded", code=2).err
    inode = (desk.keys / "signing.key").stat().st_ino
    desk.type("destroy", "signing", "--yes")
    assert not (desk.keys / "signing.key").exists()
    assert inode
    assert (desk.keys / "signing.pem").exists(), "for whoever verifies old evidence"
    watched = {(one.what, one.name) for one in what_expires(settings, None)}
    assert watched == {("agreement certificate", "agreement.pem"), ("tls certificate", "tls.pem")}, "nobody renews it"
    gone = desk.listed()["signing"]
    assert (gone["state"], gone["file"]) == ("destroyed", None)


ROTATE = ("rotate", "signing", "--name", "2027", "--organisation", "Register")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("csr", "signing", "--name", "2027", "--organisation", "Register"), "asks for no certificate any more"),
        (ROTATE, "a rotation leads to a new key"),
        (("activate", "signing-2027"), "signing-2027 cannot be used: "),
        (("create", "--purpose", "signing", "--name", "2027"), "signing-2027.key exists already"),
    ],
    ids=["csr", "rotate", "activate", "create"],
)
def test_a_revoked_key_is_not_renewed(desk: Desk, command: tuple[str, ...], words: str) -> None:
    desk.type("revoke", "signing-2027", "--reason", "key-compromise")
    refused = desk.type(*command, code=2 if command[0] in ("csr", "rotate") else 3)
    assert words in refused.err
    assert refused.out == ""
    assert desk.listed()["signing-2027"]["state"] == "revoked"
    assert not (desk.keys / "signing-2027.csr").exists()


def test_a_revoked_key_takes_no_certificate(desk: Desk) -> None:
    desk.type("revoke", "signing-2027", "--reason", "key-compromise")
    refused = desk.type("import", desk.certificate("UZ/GOV/200000001 signing"), code=2)
    assert "signing-2027 is revoked and takes no certificate any more" in refused.err
    assert "`adapter keys rotate signing --name NEW`" in refused.err
    assert not (desk.keys / "signing-2027.pem").exists()
    desk.type("revoke", "signing", "--reason", "key-compromise")
    again = desk.type("import", desk.keys / "signing.pem", "--yes", code=2)
    assert "signing is revoked and takes no certificate any more" in again.err, "not even the one that it had"


def test_a_rotation_from_a_revoked_key_leads_to_a_new_one(desk: Desk) -> None:
    desk.type("revoke", "signing-2027", "--reason", "key-compromise")
    desk.type("rotate", "signing", "--name", "2028", "--organisation", "Register")
    listed = desk.listed()
    assert (listed["signing-2027"]["state"], listed["signing-2028"]["state"]) == ("revoked", "requested")


def test_nothing_is_destroyed_unasked(desk: Desk) -> None:
    desk.type("revoke", "signing-2027", "--reason", "superseded")
    desk.type("destroy", "signing-2027", code=2)
    assert (desk.keys / "signing-2027.key").exists()


def test_the_public_part_is_exported_and_nothing_else(desk: Desk) -> None:
    shown = desk.type("export", "signing").out
    assert shown == (desk.keys / "signing.pem").read_text()
    assert "PRIVATE" not in shown
    assert "has no certificate" in desk.type("export", "signing-2027", code=2).err


def test_a_rotation_begins_with_a_key_and_its_request(desk: Desk) -> None:
    words = ("rotate", "agreement", "--name", "2027", "--organisation", "Register")
    value = json.loads(desk.type(*words, "--json").out)
    assert value["key"] == "agreement-2027"
    assert "adapter keys import" in value["next"]
    assert (desk.keys / "agreement-2027.csr").exists()
    again = json.loads(desk.type(*words, "--json").out)
    assert again == value, "it may be run as often as one likes"


def test_the_keys_of_a_new_home_begin_their_life_in_the_record(run: Run, tmp_path: Path) -> None:
    home = ("--member", "UZ/GOV/200000009", "--directory", "fed")
    assert run("init", "fresh", *home).code == 0

    def lives() -> dict[str, tuple[str, int | None]]:
        listed = json.loads(run("keys", "list", "-s", "fresh", "--json").out)
        return {key["key"]: (key["state"], key["record"]) for key in listed}

    began = lives()
    assert [began[key] for key in ("signing", "agreement", "tls")] == [("made", 0), ("made", 1), ("made", 2)]
    assert run("init", "fresh", *home, "--yes").code == 0
    assert lives() == began, "what is entered is not entered twice"
    assert run("log", "verify", "-s", "fresh").code == 0
    (tmp_path / "fresh" / "keys" / "tls.key").unlink()
    assert run("init", "fresh", *home, "--yes").code == 0
    assert "4 entries" in run("log", "verify", "-s", "fresh").out, "another key, another life"

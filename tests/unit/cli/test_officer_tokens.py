"""Officers whose key is in a PKCS #11 token (SoftHSM2): they sign the directory and approve acts like the others."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tuf.api.metadata import Root, Targets

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.directory_source import open_directory
from adapter.crypto.note_ecdsa import officer_vkey, read_officer_vkey
from adapter.directory.repository import read_metadata, signatures_on
from adapter.errors import KeyUnusable
from tests.command_line import shown
from tests.softhsm import LABEL, PIN, SoftToken, needs_softhsm, soft_token
from tests.unit.cli.dialogue import Run

CAS = ("--instance", "UZ", "--signing-ca", "fed/signing-ca.pem", "--tls-ca", "fed/tls-ca.pem")
NEW_KEY = ("keys", "create", "--purpose", "signing", "--name", "2027", "--settings", "register")


@pytest.fixture
def soft(place: Path) -> Iterator[SoftToken]:
    with soft_token(place / "token") as made:
        yield made


@pytest.fixture
def where(soft: SoftToken) -> tuple[str, ...]:
    """The options that name the token."""
    return (
        "--token-module",
        str(soft.place.module),
        "--token-label",
        LABEL,
        "--pin-file",
        str(soft.place.pin_file),
    )


@pytest.fixture
def home(run: Run, place: Path, where: tuple[str, ...]) -> AuthorityFolder:
    """Three officers, of whom karimova has her key in a token; the first root waits."""
    assert callable(run)
    shown("authority", "officer-key", "karimova.token", *where)
    for name in ("saidov", "usmonov"):
        shown("authority", "officer-key", f"{name}.key")
    officers = [word for name in ("karimova", "saidov", "usmonov") for word in ("--officer", f"{name}={name}.pem")]
    shown("authority", "init", "authority", *CAS, *officers)
    return AuthorityFolder(path=place / "authority")


def carried(home: AuthorityFolder, *files: str, first: bool = False) -> None:
    shown("authority", "request", home.path, "-o", "request.zip", "--yes")
    known = ("--first",) if first else ("--anchor", home.anchor_file)
    for file in files:
        shown("authority", "sign", "request.zip", "--key", file, *known, "--yes", "-o", f"{file}.signatures")
    shown("authority", "merge", home.path, *(f"{file}.signatures" for file in files))


@needs_softhsm
def test_two_of_three_sign_root_and_targets_and_one_of_them_has_a_token(home: AuthorityFolder) -> None:
    carried(home, "karimova.token", "saidov.key", first=True)
    shown("authority", "publish", "authority")
    shown("authority", "propose", "authority")
    carried(home, "karimova.token")
    assert "1 of 2 signatures (karimova)" in shown("authority", "publish", "authority", code=2)
    carried(home, "saidov.key")
    shown("authority", "publish", "authority")
    assert open_directory(str(home.published), home.anchor_file).version == 1
    root = home.root()
    for file, kind in (("1.root.json", Root), ("1.targets.json", Targets)):
        metadata = read_metadata((home.published / "metadata" / file).read_bytes(), kind)  # type: ignore[type-var]
        assert signatures_on(metadata, root).signed == ("karimova", "saidov")  # type: ignore[arg-type]


@needs_softhsm
def test_an_officer_who_is_here_signs_with_the_token_too(home: AuthorityFolder) -> None:
    carried(home, "karimova.token", "usmonov.key", first=True)
    shown("authority", "publish", "authority")
    here = ("--sign-with", "karimova.token", "--sign-with", "usmonov.key")
    shown("authority", "release", "authority", *here)
    assert open_directory(str(home.published), home.anchor_file).version == 1


@needs_softhsm
def test_an_officers_token_file_is_refused_unless_all_of_it_fits(
    place: Path, soft: SoftToken, where: tuple[str, ...], home: AuthorityFolder
) -> None:
    def sign(file: str, code: int) -> str:
        shown("authority", "request", home.path, "-o", "request.zip", "--yes")
        return shown("authority", "sign", "request.zip", "--key", file, "--first", "--yes", "-o", "out", code=code)

    text = (place / "karimova.token").read_text()
    assert PIN not in text
    assert "a key is never overwritten" in shown("authority", "officer-key", "karimova.token", *where, code=3)
    assert "ends in .token" in shown("authority", "officer-key", "other.key", *where, code=3)
    assert "--token-label or --token-serial" in shown("authority", "officer-key", "x.token", *where[:2], code=2)
    shown("approvals", "officer-key", "bek", *where)
    assert "names a key for officer, not for authority" in sign("bek.token", 3)
    other = json.dumps((place / "saidov.pem").read_text())
    lines = [f"public_key = {other}" if line.startswith("public_key") else line for line in text.splitlines()]
    shutil.copy(place / "karimova.token", place / "changed.token")
    (place / "changed.token").write_text("\n".join(lines))
    assert "ECDSA on P-256" in sign("changed.token", 3)
    (place / "changed.token").write_text(text.replace("authority-karimova", "officer-bek"))
    assert "it is not the key whose public half" in sign("changed.token", 3)
    (place / "karimova.token").chmod(0o644)
    assert "can be read by others" in sign("karimova.token", 3)
    (place / "karimova.token").chmod(0o600)
    soft.place.pin_file.write_text("00000000\n")
    soft.module.reinitialize()  # as in another process: within one the login holds
    assert "does not take the PIN" in sign("karimova.token", 3)
    assert not (place / "out").exists()


@needs_softhsm
def test_an_officer_with_a_token_approves_and_asks_as_the_first(place: Path, run: Run, where: tuple[str, ...]) -> None:
    phrase = place / "phrase"
    phrase.touch(mode=0o600)
    phrase.write_text("correct horse\n")
    vkeys = [json.loads(run("approvals", "officer-key", "dilnoza", *where, "--json").out)["vkey"]]
    for name in ("bek", "olim"):
        made = run("approvals", "officer-key", name, "--passphrase-file", str(phrase), "--json")
        vkeys.append(json.loads(made.out)["vkey"])
    settings = place / "register" / "adapter.toml"
    rule = f'[approvals]\nacts = ["key-create"]\nofficers = {json.dumps(vkeys)}\n'
    settings.write_text(settings.read_text().replace("[approvals]\n", rule))
    said = shown(*NEW_KEY, "--officer-key", "dilnoza.token", code=8)
    id_ = next(word.strip(":.`") for word in said.split() if word.startswith("a-"))
    register = ("--settings", "register")
    assert "another officer" in shown("approvals", "approve", id_, "--key", "dilnoza.token", *register, code=2)
    by_bek = ("--key", "bek.key", "--passphrase-file", phrase)
    assert "Approved by two officers" in shown("approvals", "approve", id_, *by_bek, *register)
    shown(*NEW_KEY)
    assert (place / "register" / "keys" / "signing-2027.key").exists()

    again = shown(*NEW_KEY[:-3], "2028", *register, code=8)
    id_ = next(word.strip(":.`") for word in again.split() if word.startswith("a-"))
    shown("approvals", "text", id_, "-o", "to-sign.txt", *register)
    shown("approvals", "sign", "to-sign.txt", "--key", "dilnoza.token", "-o", "signed.note")
    shown("approvals", "approve", id_, "--note", "signed.note", *register)
    pending = json.loads(run("approvals", "list", "--json", *register).out)
    assert pending[0]["approved_by"] == ["dilnoza"]


def test_one_key_in_a_token_has_one_spelling() -> None:
    """Else one key under two names would be two officers."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    vkey = officer_vkey("dilnoza", public)
    assert read_officer_vkey(vkey).name == "dilnoza"
    name, id_, encoded = vkey.split("+", 2)
    assert encoded.endswith("=")
    loose = f"{encoded[:-2]}{chr(ord(encoded[-2]) + 1)}="
    compressed = base64.b64decode(encoded)[:1] + _compressed(public)
    for other in (loose, base64.b64encode(compressed).decode()):
        with pytest.raises(KeyUnusable):
            read_officer_vkey(f"{name}+{id_}+{other}")
    with pytest.raises(KeyUnusable, match="id of the verifier key"):
        read_officer_vkey(f"{name}+00000000+{encoded}")


def _compressed(public: ec.EllipticCurvePublicKey) -> bytes:
    """The same key as SubjectPublicKeyInfo with a compressed point."""
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    assert len(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) == 91
    return header + public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

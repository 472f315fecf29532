"""Key files: what is missing, unsafe, or in the wrong place is refused with what to do about it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.cli.authority_folder import certificates_from
from adapter.crypto.keys import generate_agreement_key, generate_signing_key
from adapter.errors import CommandRefused, KeyUnusable
from adapter.store.keyfiles import (
    KeyPurpose,
    load_archive_key,
    load_certificate,
    load_decryption_keys,
    load_private_key,
    load_signing_keys,
    read_passphrase,
    save_archive_key,
    save_private_key,
    write_secret,
)
from tests.pki import Federation, certificate_pem, private_pem


@pytest.fixture
def folder(tmp_path: Path, federation: Federation) -> Path:
    federation.social.write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suite", ["p256", "ed25519"])
@pytest.mark.parametrize("with_passphrase", [False, True])
def test_a_key_is_read_as_it_was_written(tmp_path: Path, suite: str, *, with_passphrase: bool) -> None:
    passphrase = None
    if with_passphrase:
        passphrase = tmp_path / "passphrase"
        write_secret(passphrase, "пароль из многих слов\n".encode())
    for key, purpose in (
        (generate_signing_key(suite), KeyPurpose.SIGNING),
        (generate_agreement_key(suite), KeyPurpose.AGREEMENT),
    ):
        path = tmp_path / f"{purpose.value}.key"
        save_private_key(path, key, purpose, passphrase_file=passphrase)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().startswith(f"Purpose: {purpose.value}\n")
        read = load_private_key(path, purpose, passphrase_file=passphrase)
        assert private_pem(read) == private_pem(key)  # type: ignore[arg-type]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    save_private_key(path, generate_signing_key("p256"), KeyPurpose.SIGNING)
    before = path.read_bytes()
    with pytest.raises(KeyUnusable, match="never overwritten"):
        save_private_key(path, generate_signing_key("p256"), KeyPurpose.SIGNING)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_file_that_others_can_read(folder: Path, mode: int) -> None:
    path = folder / "signing.key"
    path.chmod(mode)
    with pytest.raises(KeyUnusable) as failure:
        load_signing_keys(folder)
    assert f"chmod 600 {path}" in failure.value.reason


def test_a_passphrase_that_others_can_read(tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    write_secret(passphrase, b"words")
    save_private_key(tmp_path / "a.key", generate_signing_key("p256"), KeyPurpose.SIGNING, passphrase_file=passphrase)
    passphrase.chmod(0o644)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_private_key(tmp_path / "a.key", KeyPurpose.SIGNING, passphrase_file=passphrase)


def test_a_wrong_or_missing_passphrase(tmp_path: Path) -> None:
    right, wrong, empty = (tmp_path / name for name in ("right", "wrong", "empty"))
    for path, words in ((right, b"right"), (wrong, b"wrong"), (empty, b"\n")):
        write_secret(path, words)
    path = tmp_path / "a.key"
    save_private_key(path, generate_signing_key("p256"), KeyPurpose.SIGNING, passphrase_file=right)
    for given, word in ((wrong, "passphrase is wrong"), (None, "name its passphrase file"), (empty, "is empty")):
        with pytest.raises(KeyUnusable, match=word):
            load_private_key(path, KeyPurpose.SIGNING, passphrase_file=given)
    plain = tmp_path / "plain.key"
    save_private_key(plain, generate_signing_key("p256"), KeyPurpose.SIGNING)
    with pytest.raises(KeyUnusable, match="not encrypted"):
        load_private_key(plain, KeyPurpose.SIGNING, passphrase_file=right)


@pytest.mark.parametrize("marked", list(KeyPurpose))
@pytest.mark.parametrize("asked", list(KeyPurpose))
def test_a_key_is_used_for_its_purpose_only(tmp_path: Path, marked: KeyPurpose, asked: KeyPurpose) -> None:
    path = tmp_path / "a.key"
    save_private_key(path, generate_signing_key("p256"), marked)
    if marked is asked:
        load_private_key(path, asked)
        return
    with pytest.raises(KeyUnusable, match=f"for {marked.value}, not for {asked.value}"):
        load_private_key(path, asked)


def test_files_put_in_each_others_place_are_noticed_without_the_marker(folder: Path) -> None:
    for suffix in ("key", "pem"):
        (folder / f"signing.{suffix}").rename(folder / f"x.{suffix}")
        (folder / f"agreement.{suffix}").rename(folder / f"signing.{suffix}")
        (folder / f"x.{suffix}").rename(folder / f"agreement.{suffix}")
    with pytest.raises(KeyUnusable, match="not for signing"):
        load_signing_keys(folder)
    with pytest.raises(KeyUnusable, match="not for key-agreement"):
        load_decryption_keys(folder)


def test_a_missing_key(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match=r"signing\.key is missing"):
        load_signing_keys(tmp_path)
    with pytest.raises(KeyUnusable, match="is missing"):
        load_private_key(tmp_path / "none.key", KeyPurpose.TLS)


def test_a_missing_certificate(folder: Path) -> None:
    (folder / "signing.pem").unlink()
    with pytest.raises(KeyUnusable, match=r"signing\.pem is missing"):
        load_signing_keys(folder)


def test_a_certificate_of_another_key(folder: Path, federation: Federation) -> None:
    (folder / "signing.pem").write_bytes(certificate_pem(federation.cadastre.signing_certificate))
    with pytest.raises(KeyUnusable, match="another key"):
        load_signing_keys(folder)


def test_a_new_key_waits_for_its_certificate(folder: Path, federation: Federation) -> None:
    save_private_key(folder / "signing-2027.key", generate_signing_key("p256"), KeyPurpose.SIGNING)
    assert [key.certificate for key in load_signing_keys(folder)] == [federation.social.signing_certificate]


def test_two_agreement_keys_while_one_is_replaced(folder: Path, federation: Federation) -> None:
    for suffix, octets in (
        ("key", private_pem(federation.cadastre.agreement_key)),
        ("pem", certificate_pem(federation.cadastre.agreement_certificate)),
    ):
        write_secret(folder / f"agreement-2027.{suffix}", octets)
    from adapter.crypto.certificates import ski

    keys = load_decryption_keys(folder)
    for member in (federation.social, federation.cadastre):
        assert keys.find(ski(member.agreement_certificate)).suite == "p256"


def test_a_key_of_no_suite(folder: Path) -> None:
    (folder / "signing.key").write_bytes(private_pem(ec.generate_private_key(ec.SECP384R1())))
    with pytest.raises(KeyUnusable, match="no suite"):
        load_signing_keys(folder)


@pytest.mark.parametrize("octets", [b"", b"nonsense", b"-----BEGIN %s-----\nAAAA\n" % b"PRIVATE KEY"])
def test_a_file_that_is_no_key(tmp_path: Path, octets: bytes) -> None:
    write_secret(tmp_path / "a.key", octets)
    with pytest.raises(KeyUnusable, match="not a private key in PEM") as failure:
        load_private_key(tmp_path / "a.key", KeyPurpose.SIGNING)
    assert "AAAA" not in failure.value.reason


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable):
        load_private_key(tmp_path, KeyPurpose.SIGNING)
    write_secret(tmp_path / "long.key", bytes(70_000))
    with pytest.raises(KeyUnusable, match="too long"):
        load_private_key(tmp_path / "long.key", KeyPurpose.SIGNING)
    with pytest.raises(KeyUnusable, match="cannot be written"):
        write_secret(tmp_path / "absent" / "a.key", b"")


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(b"nonsense")
    with pytest.raises(KeyUnusable, match="not a certificate"):
        load_certificate(tmp_path / "a.pem")
    with pytest.raises(KeyUnusable, match="is missing"):
        load_certificate(tmp_path / "b.pem")


def test_a_certificate_of_another_version(tmp_path: Path, federation: Federation) -> None:
    """The library has an exception of its own for it."""
    der = federation.social.signing_certificate.public_bytes(Encoding.DER)
    version_2 = base64.encodebytes(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1))
    file = tmp_path / "a.pem"
    file.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + version_2 + b"-----END CERTIFICATE-----\n")
    with pytest.raises(KeyUnusable, match="not a certificate"):
        load_certificate(file)
    with pytest.raises(CommandRefused, match="no certificate"):
        certificates_from([file])


def test_the_archive_key(tmp_path: Path) -> None:
    path = tmp_path / "archive.key"
    save_archive_key(path)
    assert len(load_archive_key(path)) == 32
    short = tmp_path / "short.key"
    write_secret(short, b"short")
    with pytest.raises(KeyUnusable, match="exactly 32"):
        load_archive_key(short)


# --- where a passphrase comes from -----------------------------------------------------------------------------------


def test_an_empty_file_is_no_passphrase(tmp_path: Path) -> None:
    write_secret(tmp_path / "empty", b" \n")
    with pytest.raises(KeyUnusable, match="must hold the PIN"):
        read_passphrase(tmp_path / "empty", what="PIN")


def test_a_passphrase_is_typed_once_and_only_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(("at the terminal", "again"))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    with (
        mock.patch("sys.stdin", io.StringIO("piped")),
        pytest.raises(KeyUnusable, match="there is no terminal"),
    ):
        read_passphrase(Path("prompt"), what="phrase of the test")
    with mock.patch("sys.stdin") as terminal:
        terminal.isatty.return_value = True
        assert read_passphrase(Path("prompt"), what="phrase of the test") == b"at the terminal"
        assert read_passphrase(Path("prompt"), what="phrase of the test") == b"at the terminal"

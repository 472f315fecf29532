"""The key that signs and the key that opens are different: tried at every door by which a key comes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from adapter.crypto.certificates import ski
from adapter.crypto.keys import DecryptionKeys, FileDecryptionKey, FileSigningKey
from adapter.errors import KeyUnusable, SecurityFailed
from adapter.store.keyfiles import (
    KeyPurpose,
    load_certificate,
    load_decryption_keys,
    load_private_key,
    load_signing_keys,
)
from tests.pki import AGREEMENT_USAGE, SIGNING_USAGE, Federation, issue
from tests.unit.cli.dialogue import Run

PAIRS = (("signing", "agreement"), ("agreement", "signing"))
LOADERS: dict[str, Callable[[Path], object]] = {"signing": load_signing_keys, "agreement": load_decryption_keys}


def swap(keys: Path, wanted: str, other: str, *, marked: bool) -> None:
    """Put the other key where the wanted one lies. marked: with the line that says what it is for."""
    text = (keys / f"{other}.key").read_text()
    (keys / f"{wanted}.key").write_text(f"Purpose: {other}\n{text}" if marked else text)
    (keys / f"{wanted}.pem").write_bytes((keys / f"{other}.pem").read_bytes())


@pytest.mark.parametrize(("wanted", "other"), PAIRS)
def test_a_file_that_says_another_use(place: Path, wanted: str, other: str) -> None:
    keys = place / "register" / "keys"
    swap(keys, wanted, other, marked=True)
    with pytest.raises(KeyUnusable, match=f"holds a key for {other}, not for {wanted}"):
        LOADERS[wanted](keys)


@pytest.mark.parametrize(("wanted", "other"), PAIRS)
def test_a_file_that_says_nothing_is_known_by_its_certificate(place: Path, wanted: str, other: str) -> None:
    keys = place / "register" / "keys"
    swap(keys, wanted, other, marked=False)
    with pytest.raises(KeyUnusable, match=f"{wanted}.key: .*the certificate is not for"):
        LOADERS[wanted](keys)


@pytest.mark.parametrize(("wanted", "other"), PAIRS)
def test_a_pkcs12_file_of_the_other_use(run: Run, place: Path, wanted: str, other: str) -> None:
    keys = place / "register" / "keys"
    settings = place / "register" / "adapter.toml"
    settings.write_text(settings.read_text().replace("[adapter]\n", '[adapter]\npassphrase_file = "phrase"\n', 1))
    for name in ("phrase", "register/phrase"):
        (place / name).touch(mode=0o600)
        (place / name).write_text("of the file")
    key = load_private_key(keys / f"{other}.key", KeyPurpose(other))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = load_certificate(keys / f"{other}.pem")
    octets = serialize_key_and_certificates(b"k", key, certificate, None, BestAvailableEncryption(b"of the file"))
    (place / "k.p12").write_bytes(octets)
    words = ("--purpose", wanted, "--name", "2027", "--passphrase-file", "phrase", "--settings", "register")
    done = run("keys", "import-p12", "k.p12", *words)
    assert done.code == 3
    assert "the certificate is not for" in done.err
    assert not (keys / f"{wanted}-2027.key").exists()


@pytest.mark.parametrize(("wanted", "other"), PAIRS)
def test_a_certificate_for_the_other_use(
    run: Run, place: Path, federation: Federation, wanted: str, other: str
) -> None:
    """The CA was asked for one use and wrote another into the certificate of a key of ours."""
    keys = place / "register" / "keys"
    done = run("keys", "create", "--purpose", wanted, "--name", "2027", "--settings", "register")
    assert done.code == 0, done
    key = load_private_key(keys / f"{wanted}-2027.key", KeyPurpose(wanted))

    usage = SIGNING_USAGE if other == "signing" else AGREEMENT_USAGE["p256"]

    subject = f"{federation.population.id} {wanted}"
    wrong = issue(federation.issuing_ca, public_key=key.public_key(), subject=subject, usage=usage)
    (place / "wrong.pem").write_bytes(wrong.public_bytes(Encoding.PEM))
    done = run("keys", "import", "wrong.pem", "--settings", "register")
    assert done.code == 3
    assert "the certificate is not for" in done.err
    assert not (keys / f"{wanted}-2027.pem").exists()


def test_the_types_have_no_other_use(place: Path) -> None:
    keys = place / "register" / "keys"
    (signing,) = load_signing_keys(keys)
    decryption = load_decryption_keys(keys)
    opening = decryption.find(ski(load_certificate(keys / "agreement.pem")))
    assert isinstance(signing, FileSigningKey)
    assert isinstance(opening, FileDecryptionKey)
    assert not {"agree", "decrypt_oaep"} & set(dir(signing))
    assert "sign" not in dir(opening)
    with pytest.raises(SecurityFailed, match="encrypted for a key that is not ours"):
        DecryptionKeys.of(opening).find(ski(signing.certificate))

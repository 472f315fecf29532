"""Time-stamps (RFC 3161): what a real authority says is taken, and nothing else is, whatever it says."""

from __future__ import annotations

import subprocess
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.crypto.time_stamps import TimeStamp, accept_stamp, ask_for_stamp, verify_stamp
from adapter.errors import SecurityFailed
from tests.pki import SIGNING_USAGE, certificate_pem, issue, new_signing_key
from tests.real_pki.making import RealPki, make_time_stamp_authority
from tests.real_pki.serving import Fault
from tests.real_pki.tsa import TimeStampAuthority

pytestmark = pytest.mark.sockets
CHECKPOINT = b"UZ/GOV/200000001\n7\nAAAA\n"
SKEW = timedelta(seconds=60)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> RealPki:
    return RealPki.build(tmp_path_factory.mktemp("pki"))


def post(authority: TimeStampAuthority, question: bytes) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(authority.address, data=question), timeout=60) as answer:
        return bytes(answer.read())


def authority_in(folder: Path, pki: RealPki) -> TimeStampAuthority:
    return make_time_stamp_authority(pki.authorities["root"], folder, name="one", now=pki.now)


def stamped(authority: TimeStampAuthority, *trusted: x509.Certificate, off: timedelta = timedelta()) -> TimeStamp:
    """Ask and accept. off: how far this machine's clock would be off."""
    question = ask_for_stamp(CHECKPOINT)
    asked = datetime.now(UTC) + off
    answer = post(authority, question.octets)
    return accept_stamp(answer, question, trusted=trusted, asked=asked, answered=datetime.now(UTC) + off, skew=SKEW)


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_real_token_is_taken_and_openssl_agrees(pki: RealPki, tmp_path: Path, name: str) -> None:
    root = pki.authorities["root"].certificate
    with pki.time_stamp(name) as authority:
        stamp = stamped(authority, root)
        assert stamped(authority, authority.certificate).signer == authority.certificate
    assert abs(stamp.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert stamp.accuracy == timedelta(seconds=1)
    for file, octets in (("token", stamp.token), ("data", CHECKPOINT), ("root.pem", certificate_pem(root))):
        (tmp_path / file).write_bytes(octets)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-data", "data", "-CAfile", "root.pem"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in found.stdout, found.stderr


FAULTS = {
    Fault.TRY_LATER: "the authority refuses",
    Fault.GARBAGE: "can be read",
    Fault.EMPTY: "can be read",
    Fault.WRONG_NONCE: "another nonce",
    Fault.NO_NONCE: "another nonce",
    Fault.WRONG_KEY: "does not list|did not issue",
    Fault.BAD_SIGNATURE: "signature of the time-stamp token is wrong",
    Fault.OTHER: "about other octets",
    Fault.CLOCK_AHEAD: r"\+3[56]\d\d s",
    Fault.CLOCK_BEHIND: r"-3[56]\d\d s",
    Fault.STALE: "not valid at|from this machine's clock",
}


def test_every_fault_that_is_played_is_refused_by_its_name(pki: RealPki, tmp_path: Path) -> None:
    root = pki.authorities["root"].certificate
    with authority_in(tmp_path / "tsa", pki) as authority:
        for fault, words in FAULTS.items():
            authority.play(fault)
            with pytest.raises(SecurityFailed, match=words):
                stamped(authority, root)
        authority.play(Fault.NONE)
        with pytest.raises(SecurityFailed, match="from this machine's clock"):
            stamped(authority, root, off=timedelta(hours=1))
        with pytest.raises(SecurityFailed, match="does not list"):
            stamped(authority, pki.authorities["tls"].certificate)


EXTENDED = {
    "none": (),
    "not critical": ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), False),),
    "of another use": ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), True),),
    "not alone": (
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING]), True),
    ),
}


@pytest.mark.parametrize("which", EXTENDED)
def test_a_certificate_that_is_not_for_time_stamps_alone(pki: RealPki, tmp_path: Path, which: str) -> None:
    """openssl refuses to stamp with it; a changed token is signed with `openssl cms`, which does not care."""
    with (
        _authority(pki, tmp_path, extra=EXTENDED[which]) as authority,
        pytest.raises(SecurityFailed, match="for time-stamps"),
    ):
        stamped(authority, authority.certificate)


def test_a_certificate_that_has_expired(pki: RealPki, tmp_path: Path) -> None:
    ended = pki.now - timedelta(hours=1)
    stamping = ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),)
    with (
        _authority(pki, tmp_path, extra=stamping, until=ended) as authority,
        pytest.raises(SecurityFailed, match="was not valid at the time-stamp's time"),
    ):
        stamped(authority, pki.authorities["root"].certificate)


class _Signer(TimeStampAuthority):
    """Has openssl make the TSTInfo with a good certificate, and signs it with the one in question."""

    def __init__(self, good: TimeStampAuthority, folder: Path, key: object, certificate: x509.Certificate) -> None:
        super().__init__(key=key, certificate=certificate, folder=folder)  # type: ignore[arg-type]
        self._good = good

    def _ask_openssl(self, question: bytes) -> bytes:
        return self._good.answer(question)


def _authority(
    pki: RealPki,
    folder: Path,
    *,
    extra: tuple[tuple[x509.ExtensionType, bool], ...],
    until: datetime | None = None,
) -> TimeStampAuthority:
    key = new_signing_key("p256", "time-stamp/odd")
    certificate = issue(
        pki.authorities["root"],
        public_key=key.public_key(),
        subject="Odd time-stamp authority",
        usage=SIGNING_USAGE,
        now=pki.now,
        valid_from=pki.now - timedelta(days=2),
        valid_until=until or pki.now + timedelta(days=2),
        extra=extra,
    )
    good = authority_in(folder / "good", pki)
    odd = _Signer(good, folder / "odd", key, certificate)
    odd.fault = Fault.CLOCK_AHEAD if until is None else Fault.NO_NONCE
    return odd


@pytest.mark.filterwarnings("ignore:Parsed a serial number:Warning")
def test_no_octet_of_a_token_can_be_changed(pki: RealPki, tmp_path: Path) -> None:
    root = pki.authorities["root"].certificate
    with authority_in(tmp_path / "tsa", pki) as authority:
        token = stamped(authority, root).token
    unnoticed = []
    for at in range(len(token)):
        for bit in range(8):
            changed = bytearray(token)
            changed[at] ^= 1 << bit
            try:
                verify_stamp(bytes(changed), CHECKPOINT, trusted=[root])
            except SecurityFailed:
                continue
            unnoticed.append((at, bit))
    assert not unnoticed
    for broken in (token[:-1], token + b"\x00", b"", token * 2, b"\x30\x80" + token):
        with pytest.raises(SecurityFailed):
            verify_stamp(broken, CHECKPOINT, trusted=[root])


def test_a_question_says_what_it_wants() -> None:
    first, second = ask_for_stamp(CHECKPOINT), ask_for_stamp(CHECKPOINT)
    assert first.nonce != second.nonce
    assert first.octets != second.octets
    with pytest.raises(SecurityFailed, match="no time-stamp response"):
        accept_stamp(
            first.octets, first, trusted=(), asked=datetime.now(UTC), answered=datetime.now(UTC), skew=timedelta()
        )

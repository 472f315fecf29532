"""The time-stamp authorities of the test PKI: what they say, and each fault."""

from __future__ import annotations

import subprocess
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import tsp  # type: ignore[import-untyped]
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response

from tests.pki import certificate_pem
from tests.real_pki.making import RealPki, make_time_stamp_authority
from tests.real_pki.serving import ON_THE_WIRE, Fault
from tests.real_pki.tsa import TimeStampAuthority

pytestmark = pytest.mark.sockets
_REJECTION = 2  # PKIStatus (RFC 3161, 2.4.2)
STAMPED = b"a checkpoint of a record"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> RealPki:
    return RealPki.build(tmp_path_factory.mktemp("pki"))


def stamp(authority: TimeStampAuthority, question: Any) -> bytes:
    request = urllib.request.Request(authority.address, data=question.as_bytes())
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())


@pytest.mark.parametrize("name", ["first", "second"])
def test_openssl_and_a_library_accept_a_stamp(pki: RealPki, tmp_path: Path, name: str) -> None:
    question = TimestampRequestBuilder().data(STAMPED).nonce(nonce=True).build()
    with pki.time_stamp(name) as authority:
        octets = stamp(authority, question)
    (tmp_path / "root.pem").write_bytes(certificate_pem(pki.authorities["root"].certificate))
    (tmp_path / "question").write_bytes(question.as_bytes())
    (tmp_path / "answer").write_bytes(octets)
    command = ["openssl", "ts", "-verify", "-queryfile", "question", "-in", "answer", "-CAfile", "root.pem"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in found.stdout, found.stderr
    verifier = VerifierBuilder.from_request(question).add_root_certificate(pki.authorities["root"].certificate).build()
    assert verifier.verify_message(decode_timestamp_response(octets), STAMPED)


def test_faults(pki: RealPki, tmp_path: Path) -> None:
    question = TimestampRequestBuilder().data(STAMPED).nonce(nonce=True).build()
    root = pki.authorities["root"].certificate
    now = datetime.now(UTC)
    seen: dict[Fault, bytes] = {}
    issuer = pki.authorities["root"]
    with make_time_stamp_authority(issuer, tmp_path / "tsa", name="faulty", now=pki.now) as authority:
        for fault in sorted(authority.plays - ON_THE_WIRE | {Fault.NONE}, key=lambda one: one.value):
            authority.play(fault)
            seen[fault] = stamp(authority, question)
    verifier = VerifierBuilder.from_request(question).add_root_certificate(root).build()
    assert verifier.verify_message(decode_timestamp_response(seen[Fault.NONE]), STAMPED)
    for fault in (Fault.WRONG_NONCE, Fault.NO_NONCE, Fault.WRONG_KEY, Fault.BAD_SIGNATURE, Fault.OTHER):
        with pytest.raises((VerificationError, ValueError)):
            verifier.verify_message(decode_timestamp_response(seen[fault]), STAMPED)
    info = {fault: _info(octets) for fault, octets in seen.items() if fault is not Fault.TRY_LATER}
    assert decode_timestamp_response(seen[Fault.TRY_LATER]).status == _REJECTION
    assert info[Fault.WRONG_NONCE]["nonce"].native not in (None, info[Fault.NONE]["nonce"].native)
    assert info[Fault.NO_NONCE]["nonce"].native is None
    imprint = info[Fault.NONE]["message_imprint"]["hashed_message"].native
    assert info[Fault.OTHER]["message_imprint"]["hashed_message"].native != imprint
    assert info[Fault.CLOCK_AHEAD]["gen_time"].native > now + timedelta(minutes=59)
    assert info[Fault.CLOCK_BEHIND]["gen_time"].native < now - timedelta(minutes=59)
    assert info[Fault.STALE]["gen_time"].native < now - timedelta(days=1)
    # What only the clock is wrong of is well signed: whoever takes it has to look at the time.
    for fault in (Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND):
        assert verifier.verify_message(decode_timestamp_response(seen[fault]), STAMPED)


def _info(octets: bytes) -> Any:
    response = tsp.TimeStampResp.load(octets)
    return response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed

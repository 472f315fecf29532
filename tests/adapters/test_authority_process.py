"""The demonstration authority as a process: it says where it listens, issues over HTTP, and ends when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from adapter.crypto.requests import RequestProfile, build_request
from adapter.identifiers import MemberId
from examples.federation.enrolment_client import AuthorityClient
from tests.pki import new_signing_key


@pytest.mark.sockets
@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_issues_a_certificate_and_ends_cleanly(root: Path, tmp_path: Path, ended_by: signal.Signals) -> None:
    folder = tmp_path / "ca"
    command = [sys.executable, "-m", "examples.authority.ca", "--dir", str(folder), "--port", "0"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            client = AuthorityClient.of(process.stdout.readline().strip(), folder)
            key = new_signing_key("p256", "process")
            request = build_request(
                RequestProfile.parse((root / "keys/signing.toml").read_text()),
                private_key=key,
                member=MemberId.parse("UZ/GOV/200000003"),
                organisation="Agency",
            )
            certificate = x509.load_pem_x509_certificate(client.sign("signing", request))
            assert certificate.public_key() == key.public_key()
            assert certificate.issuer in {ca.subject for ca in client.authorities("signing")}
        finally:
            process.send_signal(ended_by)
            output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, ""), output

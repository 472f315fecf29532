"""What a CA that is asked by ACME may do to us: issue, refuse, be down, slow or strange; each has its reason."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.errors import CertificateNotIssued, NotIssuedBecause, SettingsInvalid
from adapter.transport.acme_challenge import answering
from adapter.transport.acme_client import obtain_certificate
from adapter.transport.acme_place import AcmeAccount, AcmePlace
from examples.federation.free_ports import free_ports
from tests.acme_server import AcmeServer, Fault, acme_server
from tests.pki import make_ca

pytestmark = pytest.mark.sockets
HOST = "adapter.example.uz"
KEY = ec.generate_private_key(ec.SECP256R1())
ACCOUNT = AcmeAccount(key=ec.generate_private_key(ec.SECP256R1()), contact=("tls@example.uz",), terms_agreed=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcmeServer]:
    ca = make_ca("a CA with ACME", now=datetime.now(UTC))
    with acme_server(ca, tmp_path_factory.mktemp("acme"), challenge_port=free_ports(1)[0]) as server:
        yield server


@pytest.fixture
def server(running: AcmeServer) -> AcmeServer:
    running.forget()
    return running


def request() -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    named = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    return builder.add_extension(named, critical=False).sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def obtain(server: AcmeServer, *, timeout_s: float = 10, order_timeout_s: float = 30) -> bytes:
    place = AcmePlace(url=server.url, ca_file=server.ca_file, timeout_s=timeout_s, order_timeout_s=order_timeout_s)
    return obtain_certificate(
        place, ACCOUNT, request(), lambda answers: answering("127.0.0.1", server.challenge_port, answers)
    )


def test_a_certificate_comes_for_the_names_of_the_request(server: AcmeServer) -> None:
    leaf, issuer = x509.load_pem_x509_certificates(obtain(server))
    assert leaf.public_key() == KEY.public_key()
    leaf.verify_directly_issued_by(issuer)
    assert server.hosts == [HOST]
    assert server.accounts == [{"contact": ["mailto:tls@example.uz"], "termsOfServiceAgreed": True}]
    assert server.found[-1].startswith("dG9rZW4tb2YtdGhlLWNoYWxsZW5nZQ.")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.challenge_port), timeout=5)


def test_the_same_account_the_second_time(server: AcmeServer) -> None:
    obtain(server)
    obtain(server)
    assert len(server.accounts) == 2, "asked for twice, and known the second time"


@pytest.mark.parametrize(
    ("fault", "because", "words"),
    [
        (Fault.ERROR, NotIssuedBecause.MALFORMED, "cannot be used"),
        (Fault.GARBAGE, NotIssuedBecause.MALFORMED, "cannot be used"),
        (Fault.NESTED, NotIssuedBecause.MALFORMED, "cannot be used: RecursionError"),
        (Fault.ENDLESS, NotIssuedBecause.MALFORMED, "more than 65536 octets"),
        (Fault.REDIRECT, NotIssuedBecause.MALFORMED, "not followed"),
        (Fault.FOREIGN, NotIssuedBecause.MALFORMED, "another host"),
        (Fault.NO_CHALLENGE, NotIssuedBecause.REFUSED, "no http-01 challenge"),
        (Fault.NOT_FOUND, NotIssuedBecause.REFUSED, "did not find our answer: connection: none"),
        (Fault.WRONG_NONCE, NotIssuedBecause.REFUSED, "the CA refuses: badNonce"),
        (Fault.INVALID, NotIssuedBecause.REFUSED, "the CA refuses: badCSR: not with us"),
    ],
    ids=lambda one: one.name if isinstance(one, Fault) else "",
)
def test_each_fault_has_its_reason(server: AcmeServer, fault: Fault, because: NotIssuedBecause, words: str) -> None:
    server.fault = fault
    with pytest.raises(CertificateNotIssued, match=words) as refused:
        obtain(server)
    assert refused.value.because is because
    assert "\n" not in refused.value.reason


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.DRIPS])
def test_an_answer_has_its_time(server: AcmeServer, fault: Fault) -> None:
    server.fault = fault
    with pytest.raises(CertificateNotIssued) as refused:
        obtain(server, timeout_s=1)
    assert refused.value.because is NotIssuedBecause.TIMEOUT


def test_an_order_has_its_time(server: AcmeServer) -> None:
    server.fault = Fault.NEVER
    with pytest.raises(CertificateNotIssued, match="not issued the certificate in time") as refused:
        obtain(server, order_timeout_s=4)
    assert refused.value.because is NotIssuedBecause.TIMEOUT


def test_a_ca_that_is_down(server: AcmeServer) -> None:
    gone = AcmeServer(ca=server.ca, folder=server.folder, challenge_port=server.challenge_port, port=free_ports(1)[0])
    with pytest.raises(CertificateNotIssued, match="cannot be reached") as refused:
        obtain(gone)
    assert refused.value.because is NotIssuedBecause.UNREACHABLE


def test_a_server_with_another_certificate_is_not_asked(server: AcmeServer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(make_ca("another", now=datetime.now(UTC)).certificate.public_bytes(Encoding.PEM))
    place = AcmePlace(url=server.url, ca_file=other, timeout_s=10, order_timeout_s=10)
    with pytest.raises(CertificateNotIssued, match="cannot be reached: SSLError"):
        obtain_certificate(place, ACCOUNT, request(), lambda answers: answering("127.0.0.1", 0, answers))
    assert server.asked == []


def test_a_place_that_is_taken_is_a_mistake_of_the_settings(server: AcmeServer) -> None:
    with closing(socket.socket()) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", server.challenge_port))
        taken.listen()
        with pytest.raises(SettingsInvalid, match=r"\[acme\] cannot listen on 127.0.0.1 port"):
            obtain(server)


def test_the_challenge_listener_knows_its_paths_only() -> None:
    with answering("127.0.0.1", 0, {"/a": "answer"}) as port:

        def ask(line: bytes) -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as asking:
                asking.sendall(line + b"\r\nHost: x\r\n\r\n")
                octets = bytearray()
                while chunk := asking.recv(4096):
                    octets += chunk
                return bytes(octets)

        assert ask(b"GET /a HTTP/1.0").endswith(b"\r\n\r\nanswer")
        assert b" 404 " in ask(b"GET /b HTTP/1.0").splitlines()[0]
        assert b" 501 " in ask(b"POST /a HTTP/1.0").splitlines()[0]
        assert b"Python" not in ask(b"GET /b HTTP/1.0")

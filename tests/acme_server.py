"""A small CA that speaks ACME (RFC 8555) over TLS, and plays every fault: for tests. Real ones: tests/interop/pebble.

It looks for the answers to its challenges like a CA, at a port of this machine instead of port 80.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from josepy.jws import JWS

from tests.pki import TLS_USAGE, Authority, certificate_pem, issue, make_ca, private_pem

BOTH_WAYS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
SLOW_S = 30.0


class Fault(Enum):
    """What the CA does wrong, or does not want to do."""

    SLOW = "answers nothing"
    DRIPS = "an answer that comes a byte at a time"
    ERROR = "status 500"
    GARBAGE = "no JSON"
    NESTED = "JSON of a hundred thousand brackets"
    ENDLESS = "an answer without an end"
    REDIRECT = "sends us to another address"
    FOREIGN = "names addresses of another host"
    NO_CHALLENGE = "offers dns-01 only"
    NOT_FOUND = "does not find the answer"
    INVALID = "the order becomes invalid"
    NEVER = "processes for ever"
    NOT_PEM = "no certificate"
    OTHER_KEY = "a certificate for another key"
    OTHER_NAME = "a certificate for another name"
    OTHER_MEMBER = "a certificate in another member's name"
    SERVER_ONLY = "a certificate that no client may show"
    OTHER_CA = "a certificate of a CA that nobody knows"
    WRONG_KEY = "a certificate in the CA's name, signed by somebody else"
    EXPIRED = "a certificate of last year"
    CLOCK_AHEAD = "a certificate by a clock that is an hour ahead"
    WRONG_NONCE = "takes no nonce that it gave"


PERIODS: Mapping[Fault | None, tuple[timedelta, timedelta]] = {
    Fault.EXPIRED: (timedelta(days=-400), timedelta(days=-310)),
    Fault.CLOCK_AHEAD: (timedelta(hours=1), timedelta(days=90)),
}
"""When a certificate begins and ends, from now, where it is not as it should be."""
ENDS: Mapping[Fault | None, str] = {Fault.INVALID: "invalid", Fault.NEVER: "processing"}
"""What becomes of the order, where it does not become valid."""


@dataclass
class AcmeServer:
    """What a test sees of it. asked: paths in order. found: what was seen at the challenge's address."""

    ca: Authority
    folder: Path
    challenge_port: int
    fault: Fault | None = None
    days: float = 90
    port: int = 0
    asked: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    status: str = "pending"
    chain: bytes = b""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/directory"

    @property
    def ca_file(self) -> Path:
        return self.folder / "server-ca.pem"

    def forget(self) -> None:
        """No fault any more, and nothing of what was asked, as a test wants to begin."""
        self.fault, self.status = None, "pending"
        self.asked.clear()
        self.accounts.clear()

    def issue(self, request: x509.CertificateSigningRequest) -> bytes:
        """The chain for a request, spoilt as the fault says."""
        issuer = self._issuer()
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        now = datetime.now(UTC)
        begins, ends = PERIODS.get(self.fault, (timedelta(hours=-1), timedelta(days=self.days)))
        subject: x509.Name | str = x509.Name([])
        if self.fault is Fault.OTHER_MEMBER:
            subject = "UZ/GOV/200000002 adapter"
        leaf = issue(
            issuer,
            public_key=other if self.fault is Fault.OTHER_KEY else request.public_key(),
            subject=subject,
            usage=TLS_USAGE,
            hosts=("elsewhere.example",) if self.fault is Fault.OTHER_NAME else self.hosts,
            extended_usage=BOTH_WAYS[:1] if self.fault is Fault.SERVER_ONLY else BOTH_WAYS,
            valid_from=now + begins,
            valid_until=now + ends,
        )
        return certificate_pem(leaf, issuer.certificate)

    def _issuer(self) -> Authority:
        if self.fault is Fault.OTHER_CA:
            return make_ca("a CA that nobody knows", now=datetime.now(UTC))
        if self.fault is Fault.WRONG_KEY:
            return replace(self.ca, key=ec.generate_private_key(ec.SECP256R1()))
        return self.ca


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    timeout = SLOW_S

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_GET(self) -> None:
        place = self.server.place
        place.asked.append(self.path)
        if self._played():
            return
        base = "https://elsewhere.example" if place.fault is Fault.FOREIGN else f"https://localhost:{place.port}"
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "revokeCert": "revoke"}
        self._json(200, {name: f"{base}/{path}" for name, path in names.items()})

    def do_POST(self) -> None:
        place = self.server.place
        place.asked.append(self.path)
        signed = JWS.from_json(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        said = json.loads(signed.payload) if signed.payload else {}
        if place.fault is Fault.WRONG_NONCE:
            self._json(400, {"type": "urn:ietf:params:acme:error:badNonce", "detail": "not of ours"})
            return
        base = f"https://localhost:{place.port}"
        match self.path:
            case "/account":
                known = bool(place.accounts)
                place.accounts.append(said)
                self._json(200 if known else 201, {"status": "valid"}, Location=f"{base}/account/1")
            case "/order":
                place.hosts = [one["value"] for one in said["identifiers"]]
                place.status = "pending"
                self._json(201, self._order(), Location=f"{base}/order/1")
            case "/order/1":
                self._json(200, self._order())
            case "/authorization/1":
                self._json(200, self._authorization())
            case "/challenge/1":
                self._look()
                self._json(200, self._challenge(), Link=f'<{base}/authorization/1>;rel="up"')
            case "/finalize":
                request = x509.load_der_x509_csr(base64.urlsafe_b64decode(said["csr"] + "=="))
                place.chain = place.issue(request)
                place.status = ENDS.get(place.fault, "valid")
                self._json(200, self._order())
            case _:
                chain = b"no certificate at all" if place.fault is Fault.NOT_PEM else place.chain
                self._answer(200, chain, **{"Content-Type": "application/pem-certificate-chain"})

    def _order(self) -> dict[str, Any]:
        place = self.server.place
        base = f"https://localhost:{place.port}"
        said: dict[str, Any] = {
            "status": place.status,
            "identifiers": [{"type": "dns", "value": host} for host in place.hosts],
            "authorizations": [f"{base}/authorization/1"],
            "finalize": f"{base}/finalize",
        }
        if place.status == "valid":
            said["certificate"] = f"{base}/certificate"
        if place.status == "invalid":
            said["error"] = {"type": "urn:ietf:params:acme:error:badCSR", "detail": "not\nwith us"}
        return said

    def _authorization(self) -> dict[str, Any]:
        place = self.server.place
        status = {"pending": "pending", "refused": "invalid"}.get(place.status, "valid")
        return {
            "status": status,
            "identifier": {"type": "dns", "value": place.hosts[0]},
            "challenges": [self._challenge()],
        }

    def _challenge(self) -> dict[str, Any]:
        place = self.server.place
        said: dict[str, Any] = {
            "type": "dns-01" if place.fault is Fault.NO_CHALLENGE else "http-01",
            "url": f"https://localhost:{place.port}/challenge/1",
            "token": "dG9rZW4tb2YtdGhlLWNoYWxsZW5nZQ",
            "status": "pending",
        }
        if place.status == "refused":
            said |= {"status": "invalid", "error": {"type": "urn:ietf:params:acme:error:connection", "detail": "none"}}
        return said

    def _look(self) -> None:
        """As a CA does: over plain HTTP, at the name that is to be verified."""
        place = self.server.place
        path = f"/.well-known/acme-challenge/{self._challenge()['token']}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{place.challenge_port}{path}", timeout=10) as answer:
                place.found.append(answer.read().decode())
        except (urllib.error.URLError, OSError):
            place.found.append("")
        found = bool(place.found[-1]) and place.fault is not Fault.NOT_FOUND
        place.status = "ready" if found else "refused"

    def _played(self) -> bool:
        """Whether a fault has answered already."""
        match self.server.place.fault:
            case Fault.SLOW:
                time.sleep(SLOW_S)
            case Fault.ERROR:
                self._answer(500, b"broken")
            case Fault.GARBAGE:
                self._answer(200, b"\x00\xff no JSON")
            case Fault.NESTED:
                self._answer(200, b"[" * 60_000)
            case Fault.ENDLESS:
                self._answer(200, b"x" * 1_000_000)
            case Fault.REDIRECT:
                self._answer(302, b"", Location="https://elsewhere.example/directory")
            case Fault.DRIPS:
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                for _ in range(300):  # longer than anybody waits, and never all of it
                    self.wfile.write(b" ")
                    time.sleep(0.1)
            case _:
                return False
        return True

    def _json(self, status: int, said: dict[str, Any], **headers: str) -> None:
        self._answer(status, json.dumps(said).encode(), **{"Content-Type": "application/json", **headers})

    def _answer(self, status: int, octets: bytes, **headers: str) -> None:
        self.send_response(status)
        nonce = base64.urlsafe_b64encode(str(time.monotonic_ns()).encode()).decode().rstrip("=")
        for name, value in {"Replay-Nonce": nonce, "Content-Length": str(len(octets)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        pass


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    place: AcmeServer

    def handle_error(self, *_: Any) -> None:
        """A client that goes away in the middle is what some faults are about."""


@contextmanager
def acme_server(ca: Authority, folder: Path, *, challenge_port: int) -> Iterator[AcmeServer]:
    """Serve until the block ends. ca: issues the certificates. challenge_port: where it looks instead of port 80."""
    folder.mkdir(parents=True, exist_ok=True)
    own, key = make_ca("the CA's web server", now=datetime.now(UTC)), ec.generate_private_key(ec.SECP256R1())
    certificate = issue(
        own,
        public_key=key.public_key(),
        subject="localhost",
        usage=TLS_USAGE,
        hosts=("localhost",),
        extended_usage=BOTH_WAYS[:1],
        now=datetime.now(UTC),
    )
    (folder / "server.pem").write_bytes(certificate_pem(certificate) + private_pem(key))
    (folder / "server-ca.pem").write_bytes(certificate_pem(own.certificate))
    place = AcmeServer(ca=ca, folder=folder, challenge_port=challenge_port)
    listener = _Listener(("127.0.0.1", 0), _Handler)
    listener.place, place.port = place, listener.server_address[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        listener.shutdown()
        listener.server_close()

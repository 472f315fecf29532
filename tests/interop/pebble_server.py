"""The ACME server pebble (of Let's Encrypt, for tests), built from its published source, run as its own process."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from examples.federation.free_ports import free_ports
from tests.interop.stacks import HERE, fetched, no_program

_START_TIMEOUT_S = 60
_END_TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class Pebble:
    """One that runs. url: its ACME directory. ca_file: who issued its TLS certificate. cas: by which it issues."""

    url: str
    ca_file: Path
    challenge_port: int
    cas: tuple[x509.Certificate, ...]


def pebble_programs() -> Path:
    """The folder with `pebble`, `pebble-servers` and `certs`. Skips the test where they cannot be had."""
    if absent := no_program("go"):
        pytest.skip(absent)
    return fetched("pebble", [HERE / "pebble" / "build.sh"], "sh", "build.sh")


@contextmanager
def running_pebble(folder: Path, program: str = "pebble", *, nonces_rejected_percent: int = 0) -> Iterator[Pebble]:
    """folder: an empty one for its settings and its log."""
    programs = pebble_programs()
    acme, management, challenge, tls = free_ports(4)
    settings = {
        "listenAddress": f"127.0.0.1:{acme}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(programs / "certs" / "localhost" / "cert.pem"),
        "privateKey": str(programs / "certs" / "localhost" / "key.pem"),
        "httpPort": challenge,
        "tlsPort": tls,
        "keyAlgorithm": "ecdsa",
        "profiles": {"default": {"description": "ninety days", "validityPeriod": 90 * 24 * 60 * 60}},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(nonces_rejected_percent)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / program, "-config", folder / "pebble.json"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        ca_file = programs / "certs" / "pebble.minica.pem"
        cas = tuple(
            _certificate(f"https://localhost:{management}/{kind}/0", ca_file, process, folder / "log")
            for kind in ("roots", "intermediates")
        )
        url = f"https://localhost:{acme}/dir"
        yield Pebble(url=url, ca_file=ca_file, challenge_port=challenge, cas=cas)
    finally:
        process.terminate()
        process.wait(_END_TIMEOUT_S)


def _certificate(url: str, ca_file: Path, process: subprocess.Popen[bytes], log: Path) -> x509.Certificate:
    trusting, until = ssl.create_default_context(cafile=ca_file), time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(url, context=trusting, timeout=_START_TIMEOUT_S) as answer:
                return x509.load_pem_x509_certificate(answer.read())
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)

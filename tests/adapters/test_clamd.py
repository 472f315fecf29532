"""The scan hook against a real clamd with a small signature database of our own."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.errors import ScanUnavailable
from adapter.exchange.attachments import ScanRule
from adapter.store.spool import Spool
from adapter.transport.clamd import Clamd
from tests.attachment_messages import ciphertexts, held, post, sealed_with, takes_attachments
from tests.fixtures_pki import federation
from tests.pki import Federation
from tests.two_sides import two_sides

__all__ = ["federation"]

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("clamd") is None, reason="clamd is not installed"),
]
# In two pieces, so that no scanner takes this file for what it tests.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD" + b"-ANTIVIRUS-TEST-FILE!$H+H*"
MAX_STREAM = 1 << 20


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clamd that knows two signatures: the EICAR test file by its hash, and a made-up word by its octets."""
    folder = tmp_path_factory.mktemp("clamd")
    database = folder / "database"
    database.mkdir()
    (database / "test.hdb").write_text(f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Test.Eicar\n")
    (database / "test.ndb").write_text(f"Test.Word:0:*:{b'synthetic-malware-word'.hex()}\n")
    path = folder / "clamd.socket"
    settings = folder / "clamd.conf"
    settings.write_text(
        f"DatabaseDirectory {database}\nLocalSocket {path}\nForeground yes\nStreamMaxLength {MAX_STREAM}\n"
        f"LogFile {folder / 'clamd.log'}\nTemporaryDirectory {folder}\n"
    )
    process = subprocess.Popen(
        ["clamd", f"--config-file={settings}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            if path.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            pytest.fail("clamd does not come up")
        if process.poll() is not None:
            pytest.fail(f"clamd ended: {(folder / 'clamd.log').read_text()[-500:]}")
        yield path
    finally:
        process.terminate()
        process.wait(30)


async def pieces(*octets: bytes) -> AsyncIterator[bytes]:
    for piece in octets:
        yield piece


async def test_clean(clamd: Path):
    assert await Clamd(str(clamd), timeout_s=30).scan(pieces(b"nothing", bytes(100_000))) is None
    assert await Clamd(str(clamd), timeout_s=30).scan(pieces()) is None


async def test_found(clamd: Path):
    scanner = Clamd(str(clamd), timeout_s=30)
    found = await scanner.scan(pieces(EICAR[:10], EICAR[10:]))
    assert found is not None
    assert found.startswith("Test.Eicar")
    found = await scanner.scan(pieces(bytes(300_000), b"a synthetic-mal", b"ware-word."))
    assert found is not None
    assert found.startswith("Test.Word")


async def test_an_infected_attachment_does_not_reach_the_system(clamd: Path, federation: Federation, tmp_path: Path):
    sides = two_sides(federation)
    takes_attachments(sides)
    sides.provider = replace(sides.provider, scan=ScanRule(scanner=Clamd(str(clamd), timeout_s=30)))
    spool = Spool(tmp_path / "spool", max_bytes=1 << 20)
    spool.prepare()
    outcomes = []
    for content in (b"harmless", EICAR):
        with closing(spool.holding()) as holding:
            attachments = await held(holding, {"one@x": content})
            sealed = sealed_with(sides, attachments)
            await post(sides, sealed.octets, list((await ciphertexts(attachments)).items()), holding)
        outcomes.append(sides.provider_record.outcomes[-1])
    assert outcomes == ["answered", "AttachmentInfected"]
    assert len(sides.register.asked) == 1
    assert "Test.Eicar" in sides.provider_record.log[-1].entry.body["reason"]


async def test_larger_than_clamd_takes_is_not_clean(clamd: Path):
    with pytest.raises(ScanUnavailable):
        await Clamd(str(clamd), timeout_s=30).scan(pieces(*[bytes(1 << 18)] * 12))


async def test_nobody_there(tmp_path: Path):
    with pytest.raises(ScanUnavailable):
        await Clamd(str(tmp_path / "nothing"), timeout_s=5).scan(pieces(b"x"))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ScanUnavailable):
            await Clamd(f"127.0.0.1:{bound.getsockname()[1]}", timeout_s=5).scan(pieces(b"x"))


async def test_somebody_who_says_nothing(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(ScanUnavailable):
            await Clamd(str(tmp_path / "s"), timeout_s=0.3).scan(pieces(b"x"))


async def test_octets_that_fail_are_not_called_a_scanner_that_is_down(clamd: Path):
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Clamd(str(clamd), timeout_s=30).scan(broken())

"""Each foreign client sends a file to an archive and gets another one back, each side in the way that it can.

Who can do MTOM or SOAP with Attachments does so; PHP, Go, .NET and zeep have base64 in the XML. The archive's own
system speaks MTOM or SOAP with Attachments, and the adapters turn one into the other.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.archive import Archive, running_archive
from tests.interop.stacks import STACKS, call, need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

SPEAKS_SWA = frozenset(("perl",))
"""Those whose files are named by reference; the others fill an element with octets."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with running_archive(tmp_path_factory.mktemp("documents") / "archive") as running:
        yield running


@pytest.mark.parametrize("name", sorted(STACKS))
def test_a_file_there_and_another_back(name: str, archive: Archive, tmp_path: Path) -> None:
    stack = STACKS[name]
    need(stack)
    packaging = "swa" if name in SPEAKS_SWA else "mtom"
    wsdl = archive.wsdl(packaging)
    folder = tmp_path / "client"
    folder.mkdir()
    program = stack.prepare(folder, wsdl, "documents")
    octets = random.Random(name)
    sent, returned = octets.randbytes(150_000), octets.randbytes(100_000)
    (tmp_path / "sent.pdf").write_bytes(sent)
    archive.system.packaging, archive.system.content = packaging, returned

    said = call(program, wsdl, str(tmp_path / "sent.pdf"))

    assert said.lines == {"received": hashlib.sha256(returned).hexdigest()}, said
    envelope, part = archive.system.last_parts
    assert part.get_payload(decode=True) == sent
    title = envelope.get_payload(decode=True)
    assert isinstance(title, bytes)
    assert "Справка".encode() in title

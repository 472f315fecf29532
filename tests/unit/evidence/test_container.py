"""The container has one form: what unzip programs read is what was checked, and nothing else can hide in it."""

from __future__ import annotations

import io
import zipfile

import pytest

from adapter.errors import EvidenceInvalid
from adapter.evidence.asic import MIMETYPE_CONTENT
from adapter.evidence.container import MAX_CONTAINER_BYTES, MAX_FILES, MIMETYPE, read_container, render_container

FILES = {MIMETYPE: b"type", "b/c.txt": b"content", "a.txt": b""}


def zipped(files: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, octets in files.items():
            archive.writestr(path, octets)
    return buffer.getvalue()


def test_reads_back_what_it_writes() -> None:
    assert read_container(render_container(FILES)) == FILES


def test_other_programs_can_unzip_it() -> None:
    with zipfile.ZipFile(io.BytesIO(render_container(FILES))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [MIMETYPE, "a.txt", "b/c.txt"]
        assert {path: archive.read(path) for path in archive.namelist()} == FILES
        assert archive.infolist()[0].external_attr >> 16 == 0o100644


def test_the_mimetype_is_where_file_type_detectors_look() -> None:
    container = render_container({MIMETYPE: MIMETYPE_CONTENT})
    assert container[30:38] == b"mimetype"
    assert container[38 : 38 + len(MIMETYPE_CONTENT)] == MIMETYPE_CONTENT


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_refuses_a_zip_file_in_another_form(compression: int) -> None:
    with pytest.raises(EvidenceInvalid):
        read_container(zipped(FILES, compression=compression))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda octets: b"",
        lambda octets: b"PK",
        lambda octets: octets[:40],
        lambda octets: octets[:-1],
        lambda octets: octets + b"\0",
        lambda octets: b"\0" + octets,
        lambda octets: octets[octets.index(b"PK\x01\x02") :],
        lambda octets: octets[: octets.index(b"PK\x01\x02")],
        lambda octets: octets[: octets.index(b"PK\x01\x02")] * 2,
        lambda octets: octets.replace(b"a.txt", b"\xff.txt"),
        lambda octets: octets.replace(b"a.txt", b"/.txt", 1),
    ],
)
def test_refuses_what_is_cut_padded_or_contradictory(spoil) -> None:
    with pytest.raises(EvidenceInvalid):
        read_container(spoil(render_container(FILES)))


def test_refuses_every_changed_octet() -> None:
    container = render_container(FILES)
    for at in range(len(container)):
        for bit in (1, 128):
            with pytest.raises(EvidenceInvalid):
                read_container(container[:at] + bytes([container[at] ^ bit]) + container[at + 1 :])


def test_refuses_the_same_path_twice() -> None:
    container = render_container({MIMETYPE: b"type", "a.txt": b"1", "b.txt": b"2"})
    with pytest.raises(EvidenceInvalid):
        read_container(container.replace(b"b.txt", b"a.txt"))


def test_refuses_a_container_without_a_mimetype() -> None:
    container = render_container({MIMETYPE: b"x"})
    with pytest.raises(EvidenceInvalid):
        read_container(container.replace(b"mimetype", b"mimetypf"))


def test_has_bounds() -> None:
    with pytest.raises(EvidenceInvalid, match="allowed"):
        read_container(bytes(MAX_CONTAINER_BYTES + 1))
    many = {MIMETYPE: b"", **{f"{at}": b"" for at in range(MAX_FILES)}}
    with pytest.raises(EvidenceInvalid, match="more than"):
        read_container(render_container(many))
    with pytest.raises(EvidenceInvalid, match="more than"):
        render_container({MIMETYPE: bytes(MAX_CONTAINER_BYTES)})

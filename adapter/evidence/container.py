"""The container: one ZIP file in one canonical form, so that every octet of it is accounted for.

Members are stored without compression, in one order, with one constant time stamp and no extra field, comment or
descriptor; `mimetype` comes first, as in ASiC-E (ETSI EN 319 162-1, A.1). A container in any other form is refused:
what an unzip program shows is what was verified, and two programs cannot see different files in it.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final, NoReturn

from adapter.errors import EvidenceInvalid

MIMETYPE: Final = "mimetype"
MAX_CONTAINER_BYTES: Final = 256 * 1024 * 1024
MAX_FILES: Final = 1_000

# APPNOTE.TXT 6.3.10, 4.3.7 local file header, 4.3.12 central directory header, 4.3.16 end of central directory record.
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_LOCAL_SIGNATURE: Final = b"PK\x03\x04"
_CENTRAL_SIGNATURE: Final = b"PK\x01\x02"
_END_SIGNATURE: Final = b"PK\x05\x06"
_VERSION_NEEDED: Final = 10
_MADE_BY: Final = 3 << 8 | 20  # Unix, so that unzip programs make readable files of the attributes below
_ATTRIBUTES: Final = 0o100644 << 16
_OVERHEAD: Final = 400  # more than both headers and both names of one file
# No segment begins with a dot, so that none leads out; no character is special to a file system or a terminal.
_PLAIN_PATH: Final = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
_MAX_PATH_CHARS: Final = 255
_TIME: Final = 0
_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1


def render_container(files: Mapping[str, bytes]) -> bytes:
    """The ZIP file. files: by ASCII path; has to contain `mimetype`. Equal files give equal octets.

    Raises EvidenceInvalid when it would be larger than MAX_CONTAINER_BYTES.
    """
    if sum(len(octets) + _OVERHEAD for octets in files.values()) > MAX_CONTAINER_BYTES:
        raise EvidenceInvalid(f"a container of more than {MAX_CONTAINER_BYTES} octets")
    ordered = [MIMETYPE, *sorted(path for path in files if path != MIMETYPE)]
    local, central, offset = [], [], 0
    for path in ordered:
        octets, name = files[path], path.encode("ascii")
        common = (_VERSION_NEEDED, 0, 0, _TIME, _DATE, zlib.crc32(octets), len(octets), len(octets), len(name), 0)
        local += [_LOCAL.pack(_LOCAL_SIGNATURE, *common), name, octets]
        central += [_CENTRAL.pack(_CENTRAL_SIGNATURE, _MADE_BY, *common, 0, 0, 0, _ATTRIBUTES, offset), name]
        offset += _LOCAL.size + len(name) + len(octets)
    directory = b"".join(central)
    end = _END.pack(_END_SIGNATURE, 0, 0, len(ordered), len(ordered), len(directory), offset, 0)
    return b"".join((*local, directory, end))


def read_container(octets: bytes) -> dict[str, bytes]:
    """The files of a container (untrusted octets), by path. Raises EvidenceInvalid for any form but the canonical one.

    Reading goes forward only and copies each octet once, so that no container can unfold to more than its own size.
    """
    if len(octets) > MAX_CONTAINER_BYTES:
        raise EvidenceInvalid(f"a container of {len(octets)} octets, allowed {MAX_CONTAINER_BYTES}")
    files: dict[str, bytes] = {}
    at = 0
    while octets[at : at + 4] == _LOCAL_SIGNATURE:
        path, content, at = _read_file(octets, at)
        if path in files or len(files) == MAX_FILES:
            raise EvidenceInvalid(f"{path}: twice in the container, or one of more than {MAX_FILES} files")
        files[path] = content
    if MIMETYPE not in files or render_container(files) != octets:
        raise EvidenceInvalid("the container is not a ZIP file in the form that an export writes")
    return files


def _read_file(octets: bytes, at: int) -> tuple[str, bytes, int]:
    """One local header and its file: path, content, where the next one begins."""
    try:
        _, _, _, _, _, _, crc, size, _, name_length, _ = _LOCAL.unpack_from(octets, at)
        start = at + _LOCAL.size + name_length
        path = octets[at + _LOCAL.size : start].decode("ascii")
    except (struct.error, UnicodeDecodeError):
        _refuse("a file's header")
    if len(path) > _MAX_PATH_CHARS or not _PLAIN_PATH.fullmatch(path):
        raise EvidenceInvalid("a file's name is not a plain path below the container")
    content = octets[start : start + size]
    if len(content) != size:
        _refuse(path)
    if zlib.crc32(content) != crc:
        _refuse(path)
    return path, content, start + size


def _refuse(what: str) -> NoReturn:
    raise EvidenceInvalid(f"{what}: damaged, or cut off")

"""A service description as one file: what the directory publishes and consumers fetch, named by its SHA-256.

A ZIP archive without compression, so that the same description gives the same octets on every machine, and nothing
can grow when it is opened. Beside the documents, byte for byte, lies a `catalog.json` with every location resolved:
unpacked into a folder, the bundle is a description that `load_description` reads.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Final

from adapter.envelope.description_documents import CATALOG, MAX_DESCRIPTION_BYTES, MAX_DOCUMENTS, is_unsafe_name
from adapter.envelope.description_model import ServiceDescription
from adapter.errors import DescriptionUnusable

_MAX_BUNDLE_BYTES: Final = 2 * MAX_DESCRIPTION_BYTES
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def make_bundle(description: ServiceDescription) -> bytes:
    """The octets of the bundle: the same for the same description, always."""
    catalog = {
        "entry": description.entry,
        "relative": [
            {"in": document, "written": written, "file": name}
            for (document, written), name in sorted(description.locations.items())
        ],
    }
    files = {**description.documents, CATALOG: json.dumps(catalog, indent=1, sort_keys=True).encode()}
    written_to = io.BytesIO()
    with zipfile.ZipFile(written_to, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name])
    return written_to.getvalue()


def unpack_bundle(octets: bytes) -> tuple[str, Mapping[str, bytes]]:
    """The entry's name and the files of a bundle (untrusted until its SHA-256 was compared, and after).

    Raises DescriptionUnusable: not an archive, damaged, compressed, too large, or with a name that is no plain path.
    """
    if len(octets) > _MAX_BUNDLE_BYTES:
        raise DescriptionUnusable(f"the bundle is larger than {_MAX_BUNDLE_BYTES} octets")
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            members = archive.infolist()
            _check_members(members, len(octets))
            files = {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise DescriptionUnusable("the bundle is not a ZIP archive, or is damaged") from None
    try:
        entry = json.loads(files[CATALOG])["entry"]
    except (KeyError, ValueError, TypeError):
        raise DescriptionUnusable(f"the bundle has no {CATALOG} that names its entry") from None
    if not isinstance(entry, str):
        raise DescriptionUnusable(f"the bundle has no {CATALOG} that names its entry")
    return entry, files


def _check_members(members: list[zipfile.ZipInfo], bundle_bytes: int) -> None:
    names = [member.filename for member in members]
    if len(names) > MAX_DOCUMENTS + 1:
        raise DescriptionUnusable(f"the bundle has more than {MAX_DOCUMENTS} documents")
    if len(set(names)) != len(names):
        raise DescriptionUnusable("the bundle has two files of one name")
    if any(is_unsafe_name(name) for name in names if name != CATALOG):
        raise DescriptionUnusable("the bundle has a file whose name is not a plain relative path")
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        raise DescriptionUnusable("the bundle has a compressed or encrypted file")
    if sum(member.file_size for member in members) > bundle_bytes:
        raise DescriptionUnusable("the bundle has files that overlap")

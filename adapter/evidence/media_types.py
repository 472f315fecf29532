"""Which media type a file of a container has, by its name: the same word in the manifest and under the signature."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_BY_SUFFIX: Final = MappingProxyType(
    {
        "cer": "application/pkix-cert",
        "json": "application/json",
        "key": "text/plain",
        "note": "text/plain",
        "ocsp": "application/ocsp-response",
        "tst": "application/vnd.etsi.timestamp-token",
        "txt": "text/plain",
        "xml": "text/xml",
    }
)
_OTHER: Final = "application/octet-stream"


def media_type(path: str) -> str:
    """The media type of a path: of its suffix, else that of octets which nothing is known of."""
    return _BY_SUFFIX.get(path.rpartition(".")[2], _OTHER)

"""Asking the example authority (examples/authority/ca.py) for certificates, over HTTP as a member does."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from examples.authority.ca import TOKEN_FILE, TOKEN_HEADER

_TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class AuthorityClient:
    """The authority at this address. token: what it knows its members by."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, url: str, folder: Path) -> AuthorityClient:
        """With the token that lies in the authority's folder."""
        return cls(url=url, token=(folder / TOKEN_FILE).read_text().strip())

    def sign(self, profile: str, request: bytes) -> bytes:
        """A certificate (PEM) for a request. profile: `signing`, `agreement` or `tls`."""
        asked = urllib.request.Request(  # noqa: S310  http on loopback
            f"{self.url}/sign?profile={profile}", data=request, headers={TOKEN_HEADER: self.token}, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as response:  # noqa: S310  http on loopback
            return bytes(response.read())

    def authorities(self, profile: str) -> tuple[x509.Certificate, ...]:
        """The CA certificates that the directory lists. profile: `signing` or `tls`."""
        with urllib.request.urlopen(f"{self.url}/ca.pem?profile={profile}", timeout=_TIMEOUT_S) as response:  # noqa: S310
            return tuple(x509.load_pem_x509_certificates(response.read()))

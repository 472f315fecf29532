"""Which CA is asked by ACME, and by whom: values, apart from the library that asks (transport.acme_client)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


@dataclass(frozen=True, kw_only=True, slots=True)
class AcmePlace:
    """Which CA, and how long it may take. url: of its directory, https. ca_file: whom its TLS certificate leads to."""

    url: str
    ca_file: Path
    timeout_s: float
    order_timeout_s: float

    @property
    def origin(self) -> str:
        """What every address of the CA begins with."""
        return f"https://{urlsplit(self.url).netloc}/"


@dataclass(frozen=True, kw_only=True, slots=True)
class AcmeAccount:
    """Who asks. contact: e-mail addresses."""

    key: EllipticCurvePrivateKey
    contact: Sequence[str] = ()
    terms_agreed: bool = False

"""Three officers who can sign approvals, the member whose acts they approve, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.crypto.note import NoteSigner

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MEMBER = "UZ/GOV/200000001"
SIGNERS = {name: NoteSigner(name, Ed25519PrivateKey.generate()) for name in ("dilnoza", "bek", "olim")}

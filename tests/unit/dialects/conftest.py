from __future__ import annotations

from tests.fixtures_pki import federation

__all__ = ["federation"]

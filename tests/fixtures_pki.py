"""The test federation as pytest fixtures. A test that changes something starts from `federation.draft()`."""

from __future__ import annotations

import pytest

from tests.pki import SUITE_NAMES, Federation


@pytest.fixture(scope="session")
def federation() -> Federation:
    """Population, cadastre and social protection, all in suite p256, at `pki.NOW`."""
    return Federation.build()


@pytest.fixture(scope="session")
def mixed_federation() -> Federation:
    """The same with one member in each suite: p256, ed25519, rsa."""
    return Federation.build(suites=SUITE_NAMES)

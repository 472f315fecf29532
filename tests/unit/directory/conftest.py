"""What the tests of the directory share."""

from __future__ import annotations

import pytest

from tests.pki import Federation
from tests.repository import Repository


@pytest.fixture
def repository(federation: Federation) -> Repository:
    return federation.repository

from __future__ import annotations

import pytest

from tests.consent_issuer import Case, case_of
from tests.fixtures_pki import federation, mixed_federation
from tests.pki import Federation
from tests.two_sides import TwoSides, two_sides

__all__ = ["federation", "mixed_federation"]


@pytest.fixture
def sides(federation: Federation) -> TwoSides:
    """A consumer and a provider, in suite p256, with one rule that allows the good call."""
    return two_sides(federation)


@pytest.fixture
def case(sides: TwoSides) -> Case:
    """The same with a consent issuer, which holds the good consent."""
    return case_of(sides)

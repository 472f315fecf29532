from __future__ import annotations

import pytest

from tests.pki import SUITE_NAMES, Federation
from tests.two_sides import TwoSides, fault_code, two_sides
from tests.unit.evidence.exchanges import Exported, exported_by


async def answered(federation: Federation) -> TwoSides:
    """Both sides after one answered exchange."""
    sides = two_sides(federation)
    assert fault_code(await sides.call()) == "answered"
    return sides


@pytest.fixture
async def sides(federation: Federation) -> TwoSides:
    return await answered(federation)


@pytest.fixture
def of_consumer(sides: TwoSides) -> Exported:
    return exported_by(sides, sides.federation.social, sides.consumer_record)


@pytest.fixture
def of_provider(sides: TwoSides) -> Exported:
    return exported_by(sides, sides.federation.population, sides.provider_record)


@pytest.fixture(params=[*SUITE_NAMES, "mixed"])
async def in_each_suite(request: pytest.FixtureRequest) -> TwoSides:
    suites = SUITE_NAMES if request.param == "mixed" else (request.param,)
    return await answered(Federation.build(suites=suites))

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.directory.content import TimeStampAuthority as Listed
from adapter.directory.content import Witness
from adapter.directory.draft import DirectoryDraft
from tests.pki import SUITE_NAMES, Federation
from tests.real_pki.making import RealPki
from tests.real_pki.tsa import TimeStampAuthority
from tests.two_sides import TwoSides, fault_code, two_sides
from tests.unit.evidence.exchanges import Exported, exported_by
from tests.unit.evidence.outsiders import FIRST, SECOND, cosigned_by, stamp_of


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


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> RealPki:
    return RealPki.build(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def authority(pki: RealPki) -> TimeStampAuthority:
    return pki.time_stamp("first")


@pytest.fixture
def naming_all(federation: Federation, pki: RealPki) -> DirectoryDraft:
    """A directory that names a time-stamp authority and two witnesses."""
    root = pki.authorities["root"].certificate
    listed = {"clock": Listed(name="clock", address="http://127.0.0.1:1/", certificates=(root,))}
    return replace(federation.draft(), time_stamp_authorities=listed, witnesses=named_witnesses())


def named_witnesses() -> dict[str, Witness]:
    both = (("first", FIRST), ("second", SECOND))
    return {name: Witness(name=name, vkey=one.vkey, address="http://127.0.0.1:1/") for name, one in both}


@pytest.fixture
def stamped(
    federation: Federation, of_provider: Exported, naming_all: DirectoryDraft, authority: TimeStampAuthority
) -> Exported:
    proof = federation.signed(naming_all)
    return of_provider.but(directory=proof, stamp=lambda octets: stamp_of(authority, octets))


@pytest.fixture
def witnessed(federation: Federation, of_provider: Exported) -> Exported:
    """The directory names two witnesses, and both cosigned the checkpoint."""
    proof = federation.signed(replace(federation.draft(), witnesses=named_witnesses()))
    return of_provider.but(directory=proof, cosign=cosigned_by(FIRST, SECOND))

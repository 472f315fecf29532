"""A container is signed as lastingly as the outside world lets it, and says why it is not more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.app.evidence_signing import SignedContainer
from adapter.directory.content import TimeStampAuthority as Listed
from adapter.directory.draft import DirectoryDraft
from adapter.errors import SecurityFailed
from adapter.evidence.asic import open_asic
from adapter.evidence.signature import Level, judge_signature
from tests.outside_world import OutsideWorld, now, outside_world
from tests.pki import Federation
from tests.real_pki.serving import Fault

FILES = {"a.txt": b"letter"}


@pytest.fixture
def world(federation: Federation, tmp_path: Path) -> Iterator[OutsideWorld]:
    with outside_world(federation, tmp_path) as listening:
        yield listening


async def signed(federation: Federation, world: OutsideWorld, draft: DirectoryDraft | None = None) -> SignedContainer:
    """What the social protection agency signs, which is judged as well."""
    directory = federation.directory(draft or world.draft(federation))
    made = await world.desk(federation.social, directory).sign(FILES, now().replace(microsecond=0))
    proved = judge_signature(open_asic(made.octets), federation.social.id, directory)
    assert proved.level is made.level
    assert (made.because == "") is (made.level is Level.LT)
    return made


async def test_with_everybody_at_home_it_lasts(federation: Federation, world: OutsideWorld) -> None:
    made = await signed(federation, world)
    assert made.level is Level.LT
    signature = open_asic(made.octets).signature
    # One response about the member's certificate; one list about the issuing CA and the time-stamp authority's unit.
    assert (len(signature.responses), len(signature.lists), world.crl.asked) == (1, 1, 1)


async def test_without_a_time_stamp_authority_it_is_level_b(federation: Federation, world: OutsideWorld) -> None:
    made = await signed(federation, world, replace(world.draft(federation), time_stamp_authorities={}))
    assert (made.level, made.because) == (Level.B, "the directory names no time-stamp authority")
    assert world.responder.asked == 0


async def test_a_time_stamp_authority_that_is_down_is_named(federation: Federation, world: OutsideWorld) -> None:
    world.stamps.play(Fault.DOWN)
    made = await signed(federation, world)
    assert made.level is Level.B
    assert made.because.startswith("clock did not stamp: ")


async def test_the_next_time_stamp_authority_is_asked(federation: Federation, world: OutsideWorld) -> None:
    draft = world.draft(federation)
    (listed,) = draft.time_stamp_authorities.values()
    down = Listed(name="down", address="http://127.0.0.1:9/", certificates=listed.certificates)
    made = await signed(federation, world, replace(draft, time_stamp_authorities={"down": down, "clock": listed}))
    assert made.level is Level.LT


async def test_a_ca_without_an_address_leaves_it_at_level_t(federation: Federation, world: OutsideWorld) -> None:
    draft = world.draft(federation)
    root, issuing = draft.signing_authorities
    silent = replace(root, crl_addresses=(), status_window=None)
    made = await signed(federation, world, replace(draft, signing_authorities=(silent, issuing)))
    assert made.level is Level.T
    assert made.because.startswith(
        "the directory does not say where to ask about the certificate of CN=Test issuing CA"
    )


async def test_a_unit_that_the_directory_lists_needs_no_status(federation: Federation, world: OutsideWorld) -> None:
    draft = world.draft(federation)
    unit = Listed(name="unit", address=world.stamps.address, certificates=(world.stamps.certificate,))
    made = await signed(federation, world, replace(draft, time_stamp_authorities={"unit": unit}))
    assert made.level is Level.LT


async def test_a_responder_that_is_down_leaves_it_at_level_t(federation: Federation, world: OutsideWorld) -> None:
    world.responder.play(Fault.DOWN)
    made = await signed(federation, world)
    assert made.level is Level.T
    assert "UZ/GOV/200000003 signing" in made.because


async def test_the_kept_status_serves_while_the_responder_is_down(federation: Federation, world: OutsideWorld) -> None:
    await signed(federation, world)
    world.responder.play(Fault.DOWN)
    made = await signed(federation, world)
    assert made.level is Level.LT


async def test_a_key_that_was_taken_back_signs_nothing(federation: Federation, world: OutsideWorld) -> None:
    world.responder.revoke(federation.social.signing_certificate, at=now() - timedelta(minutes=5))
    with pytest.raises(SecurityFailed, match="revoked"):
        await signed(federation, world)

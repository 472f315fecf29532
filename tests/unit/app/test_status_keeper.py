"""A status keeper before a real responder and a real list: what it learns, and what each fault does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.app.keyring import SigningKeyChoice
from adapter.app.status_keeper import StatusKeeper
from adapter.directory.content import CertificationAuthority
from adapter.directory.model import Directory
from adapter.directory.status import StatusBook, StatusQuestion
from adapter.directory.trust import ChainCache
from adapter.errors import AdapterError, KeyUnusable, SecurityFailed, StatusUnavailable
from adapter.store.status_copies import StatusCopies
from adapter.transport.destinations import PeerDestinations
from adapter.transport.status_client import StatusClient
from tests.pki import Federation
from tests.real_pki.crl import CrlPublisher
from tests.real_pki.making import make_responder
from tests.real_pki.ocsp import OcspResponder
from tests.real_pki.serving import Fault
from tests.two_sides import signing_key_of

pytestmark = pytest.mark.sockets
WINDOW = timedelta(minutes=30)


class Scene:
    """One adapter of a federation of the present, its responder and its authority's list."""

    def __init__(self, folder: Path, responder: OcspResponder, crl: CrlPublisher, federation: Federation) -> None:
        self.federation = federation
        self.responder = responder
        self.crl = crl
        self.folder = folder
        self.now = datetime.now(UTC)
        self.directory = self.directory_with(ocsp=True, crl=False)
        self.keeper = self.new_keeper()

    def directory_with(self, *, ocsp: bool, crl: bool) -> Directory:
        authority = CertificationAuthority(
            certificate=self.federation.issuing_ca.certificate,
            ocsp_addresses=(self.responder.address,) if ocsp else (),
            crl_addresses=(self.crl.address,) if crl else (),
            status_window=WINDOW,
        )
        root = CertificationAuthority(certificate=self.federation.root_ca.certificate)
        return self.federation.directory(replace(self.federation.draft(), signing_authorities=(root, authority)))

    def new_keeper(self, *, loopback: bool = True) -> StatusKeeper:
        destinations = PeerDestinations(loopback="always" if loopback else "never")
        return StatusKeeper(
            own=self.federation.social.id,
            book=StatusBook(),
            client=StatusClient(timeout_s=1, max_list_bytes=100_000, destinations=destinations),
            copies=StatusCopies(self.folder / "copies"),
            directory=lambda: self.directory,
            chains=ChainCache(),
            clock=lambda: self.now,
        )

    @property
    def question(self) -> StatusQuestion:
        authority = self.directory.by_ca_certificate[
            next(sha for sha, one in self.directory.by_ca_certificate.items() if one.status_window)
        ]
        return StatusQuestion(certificate=self.federation.social.signing_certificate, authority=authority)

    async def learn(self) -> None:
        """Asked anew, whatever was asked before."""
        self.now = datetime.now(UTC)
        self.keeper = self.new_keeper()
        await self.keeper.learn(self.question)
        self.keeper.book.check(self.question, self.now)


@pytest.fixture(scope="module")
def present() -> Federation:
    return Federation.build(now=datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def scene(tmp_path: Path, present: Federation) -> Iterator[Scene]:
    known = [member.signing_certificate for member in present.members.values()]
    known += [member.agreement_certificate for member in present.members.values()]
    with (
        make_responder(present.issuing_ca, tmp_path / "ocsp", known=known, now=present.now) as responder,
        CrlPublisher(present.issuing_ca) as crl,
    ):
        yield Scene(tmp_path, responder, crl, present)


async def test_good_then_revoked(scene: Scene) -> None:
    await scene.learn()
    own = scene.federation.social.signing_certificate
    assert scene.keeper.staple(own) is not None
    scene.responder.revoke(own)
    with pytest.raises(SecurityFailed, match="revoked"):
        await scene.learn()


FAULTS = sorted(OcspResponder.plays - {Fault.NONE, Fault.NO_NONCE, Fault.CLOCK_BEHIND}, key=lambda one: one.value)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_fault_of_the_responder_teaches_nothing(scene: Scene, fault: Fault) -> None:
    scene.responder.play(fault)
    with pytest.raises(StatusUnavailable):
        await scene.learn()
    assert scene.keeper.book.known(scene.question.sha256) is None
    scene.responder.play(Fault.NONE)
    await scene.learn()


async def test_a_responder_that_prepares_its_answers_sends_no_nonce(scene: Scene) -> None:
    scene.responder.play(Fault.NO_NONCE)
    await scene.learn()


async def test_a_clock_an_hour_behind_is_as_old_as_it_says(scene: Scene) -> None:
    scene.responder.play(Fault.CLOCK_BEHIND)
    with pytest.raises(StatusUnavailable, match="good until"):
        await scene.learn()


@pytest.mark.parametrize("fault", sorted(CrlPublisher.plays - {Fault.NONE}, key=str), ids=str)
async def test_faults_of_the_list(scene: Scene, fault: Fault) -> None:
    scene.directory = scene.directory_with(ocsp=False, crl=True)
    scene.crl.play(fault)
    with pytest.raises(StatusUnavailable):
        await scene.learn()
    scene.crl.play(Fault.NONE)
    await scene.learn()
    assert scene.keeper.staple(scene.federation.social.signing_certificate) is None  # a list is not sent along
    scene.crl.revoke(scene.federation.social.signing_certificate)
    with pytest.raises(SecurityFailed, match="revoked"):
        await scene.learn()


async def test_the_list_is_asked_for_when_the_responder_is_down(scene: Scene) -> None:
    scene.directory = scene.directory_with(ocsp=True, crl=True)
    scene.responder.play(Fault.DOWN)
    await scene.learn()
    assert scene.crl.asked == 1


async def test_one_question_at_a_time_and_none_for_a_while_after_a_failure(scene: Scene) -> None:
    await asyncio.gather(*(scene.keeper.learn(scene.question) for _ in range(20)))
    assert scene.responder.asked == 1
    scene.now += timedelta(seconds=11)
    scene.responder.play(Fault.ERROR)
    for _ in range(20):
        with pytest.raises(StatusUnavailable):
            await scene.keeper.learn(scene.question)
    assert scene.responder.asked == 2
    scene.now += timedelta(seconds=11)
    with pytest.raises(StatusUnavailable):
        await scene.keeper.learn(scene.question)
    assert scene.responder.asked == 3


async def test_where_the_directory_names_this_machine_nobody_goes_unless_it_may(scene: Scene) -> None:
    keeper = scene.new_keeper(loopback=False)
    with pytest.raises(StatusUnavailable, match="cannot be asked"):
        await keeper.learn(scene.question)
    assert scene.responder.asked == 0


async def test_it_fetches_its_own_ahead_again_at_half_time_and_begins_with_its_copies(scene: Scene) -> None:
    own = scene.federation.social.signing_certificate
    running = asyncio.create_task(scene.keeper.keep_fresh())
    try:
        first = await _eventually(lambda: scene.keeper.staple(own))
        scene.now += WINDOW / 2 + timedelta(minutes=1)
        scene.responder.play(Fault.DOWN)
        await asyncio.sleep(1.5)
        assert scene.keeper.staple(own) == first  # down, and still within the window
        again = scene.new_keeper()
        again.load_copies()
        starting = asyncio.create_task(again.keep_fresh())
        try:
            assert await _eventually(lambda: again.staple(own)) == first
        finally:
            starting.cancel()
        scene.now += WINDOW / 2
        assert scene.keeper.staple(own) is None
        with pytest.raises(AdapterError, match="good until"):
            scene.keeper.book.check(scene.question, scene.now)
    finally:
        running.cancel()


async def test_after_a_restart_a_revoked_key_signs_nothing_from_the_first_message_on(scene: Scene) -> None:
    """The responder is down by then: what was learnt before is enough."""
    own = scene.federation.social
    keys = (signing_key_of(own),)
    await scene.learn()
    assert SigningKeyChoice(keys, own.id, scene.keeper.book.is_revoked).choose(scene.directory, scene.now) is keys[0]
    scene.responder.revoke(own.signing_certificate)
    with pytest.raises(SecurityFailed, match="revoked"):
        await scene.learn()
    scene.responder.play(Fault.DOWN)
    again = scene.new_keeper()
    again.load_copies()
    choice = SigningKeyChoice(keys, own.id, again.book.is_revoked)
    with pytest.raises(KeyUnusable, match="not revoked"):
        choice.choose(scene.directory, scene.now)


async def _eventually(look: object) -> bytes:
    for _ in range(200):
        found = look()  # type: ignore[operator]
        if found is not None:
            return bytes(found)
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")

"""Step 7 of the checklist of trust: what the directory wants to be known of a certificate's status."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.crypto.status import CertificateStatus, read_ocsp_response
from adapter.directory import status
from adapter.directory.content import CertificationAuthority
from adapter.directory.model import Directory
from adapter.directory.status import StatusBook, StatusQuestion, status_question
from adapter.directory.trust import ChainCache, choose_recipient, establish_trust
from adapter.errors import PeerMismatch, SecurityFailed, StatusUnavailable
from adapter.stages import TrustedMessage, VerifiedMessage
from tests.pki import NOW, Federation
from tests.real_pki.making import responder_certificate
from tests.real_pki.ocsp import make_response
from tests.unit.directory.messages import verified_from

WINDOW = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Statuses:
    """A federation whose directory wants statuses of signing and agreement certificates."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.responder = responder_certificate(federation.issuing_ca, self.key.public_key(), now=NOW)
        self.directory = self.directory_with(("http://ocsp.example/",))
        self.book = StatusBook()
        self.chains = ChainCache()
        self.message = verified_from(federation)

    def directory_with(self, ocsp: tuple[str, ...], crl: tuple[str, ...] = ()) -> Directory:
        draft = self.federation.draft()
        issuing = CertificationAuthority(
            certificate=self.federation.issuing_ca.certificate,
            ocsp_addresses=ocsp,
            crl_addresses=crl,
            status_window=WINDOW if ocsp or crl else None,
        )
        root = CertificationAuthority(certificate=self.federation.root_ca.certificate)
        return self.federation.directory(replace(draft, signing_authorities=(root, issuing)))

    def response(self, *, this_update: datetime = NOW, **changes: Any) -> bytes:
        values: dict[str, Any] = {"next_update": None, "responder": self.responder, "key": self.key}
        certificate = changes.pop("certificate", self.federation.social.signing_certificate)
        return make_response(certificate, self.federation.issuing_ca, this_update=this_update, **(values | changes))

    def question(self) -> StatusQuestion:
        issuer = self.federation.issuing_ca.certificate
        found = status_question(self.federation.social.signing_certificate, issuer, self.directory)
        assert found is not None
        return found

    def learn(self, octets: bytes, now: datetime = NOW) -> CertificateStatus:
        learnt = self.question().read_response(octets, now)
        self.book.learn(learnt)
        return learnt

    def trust(self, *, stapled: bytes | None = None, now: datetime = NOW) -> TrustedMessage:
        message: VerifiedMessage = replace(
            self.message, header=replace(self.message.header, certificate_status=stapled)
        )
        return establish_trust(
            message,
            directory=self.directory,
            peer=message.received.peer,
            now=now,
            chains=self.chains,
            statuses=self.book,
        )


@pytest.fixture
def scene(federation: Federation) -> Statuses:
    return Statuses(federation)


def test_an_authority_without_addresses_needs_no_status(scene: Statuses) -> None:
    scene.directory = scene.directory_with(())
    assert scene.trust().fetched_status is None
    assert scene.trust(stapled=b"whatever a stranger's stack sends").fetched_status is None


def test_without_any_status_nobody_is_trusted(scene: Statuses) -> None:
    with pytest.raises(StatusUnavailable, match="no status"):
        scene.trust()
    assert [one.certificate for one in scene.book.wanted.values()] == [scene.federation.social.signing_certificate]


def test_a_caller_that_brings_no_book_trusts_nobody(scene: Statuses) -> None:
    with pytest.raises(StatusUnavailable):
        establish_trust(
            scene.message,
            directory=scene.directory,
            peer=scene.message.received.peer,
            now=NOW,
            chains=scene.chains,
        )


def test_a_stapled_status_is_enough_and_is_kept_for_the_next_message(scene: Statuses) -> None:
    octets = scene.response()
    assert scene.trust(stapled=octets).fetched_status is None
    assert scene.trust().fetched_status == octets


def test_within_the_window_messages_pass_and_after_it_they_are_refused(scene: Statuses) -> None:
    scene.learn(scene.response())
    assert scene.trust(now=NOW + WINDOW - SECOND).sender == scene.federation.social.id
    with pytest.raises(StatusUnavailable, match="good until"):
        scene.trust(now=NOW + WINDOW)


def test_a_stale_staple_is_as_good_as_none(scene: Statuses) -> None:
    old = scene.response(this_update=NOW - WINDOW)
    with pytest.raises(StatusUnavailable):
        scene.trust(stapled=old)
    scene.learn(scene.response())
    assert scene.trust(stapled=old).sender == scene.federation.social.id


def test_the_same_staple_is_judged_once_whatever_was_learnt_since(
    scene: Statuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[bytes] = []

    def watched(octets: bytes, **more: Any) -> CertificateStatus:
        judged.append(octets)
        return read_ocsp_response(octets, **more)

    monkeypatch.setattr(status, "read_ocsp_response", watched)
    staple = scene.response(this_update=NOW - SECOND)
    for _ in range(2):
        assert scene.trust(stapled=staple).fetched_status is None
    newer = scene.response()
    scene.learn(newer)
    for _ in range(2):
        assert scene.trust(stapled=staple).fetched_status == newer
    assert judged == [staple, newer]


def test_what_two_threads_learn_at_once_ends_with_the_revocation(scene: Statuses) -> None:
    """The thread of large messages has an older good status in its hands while another one learns of the revocation."""
    threads: list[threading.Thread] = []

    class Slow:
        """Between looking and writing, the other thread gets its chance."""

        certificate_sha256 = scene.question().sha256
        revoked_at = None
        usable_until = NOW + WINDOW

        @property
        def this_update(self) -> datetime:
            threads.append(threading.Thread(target=scene.learn, args=(revoked,)))
            threads[-1].start()
            threads[-1].join(0.2)
            return NOW - SECOND

    scene.learn(scene.response(this_update=NOW - 2 * SECOND))
    revoked = scene.response(revoked_at=NOW)
    slow: Any = Slow()
    scene.book.learn(slow)
    for thread in threads:
        thread.join(30)
    assert threads
    assert scene.book.is_revoked(scene.question().sha256)


def test_revoked_by_what_is_stapled_or_learnt(scene: Statuses) -> None:
    revoked = scene.response(revoked_at=NOW - SECOND)
    with pytest.raises(SecurityFailed, match="revoked"):
        scene.trust(stapled=revoked)
    with pytest.raises(SecurityFailed, match="revoked"):
        scene.trust()
    with pytest.raises(SecurityFailed, match="revoked"):
        scene.trust(now=NOW + 100 * WINDOW)


def test_an_older_good_status_that_is_sent_again_does_not_undo_a_revocation(scene: Statuses) -> None:
    before = scene.response(this_update=NOW - SECOND)
    assert scene.trust(stapled=before).fetched_status is None
    scene.learn(scene.response(revoked_at=NOW))
    with pytest.raises(SecurityFailed, match="revoked"):
        scene.trust(stapled=before)
    with pytest.raises(SecurityFailed, match="revoked"):
        scene.trust(stapled=scene.response())  # of the same instant


@pytest.mark.parametrize("name", ["another certificate", "unknown", "garbage", "unsigned"])
def test_what_is_stapled_has_to_be_a_status_of_the_signer(scene: Statuses, name: str) -> None:
    population = scene.federation.population.signing_certificate
    staples = {
        "another certificate": scene.response(certificate=population),
        "unknown": scene.response(unknown=True),
        "garbage": b"\x30\x03\x0a\x01\x00",
        "unsigned": scene.response()[:-1],
    }
    scene.learn(scene.response(this_update=NOW - SECOND))
    with pytest.raises(SecurityFailed):
        scene.trust(stapled=staples[name])


def test_nobody_is_encrypted_to_whose_agreement_certificate_was_revoked(scene: Statuses) -> None:
    population = scene.federation.population
    member = scene.directory.member(population.id)
    arguments: dict[str, Any] = {"directory": scene.directory, "now": NOW, "chains": scene.chains}
    chosen = choose_recipient(member, statuses=scene.book, **arguments)
    assert population.id in scene.book.partners
    question = status_question(chosen.certificate, scene.federation.issuing_ca.certificate, scene.directory)
    assert question is not None
    octets = scene.response(certificate=chosen.certificate, revoked_at=NOW)
    scene.book.learn(question.read_response(octets, NOW))
    with pytest.raises(SecurityFailed, match="no agreement certificate"):
        choose_recipient(member, statuses=scene.book, **arguments)


def test_a_tls_certificate_that_was_revoked(scene: Statuses) -> None:
    scene.learn(scene.response())
    assert scene.trust().sender in scene.book.partners
    scene.book.learn(
        CertificateStatus(
            certificate_sha256=scene.federation.social.tls_sha256,
            revoked_at=NOW,
            this_update=NOW,
            usable_until=NOW,
            is_list=True,
            octets=b"",
        )
    )
    with pytest.raises(PeerMismatch, match="revoked"):
        scene.trust()

"""What the book of statuses keeps and forgets, and which authority is asked about which certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapter.crypto.certificates import Purpose
from adapter.crypto.status import CertificateStatus
from adapter.directory.content import CertificationAuthority
from adapter.directory.model import Directory
from adapter.directory.status import StatusBook, StatusQuestion, status_question
from adapter.directory.trust import ChainCache, question_about
from adapter.errors import SecurityFailed
from tests.pki import NOW, Federation, make_ca
from tests.real_pki.crl import make_crl
from tests.unit.directory.test_trust_status import WINDOW, Statuses

SECOND = timedelta(seconds=1)


@pytest.fixture
def scene(federation: Federation) -> Statuses:
    return Statuses(federation)


def status_of(
    number: int, revoked_at: datetime | None = None, *, this_update: datetime = NOW, octets: bytes = b""
) -> CertificateStatus:
    """A status of the certificate of this number."""
    return CertificateStatus(
        certificate_sha256=bytes([number]),
        revoked_at=revoked_at,
        this_update=this_update,
        usable_until=this_update + WINDOW,
        is_list=False,
        octets=octets,
    )


# --- questions -------------------------------------------------------------------------------------------------------


def directory_that_asks_about_tls(federation: Federation) -> Directory:
    tls = CertificationAuthority(
        certificate=federation.tls_ca.certificate, ocsp_addresses=("http://ocsp.example/",), status_window=WINDOW
    )
    return federation.directory(replace(federation.draft(), tls_authorities=(tls,)))


def test_about_a_tls_certificate_the_tls_authority_is_asked_and_about_no_other(federation: Federation) -> None:
    directory = directory_that_asks_about_tls(federation)
    certificate = federation.social.tls_certificate
    question = question_about(certificate, directory, NOW, ChainCache(), Purpose.TLS)
    assert question is not None
    assert (question.certificate, question.authority.certificate) == (certificate, federation.tls_ca.certificate)
    assert question_about(federation.social.signing_certificate, directory, NOW, ChainCache()) is None
    with pytest.raises(SecurityFailed, match="other protocols only"):
        question_about(certificate, directory, NOW, ChainCache())
    with pytest.raises(SecurityFailed, match="no certificate of the authority"):
        question_about(federation.social.signing_certificate, directory, NOW, ChainCache(), Purpose.TLS)


@pytest.mark.parametrize("seen_before", [False, True])
def test_about_a_certificate_past_its_end_nothing_is_asked(federation: Federation, *, seen_before: bool) -> None:
    directory, chains = directory_that_asks_about_tls(federation), ChainCache()
    certificate = federation.social.tls_certificate
    if seen_before:
        question_about(certificate, directory, NOW, chains, Purpose.TLS)
    with pytest.raises(SecurityFailed, match=r"expired|not valid at"):
        question_about(certificate, directory, certificate.not_valid_after_utc + SECOND, chains, Purpose.TLS)


def test_of_an_authority_that_the_directory_does_not_have_nothing_is_asked(scene: Statuses) -> None:
    certificate = scene.federation.social.signing_certificate
    assert status_question(certificate, make_ca("Stranger").certificate, scene.directory) is None


def test_where_no_status_is_wanted_none_is_read(scene: Statuses) -> None:
    """Also when it would be a good one: how old it may be is not known."""
    authority = CertificationAuthority(certificate=scene.federation.issuing_ca.certificate)
    question = StatusQuestion(certificate=scene.federation.social.signing_certificate, authority=authority)
    with pytest.raises(SecurityFailed, match="wants no status"):
        question.read_response(scene.response(), NOW)
    with pytest.raises(SecurityFailed, match="wants no status"):
        question.read_list(revocation_list(scene), NOW)


def test_an_answer_to_another_question_is_none(scene: Statuses) -> None:
    octets = scene.response(nonce=b"n" * 32)
    assert scene.question().read_response(octets, NOW, b"n" * 32).revoked_at is None
    with pytest.raises(SecurityFailed, match="another question"):
        scene.question().read_response(octets, NOW, b"m" * 32)


# --- lists -----------------------------------------------------------------------------------------------------------


def revocation_list(scene: Statuses, *, revoked: dict[int, datetime] | None = None) -> bytes:
    return make_crl(
        scene.federation.issuing_ca, revoked=revoked or {}, this_update=NOW, next_update=NOW + timedelta(days=1)
    )


def test_what_was_learnt_of_a_list_is_relied_on_and_is_no_response_to_hand_on(scene: Statuses) -> None:
    learnt = scene.question().read_list(revocation_list(scene), NOW)
    assert (learnt.is_list, learnt.usable_until) == (True, NOW + WINDOW)
    scene.book.learn(learnt)
    assert scene.trust().fetched_status is None


def test_a_list_that_names_the_certificate(scene: Statuses) -> None:
    serial = scene.federation.social.signing_certificate.serial_number
    scene.book.learn(scene.question().read_list(revocation_list(scene, revoked={serial: NOW}), NOW))
    with pytest.raises(SecurityFailed, match="revoked"):
        scene.trust()


# --- the book --------------------------------------------------------------------------------------------------------


def test_what_is_known_to_be_good_is_not_revoked() -> None:
    book = StatusBook()
    book.learn(status_of(1))
    assert not book.is_revoked(bytes([1]))
    assert not book.is_revoked(bytes([2]))


def test_of_two_statuses_of_one_instant_the_later_learnt_is_kept() -> None:
    book = StatusBook()
    for octets in (b"first", b"second"):
        book.learn(status_of(1, octets=octets))
    known = book.known(bytes([1]))
    assert known is not None
    assert known.octets == b"second"


def test_a_full_book_forgets_for_a_newcomer_only_and_what_is_good_first() -> None:
    book = StatusBook(max_known=2)
    book.learn(status_of(1))
    book.learn(status_of(2))
    book.learn(status_of(2, this_update=NOW + SECOND))
    assert book.known(bytes([1])) is not None
    book.learn(status_of(1, NOW))
    assert [book.known(bytes([number])) is not None for number in (1, 2, 3)] == [True, True, False]
    book.learn(status_of(3))
    assert [book.known(bytes([number])) is not None for number in (1, 2, 3)] == [True, False, True]
    book.learn(status_of(4, NOW))
    assert [book.known(bytes([number])) is not None for number in (1, 3, 4)] == [True, False, True]
    book.learn(status_of(5, NOW))
    assert [book.known(bytes([number])) is not None for number in (1, 4, 5)] == [False, True, True]


def test_no_more_certificates_are_wanted_than_can_be_known(scene: Statuses) -> None:
    book = StatusBook(max_known=1)
    scene.book = book
    assert scene.trust(stapled=scene.response()).sender == scene.federation.social.id
    population = scene.federation.population.signing_certificate
    other = StatusQuestion(certificate=population, authority=scene.question().authority)
    assert book.check(other, NOW, scene.response(certificate=population)).revoked_at is None
    assert [one.certificate for one in book.wanted.values()] == [scene.federation.social.signing_certificate]


def test_a_staple_whose_status_was_forgotten_is_judged_again(scene: Statuses) -> None:
    scene.book = StatusBook(max_known=1)
    staple = scene.response()
    assert scene.trust(stapled=staple).fetched_status is None
    scene.book.learn(status_of(1))
    assert scene.book.known(scene.question().sha256) is None
    assert scene.trust(stapled=staple).fetched_status is None

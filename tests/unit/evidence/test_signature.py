"""What others say of a container's signature holds when all of it fits, and is refused by its name when not."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from signxml.xades.xades import XAdESVerifier

from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, with_anchor
from adapter.directory.status import status_question
from adapter.errors import EvidenceInvalid, SecurityFailed, StatusOutdated, UnknownMember
from adapter.evidence.asic import open_asic, render_asic, sign_files
from adapter.evidence.container import MIMETYPE, read_container, render_container
from adapter.evidence.contents import CLAIMS, OF_EXPORTER
from adapter.evidence.signature import Level, judge_signature, status_then
from adapter.evidence.verify import verify_evidence
from adapter.evidence.xades import SIGNATURES, XadesSignature
from adapter.xmlsafe import parse
from tests.outside_world import OutsideWorld, now, outside_world
from tests.pki import Federation, FederationMember, issue
from tests.real_pki.crl import make_crl
from tests.real_pki.ocsp import make_response
from tests.two_sides import fault_code, two_sides
from tests.unit.evidence.exchanges import Exported, exported_by, sealed, signing_key_of
from tests.unit.evidence.outsiders import stamp_of

MINUTE = timedelta(minutes=1)
EVERY_OCTET = os.environ.get("ATTACKS") == "every"
Spot = TypeVar("Spot")
FILES = {"a.txt": b"letter"}


@dataclass(frozen=True, kw_only=True)
class Lasting:
    """Evidence at level LT, and all that made it."""

    federation: Federation
    world: OutsideWorld
    proof: DirectoryProof
    directory: Directory
    exported: Exported
    container: bytes

    @property
    def signature(self) -> XadesSignature:
        return open_asic(self.container).signature

    def judge(self, signature: XadesSignature) -> None:
        """With another signature in the container. Raises EvidenceInvalid."""
        verify_evidence(render_asic(open_asic(self.container).files, signature), self.federation.anchor)

    def signed_at(self, at: datetime, *, files: dict[str, bytes] | None = None) -> XadesSignature:
        """A signature at level T that says that it was made then, stamped now."""
        signature = sign_files(files or FILES, signing_key_of(self.exported.member), at)
        return replace(
            signature, stamp=stamp_of(self.world.stamps, signature.stamped, self.federation.root_ca.certificate)
        )

    def with_statuses(self, signature: XadesSignature, *, at: datetime, revoked_at: datetime | None) -> XadesSignature:
        """At level LT. at: when the statuses are of. revoked_at: of the signing certificate."""
        response = self.status_of(self.exported.member, at, revoked_at=revoked_at)
        listed = make_crl(self.federation.root_ca, revoked={}, this_update=at, next_update=at + timedelta(hours=1))
        return replace(signature, certificates=self.signature.certificates, responses=(response,), lists=(listed,))

    def status_of(self, member: FederationMember, at: datetime, *, revoked_at: datetime | None = None) -> bytes:
        """The responder's word on the member's signing certificate."""
        responder = self.world.responder
        return make_response(
            member.signing_certificate,
            responder.authority,
            responder=responder.certificate,
            key=responder.key,
            this_update=at,
            next_update=at + timedelta(hours=1),
            revoked_at=revoked_at,
        )


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lasting]:
    federation = Federation.build()
    with outside_world(federation, tmp_path_factory.mktemp("world")) as world:
        yield asyncio.run(made(federation, world))


async def made(federation: Federation, world: OutsideWorld) -> Lasting:
    sides = two_sides(federation)
    assert fault_code(await sides.call()) == "answered"
    draft, at = world.draft(federation), now().replace(microsecond=0)
    proof, directory = with_anchor(federation.signed(draft), federation.anchor), federation.directory(draft)
    exported = exported_by(sides, federation.population, sides.provider_record).but(directory=proof, exported=at)
    signed = await world.desk(federation.population, directory).sign(exported.files(), at)
    return Lasting(
        federation=federation,
        world=world,
        proof=proof,
        directory=directory,
        exported=exported,
        container=signed.octets,
    )


# --- what holds ------------------------------------------------------------------------------------------------------


def test_the_judgement_names_everybody_who_vouches(lasting: Lasting) -> None:
    judgement = verify_evidence(lasting.container, lasting.federation.anchor)
    assert judgement.level is Level.LT
    said = [one for one in judgement.statements if one.file == SIGNATURES]
    assert [one.by for one in said] == [
        "Population Register (synthetic) (UZ/GOV/200000001)",
        "the time-stamp authority clock",
        "the CA “CN=Test issuing CA,O=Test federation,C=UZ”",
        "the CA “CN=Test root CA,O=Test federation,C=UZ”",
        "the CA “CN=Test root CA,O=Test federation,C=UZ”",
    ]
    assert "XAdES-BASELINE-LT" in said[0].what
    assert "certificate of “CN=UZ/GOV/200000001 signing,O=Test federation,C=UZ” had not been revoked" in said[2].what


def test_another_reader_of_xades_verifies_the_signature(lasting: Lasting) -> None:
    """signxml, which made none of it: every reference, the signed properties, the certificate's digest."""
    files = read_container(lasting.container)
    pem = open_asic(lasting.container).signer.public_bytes(Encoding.PEM).decode()
    wanted = len(open_asic(lasting.container).files) + 1
    found = XAdESVerifier().verify(
        parse(files[SIGNATURES])[0], x509_cert=pem, uri_resolver=files.__getitem__, expect_references=wanted
    )
    assert len(found) == wanted


def test_level_t_and_level_b_hold_as_what_they_are(lasting: Lasting) -> None:
    bare = replace(lasting.signature, certificates=(), lists=(), responses=())
    for signature, level in ((bare, Level.T), (replace(bare, stamp=None), Level.B)):
        container = render_asic(open_asic(lasting.container).files, signature)
        assert verify_evidence(container, lasting.federation.anchor).level is level


def test_a_revocation_after_the_stamp_takes_nothing_away(lasting: Lasting) -> None:
    later = now().replace(microsecond=0) + timedelta(days=5)
    signature = lasting.with_statuses(lasting.signature, at=later, revoked_at=later - timedelta(days=1))
    files = open_asic(lasting.container).files
    judgement = verify_evidence(render_asic(files, signature), lasting.federation.anchor)
    assert judgement.level is Level.LT
    assert any(" was revoked on " in one.what and one.what.endswith(", after it") for one in judgement.statements)


def test_the_directory_that_names_the_exporter_may_be_a_second_one(lasting: Lasting) -> None:
    """Years later: another certificate, and a directory that the exchange knew nothing of."""
    federation, member = lasting.federation, lasting.exported.member
    certificate = issue(
        federation.issuing_ca,
        public_key=member.signing_key.public_key(),
        subject="renewed",
        usage=("digital_signature", "content_commitment"),
    )
    renewed = replace(member, signing_certificate=certificate)
    later = replace(federation, members={**federation.members, member.plan.id: renewed})
    proof = with_anchor(later.signed(later.draft(version=7, valid_for=timedelta(days=3000))), federation.anchor)
    exported = lasting.exported.but(member=renewed)
    with pytest.raises(EvidenceInvalid, match=f"{SIGNATURES}: signed with a certificate that is not registered"):
        verify_evidence(exported.container(), federation.anchor)
    statements = verify_evidence(exported.but(exporter_directory=proof).container(), federation.anchor).statements
    assert "version 7 of the directory, which names the exporter" in statements[-1].what
    assert statements[-1].file == OF_EXPORTER.document


def test_a_directory_that_had_expired_is_said_to_have(lasting: Lasting) -> None:
    federation = lasting.federation
    proof = with_anchor(federation.signed(federation.draft(valid_for=timedelta(days=1))), federation.anchor)
    statements = verify_evidence(lasting.exported.but(directory=proof).container(), federation.anchor).statements
    assert any("had expired by then" in one.what for one in statements if one.file == SIGNATURES)


# --- a changed octet -------------------------------------------------------------------------------------------------


def spots_of(all_of_them: Sequence[Spot], some: int, drawn: random.Random) -> Sequence[Spot]:
    """Each one under `make attacks`, else some of them."""
    return all_of_them if EVERY_OCTET else drawn.sample(all_of_them, some)


@pytest.mark.timeout(0 if EVERY_OCTET else 120)
def test_a_changed_octet_of_a_file_is_found_and_named(lasting: Lasting, record_property: Callable[..., None]) -> None:
    """Of a container whose ZIP headers and checksums fit the change: what is signed and proved has to notice."""
    files = read_container(lasting.container)
    drawn = random.Random(20261127)
    spots = spots_of([(path, at) for path, octets in files.items() for at in range(len(octets))], 300, drawn)
    record_property("octets", len(spots))
    for path, at in spots:
        octets = bytearray(files[path])
        octets[at] ^= 1 << drawn.randrange(8)
        with pytest.raises(EvidenceInvalid) as refused:
            verify_evidence(render_container({**files, path: bytes(octets)}), lasting.federation.anchor)
        assert path in str(refused.value), (path, at, str(refused.value))


@pytest.mark.timeout(0 if EVERY_OCTET else 120)
def test_a_changed_octet_of_the_container_is_found(lasting: Lasting, record_property: Callable[..., None]) -> None:
    """Headers and checksums too; where the octet is one of a file, the file is named."""
    drawn = random.Random(20261128)
    files = read_container(lasting.container)
    starts = {path: lasting.container.index(path.encode() + octets) + len(path) for path, octets in files.items()}
    inside = {start + at: path for path, start in starts.items() for at in range(len(files[path]))}
    spots = spots_of(range(len(lasting.container)), 300, drawn)
    record_property("octets", len(spots))
    for at in spots:
        octets = bytearray(lasting.container)
        octets[at] ^= 1 << drawn.randrange(8)
        with pytest.raises(EvidenceInvalid) as refused:
            verify_evidence(bytes(octets), lasting.federation.anchor)
        assert inside.get(at, "") in str(refused.value), (at, str(refused.value))


def test_every_bit_of_an_ocsp_response_counts(lasting: Lasting) -> None:
    """Those that no signature covers too, and in the responder's certificate: refused, and not an accident.

    Every third is tried. What depends on how a new signature happens to end is tried for certain in
    tests/unit/crypto/test_status_refuses.py: how many of its bits are said not to be used.
    """
    signature, at = lasting.signature, now()
    chain = [lasting.exported.member.signing_certificate, lasting.federation.issuing_ca.certificate]
    question = status_question(chain[0], chain[1], lasting.directory)
    assert question is not None
    (response,) = signature.responses
    for at_bit in range(0, 8 * len(response), 3):
        octets = bytearray(response)
        octets[at_bit // 8] ^= 1 << at_bit % 8
        with pytest.raises((SecurityFailed, StatusOutdated)):
            status_then(question, bytes(octets), at)


# --- unsigned properties that do not fit ------------------------------------------------------------------------------

Change = Callable[[Lasting, XadesSignature], XadesSignature]
CHANGES: dict[str, tuple[Change, str]] = {
    "a certificate less": (lambda _, one: replace(one, certificates=one.certificates[1:]), "not exactly those"),
    "a certificate more": (
        lambda _, one: replace(one, certificates=(*one.certificates, one.signed.certificate)),
        "not exactly those",
    ),
    "certificates the other way round": (
        lambda _, one: replace(one, certificates=one.certificates[::-1]),
        "not exactly those",
    ),
    "certificates without statuses": (lambda _, one: replace(one, lists=(), responses=()), "is missing"),
    "no response": (lambda _, one: replace(one, responses=()), "UZ/GOV/200000001 signing"),
    "no list": (lambda _, one: replace(one, lists=()), "Test issuing CA"),
    "statuses without certificates": (lambda _, one: replace(one, certificates=()), "not exactly those"),
    "a response twice": (lambda _, one: replace(one, responses=one.responses * 2), "nobody needs"),
    "a list that nobody needs": (
        lambda said, one: replace(one, lists=(*one.lists, foreign_list(said))),
        "nobody needs",
    ),
    "a list of another CA": (lambda said, one: replace(one, lists=(foreign_list(said),)), "Test issuing CA"),
    "no octets at all": (lambda _, one: replace(one, responses=(b"",)), "cannot be read"),
    "a stamp over something else": (
        lambda said, one: replace(one, stamp=stamp_of(said.world.stamps, b"x", said.federation.root_ca.certificate)),
        "about other octets",
    ),
    "revoked before": (
        lambda said, one: said.with_statuses(one, at=now().replace(microsecond=0), revoked_at=now() - 5 * MINUTE),
        "was revoked at",
    ),
    "statuses of long before": (
        lambda said, one: said.with_statuses(one, at=now().replace(microsecond=0) - 120 * MINUTE, revoked_at=None),
        "good until",
    ),
}


def foreign_list(said: Lasting) -> bytes:
    at = now().replace(microsecond=0)
    return make_crl(said.federation.tls_ca, revoked={}, this_update=at, next_update=at + timedelta(hours=1))


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES.keys())
def test_refuses_what_does_not_fit(lasting: Lasting, change: Change, reason: str) -> None:
    with pytest.raises(EvidenceInvalid, match=rf"^{SIGNATURES}: .*{reason}"):
        lasting.judge(change(lasting, lasting.signature))


def test_refuses_a_signature_that_says_it_is_younger_than_its_stamp(lasting: Lasting) -> None:
    container = render_asic(FILES, lasting.signed_at(now() + 5 * MINUTE))
    with pytest.raises(SecurityFailed, match="after it was time-stamped"):
        judge_signature(open_asic(container), lasting.exported.member.id, lasting.directory)


def test_refuses_statuses_where_one_is_not_asked_for(lasting: Lasting) -> None:
    """Some statuses, and none that could count of another certificate: neither T nor LT."""
    draft = lasting.world.draft(lasting.federation)
    silent = replace(draft.signing_authorities[0], crl_addresses=(), status_window=None)
    directory = lasting.federation.directory(replace(draft, signing_authorities=(silent, draft.signing_authorities[1])))
    with pytest.raises(SecurityFailed, match="none that counts of CN=Test issuing CA"):
        judge_signature(open_asic(lasting.container), lasting.exported.member.id, directory)


def test_refuses_the_name_of_another_member(lasting: Lasting) -> None:
    opened = open_asic(lasting.container)
    with pytest.raises(SecurityFailed, match="not registered for UZ/GOV/200000003"):
        judge_signature(opened, lasting.federation.social.id, lasting.directory)
    draft = replace(lasting.world.draft(lasting.federation), members={}, services={}, groups={})
    with pytest.raises(UnknownMember):
        judge_signature(opened, lasting.federation.social.id, lasting.federation.directory(draft))


def test_refuses_a_certificate_that_was_not_valid_then(lasting: Lasting) -> None:
    """Without a stamp the exporter's own word on the time has to fit its certificate."""
    before = lasting.exported.member.signing_certificate.not_valid_before_utc - MINUTE
    files = {**lasting.exported.but(exported=before).files()}
    with pytest.raises(EvidenceInvalid, match=f"{SIGNATURES}: a certificate of the chain is not valid yet"):
        verify_evidence(sealed(files, lasting.exported.member, before), lasting.federation.anchor)


def test_refuses_two_times_of_export(lasting: Lasting) -> None:
    files = lasting.exported.files()
    with pytest.raises(EvidenceInvalid, match=f"{CLAIMS}: names another time"):
        verify_evidence(
            sealed(files, lasting.exported.member, lasting.exported.exported - MINUTE), lasting.federation.anchor
        )


def test_refuses_a_second_container_in_the_first(lasting: Lasting) -> None:
    files = {path: octets for path, octets in lasting.exported.files().items() if path != MIMETYPE}
    more = {**files, "inner.asice": lasting.container}
    with pytest.raises(EvidenceInvalid, match="no place"):
        verify_evidence(sealed(more, lasting.exported.member, lasting.exported.exported), lasting.federation.anchor)


# --- what the messages' own CAs said ----------------------------------------------------------------------------------


def test_the_status_by_which_a_message_was_accepted_is_judged(lasting: Lasting) -> None:
    anchor, sent = lasting.federation.anchor, datetime.fromisoformat("2026-03-02T10:00:00Z")
    # The responder's certificate of these tests is younger than the exchange, and so is its word.
    later = now().replace(microsecond=0)
    good = lasting.exported.but(request_status=lasting.status_of(lasting.federation.social, later))
    said = [one for one in verify_evidence(good.container(), anchor).statements if one.file == "messages/request.ocsp"]
    assert ["had not been revoked" in one.what for one in said] == [True]
    for octets, reason in (
        (lasting.status_of(lasting.federation.social, later, revoked_at=sent - MINUTE), "revoked at"),
        (lasting.signature.responses[0], "about another certificate"),
        (b"", "cannot be read"),
    ):
        with pytest.raises(EvidenceInvalid, match=rf"messages/request\.ocsp: .*{reason}"):
            verify_evidence(lasting.exported.but(request_status=octets).container(), anchor)

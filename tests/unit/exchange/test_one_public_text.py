"""Every cryptographic failure looks the same from outside (promise 7); inside, the record says which it was."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.crypto.keys import FileSigningKey
from adapter.crypto.seal import seal
from tests.get_person import GOOD_PERSONAL_DATA, get_person
from tests.pki import NOW, SIGNING_USAGE, Federation, issue, make_ca
from tests.two_sides import TwoSides, fault_code, request_header, sealed_request

_INCIDENT = re.compile(rb"[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}")


def changed_in(octets: bytes, tag: bytes, occurrence: int) -> bytes:
    """One base64 digit in the middle of the n-th element of this name changed."""
    at = -1
    for _ in range(occurrence + 1):
        at = octets.index(b"<" + tag + b">", at + 1)
    at += len(tag) + 22
    return octets[:at] + (b"A" if octets[at : at + 1] != b"A" else b"B") + octets[at + 1 :]


def for_another_recipient(sides: TwoSides, federation: Federation) -> bytes:
    cadastre = federation.cadastre
    return seal(
        header=request_header(sides),
        personal_data=GOOD_PERSONAL_DATA,
        payload=get_person().encode(),
        confirmation=None,
        signing_key=_own_key(federation),
        recipient=cadastre.agreement_certificate,
        recipient_suite=cadastre.suite,
        now=sides.clock(),
    ).octets


def _own_key(federation: Federation) -> FileSigningKey:
    return FileSigningKey(federation.social.signing_key, federation.social.signing_certificate, "p256")


def by_a_stranger(sides: TwoSides, federation: Federation) -> bytes:
    """Signed well, by a certificate that a CA of nobody issued."""
    key = ec.generate_private_key(ec.SECP256R1())
    foreign = make_ca("Foreign CA", now=NOW)
    certificate = issue(
        foreign,
        public_key=key.public_key(),
        subject=federation.social.signing_certificate.subject,
        usage=SIGNING_USAGE,
        now=NOW,
    )
    population = federation.population
    return seal(
        header=request_header(sides),
        personal_data=GOOD_PERSONAL_DATA,
        payload=get_person().encode(),
        confirmation=None,
        signing_key=FileSigningKey(key, certificate, "p256"),
        recipient=population.agreement_certificate,
        recipient_suite=population.suite,
        now=sides.clock(),
    ).octets


def failures(sides: TwoSides, federation: Federation) -> dict[str, bytes]:
    good = sealed_request(sides).octets
    return {
        "encrypted header": changed_in(good, b"xenc:CipherValue", 0),
        "wrapped key": changed_in(good, b"xenc:CipherValue", 1),
        "encrypted signature": changed_in(good, b"xenc:CipherValue", 2),
        "encrypted body": changed_in(good, b"xenc:CipherValue", 3),
        "signed header": good.replace(b"inspector-7", b"inspector-8"),
        "another recipient": for_another_recipient(sides, federation),
        "a stranger": by_a_stranger(sides, federation),
    }


async def test_cryptographic_failures_cannot_be_told_apart(sides: TwoSides, federation: Federation) -> None:
    answers = {}
    for what, octets in failures(sides, federation).items():
        answer = await sides.wire.post(octets)
        assert fault_code(answer) == "SecurityFailed", what
        answers[what] = (answer.status, _INCIDENT.sub(b"*", answer.octets))
    assert len(set(answers.values())) == 1, "status and octets are the same but for the incident id"
    assert sides.register.asked == []


async def test_the_record_has_the_reason(sides: TwoSides, federation: Federation) -> None:
    for octets in failures(sides, federation).values():
        await sides.wire.post(octets)
    reasons = [str(write.entry.body["reason"]) for write in sides.provider_record.log]
    assert len(reasons) == 7
    assert len(set(reasons)) >= 4


@pytest.mark.parametrize("words", [b"tag", b"digest", b"padding", b"certificate", b"decrypt"])
async def test_no_word_of_the_reason_is_on_the_wire(sides: TwoSides, federation: Federation, words: bytes) -> None:
    for octets in failures(sides, federation).values():
        assert words not in (await sides.wire.post(octets)).octets.lower()

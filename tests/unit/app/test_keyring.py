"""Which of our own signing keys is chosen: registered, valid now, not known to be revoked; the first of those."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from adapter.app.keyring import SigningKeyChoice
from adapter.crypto.certificates import sha256
from adapter.crypto.keys import FileSigningKey
from adapter.directory.model import Directory
from adapter.errors import KeyUnusable
from tests.pki import NOW, SIGNING_USAGE, Federation, issue, new_signing_key, registered
from tests.two_sides import signing_key_of


@pytest.fixture(scope="module")
def federation() -> Federation:
    return Federation.build()


def two_keys(federation: Federation) -> tuple[FileSigningKey, FileSigningKey, Directory]:
    """The register's key, the one that follows it, and a directory that names both."""
    own = federation.population
    key = new_signing_key("p256", "next")
    certificate = issue(federation.issuing_ca, public_key=key.public_key(), subject="next", usage=SIGNING_USAGE)
    draft = federation.draft()
    member = draft.members[own.id]
    member = replace(member, signing=(*member.signing, registered(certificate, "p256")))
    directory = federation.directory(replace(draft, members={**draft.members, own.id: member}))
    return signing_key_of(own), FileSigningKey(key, certificate, "p256"), directory


def test_a_revoked_key_is_passed_over_for_the_next_one_and_used_by_nobody(federation: Federation) -> None:
    own = federation.population
    first, second, directory = two_keys(federation)
    revoked: set[bytes] = set()
    choice = SigningKeyChoice((first, second), own.id, revoked.__contains__)

    assert choice.choose(directory, NOW) is first
    revoked.add(sha256(first.certificate))
    assert choice.choose(directory, NOW) is second, "known from this message on, under the same directory"
    revoked.add(sha256(second.certificate))
    with pytest.raises(KeyUnusable, match="valid now and not revoked"):
        choice.choose(directory, NOW)
    with pytest.raises(KeyUnusable):
        SigningKeyChoice((first,), own.id, set[bytes]().__contains__).choose(directory, NOW + timedelta(days=4000))


def test_keys_that_are_exchanged_while_one_is_chosen_are_not_chosen_afterwards(federation: Federation) -> None:
    """The keys are exchanged by another thread than the one in which a large message is signed."""
    first, second, directory = two_keys(federation)

    class ExchangedMeanwhile(FileSigningKey):
        is_over = False

        @property
        def certificate(self) -> x509.Certificate:
            if not self.is_over:
                self.is_over = True
                choice.replace((second,))
            return self._certificate

    first.__class__ = ExchangedMeanwhile
    choice = SigningKeyChoice((first,), federation.population.id, set[bytes]().__contains__)
    choice.choose(directory, NOW)
    assert choice.choose(directory, NOW) is second

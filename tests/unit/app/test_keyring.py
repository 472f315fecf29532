"""Which of our own signing keys is chosen: registered, valid now, not known to be revoked; the first of those."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.app.keyring import SigningKeyChoice
from adapter.crypto.certificates import sha256
from adapter.crypto.keys import FileSigningKey
from adapter.errors import KeyUnusable
from tests.pki import NOW, SIGNING_USAGE, Federation, issue, new_signing_key, registered
from tests.two_sides import signing_key_of


@pytest.fixture(scope="module")
def federation() -> Federation:
    return Federation.build()


def test_a_revoked_key_is_passed_over_for_the_next_one_and_used_by_nobody(federation: Federation) -> None:
    own = federation.population
    first, key = signing_key_of(own), new_signing_key("p256", "next")
    certificate = issue(federation.issuing_ca, public_key=key.public_key(), subject="next", usage=SIGNING_USAGE)
    second = FileSigningKey(key, certificate, "p256")
    draft = federation.draft()
    member = draft.members[own.id]
    member = replace(member, signing=(*member.signing, registered(certificate, "p256")))
    directory = federation.directory(replace(draft, members={**draft.members, own.id: member}))
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

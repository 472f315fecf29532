"""The window in which a remembered chain is good, and what the cache keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapter.directory.trust import ChainCache, ChainWindow, choose_recipient, identify_signer
from adapter.errors import SecurityFailed
from tests.pki import AGREEMENT_USAGE, NOW, Federation, authorities, make_ca, registered
from tests.unit.directory.messages import new_certificate, verified_from, with_signing

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def test_a_remembered_chain_is_good_from_its_first_second_to_its_last(federation: Federation) -> None:
    leaf, _ = new_certificate(federation, valid_from=NOW - HOUR, valid_until=NOW + HOUR)
    directory = with_signing(federation, registered(leaf, "p256"))
    chains, message = ChainCache(), verified_from(federation, signer=leaf)

    def judged(at: datetime) -> object:
        return identify_signer(message, directory=directory, at=at, chains=chains)

    judged(NOW)
    for at in (NOW - HOUR, NOW + HOUR):
        assert judged(at) == federation.social.id
    for at in (NOW - HOUR - SECOND, NOW + HOUR + SECOND):
        with pytest.raises(SecurityFailed):
            judged(at)


def test_the_window_of_a_chain_begins_with_its_youngest_certificate(federation: Federation) -> None:
    young = make_ca("Young CA", issuer=federation.root_ca, path_length=0, valid_from=NOW - HOUR)
    leaf, _ = new_certificate(federation, issuer=young)
    draft = replace(
        federation.draft(), signing_authorities=authorities(federation.root_ca.certificate, young.certificate)
    )
    directory = with_signing(federation, registered(leaf, "p256"), draft=draft)
    chains, message = ChainCache(), verified_from(federation, signer=leaf)
    identify_signer(message, directory=directory, at=NOW, chains=chains)
    with pytest.raises(SecurityFailed):
        identify_signer(message, directory=directory, at=NOW - HOUR - SECOND, chains=chains)


def test_the_oldest_chain_goes_first() -> None:
    chains = ChainCache(max_chains=2)
    window = ChainWindow(not_before=NOW, not_after=NOW, question=None)
    for name in (b"a", b"b", b"c"):
        chains.keep(name, 1, window)
    assert [chains.find(name, 1) for name in (b"a", b"b", b"c")] == [None, window, window]
    assert chains.find(b"c", 2) is None
    assert len(chains) == 2


def test_the_usual_cache_holds_4096_chains() -> None:
    chains = ChainCache()
    window = ChainWindow(not_before=NOW, not_after=NOW, question=None)
    for at in range(4097):
        chains.keep(at.to_bytes(2, "big"), 1, window)
    assert len(chains) == 4096


def test_a_recipient_whose_first_certificate_has_ended_has_a_second(federation: Federation) -> None:
    usage = AGREEMENT_USAGE["p256"]
    ended, _ = new_certificate(federation, usage=usage, valid_until=NOW - SECOND)
    member = federation.directory().member(federation.population.id)
    good = member.agreement[0]
    renewed = replace(member, agreement=(registered(ended, "p256"), good))
    chosen = choose_recipient(renewed, directory=federation.directory(), now=NOW, chains=ChainCache())
    assert chosen is good
    with pytest.raises(SecurityFailed):
        choose_recipient(replace(member, agreement=()), directory=federation.directory(), now=NOW, chains=ChainCache())

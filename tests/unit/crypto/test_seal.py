"""What holds for every sealed message, whatever is drawn; and what verification keeps as a second door."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from adapter.crypto import canonical_body as bodies
from adapter.crypto import open as opening
from adapter.crypto.canonical_body import canonical_body
from adapter.crypto.open import decrypt, verify
from adapter.errors import EnvelopeRefused, LimitExceeded, SecurityFailed
from tests.envelopes import UnsafeEnvelope, decryption_keys, gate_octets, seal_request
from tests.pki import Federation


def test_an_iv_that_was_drawn_twice_is_drawn_again(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def urandom(octets: int) -> bytes:
        drawn.append(octets)
        # The first five IVs are one and the same.
        return bytes(octets) if drawn.count(60) == 1 and octets == 60 else os.getrandom(octets)

    monkeypatch.setattr("adapter.crypto.seal.os.urandom", urandom)
    sealed = seal_request(federation.social, federation.population)
    assert drawn.count(60) == 2
    gated = gate_octets(sealed.octets)
    ciphers = [gated.encrypted_signature, gated.encrypted_body, gated.encrypted_personal_data or b""]
    assert len({cipher[:12] for cipher in ciphers}) == 3


def test_a_prefix_list_for_a_part_whose_canonical_form_is_settled(federation: Federation) -> None:
    envelope = UnsafeEnvelope.request(federation.social, federation.population)
    decrypted = decrypt(gate_octets(envelope.octets), decryption_keys(federation.population))
    assert decrypted.gated.exchange.element is None
    verify(decrypted)
    digests = tuple((part, digest, ("ia",)) for part, digest, _ in decrypted.signature.digests)
    with pytest.raises(SecurityFailed, match="PrefixList"):
        verify(replace(decrypted, signature=replace(decrypted.signature, digests=digests)))


def test_a_body_that_is_past_a_bound_only_when_it_is_canonical(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = UnsafeEnvelope.request(federation.social, federation.population, foreign=True)
    decrypted = decrypt(gate_octets(envelope.octets), decryption_keys(federation.population))
    verify(decrypted)

    def too_large(*_: object, **__: object) -> None:
        raise LimitExceeded("past a bound")

    monkeypatch.setattr(opening, "parse", too_large)
    with pytest.raises(SecurityFailed, match="past a bound"):
        verify(replace(decrypted, body_octets=b"spelled in another way"))


def test_a_payload_may_not_change_the_start_tag_of_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "canonical", lambda *_, **__: b'<env:Body xmlns:other="urn:other"><a></a></env:Body>')
    with pytest.raises(EnvelopeRefused, match="start tag"):
        bodies._through_tree(b"<a></a>", ())


def test_names_in_values_keep_their_namespaces() -> None:
    payload = b"<a xmlns:p='urn:p' xmlns:q='urn:q' b='p:one'>q:two<c/>p:three</a>"
    body = canonical_body(payload, names_in_values=True)
    assert body.inclusive_prefixes == ("p", "q")
    assert b'xmlns:p="urn:p"' in body.content
    assert b'xmlns:q="urn:q"' in body.content


def test_more_prefixes_in_values_than_a_prefix_list_may_have() -> None:
    declared = " ".join(f"xmlns:p{at}='urn:{at}'" for at in range(17))
    used = " ".join(f"p{at}:x" for at in range(17))
    with pytest.raises(EnvelopeRefused, match="16 prefixes"):
        canonical_body(f"<a {declared}>{used}</a>".encode(), names_in_values=True)


def test_the_code_of_a_fault_is_a_name_whose_prefix_is_kept() -> None:
    payload = (
        "<env:Fault xmlns:env='http://www.w3.org/2003/05/soap-envelope' xmlns:p='urn:p'>"
        "<env:Code><env:Value>p:Odd</env:Value></env:Code></env:Fault>"
    )
    assert canonical_body(payload.encode()).inclusive_prefixes == ("p",)

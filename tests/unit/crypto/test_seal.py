"""What holds for every sealed message, whatever is drawn; and what verification keeps as a second door."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from lxml import etree

from adapter.crypto import canonical_body as bodies
from adapter.crypto.canonical_body import canonical_body
from adapter.crypto.open import decrypt, verify
from adapter.errors import EnvelopeRefused, SecurityFailed
from adapter.xmlsafe import DEFAULT_LIMITS, canonical
from tests.envelopes import Digested, UnsafeEnvelope, decryption_keys, gate_octets, seal_request
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


def test_a_body_that_is_past_a_bound_only_when_it_is_canonical(federation: Federation) -> None:
    """One declaration above, written again at each of ten thousand elements by exclusive canonicalisation."""
    envelope = UnsafeEnvelope.request(federation.social, federation.population, foreign=True)

    def canonical_parts(one: UnsafeEnvelope) -> list[Digested]:
        canonical_body = canonical(etree.fromstring(one.body))
        return [(name, canonical_body if name == "body" else octets, more) for name, octets, more in one.parts()]

    envelope.digested = canonical_parts
    for elements, reason in ((9_990, None), (DEFAULT_LIMITS.max_namespace_declarations, "namespace declarations")):
        envelope.body_content = b"<a xmlns:p='urn:p'>" + b"<p:b/>" * elements + b"</a>"
        if reason is None:
            assert len(envelope.open().payload) == elements
        else:
            with pytest.raises(SecurityFailed, match=reason):
                envelope.open()


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


@pytest.mark.parametrize("split", ["q:<!--c-->two", "q<!--c-->:two", "<!--c-->q:<!--c-->two"])
def test_a_name_that_only_a_comment_kept_apart_is_not_signed_together(split: str) -> None:
    """Canonicalisation leaves comments out; what was no name before would be one, with a namespace, after."""
    payload = f"<a xmlns:q='urn:q' b='q:one'>{split}</a>"
    with pytest.raises(EnvelopeRefused, match="a name in a value"):
        canonical_body(payload.encode(), names_in_values=True)
    assert canonical_body(payload.replace("<!--c-->", "").encode(), names_in_values=True).inclusive_prefixes == ("q",)


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

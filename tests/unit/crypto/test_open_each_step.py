"""Opening at its edges: what no gate lets through, and what only an earlier step refuses, is refused here as well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.crypto.open import decrypt, verify
from adapter.errors import SecurityFailed
from tests.envelopes import UnsafeEnvelope, decryption_keys, gate_octets, received
from tests.pki import Federation

PUBLIC_TEXT = "The security of the message could not be verified."


@pytest.fixture
def envelope(federation: Federation) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population)


@pytest.mark.parametrize("foreign", [False, True], ids=["our spelling", "foreign spelling"])
def test_a_part_that_has_no_canonical_form(envelope: UnsafeEnvelope, foreign: bool) -> None:  # noqa: FBT001
    """Whatever its digest says: what nobody can canonicalise was never digested."""
    envelope.foreign = foreign
    envelope.body_content = b'<a xmlns="relative"></a>'
    with pytest.raises(SecurityFailed, match="no canonical form") as failure:
        envelope.open()
    assert failure.value.text == PUBLIC_TEXT


def test_a_prefix_list_for_a_part_that_is_canonical_as_it_stands(envelope: UnsafeEnvelope) -> None:
    """The second gate never hands on these two together. Who comes to do so is stopped here."""
    decrypted = decrypt(gate_octets(envelope.octets), decryption_keys(envelope.recipient))
    assert decrypted.gated.is_canonical
    assert verify(decrypted).suite == "p256"
    (first, digest, _), *others = decrypted.signature.digests
    listed = replace(decrypted.signature, digests=((first, digest, ("t",)), *others))
    with pytest.raises(SecurityFailed, match="PrefixList"):
        verify(replace(decrypted, signature=listed))


@pytest.mark.parametrize(
    "octets",
    [b"<", b"<!DOCTYPE a><a/>", b"<a/>", b"<a>" * 101 + b"</a>" * 101],
    ids=["malformed", "DOCTYPE", "another structure", "too deep"],
)
def test_what_the_general_gate_says_after_decryption_is_a_cryptographic_failure(
    envelope: UnsafeEnvelope, octets: bytes
) -> None:
    """A PrefixList sends what was recognised back to the general gate: by then it must not say more than the rest."""
    envelope.prefixes = {"body": ("ia",)}
    gated = gate_octets(envelope.octets)
    assert gated.is_canonical
    assert not decrypt(gated, decryption_keys(envelope.recipient)).gated.is_canonical
    with pytest.raises(SecurityFailed, match="after decryption") as failure:
        decrypt(replace(gated, received=received(octets)), decryption_keys(envelope.recipient))
    assert failure.value.text == PUBLIC_TEXT

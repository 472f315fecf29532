"""RSA keys are made once for a run of mutants, and nobody gets the same one twice."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from scripts.mutant_keys import MadeKey, note_keys, use_keys_again

BITS = 1024  # quick to make; what they are good for does not matter here


def numbers(key: rsa.RSAPrivateKey) -> rsa.RSAPublicNumbers:
    return key.public_key().public_numbers()


@pytest.fixture(autouse=True)
def _maker_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsa, "generate_private_key", rsa.generate_private_key)


def test_a_key_that_was_noted_is_given_once_and_only_to_who_asks_for_its_size() -> None:
    noted: list[MadeKey] = note_keys()
    made = [rsa.generate_private_key(public_exponent=65537, key_size=BITS) for _ in range(2)]
    assert [(one.public_exponent, one.key_size) for one in noted] == [(65537, BITS)] * 2
    use_keys_again(noted)
    other = rsa.generate_private_key(public_exponent=65537, key_size=BITS + 8)
    assert other.key_size == BITS + 8
    again = [rsa.generate_private_key(public_exponent=65537, key_size=BITS) for _ in range(3)]
    found = [numbers(key) for key in again]
    assert {one.n for one in found[:2]} == {numbers(key).n for key in made}
    assert len({one.n for one in found}) == 3

"""Keyed hashes of persons."""

import hashlib
import hmac

import pytest

from adapter.audit.subjects import subject_key, subject_tag
from adapter.errors import KeyUnusable

KEY = subject_key(bytes(range(32)))


def test_a_tag_is_a_keyed_hash_and_always_the_same():
    assert subject_tag(KEY, "pinfl", "made-up") == subject_tag(KEY, "pinfl", "made-up")
    assert subject_tag(KEY, "pinfl", "made-up") == hmac.new(KEY, b"5:pinfl:made-up", hashlib.sha256).hexdigest()


def test_another_person_kind_or_key_has_another_tag():
    other_key = subject_key(bytes(32))
    tags = {
        subject_tag(KEY, "pinfl", "1"),
        subject_tag(KEY, "pinfl", "2"),
        subject_tag(KEY, "stir", "1"),
        subject_tag(KEY, "pinfl:", "1"),
        subject_tag(KEY, "pinf", "l:1"),
        subject_tag(other_key, "pinfl", "1"),
    }
    assert len(tags) == 6


def test_the_tag_key_is_not_the_archive_key():
    assert subject_key(bytes(range(32))) != bytes(range(32))


@pytest.mark.parametrize("octets", [0, 16, 31, 33])
def test_a_short_or_long_archive_key_is_refused(octets):
    with pytest.raises(KeyUnusable):
        subject_key(bytes(octets))

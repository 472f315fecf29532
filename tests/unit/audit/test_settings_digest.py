"""Which settings were changed is said by digests, and what they say is not."""

from __future__ import annotations

import hashlib

import pytest

from adapter.audit.settings_digest import MAX_KEYS, SettingsDigest, changes, digest_settings

KEY = bytes(range(32))
BEFORE = b"""
[adapter]
log_level = "info"
data_dir = "data"

[[client]]
name = "benefits"
services = ["*"]

[[client]]
services = ["UZ/*"]

[peer_listener]
"""


def digest(toml: bytes, key: bytes = KEY) -> SettingsDigest:
    return digest_settings({"adapter.toml": toml}, key)


def test_a_file_is_named_by_its_own_sha256_and_every_key_by_a_keyed_one() -> None:
    found = digest(BEFORE)
    assert found.files == {"adapter.toml": hashlib.sha256(BEFORE).hexdigest()}
    assert list(found.keys) == [
        "adapter.toml: adapter.log_level",
        "adapter.toml: adapter.data_dir",
        "adapter.toml: client[benefits].name",
        "adapter.toml: client[benefits].services",
        "adapter.toml: client[1].services",
        "adapter.toml: peer_listener",
    ]
    assert all(len(one) == 16 for one in found.keys.values())
    assert not set(found.keys.values()) & set(digest(BEFORE, bytes(32)).keys.values())


def test_the_same_value_under_another_name_has_another_digest() -> None:
    found = digest(b'a = "x"\nb = "x"\n')
    assert len(set(found.keys.values())) == 2


@pytest.mark.parametrize(
    ("after", "added", "changed", "removed"),
    [
        (BEFORE.replace(b'"info"', b'"debug"'), (), ("adapter.log_level",), ()),
        (BEFORE.replace(b'["UZ/*"]', b'["UZ/A"]'), (), ("client[1].services",), ()),
        (BEFORE.replace(b'data_dir = "data"\n', b""), (), (), ("adapter.data_dir",)),
        (BEFORE + b"port = 8443\n", ("peer_listener.port",), (), ("peer_listener",)),
        (BEFORE + b"# a remark\n", (), (), ()),
    ],
)
def test_what_was_changed_is_named(
    after: bytes, added: tuple[str, ...], changed: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    change = changes(digest(BEFORE), digest(after))
    assert change is not None
    assert change.files == ("adapter.toml",)
    named = [tuple(path.removeprefix("adapter.toml: ") for path in paths) for paths in
             (change.added, change.changed, change.removed)]  # fmt: skip
    assert named == [added, changed, removed]


def test_nothing_was_changed() -> None:
    assert changes(digest(BEFORE), digest(BEFORE)) is None


def test_a_file_that_came_or_went_is_named() -> None:
    one = digest_settings({"adapter.toml": BEFORE}, KEY)
    two = digest_settings({"adapter.toml": BEFORE, "services/a.B.v1/service.toml": b'code = "B"\n'}, KEY)
    came, went = changes(one, two), changes(two, one)
    assert came is not None
    assert went is not None
    assert came.files == went.files == ("services/a.B.v1/service.toml",)
    assert came.added == went.removed == ("services/a.B.v1/service.toml: code",)


def test_with_very_many_keys_the_tables_at_the_top_are_named() -> None:
    many = b"[limits]\n" + b"".join(b"k%d = 1\n" % at for at in range(MAX_KEYS + 1))
    found = digest(many)
    assert list(found.keys) == ["adapter.toml: limits"]
    assert digest(many.replace(b"k7 = 1", b"k7 = 2")).keys != found.keys


def test_names_are_ascii_as_an_entry_wants_them() -> None:
    assert list(digest('"имя" = 1\n'.encode()).keys) == [r"adapter.toml: \u0438\u043c\u044f"]

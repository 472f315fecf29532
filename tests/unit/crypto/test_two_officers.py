"""A file that any two of its officers open, and no one of them alone."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from adapter.crypto import two_officers
from adapter.crypto.two_officers import MAX_SEALED_BYTES, open_by_two, read_about, seal_for_two
from adapter.errors import CommandRefused

PHRASES = {"dilnoza": b"one long phrase", "bek": b"another phrase", "olim": b"the third phrase"}
CONTENT = b"private keys, which nobody opens alone"


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal_for_two(CONTENT, PHRASES, {"member": "UZ/GOV/200000001"})


@pytest.mark.parametrize("pair", [*itertools.permutations(PHRASES, 2)])
def test_any_two_open_it(sealed: bytes, pair: tuple[str, str]) -> None:
    assert open_by_two(sealed, {name: PHRASES[name] for name in pair}) == CONTENT


def test_what_it_says_is_read_without_opening(sealed: bytes) -> None:
    assert read_about(sealed) == ({"member": "UZ/GOV/200000001"}, ("dilnoza", "bek", "olim"))
    assert CONTENT not in sealed
    assert base64.b64encode(CONTENT)[:20] not in sealed


@pytest.mark.parametrize(
    "typed",
    [
        {"dilnoza": PHRASES["dilnoza"]},
        {"dilnoza": PHRASES["dilnoza"], "stranger": b"whatever is typed"},
        PHRASES,
    ],
)
def test_one_alone_or_a_stranger_does_not(sealed: bytes, typed: dict[str, bytes]) -> None:
    with pytest.raises(CommandRefused, match="two of its officers: dilnoza, bek, olim"):
        open_by_two(sealed, typed)


def test_one_who_types_the_passphrase_twice_does_not(sealed: bytes) -> None:
    for typed in ({"dilnoza": PHRASES["dilnoza"], "bek": PHRASES["dilnoza"]}, {"dilnoza": b"", "bek": PHRASES["bek"]}):
        with pytest.raises(CommandRefused, match="one of the two passphrases is wrong"):
            open_by_two(sealed, typed)


@pytest.mark.parametrize("part", ["about", "officers", "wrapped", "nonce", "content"])
def test_a_change_anywhere_is_noticed(sealed: bytes, part: str) -> None:
    read = json.loads(sealed)
    if part == "about":
        read["about"]["member"] = "UZ/GOV/200000002"
    elif part == "officers":
        read["officers"]["bek"] = read["officers"]["olim"]
    elif part == "wrapped":
        read["wrapped"][0]["key"] = read["wrapped"][1]["key"]
    else:
        octets = bytearray(base64.b64decode(read[part]))
        octets[0] ^= 1
        read[part] = base64.b64encode(octets).decode()
    with pytest.raises(CommandRefused, match="or the file is damaged"):
        open_by_two(json.dumps(read).encode(), {name: PHRASES[name] for name in ("bek", "dilnoza")})


@pytest.mark.parametrize(
    "octets", [b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b"{" * 5000, b"x" * (MAX_SEALED_BYTES + 1)]
)
def test_another_file_is_said_to_be_none(octets: bytes) -> None:
    with pytest.raises(CommandRefused, match="not a file that was sealed"):
        open_by_two(octets, PHRASES)


@pytest.mark.parametrize(
    "changed",
    [
        {"form": "another"},
        {"about": []},
        {"officers": []},
        {"wrapped": {}},
        {"nonce": ""},
        {"officers": {"bek": ""}},
        {"officers": dict.fromkeys("abcdefghi", "")},
    ],
)
def test_another_form_is_none(sealed: bytes, changed: dict[str, object]) -> None:
    with pytest.raises(CommandRefused, match="not a file that was sealed"):
        read_about(json.dumps({**json.loads(sealed), **changed}).encode())


@pytest.mark.parametrize(
    ("phrases", "words"),
    [
        ({"dilnoza": PHRASES["dilnoza"]}, "two to 8"),
        ({f"officer {at}": f"a long phrase {at}".encode() for at in range(9)}, "two to 8"),
        ({"dilnoza": PHRASES["dilnoza"], "bek": PHRASES["dilnoza"]}, "have one passphrase"),
        ({"dilnoza": PHRASES["dilnoza"], "bek": b"short"}, "12 characters"),
    ],
)
def test_what_one_could_open_alone_is_not_sealed(phrases: dict[str, bytes], words: str) -> None:
    with pytest.raises(CommandRefused, match=words):
        seal_for_two(CONTENT, phrases, {})


def test_a_file_that_was_sealed_before_is_opened_by_every_later_release() -> None:
    """The form: passes, lanes and memory of Argon2id, salts, pairs, what is wrapped and what is signed along."""
    octets = Path(__file__).with_name("sealed_for_two.json").read_bytes()
    pair = {name: PHRASES[name] for name in ("bek", "dilnoza")}
    assert open_by_two(octets, pair) == b"what no officer knows alone"
    assert read_about(octets) == ({"member": "UZ/GOV/200000001"}, ("bek", "dilnoza"))


def test_each_officer_has_a_salt_of_sixteen_octets(sealed: bytes) -> None:
    salts = {base64.b64decode(salt) for salt in json.loads(sealed)["officers"].values()}
    assert [len(salt) for salt in salts] == [16, 16, 16]


def test_eight_officers_with_twelve_characters_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_officers, "_MEMORY_KIB", 64)  # what guessing costs is not the subject here
    phrases = {f"officer {at}": f"a phrase no{at}".encode() for at in range(7)} | {"officer 7": b"\xff" * 12}
    assert {len(phrase) for phrase in phrases.values()} == {12}
    sealed = seal_for_two(CONTENT, phrases, {})
    assert open_by_two(sealed, {name: phrases[name] for name in ("officer 0", "officer 7")}) == CONTENT
    with pytest.raises(CommandRefused, match="12 characters"):
        seal_for_two(CONTENT, phrases | {"officer 6": b"\xff" * 11}, {})


def test_the_largest_file_is_read_and_no_octet_more(sealed: bytes) -> None:
    assert MAX_SEALED_BYTES == 16 * 1024 * 1024
    largest = sealed.ljust(MAX_SEALED_BYTES)
    assert read_about(largest) == read_about(sealed)
    with pytest.raises(CommandRefused, match="not a file that was sealed"):
        read_about(largest + b" ")


@pytest.mark.parametrize(
    "wrapped",
    [
        [],
        [{"by": ["dilnoza", "olim"], "key": ""}],
        [{"key": ""}],
        [{"by": ["bek", "dilnoza"]}],
        [{"by": ["bek", "dilnoza"], "key": 1}],
        [{"by": ["bek", "dilnoza"], "key": "no base64"}],
        [{"by": ["bek", "dilnoza"], "key": "AAAA"}],
        [{"by": 1, "key": ""}],
        [1],
    ],
)
def test_a_file_with_another_wrapped_key_or_none_is_damaged(sealed: bytes, wrapped: Any) -> None:
    octets = json.dumps({**json.loads(sealed), "wrapped": wrapped}).encode()
    with pytest.raises(CommandRefused, match="or the file is damaged"):
        open_by_two(octets, {name: PHRASES[name] for name in ("bek", "dilnoza")})

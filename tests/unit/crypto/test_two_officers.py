"""A file that any two of its officers open, and no one of them alone."""

from __future__ import annotations

import base64
import itertools
import json

import pytest

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
    "changed", [{"form": "another"}, {"about": []}, {"officers": []}, {"wrapped": {}}, {"nonce": ""}]
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

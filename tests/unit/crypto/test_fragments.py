"""Decrypted text as XML, without what stands before and after: each refusal and each bound is of these functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.crypto import templates
from adapter.crypto.fragments import Body, parse_body, parse_element
from adapter.envelope.gate_structure import Ids
from adapter.errors import LimitExceeded, SecurityFailed
from adapter.stages import Surroundings
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits

AROUND = Surroundings(
    personal_data={}, signature={}, body_start=templates.BODY_START, body_end=templates.BODY_END, attachments={}
)
FIVE_DEEP = b"<a><a><a><a><a></a></a></a></a></a>"


def body_of(plaintext: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> Body:
    return parse_body(plaintext, AROUND, Ids(), limits)


def test_an_element_knows_the_namespaces_of_its_place() -> None:
    element = parse_element(b"<p:a>x<b/>y</p:a>", {"p": "urn:p", None: "urn:d"}, DEFAULT_LIMITS)
    assert element.tag == "{urn:p}a"
    assert element[0].tag == "{urn:d}b"


BROKEN = {
    "not closed": b"<a>",
    "nothing": b"",
    "text": b"x",
    "text before": b"x<a/>",
    "text after": b"<a/>x",
    "two": b"<a/><b/>",
    "a comment": b"<a><!-- --></a>",
    "an instruction": b"<a><?x y?></a>",
    "no UTF-8": b"<a>\xff</a>",
    "an unbound prefix": b"<q:a/>",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_one_clear_element(name: str) -> None:
    with pytest.raises(SecurityFailed):
        parse_element(BROKEN[name], {}, DEFAULT_LIMITS)
    with pytest.raises(SecurityFailed):
        body_of(BROKEN[name])


def test_white_space_is_allowed_around_the_payload_only() -> None:
    assert body_of(b"\n<a/>\t").element[0].tag == "a"
    for spaced in (b"\n<a/>", b"<a/>\n"):
        with pytest.raises(SecurityFailed, match="exactly one element"):
            parse_element(spaced, {}, DEFAULT_LIMITS)


def test_the_bounds_are_those_of_the_caller() -> None:
    """The element around the plaintext counts as one more."""
    narrow, wide = (replace(DEFAULT_LIMITS, max_depth=depth) for depth in (5, 6))
    assert parse_element(FIVE_DEEP, {}, wide).tag == "a"
    assert body_of(FIVE_DEEP, wide).octets == templates.BODY_START + FIVE_DEEP + templates.BODY_END
    with pytest.raises(LimitExceeded):
        parse_element(FIVE_DEEP, {}, narrow)
    with pytest.raises(LimitExceeded):
        body_of(FIVE_DEEP, narrow)


def test_words_that_only_look_like_encryption_and_ids_are_an_applications_own() -> None:
    ids = Ids(seen={"token"})
    payload = b'<a Id="token" id="token">EncryptedData<Encrypted/><EncryptedKey>Id</EncryptedKey>&lt;! &lt;?</a>'
    assert parse_body(payload, AROUND, ids, DEFAULT_LIMITS).element[0].text == "EncryptedData"
    assert ids.seen == {"token"}

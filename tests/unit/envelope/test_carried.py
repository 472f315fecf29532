"""Several elements carried as one Body: the form of Parts, and nothing beside it."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.envelope.carried import ACCEPTED, MAX_HEADERS, Content, accepted, body_of, unwrap, wrap
from adapter.envelope.names import ENVELOPE
from adapter.errors import EnvelopeRefused

A, B, H = (etree.fromstring(f"<{name}/>") for name in ("a", "b", "h"))


def parts(inner: str, attributes: str = "") -> etree._Element:
    return etree.fromstring(f'<ia:Parts xmlns:ia="{ENVELOPE}"{attributes}>{inner}</ia:Parts>')


def test_what_is_wrapped_comes_out_again():
    whole = wrap(Content(body=A, headers=(H,), independent=(B,)))
    found = unwrap(whole)
    assert [each.tag for each in (found.body, *found.headers, *found.independent)] == ["a", "h", "b"]
    assert body_of(whole).tag == "a"
    assert unwrap(wrap(Content(body=A, independent=(B,)))).headers == ()


def test_one_element_stands_for_itself():
    assert wrap(Content(body=A)) is A
    assert unwrap(A).body is A
    assert body_of(A) is A


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<ia:Content/>",
        "<ia:Content><a/></ia:Content><ia:Content><a/></ia:Content>",
        "<ia:Content><a/></ia:Content><ia:Headers><h/></ia:Headers>",
        "<ia:Headers/><ia:Content><a/></ia:Content>",
        f"<ia:Headers>{'<h/>' * (MAX_HEADERS + 1)}</ia:Headers><ia:Content><a/></ia:Content>",
        "<ia:Content>text<a/></ia:Content>",
        "<ia:Content><a/>text</ia:Content>",
        '<ia:Content x="1"><a/></ia:Content>',
    ],
)
def test_parts_in_another_form_are_refused(inner: str):
    with pytest.raises(EnvelopeRefused):
        unwrap(parts(inner))


def test_parts_have_no_attribute():
    with pytest.raises(EnvelopeRefused):
        unwrap(parts("<ia:Content><a/></ia:Content>", ' x="1"'))


def test_a_request_that_was_taken_is_answered_by_an_empty_element():
    assert (accepted().tag, len(accepted()), accepted().text) == (ACCEPTED, 0, None)

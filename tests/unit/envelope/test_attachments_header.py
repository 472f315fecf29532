"""The header block Attachments: what it may say of an attachment, read and written."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.attachments import MAX_ATTACHMENTS
from adapter.envelope import names
from adapter.envelope.attachments_header import (
    DEFAULT_MEDIA_TYPE,
    Described,
    media_type_or_default,
    read_attachments,
    render_attachments,
)
from adapter.errors import EnvelopeRefused

ONE = Described(content_id="one&'@x", media_type='text/plain; charset="utf-8"', size=5, name="Справка <1>.txt")
TWO = Described(content_id="two@x", media_type="image/png", size=0)


def block(inner: str, *, tag: str = "Attachments", mark: str = ' env:mustUnderstand="true"') -> etree._Element:
    return etree.fromstring(
        f'<ia:{tag} xmlns:env="{names.SOAP12}" xmlns:ia="{names.ENVELOPE}" xmlns:wsu="{names.WSU}"'
        f' wsu:Id="attachments"{mark}>{inner}</ia:{tag}>'
    )


def attachment(more: str = "", content: str = "", **values: str) -> str:
    said = {"id": "one@x", "mediaType": "a/b", "size": "5", **values}
    attributes = "".join(f' {name}="{value}"' for name, value in said.items() if value != "absent")
    return f"<ia:Attachment{attributes}{more}>{content}</ia:Attachment>"


def test_what_is_written_is_read_again() -> None:
    assert read_attachments(etree.fromstring(render_attachments((ONE, TWO)))) == (ONE, TWO)


def test_what_is_written_is_canonical() -> None:
    octets = render_attachments((ONE, TWO))
    assert etree.tostring(etree.fromstring(octets), method="c14n", exclusive=True) == octets


REFUSED = {
    "none": (block(""), "none or too many"),
    "too many": (block("".join(attachment(id=f"c{at}") for at in range(MAX_ATTACHMENTS + 1))), "none or too many"),
    "one twice": (block(attachment() + attachment(size="6")), "one attachment twice"),
    "another block": (block(attachment(), tag="PersonalData"), "not an Attachments block"),
    "need not be understood": (block(attachment(), mark=' env:mustUnderstand="0"'), "mustUnderstand"),
    "something else in it": (block(attachment() + "<ia:Note/>"), "nothing but Attachment"),
    "text in it": (block("x" + attachment()), "text between"),
    "content": (block(attachment(content="x")), "must be empty"),
    "an unknown attribute": (block(attachment(' href="http://127.0.0.1/"')), "not allowed"),
    "no id": (block(attachment(id="absent")), "lacks the attribute id"),
    "an id with an angle bracket": (block(attachment(id="a&gt;b")), "id of an Attachment"),
    "an id with white space": (block(attachment(id="a b")), "id of an Attachment"),
    "no media type": (block(attachment(mediaType="text")), "mediaType of an Attachment"),
    "a media type that ends a line": (block(attachment(mediaType="a/b;&#13;&#10;X: y")), "mediaType of an Attachment"),
    "a size that is no number": (block(attachment(size="0x5")), "size of an Attachment"),
    "a negative size": (block(attachment(size="-5")), "size of an Attachment"),
    "a size with a leading zero": (block(attachment(size="05")), "size of an Attachment"),
    "a name that is too long": (block(attachment(name="n" * 256)), "name of an Attachment"),
    "a name with a line end": (block(attachment(name="a&#10;b")), "name of an Attachment"),
    "a name that turns its end around": (block(attachment(name="a\u202egpj.exe")), "name of an Attachment"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_block_may_not_say(name: str) -> None:
    element, reason = REFUSED[name]
    with pytest.raises(EnvelopeRefused, match=reason):
        read_attachments(element)


@pytest.mark.parametrize(
    "wrong",
    [
        Described(content_id="a b", media_type="a/b", size=1),
        Described(content_id="a", media_type="a/b\r\nX: y", size=1),
        Described(content_id="a", media_type="a/b", size=1, name="x\ny"),
    ],
)
def test_a_value_without_a_place_on_the_wire_is_not_written(wrong: Described) -> None:
    with pytest.raises(EnvelopeRefused, match="wrong form"):
        render_attachments((wrong,))


def test_a_content_type_that_is_none_becomes_octets_of_an_unknown_kind() -> None:
    assert media_type_or_default("image/png") == "image/png"
    assert media_type_or_default("") == media_type_or_default("image/png\r\nX: y") == DEFAULT_MEDIA_TYPE

"""The words in which the gates are written, each at its edges: what is just allowed, and what is one more."""

from __future__ import annotations

from base64 import b64encode

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate_attachments import read_attachment_data, read_cid
from adapter.envelope.gate_encryption import read_encrypted_data, read_encrypted_key
from adapter.envelope.gate_security import read_confirmation, read_token
from adapter.envelope.gate_structure import (
    Ids,
    attribute,
    check_algorithm,
    check_attributes,
    check_empty,
    check_must_understand,
    children,
    leaf_octets,
    leaf_text,
    line_of,
    local_name,
    local_reference,
    only_child,
    read_algorithm,
    read_prefix_list,
    sequence,
)
from adapter.errors import AdapterError, EnvelopeRefused, LimitExceeded

DS, XENC, WSSE = names.DS, names.XENC, names.WSSE


def element(text: str) -> etree._Element:
    return etree.fromstring(text)


def refused(call: object, expected: type[AdapterError] = EnvelopeRefused) -> str:
    with pytest.raises(expected) as caught:
        call()  # type: ignore[operator]
    return caught.value.reason


# --- names for a reason ----------------------------------------------------------------------------------------------


def test_a_reason_names_at_most_64_characters_of_an_element_and_128_of_an_attribute() -> None:
    assert local_name(element('<a:name xmlns:a="urn:x"/>')) == "name"
    assert local_name(element(f"<{'n' * 99}/>")) == "n" * 64
    reason = refused(lambda: check_attributes(element(f'<a {"b" * 200}="x"/>')))
    assert reason.endswith(f": {'b' * 128}")


def test_the_line_of_an_element() -> None:
    assert line_of(element("<a>\n<b/></a>")[0]) == 2
    assert line_of(etree.Element("a")) == 0


# --- attributes, children, texts -------------------------------------------------------------------------------------

B, C = frozenset("b"), frozenset("c")


@pytest.mark.parametrize("attributes", ['b="1"', 'b="1" c="1"'])
def test_required_and_optional_attributes(attributes: str) -> None:
    check_attributes(element(f"<a {attributes}/>"), B, C)


@pytest.mark.parametrize("attributes", ["", 'c="1"', 'b="1" d="1"', 'd="1"', 'b="1" c="1" d="1"'])
def test_an_attribute_missing_or_unknown(attributes: str) -> None:
    refused(lambda: check_attributes(element(f"<a {attributes}/>"), B, C))


def test_without_a_word_no_attribute_is_allowed() -> None:
    check_attributes(element("<a/>"))
    refused(lambda: check_attributes(element('<a b="1"/>')))
    refused(lambda: check_attributes(element('<a c="1"/>'), B))
    refused(lambda: attribute(element("<a/>"), "b"))
    assert attribute(element('<a b=""/>'), "b") == ""


@pytest.mark.parametrize("text", ["<a>x<b/></a>", "<a><b/>x</a>", "<a><b/> <c/>x</a>", "<a><b/>x<c/></a>", "<a>x</a>"])
def test_no_text_between_elements(text: str) -> None:
    refused(lambda: children(element(text)))


def test_white_space_between_elements() -> None:
    assert [child.tag for child in children(element("<a> <b/>\n<c/>\t</a>"))] == ["b", "c"]
    assert children(element("<a/>")) == []


def test_exactly_these_children_in_this_order() -> None:
    both = element("<a><b/><c/></a>")
    assert sequence(both, "b", "c") == list(both)
    for wanted in (("c", "b"), ("b",), ("b", "c", "c"), ()):
        refused(lambda wanted=wanted: sequence(both, *wanted))
    assert only_child(element("<a><b/></a>"), "b").tag == "b"
    assert "order: p, q" in refused(lambda: sequence(both, "{urn:x}p", "q"))


def test_a_text_alone() -> None:
    assert leaf_text(element("<a>\t xx \r\n</a>"), max_chars=6) == "xx"
    assert leaf_text(element("<a>XxX</a>"), max_chars=6) == "XxX"
    assert leaf_text(element("<a/>"), max_chars=0) == ""
    assert leaf_text(element("<a>\u00a0x</a>"), max_chars=9) == "\u00a0x"  # no white space of XML
    refused(lambda: leaf_text(element("<a>xxx</a>"), max_chars=2))
    refused(lambda: leaf_text(element("<a>x<b/></a>"), max_chars=9))
    assert leaf_octets(element("<a>QQ ==</a>"), max_chars=5) == b"A"
    refused(lambda: leaf_octets(element("<a>QQ ==</a>"), max_chars=4), LimitExceeded)
    refused(lambda: leaf_octets(element("<a>QQ==<b/></a>"), max_chars=9))
    assert leaf_octets(element("<a/>"), max_chars=0) == b""


def test_nothing_in_it() -> None:
    check_empty(element("<a/>"))
    check_empty(element("<a> \n</a>"))
    for full in ("<a>x</a>", "<a><b/></a>", "<a> <b/></a>"):
        refused(lambda full=full: check_empty(element(full)))


def test_an_algorithm_alone() -> None:
    check_algorithm(element('<a Algorithm="x"/>'), "x")
    assert read_algorithm(element('<a Algorithm="x"/>')) == "x"
    for other in ("<a/>", '<a Algorithm="y"/>', '<a Algorithm="x" b="1"/>', '<a Algorithm="x">t</a>', '<a b="x"/>'):
        refused(lambda other=other: check_algorithm(element(other), "x"))
    for other in ("<a/>", '<a Algorithm="x" b="1"/>', '<a b="x"/>'):
        refused(lambda other=other: read_algorithm(element(other)))


def marked(value: str) -> etree._Element:
    return element(f'<a xmlns:env="{names.SOAP12}" env:mustUnderstand="{value}"/>')


def test_must_be_understood() -> None:
    for value in ("true", "1", " 1 "):
        check_must_understand(marked(value))
    for value in ("0", "false", "TRUE", ""):
        refused(lambda value=value: check_must_understand(marked(value)))
    refused(lambda: check_must_understand(element("<a/>")))


# --- ids and references ----------------------------------------------------------------------------------------------


def test_an_id_has_128_characters_at_most_and_occurs_once() -> None:
    ids = Ids()
    assert ids.add("i" * 128) == "i" * 128
    assert ids.add("_a.Z-9") == "_a.Z-9"
    assert ids.seen == {"i" * 128, "_a.Z-9"}
    for bad in ("i" * 129, "i" * 128, "", "9a", "-a", "a b", "a\n", "\u0430"):
        refused(lambda bad=bad: ids.add(bad))


def test_a_reference_is_an_id_of_this_document() -> None:
    assert local_reference("#a") == "a"
    assert local_reference(f"#{'i' * 128}") == "i" * 128
    for bad in ("", "#", "a", "aa", "#9", f"#{'i' * 129}", "#a\n", "##a", "a#", "cid:a"):
        refused(lambda bad=bad: local_reference(bad))


def prefixes(text: str) -> tuple[str, ...]:
    return read_prefix_list(element(f'<a PrefixList="{text}"/>'))


def test_a_list_of_prefixes_at_its_edges() -> None:
    sixteen = [f"p{at}" for at in range(16)]
    assert prefixes(" ".join(sixteen)) == tuple(sixteen)
    assert prefixes("") == ()
    assert prefixes("a" + " " * 1023) == ("a",)
    for bad in (" ".join([*sixteen, "q"]), "a" + " " * 1024, "a a", "#default", "a:b", "p" * 129):
        refused(lambda bad=bad: prefixes(bad))
    for bad in ('<a PrefixList="a">x</a>', '<a PrefixList="a"><b/></a>', "<a/>", '<a PrefixList="a" b="1"/>'):
        refused(lambda bad=bad: read_prefix_list(element(bad)))


# --- the token and the confirmation ----------------------------------------------------------------------------------


def octets_for(chars: int) -> str:
    """Base64 of this length, a multiple of 4."""
    return b64encode(bytes(chars // 4 * 3)).decode()


def test_a_token_has_16_kib_of_text_at_most() -> None:
    assert len(read_token(element(f"<a>{octets_for(16384)}</a>"))) == 12288
    refused(lambda: read_token(element(f"<a>{octets_for(16384)} </a>")), LimitExceeded)


def confirmation(value: str, more: str = "", content: str = "", name: str = "SignatureConfirmation") -> bytes:
    start = f'<c:{name} xmlns:c="{names.WSSE11}" xmlns:wsu="{names.WSU}" wsu:Id="c"'
    return read_confirmation(element(f'{start} Value="{value}"{more}>{content}</c:{name}>'))


def test_a_confirmation_repeats_one_value() -> None:
    assert confirmation("QQ==") == b"A"
    assert len(confirmation(octets_for(2048))) == 1536
    refused(lambda: confirmation(octets_for(2048) + " "), LimitExceeded)
    for bad in (("",), ("*",), ("QQ==", ' x="1"'), ("QQ==", "", "x"), ("QQ==", "", "", "Other")):
        refused(lambda bad=bad: confirmation(*bad))


# --- EncryptedData and EncryptedKey ----------------------------------------------------------------------------------


def encrypted_data(value: str, key_info: str = "", name: str = "EncryptedData") -> str:
    return (
        f'<x:{name} xmlns:x="{XENC}" xmlns:ds="{DS}" xmlns:w="{WSSE}" Id="d" Type="{names.TYPE_ELEMENT}">'
        f'<x:EncryptionMethod Algorithm="{names.AES128_GCM}"/>{key_info}'
        f"<x:CipherData><x:CipherValue>{value}</x:CipherValue></x:CipherData></x:{name}>"
    )


def read_data(text: str, ids: Ids, max_chars: int = 99) -> tuple[str, bytes, str | None]:
    read = read_encrypted_data(element(text), content_type=names.TYPE_ELEMENT, ids=ids, max_chars=max_chars)
    return read.id, read.octets, read.key_id


def b64(length: int) -> str:
    return b64encode(bytes(length)).decode()


KEY_INFO = (
    '<ds:KeyInfo><w:SecurityTokenReference{}><w:Reference URI="#k"{}>{}</w:Reference>{}'
    "</w:SecurityTokenReference></ds:KeyInfo>"
)


def test_encrypted_data_has_an_octet_beside_its_iv_and_tag() -> None:
    assert read_data(encrypted_data(b64(29)), Ids()) == ("d", bytes(29), None)
    refused(lambda: read_data(encrypted_data(b64(28)), Ids()))
    refused(lambda: read_data(encrypted_data(b64(29)), Ids(), max_chars=39), LimitExceeded)
    refused(lambda: read_data(encrypted_data(b64(29), name="EncryptedKey"), Ids()))
    refused(lambda: read_data(encrypted_data(b64(29)), Ids(seen={"d"})))


def test_encrypted_data_names_its_key_and_registers_what_has_an_id() -> None:
    own = f' xmlns:u="{names.WSU}" u:Id="str"'
    ids = Ids()
    info = KEY_INFO.format(own, ' ValueType="v"', "", "")
    assert read_data(encrypted_data(b64(29), info), ids) == ("d", bytes(29), "k")
    assert ids.seen == {"d", "str"}
    refused(lambda: read_data(encrypted_data(b64(29), info), Ids(seen={"str"})))
    for bad in (("", ' x="1"', "", ""), ("", "", "x", ""), ("", "", "", "<w:Reference/>"), (' x="1"', "", "", "")):
        refused(lambda bad=bad: read_data(encrypted_data(b64(29), KEY_INFO.format(*bad)), Ids()))
    refused(lambda: read_data(encrypted_data(b64(29), info.replace("KeyInfo>", "KeyInfo x='1'>", 1)), Ids()))
    refused(lambda: read_data(encrypted_data(b64(29), info.replace("w:Reference", "w:KeyIdentifier")), Ids()))


def test_encrypted_data_with_another_number_of_children_or_another_second_one() -> None:
    lone = (
        f'<x:EncryptedData xmlns:x="{XENC}" Id="d" Type="{names.TYPE_ELEMENT}"><x:EncryptionMethod/></x:EncryptedData>'
    )
    assert "must have EncryptionMethod" in refused(lambda: read_data(lone, Ids()))
    attributed = encrypted_data(b64(29)).replace("<x:CipherData>", '<x:CipherData Id="c">')
    assert "CipherData has an attribute" in refused(lambda: read_data(attributed, Ids()))
    other = KEY_INFO.format("", "", "", "").replace("ds:KeyInfo", "ds:KeyValue")
    assert "must have EncryptionMethod" in refused(lambda: read_data(encrypted_data(b64(29), other), Ids()))


def encrypted_key(
    ski: int = 20, wrapped: int = 384, references: int = 1, more: str = ' Id="key"', mgf: str = names.MGF1_SHA256
) -> str:
    listed = "".join(f'<x:DataReference URI="#r{at}"/>' for at in range(references))
    return (
        f'<x:EncryptedKey xmlns:x="{XENC}" xmlns:ds="{DS}" xmlns:w="{WSSE}" xmlns:x11="{names.XENC11}"{more}>'
        f'<x:EncryptionMethod Algorithm="{names.RSA_OAEP}"><ds:DigestMethod Algorithm="{names.SHA256}"/>'
        f'<x11:MGF Algorithm="{mgf}"/></x:EncryptionMethod>'
        f'<ds:KeyInfo><w:SecurityTokenReference><w:KeyIdentifier ValueType="{names.X509_SKI}" '
        f'EncodingType="{names.BASE64_BINARY}">{b64(ski)}</w:KeyIdentifier></w:SecurityTokenReference></ds:KeyInfo>'
        f"<x:CipherData><x:CipherValue>{b64(wrapped)}</x:CipherValue></x:CipherData>"
        f"<x:ReferenceList>{listed}</x:ReferenceList></x:EncryptedKey>"
    )


def test_a_transported_key_at_its_edges() -> None:
    ids = Ids()
    read = read_encrypted_key(element(encrypted_key()), ids)
    assert (read.id, read.references, ids.seen) == ("key", ("r0",), {"key"})
    assert (read.info.suite, read.info.recipient_ski, read.info.wrapped_key) == ("rsa", bytes(20), bytes(384))
    assert (read.info.ephemeral_public, read.info.hkdf_salt, read.info.hkdf_info) == (b"", b"", b"")
    assert read_encrypted_key(element(encrypted_key(more="")), Ids()).id is None
    assert len(read_encrypted_key(element(encrypted_key(references=68)), Ids()).references) == 68
    for good in (encrypted_key(ski=1), encrypted_key(ski=64), encrypted_key(wrapped=1024)):
        read_encrypted_key(element(good), Ids())
    for bad in (
        encrypted_key(ski=0),
        encrypted_key(ski=65),
        encrypted_key(wrapped=1025),
        encrypted_key(references=0),
        encrypted_key(references=69),
    ):
        refused(lambda bad=bad: read_encrypted_key(element(bad), Ids()))
    refused(lambda: read_encrypted_key(element(encrypted_key(more=' x="1"')), Ids()))
    refused(lambda: read_encrypted_key(element(encrypted_key(mgf="urn:x")), Ids()))
    listed = encrypted_key().replace("<x:ReferenceList>", '<x:ReferenceList Id="l">')
    assert "ReferenceList has an attribute" in refused(lambda: read_encrypted_key(element(listed), Ids()))
    refused(lambda: read_encrypted_key(element(encrypted_key(wrapped=1537)), Ids()), LimitExceeded)
    end = "</x:CipherValue>"
    spaced = {chars: encrypted_key(wrapped=1023).replace(end, " " * (chars - 1364) + end) for chars in (2048, 2049)}
    assert len(read_encrypted_key(element(spaced[2048]), Ids()).info.wrapped_key) == 1023
    refused(lambda: read_encrypted_key(element(spaced[2049]), Ids()), LimitExceeded)
    refused(lambda: read_encrypted_key(element(encrypted_key()), Ids(seen={"key"})))


# --- attachments -----------------------------------------------------------------------------------------------------


def attachment(at: int, *, cid: str = "", key_info: str = "") -> etree._Element:
    return element(
        f'<x:EncryptedData xmlns:x="{XENC}" xmlns:ds="{DS}" xmlns:w="{WSSE}" Id="d{at}" '
        f'Type="{names.SWA_CONTENT_ONLY}"><x:EncryptionMethod Algorithm="{names.AES128_GCM}"/>{key_info}'
        f'<x:CipherData><x:CipherReference URI="cid:{cid or at}"><x:Transforms><ds:Transform '
        f'Algorithm="{names.SWA_CIPHERTEXT_TRANSFORM}"/></x:Transforms></x:CipherReference></x:CipherData>'
        "</x:EncryptedData>"
    )


def test_a_message_has_64_attachments_at_most_each_of_its_own() -> None:
    read = read_attachment_data([attachment(at) for at in range(64)], Ids())
    assert [one.content_id for one in read] == [str(at) for at in range(64)]
    refused(lambda: read_attachment_data([attachment(at) for at in range(65)], Ids()), LimitExceeded)
    refused(lambda: read_attachment_data([attachment(1, cid="c"), attachment(2, cid="c")], Ids()))
    refused(lambda: read_attachment_data([attachment(1)], Ids(seen={"d1"})))


def test_an_attachment_names_its_key() -> None:
    info = KEY_INFO.format("", "", "", "")
    (read,) = read_attachment_data([attachment(1, key_info=info)], Ids())
    assert (read.id, read.content_id, read.key_id) == ("d1", "1", "k")
    refused(lambda: read_attachment_data([attachment(1, key_info="<ds:KeyName/>")], Ids()))
    other = info.replace("ds:KeyInfo", "ds:KeyValue")
    reason = refused(lambda: read_attachment_data([attachment(1, key_info=other)], Ids()))
    assert "must have EncryptionMethod" in reason
    lone = attachment(1)
    lone.remove(lone[1])
    assert "must have EncryptionMethod" in refused(lambda: read_attachment_data([lone], Ids()))


def test_the_content_id_of_a_reference() -> None:
    assert read_cid("cid:a%40b") == "a@b"
    assert read_cid("cid:" + "a" * 256) == "a" * 256
    for bad in ("cid:", "cid:" + "a" * 257, "CID:a", "xcid:a", "a", "", "cid:a b", "cid:a<b", "cid:\u0430", "cid:a%0A"):
        refused(lambda bad=bad: read_cid(bad))

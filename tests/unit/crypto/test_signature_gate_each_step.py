"""The second gate at its edges: what is just allowed in a ds:Signature, and what is one more."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import pytest
from lxml import etree

from adapter.crypto.signature_gate import read_signature
from adapter.crypto.suites import SUITES
from adapter.envelope import names
from adapter.envelope.gate_structure import Ids
from adapter.errors import EnvelopeRefused, LimitExceeded
from adapter.stages import SignatureParts

DIGEST = b64encode(bytes(range(32))).decode()
EXC = f'Algorithm="{names.EXC_C14N}"'


def transforms(algorithm: str, content: str = "", more: str = "") -> str:
    return f'<ds:Transforms{more}><ds:Transform Algorithm="{algorithm}">{content}</ds:Transform></ds:Transforms>'


METHOD = f'<ds:DigestMethod Algorithm="{names.SHA256}"/>'
VALUE = f"<ds:DigestValue>{DIGEST}</ds:DigestValue>"


def reference(uri: str, *, name: str = "ds:Reference", more: str = "", content: str | None = None) -> str:
    of_attachment = uri.startswith("cid:")
    usual = transforms(names.SWA_SIGNATURE_TRANSFORM if of_attachment else names.EXC_C14N) + METHOD + VALUE
    return f'<{name} URI="{uri}"{more}>{usual if content is None else content}</{name}>'


KEY_INFO = (
    '<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#t"/></wsse:SecurityTokenReference></ds:KeyInfo>'
)
METHODS = f'<ds:CanonicalizationMethod {EXC}/><ds:SignatureMethod Algorithm="{names.ECDSA_SHA256}"/>'


def signature(
    references: Sequence[str] = (reference("#a"),),
    *,
    name: str = "ds:Signature",
    more: str = "",
    methods: str = METHODS,
    value: str = "<ds:SignatureValue>QUJD</ds:SignatureValue>",
    key_info: str = KEY_INFO,
) -> etree._Element:
    return etree.fromstring(
        f'<{name} xmlns:ds="{names.DS}" xmlns:wsse="{names.WSSE}" xmlns:wsse11="{names.WSSE11}" '
        f'xmlns:wsu="{names.WSU}" xmlns:ec="{names.EXC_C14N}"{more}>'
        f"<ds:SignedInfo>{methods}{''.join(references)}</ds:SignedInfo>{value}{key_info}</{name}>"
    )


def read(element: etree._Element, ids: Ids | None = None) -> SignatureParts:
    return read_signature(element, token_id="t", ids=Ids() if ids is None else ids)


def refused(element: etree._Element, ids: Ids | None = None) -> str:
    with pytest.raises(EnvelopeRefused) as caught:
        read(element, ids)
    return caught.value.reason


def test_what_is_read_of_a_signature() -> None:
    parts = read(signature([reference("#a"), reference("cid:one%40x")]))
    assert parts.algorithm == names.ECDSA_SHA256
    assert parts.value == b"ABC"
    assert parts.digests == (("a", bytes(range(32)), ()),)
    assert parts.attachment_digests == (("one@x", bytes(range(32))),)
    assert parts.signed_info.startswith(b'<ds:SignedInfo xmlns:ds="')
    assert parts.signed_info.count(b"xmlns") == 1


@pytest.mark.parametrize("row", SUITES.values(), ids=list(SUITES))
def test_every_algorithm_of_the_table_is_on_the_list(row: object) -> None:
    algorithm = row.signature_algorithm  # type: ignore[attr-defined]
    assert read(signature(methods=METHODS.replace(names.ECDSA_SHA256, algorithm))).algorithm == algorithm
    assert "not on the list" in refused(signature(methods=METHODS.replace(names.ECDSA_SHA256, f"{algorithm}x")))


def test_six_parts_and_64_attachments_are_the_most() -> None:
    six = [reference(f"#p{at}") for at in range(6)]
    attached = [reference(f"cid:{at}") for at in range(64)]
    parts = read(signature(six + attached))
    assert [part_id for part_id, _, _ in parts.digests] == [f"p{at}" for at in range(6)]
    assert [content_id for content_id, _ in parts.attachment_digests] == [str(at) for at in range(64)]
    for bad in ([*six, reference("#p6")], six + attached + [reference("cid:64")], attached[:1], []):
        assert "no Reference or too many" in refused(signature(bad))


def test_each_part_and_each_attachment_once() -> None:
    assert "to one part" in refused(signature([reference("#a"), reference("#b"), reference("#a")]))
    assert "to one attachment" in refused(signature([reference("#a"), reference("cid:a"), reference("cid:a")]))
    assert read(signature([reference("#a"), reference("cid:a")])).digests


OTHER_SHAPES = {
    "another element": [reference("#a", name="ds:Manifest")],
    "another element for an attachment": [reference("#a"), reference("cid:a", name="ds:Manifest")],
    "an attribute": [reference("#a", more=' Type="x"')],
    "an attribute for an attachment": [reference("#a"), reference("cid:a", more=' Type="x"')],
    "a part with an attachment's transform": [
        reference("#a", content=transforms(names.SWA_SIGNATURE_TRANSFORM) + METHOD + VALUE)
    ],
    "an attachment with a part's transform": [
        reference("#a"),
        reference("cid:a", content=transforms(names.EXC_C14N) + METHOD + VALUE),
    ],
    "an attribute on Transforms": [
        reference("#a", content=transforms(names.EXC_C14N, more=' Id="x"') + METHOD + VALUE)
    ],
    "an attribute on DigestValue": [
        reference(
            "#a", content=transforms(names.EXC_C14N) + METHOD + VALUE.replace("DigestValue>", 'DigestValue Id="x">', 1)
        )
    ],
    "another digest": [reference("#a", content=transforms(names.EXC_C14N) + METHOD.replace("256", "512") + VALUE)],
    "31 octets": [
        reference(
            "#a", content=transforms(names.EXC_C14N) + METHOD + VALUE.replace(DIGEST, b64encode(bytes(31)).decode())
        )
    ],
    "33 octets": [
        reference(
            "#a", content=transforms(names.EXC_C14N) + METHOD + VALUE.replace(DIGEST, b64encode(bytes(33)).decode())
        )
    ],
    "text in a transform": [reference("#a", content=transforms(names.EXC_C14N, "x") + METHOD + VALUE)],
    "something else in a transform": [reference("#a", content=transforms(names.EXC_C14N, "<x/>") + METHOD + VALUE)],
    "something in an attachment's transform": [
        reference("#a"),
        reference("cid:a", content=transforms(names.SWA_SIGNATURE_TRANSFORM, "<x/>") + METHOD + VALUE),
    ],
}


@pytest.mark.parametrize("name", OTHER_SHAPES)
def test_a_reference_of_another_shape(name: str) -> None:
    refused(signature(OTHER_SHAPES[name]))


def test_a_digest_has_128_characters_of_text_at_most() -> None:
    def spaced(spaces: int) -> str:
        return transforms(names.EXC_C14N) + METHOD + VALUE.replace(DIGEST, DIGEST + " " * spaces)

    assert read(signature([reference("#a", content=spaced(84))])).digests[0][1] == bytes(range(32))
    with pytest.raises(LimitExceeded):
        read(signature([reference("#a", content=spaced(85))]))


def test_a_signature_value_has_2048_characters_of_text_at_most() -> None:
    def of(chars: int) -> str:
        return f"<ds:SignatureValue>{b64encode(bytes(chars // 4 * 3)).decode()}{' ' * (chars % 4)}</ds:SignatureValue>"

    assert len(read(signature(value=of(2048))).value) == 1536
    with pytest.raises(LimitExceeded):
        read(signature(value=of(2049)))


def test_prefixes_of_each_canonicalisation() -> None:
    listed = '<ec:InclusiveNamespaces PrefixList="wsse wsu"/>'
    with_prefixes = reference("#a", content=transforms(names.EXC_C14N, listed) + METHOD + VALUE)
    methods = METHODS.replace(f"{EXC}/>", f"{EXC}>{listed}</ds:CanonicalizationMethod>")
    assert read(signature([with_prefixes])).digests[0][2] == ("wsse", "wsu")
    assert b"xmlns:wsu=" not in read(signature([with_prefixes])).signed_info
    assert b"xmlns:wsu=" in read(signature(methods=methods)).signed_info


def test_a_signed_info_without_a_canonical_form() -> None:
    listed = f'{EXC}><ec:InclusiveNamespaces PrefixList="r"/></ds:CanonicalizationMethod>'
    methods = METHODS.replace(f"{EXC}/>", listed)
    assert read(signature(methods=methods, more=' xmlns:r="urn:r"')).signed_info.count(b"urn:r") == 1
    assert "no canonical form" in refused(signature(methods=methods, more=' xmlns:r="relative"'))


METHODS_OF_ANOTHER_SHAPE = {
    "exchanged": METHODS[METHODS.index("<ds:SignatureMethod") :] + METHODS[: METHODS.index("<ds:SignatureMethod")],
    "none": "",
    "canonicalisation of another kind": METHODS.replace(names.EXC_C14N, f"{names.EXC_C14N}WithComments"),
    "an attribute more": METHODS.replace("<ds:SignatureMethod ", '<ds:SignatureMethod Id="x" '),
    "text in it": METHODS[:-2] + ">x</ds:SignatureMethod>",
    "another name for the canonicalisation": METHODS.replace("ds:CanonicalizationMethod", "ds:Canonicalization"),
    "another name for the signature's method": METHODS.replace("ds:SignatureMethod", "ds:DigestMethod"),
    "another namespace": METHODS.replace("<ds:SignatureMethod", "<ec:SignatureMethod"),
    "another element in the canonicalisation": METHODS.replace(f"{EXC}/>", f"{EXC}><x/></ds:CanonicalizationMethod>"),
}


@pytest.mark.parametrize("name", METHODS_OF_ANOTHER_SHAPE)
def test_methods_of_another_shape(name: str) -> None:
    refused(signature(methods=METHODS_OF_ANOTHER_SHAPE[name]))


# --- ids and the key -------------------------------------------------------------------------------------------------

WITH_ID = {
    "Signature": {"more": ' Id="own"'},
    "SignatureValue": {"value": '<ds:SignatureValue Id="own">QUJD</ds:SignatureValue>'},
    "KeyInfo": {"key_info": KEY_INFO.replace("<ds:KeyInfo>", '<ds:KeyInfo Id="own">')},
    "SecurityTokenReference": {"key_info": KEY_INFO.replace("TokenReference>", 'TokenReference wsu:Id="own">', 1)},
}


@pytest.mark.parametrize("name", WITH_ID)
def test_an_id_is_registered_and_occurs_once(name: str) -> None:
    element, ids = signature(**WITH_ID[name]), Ids()
    read(element, ids)
    assert ids.seen == {"own"}
    assert "occurs twice" in refused(element, Ids(seen={"own"}))


def test_without_ids_none_is_registered() -> None:
    ids = Ids()
    read(signature(), ids)
    assert ids.seen == set()


@pytest.mark.parametrize(
    "key_info",
    [
        KEY_INFO.replace('URI="#t"', f'URI="#t" ValueType="{names.X509_V3}"'),
        KEY_INFO.replace("TokenReference>", 'TokenReference wsse11:TokenType="x">', 1),
    ],
)
def test_what_a_key_info_may_say_beside(key_info: str) -> None:
    assert read(signature(key_info=key_info)).value == b"ABC"


@pytest.mark.parametrize(
    ("key_info", "word"),
    [
        (KEY_INFO.replace('URI="#t"', 'URI="#u"'), "something else than the token"),
        (KEY_INFO.replace('URI="#t"', f'URI="#t" ValueType="{names.X509_SKI}"'), "another kind"),
        (KEY_INFO.replace('URI="#t"', 'URI="#t" x="y"'), "attribute"),
        (KEY_INFO.replace('URI="#t"', f'ValueType="{names.X509_V3}"'), "lacks"),
        (KEY_INFO.replace('"#t"/>', '"#t">x</wsse:Reference>'), "empty"),
        (KEY_INFO.replace("wsse:Reference", "wsse:Embedded"), "exactly these"),
        (KEY_INFO.replace("wsse:SecurityTokenReference", "ds:KeyName"), "exactly these"),
        (KEY_INFO.replace("<ds:KeyInfo>", '<ds:KeyInfo x="y">'), "attribute"),
        (KEY_INFO.replace("TokenReference>", 'TokenReference x="y">', 1), "attribute"),
    ],
)
def test_a_key_info_that_names_anything_else(key_info: str, word: str) -> None:
    assert word in refused(signature(key_info=key_info))


def test_the_elements_of_a_signature() -> None:
    assert "something else" in refused(signature(name="ds:Other"))
    assert "attribute" in refused(signature(more=' x="y"'))
    assert "attribute" in refused(signature(value='<ds:SignatureValue x="y">QUJD</ds:SignatureValue>'))
    assert "exactly these" in refused(signature(key_info=""))
    assert "exactly these" in refused(signature(key_info=KEY_INFO + "<ds:Object/>"))

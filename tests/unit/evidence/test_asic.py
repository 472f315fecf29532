"""The container and its XAdES signature have one form: another reader sees what was verified, and nothing else."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.envelope.names import DS
from adapter.errors import EvidenceInvalid, SecurityFailed
from adapter.evidence.asic import MANIFEST, MIMETYPE_CONTENT, open_asic, render_asic, render_manifest, sign_files
from adapter.evidence.container import MIMETYPE, read_container, render_container
from adapter.evidence.xades import (
    SIGNATURES,
    XADES,
    XadesSignature,
    read_signatures,
    render_signatures,
    render_signed_info,
)
from adapter.xmlsafe import canonical, parse
from tests.pki import NOW, SUITE_NAMES, Federation
from tests.unit.evidence.exchanges import sealed, signing_key_of

FILES = {"a/letter.xml": b"<a/>", "b.bin": b"\x00\xff", "c.json": b"{}"}
SIGNED_AT = NOW + timedelta(microseconds=17)


@pytest.fixture(scope="module", params=SUITE_NAMES)
def federation(request: pytest.FixtureRequest) -> Federation:
    return Federation.build(suites=(request.param,))


@pytest.fixture(scope="module")
def p256() -> Federation:
    return Federation.build()


@pytest.fixture(scope="module")
def container(p256: Federation) -> bytes:
    return sealed(FILES, p256.social)


def with_meta(container: bytes, path: str, octets: bytes | None) -> bytes:
    """Another file in META-INF, with checksums and headers that fit."""
    files = {one: said for one, said in {**read_container(container), path: octets}.items() if said is not None}
    return render_container(files)


def test_what_was_signed_is_opened(federation: Federation) -> None:
    member = federation.social
    opened = open_asic(sealed(FILES, member, SIGNED_AT))
    assert opened.files == FILES
    assert opened.signer == member.signing_certificate
    assert opened.suite == member.suite
    assert opened.signature.signed.signed_at == NOW
    assert opened.signature.stamp is None


def test_it_is_laid_out_as_asic_e_wants(container: bytes) -> None:
    """EN 319 162-1, 4.4 and A.1: the first file and its place are what detectors of file types look at."""
    assert container[30:38] == MIMETYPE.encode()
    assert container[38 : 38 + len(MIMETYPE_CONTENT)] == MIMETYPE_CONTENT == b"application/vnd.etsi.asic-e+zip"
    assert set(read_container(container)) == {MIMETYPE, MANIFEST, SIGNATURES, *FILES}


def test_what_is_digested_is_canonical_as_it_stands(p256: Federation) -> None:
    """Any program that canonicalises and digests comes to the same octets."""
    whole = XadesSignature(
        signed=sign_files(FILES, signing_key_of(p256.social), NOW).signed,
        value=bytes(64),
        stamp=b"stamp",
        certificates=(b"one", b"two"),
        lists=(b"list",),
        responses=(b"response",),
    )
    root = parse(render_signatures(whole))
    signed_info = next(root.iter(f"{{{DS}}}SignedInfo"))
    assert canonical(signed_info) == render_signed_info(whole.signed)
    assert canonical(next(root.iter(f"{{{DS}}}SignatureValue"))) == whole.stamped
    properties = canonical(next(root.iter(f"{{{XADES}}}SignedProperties")))
    digests = [b64decode(one.text or "") for one in signed_info.iter(f"{{{DS}}}DigestValue")]
    assert digests == [*(sha256(octets).digest() for octets in FILES.values()), sha256(properties).digest()]
    assert read_signatures(render_signatures(whole)) == whole


# --- refused ---------------------------------------------------------------------------------------------------------


def test_every_octet_of_the_signature_and_of_the_manifest_counts(container: bytes) -> None:
    """Every one of the manifest, every third of the signature; checksums fit the change; each is named by its file."""
    files = read_container(container)
    for path in (MANIFEST, SIGNATURES):
        octets = files[path]
        for at in range(0, len(octets), 1 if len(octets) < 1000 else 3):
            changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
            with pytest.raises(EvidenceInvalid, match=path):
                open_asic(with_meta(container, path, changed))


@pytest.mark.parametrize("path", FILES)
def test_a_changed_file_is_named(container: bytes, path: str) -> None:
    with pytest.raises(EvidenceInvalid, match=f"{path}: not as it was signed"):
        open_asic(with_meta(container, path, FILES[path] + b" "))


@pytest.mark.parametrize("path", [MANIFEST, SIGNATURES])
def test_refuses_a_container_without_its_manifest_or_signature(container: bytes, path: str) -> None:
    with pytest.raises(EvidenceInvalid, match=f"{path}: missing"):
        open_asic(with_meta(container, path, None))


def test_refuses_another_type(container: bytes) -> None:
    with pytest.raises(EvidenceInvalid, match=MIMETYPE):
        open_asic(with_meta(container, MIMETYPE, b"application/vnd.etsi.asic-s+zip"))


@pytest.mark.parametrize(
    "path",
    ["META-INF/signatures2.xml", "META-INF/container.xml", "meta-inf/x", "META-INF", "META-INF/sub/signatures.xml"],
)
def test_refuses_anything_else_in_meta_inf(container: bytes, p256: Federation, path: str) -> None:
    with pytest.raises(EvidenceInvalid, match="no place"):
        open_asic(with_meta(container, path, read_container(container)[SIGNATURES]))
    with pytest.raises(EvidenceInvalid, match="no place"):
        sign_files({path: b"x"}, signing_key_of(p256.social), NOW)


def test_refuses_a_file_that_is_not_signed(container: bytes) -> None:
    more = {**FILES, "d.txt": b"more"}
    both = with_meta(with_meta(container, "d.txt", b"more"), MANIFEST, render_manifest(more))
    with pytest.raises(EvidenceInvalid, match=r"does not cover exactly the files.*d\.txt"):
        open_asic(both)
    fewer = {path: octets for path, octets in FILES.items() if path != "c.json"}
    without = with_meta(with_meta(container, "c.json", None), MANIFEST, render_manifest(fewer))
    with pytest.raises(EvidenceInvalid, match=r"does not cover exactly the files.*c\.json"):
        open_asic(without)


SIGNATURE = "</ds:Signature>"
REFERENCE = '<ds:Reference Id="file-1" URI="a/letter.xml">'
OTHER_FORMS: dict[str, Callable[[str], str]] = {
    "a declaration": lambda text: "<?xml version='1.0' encoding='UTF-8'?>" + text,
    "white space": lambda text: text.replace(SIGNATURE, f"\n{SIGNATURE}"),
    "a comment": lambda text: text.replace(SIGNATURE, f"<!-- -->{SIGNATURE}"),
    "a second signature": lambda text: text.replace(
        "</asic:XAdESSignatures>",
        text[text.index("<ds:Signature ") : text.index(SIGNATURE)] + SIGNATURE + "</asic:XAdESSignatures>",
    ),
    "a doubled reference": lambda text: text.replace(
        REFERENCE, text[text.index(REFERENCE) : text.index("</ds:Reference>")] + "</ds:Reference>" + REFERENCE, 1
    ),
    "a transform of a file": lambda text: text.replace(
        REFERENCE,
        REFERENCE
        + '<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform></ds:Transforms>',
    ),
    "sha-512": lambda text: text.replace("xmlenc#sha256", "xmlenc#sha512"),
    "sha-1": lambda text: text.replace(
        "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1", 1
    ),
    "inclusive canonicalisation": lambda text: text.replace(
        "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", 1
    ),
    "another signature method": lambda text: text.replace("#ecdsa-sha256", "#hmac-sha256"),
    "a method of another kind of key": lambda text: text.replace("#ecdsa-sha256", "#rsa-sha256"),
    "a reference to outside": lambda text: text.replace('URI="a/letter.xml"', 'URI="file:///etc/passwd"'),
    "another property": lambda text: text.replace(
        "</xades:SignedSignatureProperties>",
        "<xades:SignerRoleV2></xades:SignerRoleV2></xades:SignedSignatureProperties>",
    ),
    "an unsigned property": lambda text: text.replace(
        "</xades:QualifyingProperties>",
        "<xades:UnsignedProperties></xades:UnsignedProperties></xades:QualifyingProperties>",
    ),
    "a second certificate": lambda text: text.replace(
        "</ds:X509Data>", "<ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>"
    ),
    "no certificate": lambda text: text.replace("ds:X509Certificate", "ds:X509CRL"),
    "another media type": lambda text: text.replace("text/xml", "text/html"),
    "a time with a zone": lambda text: text.replace("2026-03-02T09:00:00Z", "2026-03-02T09:00:00+00:00"),
    "no time": lambda text: text.replace("2026-03-02T09:00:00Z", ""),
    "a document type": lambda text: "<!DOCTYPE x>" + text,
    "another prefix": lambda text: text.replace("xades:", "x:").replace("xmlns:xades", "xmlns:x"),
    "nothing": lambda _: "",
    "something else": lambda _: "<a/>",
}


@pytest.mark.parametrize("change", OTHER_FORMS.values(), ids=OTHER_FORMS.keys())
def test_refuses_a_signature_in_another_form(container: bytes, change: Callable[[str], str]) -> None:
    text = read_container(container)[SIGNATURES].decode()
    changed = change(text)
    assert changed != text
    with pytest.raises(EvidenceInvalid, match=SIGNATURES):
        open_asic(with_meta(container, SIGNATURES, changed.encode()))


def test_refuses_a_signature_with_another_key_in_it(container: bytes, p256: Federation) -> None:
    """A certificate that fits the signature, and not the one that was signed, changes what is signed."""
    mine = open_asic(container).signature
    theirs = sign_files(FILES, signing_key_of(p256.cadastre), NOW)
    for signature in (
        XadesSignature(signed=mine.signed, value=theirs.value),
        XadesSignature(signed=theirs.signed, value=mine.value),
    ):
        with pytest.raises(EvidenceInvalid, match=SIGNATURES):
            open_asic(render_asic(FILES, signature))


def test_refuses_a_certificate_that_is_not_for_signatures(container: bytes, p256: Federation) -> None:
    mine = open_asic(container).signature
    der = p256.social.agreement_certificate.public_bytes(Encoding.DER)
    with pytest.raises(EvidenceInvalid, match="not for signing"):
        open_asic(render_asic(FILES, replace(mine, signed=replace(mine.signed, certificate=der))))


def test_a_suite_that_has_ended_signs_nothing(p256: Federation) -> None:
    with pytest.raises(SecurityFailed, match="ended"):
        sign_files(FILES, signing_key_of(p256.social), NOW + timedelta(days=20 * 366))


def test_a_container_has_files(p256: Federation) -> None:
    with pytest.raises(EvidenceInvalid, match="0 files"):
        sign_files({}, signing_key_of(p256.social), NOW)

"""Time-stamp tokens whose signature is good and that are not taken all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, core, tsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from adapter.crypto.time_stamps import MAX_TOKEN_BYTES, ask_for_stamp, verify_stamp
from adapter.errors import SecurityFailed
from tests.pki import SIGNING_USAGE, Authority, SigningPrivateKey, issue, make_ca, new_signing_key
from tests.real_pki.making import RealPki
from tests.real_pki.tsa import TimeStampAuthority
from tests.unit.crypto.test_time_stamps import CHECKPOINT, authority_in

FOR_STAMPS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
QUESTION = ask_for_stamp(CHECKPOINT).octets


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> RealPki:
    return RealPki.build(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def authority(pki: RealPki, tmp_path_factory: pytest.TempPathFactory) -> TimeStampAuthority:
    """Never listens: it is asked here, without a network."""
    return authority_in(tmp_path_factory.mktemp("good") / "tsa", pki)


def nothing(info: Any) -> None:
    """A token as it should be."""


def change(field: str, value: Any) -> Callable[[Any], None]:
    def make(info: Any) -> None:
        info[field] = value

    return make


def refused(token: bytes, words: str, *trusted: x509.Certificate) -> None:
    with pytest.raises(SecurityFailed, match=words):
        verify_stamp(token, CHECKPOINT, trusted=trusted)


def test_a_token_that_claims_no_accuracy(pki: RealPki, authority: TimeStampAuthority) -> None:
    root = pki.authorities["root"].certificate
    good = verify_stamp(authority.stamp_saying(QUESTION, nothing), CHECKPOINT, trusted=[root])
    silent = verify_stamp(authority.stamp_saying(QUESTION, change("accuracy", None)), CHECKPOINT, trusted=[root])
    assert (good.accuracy.total_seconds(), silent.accuracy.total_seconds()) == (1, 0)


def test_a_content_that_is_refused(pki: RealPki, authority: TimeStampAuthority) -> None:
    root = pki.authorities["root"].certificate
    refused(authority.stamp_saying(QUESTION, change("version", 2)), "version 2", root)
    refused(authority.stamp_saying(QUESTION, change("accuracy", {"seconds": 61})), "worse than a minute", root)
    refused(authority.sign_content(core.Integer(1).dump()), "content cannot be read", root)
    refused(bytes(MAX_TOKEN_BYTES + 1), f"of {MAX_TOKEN_BYTES + 1} octets", root)
    other_digest = TimestampRequestBuilder().data(CHECKPOINT).hash_algorithm(HashAlgorithm.SHA512).build()
    refused(authority.stamp_saying(other_digest.as_bytes(), nothing), "another kind than SHA-256", root)


def test_no_signature_and_two(pki: RealPki, authority: TimeStampAuthority) -> None:
    root = pki.authorities["root"].certificate
    tokens = [cms.ContentInfo.load(authority.stamp_saying(QUESTION, nothing)) for _ in range(2)]
    signers = [one["content"]["signer_infos"][0] for one in tokens]
    for found in ([], signers):
        tokens[0]["content"]["signer_infos"] = cms.SignerInfos(found)
        refused(tokens[0].dump(force=True), f"{len(found)} signatures", root)


def test_a_token_that_names_no_certificate_of_its_signer(pki: RealPki, authority: TimeStampAuthority) -> None:
    token = cms.ContentInfo.load(authority.stamp_saying(QUESTION, nothing))
    for attribute in token["content"]["signer_infos"][0]["signed_attrs"]:
        if attribute["type"].native == "signing_certificate_v2":
            attribute["values"] = [tsp.SigningCertificateV2({"certs": []})]
    refused(token.dump(force=True), "does not name its signer", pki.authorities["root"].certificate)


# --- whose certificate is not one for it ------------------------------------------------------------------------------


def token_of(
    good: TimeStampAuthority,
    folder: Path,
    issuer: Authority,
    *,
    key: SigningPrivateKey | None = None,
    **more: Any,
) -> tuple[bytes, x509.Certificate]:
    """What a good authority would say, signed by one with an odd certificate."""
    key = key or new_signing_key("p256", "time-stamp/odd")
    values: dict[str, Any] = {"usage": SIGNING_USAGE, "extra": (FOR_STAMPS,)} | more
    odd = issue(
        issuer,
        public_key=key.public_key(),
        subject="Odd time-stamp authority",
        now=good.certificate.not_valid_before_utc,
        valid_from=good.certificate.not_valid_before_utc,
        **values,
    )
    content = cms.ContentInfo.load(good.stamp_saying(QUESTION, nothing))["content"]["encap_content_info"]["content"]
    signer = TimeStampAuthority(key=key, certificate=odd, folder=folder / "odd")
    return signer.sign_content(content.parsed.dump()), odd


def test_a_key_that_is_too_short(pki: RealPki, authority: TimeStampAuthority, tmp_path: Path) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # what is to be refused
    token, odd = token_of(authority, tmp_path, pki.authorities["root"], key=short)
    refused(token, "too short", odd)


def test_a_certificate_that_is_a_ca_or_cannot_be_read(
    pki: RealPki, authority: TimeStampAuthority, tmp_path: Path
) -> None:
    root = pki.authorities["root"]
    token, odd = token_of(authority, tmp_path / "ca", root, is_ca=True)
    refused(token, "is a CA's", odd)
    names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x05\x00")
    token, odd = token_of(authority, tmp_path / "odd", root, extra=(FOR_STAMPS, (names, False)))
    refused(token, "cannot be read", odd)


ISSUERS: dict[str, dict[str, Any]] = {
    "says nothing of being a CA": {"usage": ("key_cert_sign",), "basic_constraints": False},
    "says nothing of its use": {"usage": None, "is_ca": True},
    "is no CA": {"usage": ("key_cert_sign",), "is_ca": False},
    "may not sign certificates": {"usage": ("crl_sign",), "is_ca": True},
}


@pytest.mark.parametrize("name", ISSUERS)
def test_an_issuer_that_is_listed_and_is_no_ca(
    pki: RealPki, authority: TimeStampAuthority, tmp_path: Path, name: str
) -> None:
    ca = make_ca("Odd CA", now=pki.now)
    token, _ = token_of(authority, tmp_path, ca)
    assert verify_stamp(token, CHECKPOINT, trusted=[ca.certificate]).token == token
    odd = issue(ca, public_key=ca.key.public_key(), subject=ca.name, now=pki.now, **ISSUERS[name])
    refused(token, "is not a CA", odd)

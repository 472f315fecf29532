"""Keys made inside a token: one use, for good; a request that it signed itself; nothing left when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from pkcs11 import Attribute, ObjectClass, PKCS11Error

from adapter.contracts import read_contract
from adapter.crypto.requests import RequestProfile, build_request_elsewhere
from adapter.errors import KeyUnusable
from adapter.identifiers import MemberId
from adapter.store.token import KeyName
from adapter.store.token_keys import TokenDecryptionKey, TokenSigningKey
from adapter.store.token_making import MadeKey, destroy_in_token, make_in_token, public_key_in_token
from tests.pki import AGREEMENT_USAGE, SIGNING_USAGE, issue, make_ca
from tests.softhsm import SoftToken, needs_softhsm, soft_token

pytestmark = needs_softhsm
MEMBER = MemberId.parse("UZ/GOV/200000001")


@pytest.fixture
def soft(tmp_path: Path) -> Iterator[SoftToken]:
    with soft_token(tmp_path) as made:
        yield made


def request(purpose: str) -> Callable[[PublicKeyTypes, Callable[[bytes], bytes]], bytes]:
    profile = RequestProfile.parse(read_contract(f"keys/{purpose}.toml").decode())

    def make(public: PublicKeyTypes, sign: Callable[[bytes], bytes]) -> bytes:
        return build_request_elsewhere(
            profile, public_key=public, sign=sign, member=MEMBER, organisation="Register of people"
        )

    return make


def made(soft: SoftToken, purpose: str, suite: str = "p256") -> MadeKey:
    token = soft.token(writable=True)
    try:
        name = KeyName(label=purpose, id=purpose.encode())
        return make_in_token(token, name, suite=suite, signs=purpose == "signing", request=request(purpose))
    finally:
        token.close()


def objects(soft: SoftToken) -> int:
    token = soft.token(writable=True)
    count = token.with_session(lambda session: len(list(session.get_objects())))
    token.close()
    return count


@pytest.mark.parametrize(("suite", "purpose"), [("p256", "signing"), ("p256", "agreement"), ("rsa", "signing")])
def test_the_request_is_by_the_profile_and_signed_by_the_key(soft: SoftToken, suite: str, purpose: str) -> None:
    key = made(soft, purpose, suite)
    asked = x509.load_pem_x509_csr(key.request)
    assert asked.is_signature_valid
    assert asked.public_key() == key.public
    assert asked.subject.rfc4514_string() == f"CN=UZ/GOV/200000001 {purpose},O=Register of people,C=UZ"
    usage = asked.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_agreement) == (purpose == "signing", purpose == "agreement")
    token = soft.token()
    assert public_key_in_token(token, KeyName(label=purpose)) == key.public
    token.close()


def test_the_adapter_takes_what_was_made(soft: SoftToken) -> None:
    ca = make_ca("CA")
    usages = {"signing": SIGNING_USAGE, "agreement": AGREEMENT_USAGE["p256"]}
    certificates = {
        purpose: issue(ca, public_key=made(soft, purpose).public, subject=purpose, usage=usage)
        for purpose, usage in usages.items()
    }
    token = soft.token()
    assert len(TokenSigningKey(token, KeyName(label="signing"), certificates["signing"]).sign(b"said")) == 64
    TokenDecryptionKey(token, KeyName(label="agreement"), certificates["agreement"])
    with pytest.raises(KeyUnusable, match="sign"):
        TokenSigningKey(token, KeyName(label="agreement"), certificates["signing"])
    token.close()


@pytest.mark.parametrize("purpose", ["signing", "agreement"])
def test_its_one_use_is_for_good_and_it_never_leaves(soft: SoftToken, purpose: str) -> None:
    made(soft, purpose)
    token = soft.token(writable=True)

    def look(key: object) -> None:
        said = {name: key[name] for name in (Attribute.SENSITIVE, Attribute.EXTRACTABLE, Attribute.SIGN)}  # type: ignore[index]
        assert said == {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: purpose == "signing"}
        for attribute, value in ((Attribute.SIGN, True), (Attribute.DERIVE, True), (Attribute.EXTRACTABLE, True)):
            with pytest.raises(PKCS11Error):
                key[attribute] = value  # type: ignore[index]

    token.with_key(KeyName(label=purpose), look)
    token.close()


def test_a_key_is_never_overwritten(soft: SoftToken) -> None:
    first = made(soft, "signing")
    with pytest.raises(KeyUnusable, match="never overwritten"):
        made(soft, "signing")
    token = soft.token()
    assert public_key_in_token(token, KeyName(label="signing")) == first.public
    token.close()


def test_an_agreement_key_that_the_token_could_not_use_is_not_kept(soft: SoftToken) -> None:
    """SoftHSM knows OAEP with SHA-1 only."""
    with pytest.raises(KeyUnusable, match="RSA-OAEP with SHA-256"):
        made(soft, "agreement", "rsa")
    assert objects(soft) == 0


def test_nothing_is_left_when_the_request_fails(soft: SoftToken) -> None:
    def fail(_public: object, _sign: object) -> bytes:
        raise KeyUnusable("no such profile")

    token = soft.token(writable=True)
    with pytest.raises(KeyUnusable, match="no such profile"):
        make_in_token(token, KeyName(label="signing", id=b"1"), suite="p256", signs=True, request=fail)
    token.close()
    assert objects(soft) == 0


def test_ed25519_keys_are_files(soft: SoftToken) -> None:
    with pytest.raises(KeyUnusable, match="suite ed25519 are files"):
        made(soft, "signing", "ed25519")


def test_a_key_is_destroyed_with_its_public_half(soft: SoftToken) -> None:
    made(soft, "signing")
    made(soft, "agreement")
    token = soft.token(writable=True)
    destroy_in_token(token, KeyName(label="signing"))
    with pytest.raises(KeyUnusable, match="no private key signing"):
        destroy_in_token(token, KeyName(label="signing"))
    left = token.with_session(lambda session: [one[Attribute.LABEL] for one in session.get_objects()])
    kinds = token.with_session(
        lambda session: len(list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})))
    )
    assert (left, kinds) == (["agreement", "agreement"], 1)
    token.close()

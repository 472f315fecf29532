"""Keys in a real PKCS #11 token (SoftHSM2): they sign and agree inside it, have one use, and outlive its absence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import KDF, KeyType, Mechanism, ObjectClass, PKCS11Error
from pkcs11 import _pkcs11 as library

from adapter.crypto.certificates import public_key
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.suites import suite
from adapter.errors import KeyUnreachable, KeyUnusable, SecurityFailed
from adapter.evidence.asic import open_asic, render_asic, sign_files
from adapter.ports import DecryptionKey, SigningKey
from adapter.store.token import KeyName, Token
from adapter.store.token_keys import TokenDecryptionKey, TokenSigningKey
from tests.pki import NOW, Federation, FederationMember
from tests.softhsm import PIN, SoftToken, needs_softhsm, soft_token
from tests.two_sides import TwoSides, fault_code, two_sides

pytestmark = needs_softhsm

SIGNING = KeyName(label="signing", id=b"\x01")
AGREEMENT = KeyName(label="agreement", id=b"\x02")
CKR_KEY_FUNCTION_NOT_PERMITTED = "0x68"
_ABLE_TO_DO_ALL = ("PrivateKey", "SignMixin", "DeriveMixin", "Object")


@pytest.fixture
def soft(tmp_path: Path) -> Iterator[SoftToken]:
    """A fresh, empty token."""
    with soft_token(tmp_path) as made:
        yield made


def signing_in(soft: SoftToken, member: FederationMember, label: str = "signing") -> TokenSigningKey:
    """The member's signing key, moved into the token."""
    name = KeyName(label=label, id=b"\x01")
    soft.put(member.signing_key, name, SIGN=True)
    return TokenSigningKey(soft.token(), name, member.signing_certificate)


def agreement_in(soft: SoftToken, member: FederationMember, label: str = "agreement") -> TokenDecryptionKey:
    """The member's agreement key, moved into the token."""
    name = KeyName(label=label, id=b"\x02")
    soft.put(member.agreement_key, name, DERIVE=member.suite == "p256", DECRYPT=member.suite == "rsa")
    return TokenDecryptionKey(soft.token(), name, member.agreement_certificate)


# --- what they do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p256", "rsa"])
def test_the_token_signs_what_the_certificate_verifies(
    soft: SoftToken, mixed_federation: Federation, name: str
) -> None:
    member = next(one for one in mixed_federation.members.values() if one.suite == name)
    key: SigningKey = signing_in(soft, member)
    row, public = suite(name), public_key(member.signing_certificate)
    assert key.suite == name
    for octets in (b"", b"some octets", bytes(100_000)):
        row.verify(public, key.sign(octets), octets)
    with pytest.raises(SecurityFailed):
        row.verify(public, key.sign(b"some octets"), b"other octets")
    # A container of evidence is signed through the same port.
    files = {"letter.txt": b"said"}
    assert open_asic(render_asic(files, sign_files(files, key, NOW))).signer == member.signing_certificate


def test_the_token_agrees_as_the_library_does(soft: SoftToken, federation: Federation) -> None:
    key: DecryptionKey = agreement_in(soft, federation.social)
    public = federation.social.agreement_certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for _ in range(300):  # one secret in 256 begins with a zero, which a module could leave out
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        assert key.agree(ephemeral.public_key()) == ephemeral.exchange(ec.ECDH(), public)


def test_what_this_token_cannot_do_is_said_when_the_key_is_loaded(
    soft: SoftToken, mixed_federation: Federation
) -> None:
    member = next(one for one in mixed_federation.members.values() if one.suite == "rsa")
    with pytest.raises(KeyUnusable) as refused:
        agreement_in(soft, member)
    assert "does not know RSA-OAEP with SHA-256" in refused.value.reason
    assert "suite p256" in refused.value.reason


async def test_a_whole_exchange_with_all_keys_of_both_sides_in_tokens(soft: SoftToken, federation: Federation) -> None:
    sides = in_tokens(soft, federation)
    answer = await sides.call()
    assert fault_code(answer) == "answered"
    assert "Каримов" in answer.octets.decode()
    assert sides.consumer_record.kinds == ["request-sent", "reply-received"]
    assert sides.provider_record.outcomes[-1] == "answered"


async def test_a_token_that_is_pulled_out_stops_exchanges_and_one_that_is_back_does_them(
    soft: SoftToken, federation: Federation
) -> None:
    sides = in_tokens(soft, federation)
    assert fault_code(await sides.call()) == "answered"
    soft.pull_out()
    without = await sides.call()
    assert fault_code(without) == "KeyUnreachable"
    assert "<ia-fault:Retry>later</ia-fault:Retry>" in without.octets.decode()
    assert "token" not in without.octets.decode()  # which one, and where, is for the operator alone
    assert sides.consumer_record.outcomes[-1] == "KeyUnreachable"
    soft.plug_in()
    assert fault_code(await sides.call()) == "answered"


def in_tokens(soft: SoftToken, federation: Federation) -> TwoSides:
    """Both sides of an exchange, without one private key in this process."""
    sides = two_sides(federation)
    social, population = federation.social, federation.population
    sides.provider = replace(
        sides.provider,
        opener=replace(sides.provider.opener, keys=DecryptionKeys.of(agreement_in(soft, population, "p-agreement"))),
        signing_key=partial(_itself, signing_in(soft, population, "p-signing")),
    )
    sides.consumer = replace(
        sides.consumer,
        opener=replace(sides.consumer.opener, keys=DecryptionKeys.of(agreement_in(soft, social, "c-agreement"))),
        signing_key=partial(_itself, signing_in(soft, social, "c-signing")),
    )
    sides.wire.provider = sides.provider
    return sides


def _itself(key: SigningKey) -> SigningKey:
    return key


# --- one use ---------------------------------------------------------------------------------------------------------


def test_a_key_that_may_do_both_is_refused_for_either(soft: SoftToken, federation: Federation) -> None:
    social = federation.social
    soft.put(social.signing_key, SIGNING, SIGN=True, DERIVE=True)
    with pytest.raises(KeyUnusable, match=r"open messages as well \(CKA_DERIVE\)"):
        TokenSigningKey(soft.token(), SIGNING, social.signing_certificate)
    soft.put(social.agreement_key, AGREEMENT, SIGN=True, DERIVE=True)
    with pytest.raises(KeyUnusable, match=r"sign as well \(CKA_SIGN\)"):
        TokenDecryptionKey(soft.token(), AGREEMENT, social.agreement_certificate)


def test_a_key_of_the_other_use_is_refused(soft: SoftToken, federation: Federation) -> None:
    social = federation.social
    soft.put(social.signing_key, SIGNING, DERIVE=True)
    with pytest.raises(KeyUnusable, match="does not let it sign"):
        TokenSigningKey(soft.token(), SIGNING, social.signing_certificate)
    soft.put(social.agreement_key, AGREEMENT, SIGN=True)
    with pytest.raises(KeyUnusable, match="does not let it open messages"):
        TokenDecryptionKey(soft.token(), AGREEMENT, social.agreement_certificate)
    with pytest.raises(KeyUnusable, match="not for signing"):
        TokenSigningKey(soft.token(), SIGNING, social.agreement_certificate)
    with pytest.raises(KeyUnusable, match="not for key-agreement"):
        TokenDecryptionKey(soft.token(), AGREEMENT, social.signing_certificate)


def test_the_token_itself_refuses_the_other_use(soft: SoftToken, federation: Federation) -> None:
    """Whatever this program does: CKA_SIGN and CKA_DERIVE are kept by the token."""
    signing_in(soft, federation.social)
    agreement_in(soft, federation.social)
    point = ec.generate_private_key(ec.SECP256R1()).public_key()

    def forced(session: pkcs11.Session, name: KeyName) -> Any:
        key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=name.label)
        key.__class__ = type("Forced", tuple(getattr(library, name) for name in _ABLE_TO_DO_ALL), {})
        return key

    def sign(key: Any) -> None:
        key.sign(bytes(32), mechanism=Mechanism.ECDSA)

    def derive(key: Any) -> None:
        octets = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        parameters = (KDF.NULL, None, octets)
        key.derive_key(
            KeyType.GENERIC_SECRET, 256, mechanism=Mechanism.ECDH1_DERIVE, mechanism_param=parameters
        ).destroy()

    for name, allowed, forbidden in ((SIGNING, sign, derive), (AGREEMENT, derive, sign)):
        token = soft.token()
        token.with_session(partial(_apply, allowed, forced, name))
        with pytest.raises(PKCS11Error, match=CKR_KEY_FUNCTION_NOT_PERMITTED):
            token.with_session(partial(_apply, forbidden, forced, name))


def _apply(work: Any, forced: Any, name: KeyName, session: pkcs11.Session) -> None:
    work(forced(session, name))


@pytest.mark.parametrize("flags", [{"EXTRACTABLE": True}, {"SENSITIVE": False}])
def test_a_key_that_could_leave_the_token_is_refused(
    soft: SoftToken, federation: Federation, flags: dict[str, bool]
) -> None:
    soft.put(federation.social.signing_key, SIGNING, SIGN=True, **flags)
    with pytest.raises(KeyUnusable, match="can be taken out of the token"):
        TokenSigningKey(soft.token(), SIGNING, federation.social.signing_certificate)


def test_a_certificate_for_another_key_is_refused(soft: SoftToken, federation: Federation) -> None:
    soft.put(federation.social.signing_key, SIGNING, SIGN=True)
    with pytest.raises(KeyUnusable, match="for another key"):
        TokenSigningKey(soft.token(), SIGNING, federation.cadastre.signing_certificate)
    soft.put(federation.social.agreement_key, AGREEMENT, DERIVE=True)
    with pytest.raises(KeyUnusable, match="for another key"):
        TokenDecryptionKey(soft.token(), AGREEMENT, federation.cadastre.agreement_certificate)


def test_another_kind_of_ephemeral_key_or_transport_is_refused(soft: SoftToken, federation: Federation) -> None:
    key = agreement_in(soft, federation.social)
    with pytest.raises(SecurityFailed, match="another kind"):
        key.agree(x25519.X25519PrivateKey.generate().public_key())
    with pytest.raises(SecurityFailed, match="not RSA"):
        key.decrypt_oaep(bytes(384))


# --- the token comes and goes ----------------------------------------------------------------------------------------


def test_a_token_that_was_restarted_is_logged_in_again(soft: SoftToken, federation: Federation) -> None:
    key = signing_in(soft, federation.social)
    soft.module.reinitialize()
    suite("p256").verify(public_key(federation.social.signing_certificate), key.sign(b"octets"), b"octets")


def test_a_token_that_is_gone_is_said_and_one_that_is_back_works(soft: SoftToken, federation: Federation) -> None:
    signing, agreement = signing_in(soft, federation.social), agreement_in(soft, federation.social)
    ephemeral = ec.generate_private_key(ec.SECP256R1()).public_key()
    soft.pull_out()
    for _ in range(2):
        with pytest.raises(KeyUnreachable, match="token agency is not there"):
            signing.sign(b"octets")
        with pytest.raises(KeyUnreachable, match="token agency is not there"):
            agreement.agree(ephemeral)
    soft.plug_in()
    assert len(signing.sign(b"octets")) == 64
    assert len(agreement.agree(ephemeral)) == 32


def test_a_wrong_pin_is_tried_once_and_never_shown(soft: SoftToken) -> None:
    soft.place.pin_file.write_text("00000000")
    token = soft.token()
    for words in ("does not take the PIN", "not tried again"):
        with pytest.raises(KeyUnusable, match=words) as refused:
            token.with_key(SIGNING, lambda _key: None)
        assert "00000000" not in str(refused.value)
        soft.place.pin_file.write_text(PIN)


def test_every_worker_that_is_forked_opens_the_token_itself(
    soft: SoftToken, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SoftHSM2 would let a child go on with its parent's session; PKCS #11 forbids it, and other modules fail."""
    key = signing_in(soft, federation.social)
    public = public_key(federation.social.signing_certificate)
    opened: list[int] = []
    open_token = Token._open

    def counting(token: Token) -> pkcs11.Session:
        opened.append(os.getpid())
        return open_token(token)

    monkeypatch.setattr(Token, "_open", counting)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            suite("p256").verify(public, key.sign(b"of the child"), b"of the child")
            code = 0 if opened == [os.getpid()] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    suite("p256").verify(public, key.sign(b"of the parent"), b"of the parent")
    assert opened == []


def test_threads_share_a_token(soft: SoftToken, federation: Federation) -> None:
    key = signing_in(soft, federation.social)
    row, public = suite("p256"), public_key(federation.social.signing_certificate)
    with ThreadPoolExecutor(8) as pool:
        for number, value in enumerate(pool.map(lambda at: key.sign(str(at).encode()), range(64))):
            row.verify(public, value, str(number).encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "nobody"}, "token nobody is not there"),
        ({"serial": "0000"}, "is not there"),
        ({"module": Path("/nowhere/module.so")}, "module.so is missing"),
        ({"module": Path(__file__)}, "is not a PKCS #11 module"),
        ({"pin_file": Path("/nowhere/pin")}, "is missing"),
    ],
)
def test_a_token_that_cannot_be_opened_says_why(soft: SoftToken, change: dict[str, Any], words: str) -> None:
    with pytest.raises(KeyUnusable, match=words):
        Token(replace(soft.place, **change)).with_key(SIGNING, lambda _key: None)


def test_a_key_is_named_so_that_there_is_one(soft: SoftToken, federation: Federation) -> None:
    soft.put(federation.social.signing_key, KeyName(label="same", id=b"\x01"), SIGN=True)
    soft.put(federation.cadastre.signing_key, KeyName(label="same", id=b"\x02"), SIGN=True)
    with pytest.raises(KeyUnusable, match="more than one private key same"):
        TokenSigningKey(soft.token(), KeyName(label="same"), federation.social.signing_certificate)
    with pytest.raises(KeyUnusable, match="no private key other"):
        TokenSigningKey(soft.token(), KeyName(label="other"), federation.social.signing_certificate)
    by_id = TokenSigningKey(soft.token(), KeyName(id=b"\x02"), federation.cadastre.signing_certificate)
    assert by_id.suite == "p256"

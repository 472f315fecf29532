"""Statuses of certificates: each step of judging an OCSP response and a list has a case that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.crypto.status import (
    MAX_OCSP_OCTETS,
    NONCE_OCTETS,
    CertificateStatus,
    claimed_time,
    encode_ocsp_request,
    read_ocsp_response,
    read_revocation_list,
)
from adapter.errors import SecurityFailed, StatusOutdated
from tests.pki import NOW, SIGNING_USAGE, SUITE_NAMES, Authority, issue, make_ca, new_signing_key
from tests.real_pki.crl import make_crl
from tests.real_pki.making import responder_certificate
from tests.real_pki.ocsp import make_response, signed_by_another, with_issuer_name_hash

WINDOW = timedelta(hours=1)
HOUR = timedelta(hours=1)
CLOCK_SKEW = timedelta(minutes=1)


class Scene:
    """An authority, its responder, and a member's certificate."""

    def __init__(self, suite: str = "p256") -> None:
        self.authority = make_ca("Status CA", key=new_signing_key(suite, "status CA"))
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.responder = responder_certificate(self.authority, self.key.public_key(), now=NOW)
        self.member = member_of(self.authority)

    def response(self, **changes: Any) -> bytes:
        values: dict[str, Any] = {
            "certificate": self.member,
            "authority": self.authority,
            "responder": self.responder,
            "key": self.key,
            "this_update": NOW,
            "next_update": NOW + HOUR,
        }
        values |= changes
        return make_response(values.pop("certificate"), values.pop("authority"), **values)

    def read(self, octets: bytes, *, now: datetime = NOW, nonce: bytes | None = None) -> CertificateStatus:
        return read_ocsp_response(
            octets,
            certificate=self.member,
            issuer=self.authority.certificate,
            window=WINDOW,
            now=now,
            nonce=nonce,
        )

    def read_list(self, octets: bytes, *, now: datetime = NOW) -> CertificateStatus:
        return read_revocation_list(
            octets, certificate=self.member, issuer=self.authority.certificate, window=WINDOW, now=now
        )

    def crl(self, **changes: Any) -> bytes:
        values: dict[str, Any] = {"revoked": {}, "this_update": NOW, "next_update": NOW + HOUR} | changes
        return make_crl(values.pop("authority", self.authority), **values)


def member_of(authority: Authority) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return issue(authority, public_key=key.public_key(), subject="Member", usage=SIGNING_USAGE)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


# --- what is taken ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("by_name", [False, True])
def test_good_by_a_delegate_and_by_the_authority_itself(suite: str, *, by_name: bool) -> None:
    scene = Scene(suite)
    own = scene.response(
        responder=scene.authority.certificate, key=scene.authority.key, with_certificate=False, by_name=by_name
    )
    for octets in (scene.response(by_name=by_name), own, scene.response(algorithm=hashes.SHA256())):
        status = scene.read(octets)
        assert (status.revoked_at, status.this_update, status.usable_until) == (None, NOW, NOW + HOUR)
        assert (status.octets, status.is_list) == (octets, False)
        assert "octets" not in repr(status)


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_a_list_that_does_not_name_the_certificate(suite: str) -> None:
    scene = Scene(suite)
    status = scene.read_list(scene.crl(revoked={scene.member.serial_number + 1: NOW}))
    assert (status.revoked_at, status.usable_until, status.is_list) == (None, NOW + HOUR, True)


def test_revoked_whenever_it_was_said(scene: Scene) -> None:
    at = NOW - timedelta(days=2)
    old = {"this_update": NOW - timedelta(days=1), "next_update": NOW - HOUR}
    assert scene.read(scene.response(revoked_at=at, **old)).revoked_at == at
    listed = {scene.member.serial_number: at}
    assert scene.read_list(scene.crl(revoked=listed, **old)).revoked_at == at


def test_an_answer_to_our_question(scene: Scene) -> None:
    nonce = bytes(NONCE_OCTETS)
    assert len(nonce) == 32  # RFC 9654, 2.1: clients should
    asked = ocsp.load_der_ocsp_request(encode_ocsp_request(scene.member, scene.authority.certificate, nonce))
    assert asked.serial_number == scene.member.serial_number
    assert [one.value.nonce for one in asked.extensions if isinstance(one.value, x509.OCSPNonce)] == [nonce]
    assert not any(one.critical for one in asked.extensions)  # 4.4: a responder need not know it
    assert scene.read(scene.response(nonce=nonce), nonce=nonce).revoked_at is None
    assert scene.read(scene.response(), nonce=nonce).revoked_at is None  # prepared ahead: its time says enough
    assert scene.read(scene.response(nonce=nonce)).revoked_at is None  # somebody else had asked
    with pytest.raises(SecurityFailed, match="another question"):
        scene.read(scene.response(nonce=b"1" * 32), nonce=nonce)


def test_when_it_says_that_it_was_made(scene: Scene) -> None:
    octets = scene.response(this_update=NOW - HOUR)
    assert claimed_time(octets, is_list=False) == ocsp.load_der_ocsp_response(octets).produced_at_utc
    assert claimed_time(scene.crl(this_update=NOW - HOUR), is_list=True) == NOW - HOUR
    with pytest.raises(SecurityFailed, match="response that cannot be read"):
        claimed_time(scene.crl(), is_list=False)
    with pytest.raises(SecurityFailed, match="list that cannot be read"):
        claimed_time(octets, is_list=True)
    with pytest.raises(StatusOutdated):
        claimed_time(failed(ocsp.OCSPResponseStatus.TRY_LATER), is_list=False)


# --- OCSP: what is refused, by step ----------------------------------------------------------------------------------


def failed(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("octets", "word"),
    [(b"", "cannot be read"), (b"\x30\x00", "cannot be read"), (bytes(MAX_OCSP_OCTETS + 1), "more than")],
)
def test_1_what_is_no_response(scene: Scene, octets: bytes, word: str) -> None:
    with pytest.raises(SecurityFailed, match=word):
        scene.read(octets)
    with pytest.raises(SecurityFailed, match="cannot be read"):
        scene.read(scene.response() + b"\x00")


@pytest.mark.parametrize(
    "status", [one for one in ocsp.OCSPResponseStatus if one is not ocsp.OCSPResponseStatus.SUCCESSFUL]
)
def test_1_a_responder_that_says_nothing(scene: Scene, status: ocsp.OCSPResponseStatus) -> None:
    with pytest.raises(StatusOutdated, match="gave no status"):
        scene.read(failed(status))


def test_2_about_another_certificate_or_of_another_authority(scene: Scene) -> None:
    with pytest.raises(SecurityFailed, match="another certificate"):
        scene.read(scene.response(certificate=member_of(scene.authority)))
    other = make_ca("Status CA")  # the same name, another key
    with pytest.raises(SecurityFailed, match="another certificate"):
        scene.read(scene.response(issuer=other.certificate))
    with pytest.raises(SecurityFailed, match="another certificate"):
        scene.read(with_issuer_name_hash(scene.response(), bytes(20), scene.key))
    with pytest.raises(SecurityFailed, match="hash that is not on the list"):
        scene.read(scene.response(algorithm=hashes.SHA512()))


def _no_responder(scene: Scene) -> bytes:
    return scene.response(with_certificate=False)


def _not_for_ocsp(scene: Scene) -> bytes:
    ordinary = responder_certificate(scene.authority, scene.key.public_key(), now=NOW, delegated=False)
    return scene.response(responder=ordinary)


def _of_another_authority(scene: Scene) -> bytes:
    stranger = responder_certificate(make_ca("Status CA"), scene.key.public_key(), now=NOW)
    return scene.response(responder=stranger)


def _delegate(scene: Scene, **changes: Any) -> x509.Certificate:
    values: dict[str, Any] = {
        "usage": SIGNING_USAGE,
        "extended_usage": (ExtendedKeyUsageOID.OCSP_SIGNING,),
        "extra": ((x509.OCSPNoCheck(), False),),
    }
    return issue(scene.authority, public_key=scene.key.public_key(), subject="Responder", **(values | changes))


RESPONDERS: dict[str, tuple[Callable[[Scene], bytes], str]] = {
    "without its certificate": (_no_responder, "does not have the certificate"),
    "not for OCSP": (_not_for_ocsp, "not for OCSP"),
    "of another authority": (_of_another_authority, "signature of a certificate"),
    "expired": (
        lambda scene: scene.response(responder=_delegate(scene, valid_until=NOW - HOUR)),
        "expired",
    ),
    "not for signatures": (
        lambda scene: scene.response(responder=_delegate(scene, usage=("key_agreement",))),
        "not for signatures",
    ),
    "to be asked about": (lambda scene: scene.response(responder=_delegate(scene, extra=())), "its own status"),
    "another key": (lambda scene: signed_by_another(scene.response()), "signature of an OCSP response"),
    "an octet of the signature": (
        lambda scene: _with_last_octet_changed(scene.response(with_certificate=False, **_by_authority(scene))),
        "signature of an OCSP response",
    ),
}


def _by_authority(scene: Scene) -> dict[str, Any]:
    return {"responder": scene.authority.certificate, "key": scene.authority.key}


def _with_last_octet_changed(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] ^ 1,))


@pytest.mark.parametrize("name", RESPONDERS)
def test_3_who_may_not_speak_for_the_authority(scene: Scene, name: str) -> None:
    make, word = RESPONDERS[name]
    with pytest.raises(SecurityFailed, match=word):
        scene.read(make(scene))


def test_5_unknown(scene: Scene) -> None:
    with pytest.raises(SecurityFailed, match="does not know"):
        scene.read(scene.response(unknown=True))


@pytest.mark.parametrize("next_update", [NOW + timedelta(minutes=10), NOW + timedelta(days=7), None])
def test_6_it_holds_until_the_window_or_nextupdate_ends(scene: Scene, next_update: datetime | None) -> None:
    end = min(NOW + WINDOW, next_update or NOW + WINDOW)
    response = scene.response(next_update=next_update)
    readers: list[tuple[Callable[..., CertificateStatus], bytes]] = [(scene.read, response)]
    if next_update is not None:
        readers.append((scene.read_list, scene.crl(next_update=next_update)))
    for read, octets in readers:
        assert read(octets, now=end - timedelta(seconds=1)).usable_until == end
        with pytest.raises(StatusOutdated, match="good until"):
            read(octets, now=end)
        assert read(octets, now=NOW - CLOCK_SKEW).revoked_at is None
        with pytest.raises(StatusOutdated, match="future"):
            read(octets, now=NOW - CLOCK_SKEW - timedelta(seconds=1))


def test_6_produced_before_it_was_true_or_tomorrow(scene: Scene) -> None:
    minute = timedelta(minutes=1)
    assert scene.read(scene.response(produced_at=NOW - CLOCK_SKEW)).revoked_at is None
    for produced_at in (NOW - CLOCK_SKEW - minute, NOW + CLOCK_SKEW + minute):
        with pytest.raises(StatusOutdated, match="produced"):
            scene.read(scene.response(produced_at=produced_at))


# --- lists -----------------------------------------------------------------------------------------------------------


def test_lists_that_are_refused(scene: Scene) -> None:
    other = make_ca("Another CA")
    same_name = make_ca("Status CA")
    cases: list[tuple[bytes, str]] = [
        (b"", "cannot be read"),
        (scene.crl() + b"\x00", "cannot be read"),
        (scene.crl(extra=((x509.DeltaCRLIndicator(1), True),)), "delta"),
        (scene.crl(extra=((x509.DeltaCRLIndicator(1), False),)), "delta"),
        (scene.crl(extra=((_part_of_a_list(), True),)), "part"),
        (scene.crl(authority=other), "another authority"),
        (scene.crl(authority=same_name), "signature of the revocation list"),
        (_with_last_octet_changed(scene.crl()), "signature of the revocation list"),
    ]
    for octets, word in cases:
        with pytest.raises(SecurityFailed, match=word):
            scene.read_list(octets)


def _part_of_a_list() -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def test_an_authority_that_may_not_sign_lists() -> None:
    scene = Scene()
    key = scene.authority.key
    without = issue(
        Authority(key=key, name=scene.authority.name),
        public_key=key.public_key(),
        subject=scene.authority.name,
        usage=("key_cert_sign",),
        is_ca=True,
    )
    with pytest.raises(SecurityFailed, match="may not sign revocation lists"):
        read_revocation_list(scene.crl(), certificate=scene.member, issuer=without, window=WINDOW, now=NOW)

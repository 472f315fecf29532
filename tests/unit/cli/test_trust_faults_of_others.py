"""Faults of trust that lie with others: responders, time-stamp authorities, a web server's clock, a token, a peer.

As in test_trust_faults: green before, exactly that fault after. The services are real (openssl, SoftHSM2, TLS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.cli.trust_faults import TrustFault
from adapter.crypto.status import encode_ocsp_request
from adapter.directory.content import CertificationAuthority
from adapter.directory.content import TimeStampAuthority as Listed
from adapter.store.status_copies import StatusCopies
from tests.real_pki.making import make_responder, make_time_stamp_authority
from tests.real_pki.ocsp import OcspResponder
from tests.real_pki.serving import Fault
from tests.real_pki.tsa import TimeStampAuthority
from tests.softhsm import SoftToken, move_keys, needs_softhsm, soft_token
from tests.unit.cli.test_trust_faults import CASES
from tests.unit.cli.trust_scene import PAGE, WAIT, Case, Row, Scene, fails, judge, serving, warns

pytestmark = pytest.mark.sockets
GREEN = (0, set[Row]())
WINDOW = timedelta(hours=12)
SHOWN: set[str] = {row.fault for case in CASES.values() for row in case.rows}
"""Kinds that a case shows; the tests below add theirs."""


def spoilt(scene: Scene, *rows: Row, names: tuple[str, ...], on_page: bool = True) -> None:
    """What doctor says now has to be this."""
    judge(scene, Case(spoil=lambda _: None, rows=rows, names=names), on_page=on_page)


# --- statuses of certificates ----------------------------------------------------------------------------------------


@pytest.fixture
def responder(scene: Scene) -> Iterator[OcspResponder]:
    """The directory wants statuses of the issuing CA's certificates, and its responder answers."""
    own = scene.federation.population
    known = [own.signing_certificate, own.agreement_certificate]
    made = make_responder(scene.federation.issuing_ca, scene.place / "ocsp", known=known, now=scene.now)
    with made as responder:
        issuing = CertificationAuthority(
            certificate=scene.federation.issuing_ca.certificate,
            ocsp_addresses=(responder.address,),
            status_window=WINDOW,
        )
        root = CertificationAuthority(certificate=scene.federation.root_ca.certificate)
        scene.publish(replace(scene.draft, signing_authorities=(root, issuing)))
        scene.put("directory", 'loopback_peers = "always"')
        scene.put("directory", "status_timeout_s = 60")
        assert scene.doctor() == GREEN
        yield responder


def keep_statuses(scene: Scene, responder: OcspResponder) -> None:
    """As a running adapter does."""
    copies = StatusCopies(scene.settings.adapter.data_dir / "statuses")
    own, ca = scene.federation.population, scene.federation.issuing_ca.certificate
    for certificate in (own.signing_certificate, own.agreement_certificate):
        octets = responder.answer(encode_ocsp_request(certificate, ca, None))
        copies.keep(certificate.fingerprint(certificate.signature_hash_algorithm), octets)  # type: ignore[arg-type]


def test_own_certificate_revoked(scene: Scene, responder: OcspResponder) -> None:
    responder.revoke(scene.federation.population.signing_certificate)
    names = ("signing.pem: its CA revoked it on", "adapter keys revoke")
    spoilt(scene, fails("status signing", "certificate-revoked"), names=names)
    keep_statuses(scene, responder)
    responder.play(Fault.DOWN)
    rows = (fails("status signing", "certificate-revoked"), warns("status agreement", "status-unavailable"), *WAIT)
    spoilt(scene, *rows, names=names, on_page=False)


def test_responder_down_within_and_beyond_the_window(scene: Scene, responder: OcspResponder) -> None:
    keep_statuses(scene, responder)
    responder.play(Fault.DOWN)
    says = [warns(f"status {one}", "status-unavailable") for one in ("signing", "agreement")]
    spoilt(scene, *says, names=("signing.pem", "cannot be asked", "peers take the last one"), on_page=False)
    for copy in (scene.settings.adapter.data_dir / "statuses").iterdir():
        copy.unlink()
    says = [fails(f"status {one}", "status-unavailable") for one in ("signing", "agreement")]
    spoilt(scene, *says, names=("signing.pem", "none is kept that is fresh", "Ask the CA"))


def test_status_signed_by_the_wrong_responder(scene: Scene, responder: OcspResponder) -> None:
    responder.play(Fault.WRONG_KEY)
    says = [fails(f"status {one}", "status-refused") for one in ("signing", "agreement")]
    spoilt(scene, *says, names=("signature of an OCSP response is wrong", "Ask the CA"))


# --- time-stamps -----------------------------------------------------------------------------------------------------


@pytest.fixture
def tsa(scene: Scene) -> Iterator[TimeStampAuthority]:
    """The directory names one authority, and a limit of an hour."""
    root = scene.federation.root_ca
    with make_time_stamp_authority(root, scene.place / "tsa", name="clock", now=scene.now) as tsa:
        listed = Listed(name="clock", address=tsa.address, certificates=(root.certificate,))
        limit = timedelta(hours=1)
        scene.publish(replace(scene.draft, time_stamp_authorities={"clock": listed}, time_stamp_limit=limit))
        scene.put("directory", 'loopback_peers = "always"')
        scene.put("time_stamps", "timeout_s = 60")
        assert scene.doctor() == GREEN
        yield tsa


def test_time_stamp_authority_down_past_the_limit(scene: Scene, tsa: TimeStampAuthority) -> None:
    tsa.play(Fault.DOWN)
    down = warns("time-stamps", "time-stamp-refused")
    spoilt(scene, down, names=("clock: ", "the other ones are asked"), on_page=False)
    scene.fill()
    scene.sql("INSERT OR REPLACE INTO time_stamp_duty (id, since_ms) VALUES (1, 0)")
    rows = (fails("time-stamps", "time-stamp-overdue"), down)
    spoilt(scene, *rows, names=("3 entries wait", "overdue since", "until an authority stamps again"))


def test_stamp_of_another_authority(scene: Scene, tsa: TimeStampAuthority) -> None:
    tsa.play(Fault.WRONG_KEY)
    spoilt(scene, warns("time-stamps", "time-stamp-refused"), names=("clock: ", "Ask that authority"))


# --- clock, token, peer ----------------------------------------------------------------------------------------------


def test_clock_off_by_an_hour_against_the_directorys_server(scene: Scene) -> None:
    with serving(scene.place / "fed") as server:
        scene.put("directory", f'url = "{server.address}"')
        assert scene.doctor() == GREEN
        server.off = timedelta(hours=1)
        spoilt(scene, fails("clock", "clock-off"), names=("s off the directory's server", "chrony"))


@pytest.fixture
def token(scene: Scene) -> Iterator[SoftToken]:
    """The signing and the agreement key are in a token."""
    with soft_token(scene.place / "token") as made:
        move_keys(scene.home, made)
        assert scene.doctor() == GREEN
        yield made


@needs_softhsm
def test_token_pulled_out(scene: Scene, token: SoftToken) -> None:
    token.pull_out()
    rows = [fails(f"key {one}", "token-unreachable") for one in ("signing", "agreement")]
    spoilt(scene, *rows, *WAIT, names=("token agency is not there", "[token]"))


@needs_softhsm
def test_token_without_the_key(scene: Scene, token: SoftToken) -> None:
    assert token.folder.exists()
    path = scene.home / "adapter.toml"
    path.write_text(path.read_text().replace('label = "agreement"', 'label = "lost"'))
    names = ("token agency has no private key lost", "[[token.key]]")
    spoilt(scene, fails("key agreement", "token-key-unusable"), *WAIT, names=names)


@needs_softhsm
def test_revoked_key_that_the_settings_still_name(scene: Scene, token: SoftToken) -> None:
    assert token.folder.exists()
    assert scene.run("keys", "revoke", "signing", "--reason", "key-compromise", "-s", scene.home).code == 0
    rows = (
        warns("settings", "key-over-in-settings"),
        fails("key signing", "key-over"),
        fails("registered signing", "revoked-key-registered"),
        *WAIT,
    )
    spoilt(scene, *rows, names=("[[token.key]] signing: it was revoked on", "keys destroy signing"))


def test_address_of_a_peer_presents_another_certificate(scene: Scene) -> None:
    social, members = scene.federation.social, scene.place / "fed/members"
    scene.put("directory", 'loopback_peers = "always"')
    scene.more = ["--peer", str(social.id)]
    with ExitStack() as stack:
        right = stack.enter_context(serving(scene.place, certificate=members / social.id.code / "tls.pem"))
        other = members / scene.federation.cadastre.id.code / "tls.pem"
        wrong = stack.enter_context(serving(scene.place, certificate=other))
        move(scene, right.server_address[1])
        assert scene.doctor() == GREEN
        assert any(one["what"] == f"peer {social.id}" for one in scene.found)
        move(scene, wrong.server_address[1])
        names = ("shows CN=UZ/GOV/200000002 adapter", "the directory names", "known number")
        spoilt(scene, fails(f"peer {social.id}", "peer-other-certificate"), names=names)
    spoilt(scene, fails(f"peer {social.id}", "peer-unreachable"), names=("cannot be reached", "firewall"))


def move(scene: Scene, port: int) -> None:
    """The directory says that social protection's adapter is there."""
    draft, own = scene.draft, scene.federation.social.id
    member = draft.members[own]
    member = replace(member, adapter=replace(member.adapter, address=f"https://127.0.0.1:{port}/peer"))
    scene.publish(replace(draft, members={**draft.members, own: member}))


def test_every_kind_of_fault_has_a_case() -> None:
    """In the tables of test_trust_faults, or named in this file."""
    here, page = Path(__file__).read_text(), PAGE.read_text()
    assert re.findall(r"^\| `([a-z][a-z-]+)` \|", page, re.MULTILINE) == [fault.code for fault in TrustFault]
    assert {fault.code for fault in TrustFault if fault.code not in SHOWN and f'"{fault.code}"' not in here} == set()
